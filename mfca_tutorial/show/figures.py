"""What a chapter shows: photographs pixel by pixel, curves, tables, and source code of the package.

Every function returns its figure or its table. A figure is closed first, so that it is shown only
once, as the last value of a cell. The look comes from `show/style.py`, photographs come from
`show/photographs.py`, maps from `show/pictures.py`, and the colours of the codecs from
`evaluation/palette.py`. A chapter can import all of them from here.

But: it does not compute results. It only draws what a chapter passes to it.

Taught in chapter 0.
"""

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mfca_tutorial.evaluation.palette import (
    AMBER,
    BLUE,
    CODECS,
    CYCLE,
    OURS,
    RIVAL,
    TEAL,
    VIOLET,
    look_of,
    text_colour,
)
from mfca_tutorial.pixels import as_rgb
from mfca_tutorial.show.html import with_minus
from mfca_tutorial.show.labels import name_lines
from mfca_tutorial.show.photographs import ColourBar, show_images
from mfca_tutorial.show.pictures import enlarge, error_map, heat, in_a_row, signed
from mfca_tutorial.show.style import start, use_style
from mfca_tutorial.show.svg import on_phones
from mfca_tutorial.show.tokens import (
    BLUE_WASH,
    INK,
    LINE,
    MUTED,
    OURS_WASH,
    PAPER,
    WASH,
)

if TYPE_CHECKING:
    from IPython.display import Markdown

__all__ = [
    # defined here
    "plot_curves",
    "show_source",
    "table",
    # the colours
    "AMBER",
    "BLUE",
    "BLUE_WASH",
    "CODECS",
    "CYCLE",
    "INK",
    "LINE",
    "MUTED",
    "OURS",
    "OURS_WASH",
    "PAPER",
    "RIVAL",
    "TEAL",
    "VIOLET",
    "WASH",
    "text_colour",
    # the style
    "name_lines",
    "on_phones",
    "start",
    "use_style",
    # photographs and maps
    "ColourBar",
    "show_images",
    "as_rgb",
    "enlarge",
    "error_map",
    "heat",
    "in_a_row",
    "signed",
]


def plot_curves(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Figure:
    """Draw curves, each with its name at its end.

    Args:
        curves: (x, y) by name; a codec's name is shown with the codec's label and colour.
        xlabel: the text of the horizontal axis, with its unit.
        ylabel: the text of the vertical axis, with its unit.
        ax: the Matplotlib axes to draw on; by default those of a new figure.
    """
    # if there are no axes to draw on, make a new figure
    if ax is None:
        _, ax = plt.subplots()

    for number, (name, (x, y)) in enumerate(curves.items()):
        label, colour, marker = look_of(name, number)
        ax.plot(x, y, color=colour, marker=marker, label=label)

    # a name at the end of its curve is easier to find than one in a legend
    ax.set(xlabel=xlabel, ylabel=ylabel)
    name_lines(ax)

    # close the figure; otherwise the notebook would show it a second time
    figure = cast(Figure, ax.figure)
    plt.close(figure)
    return figure


def table(
    headers: Sequence[str], rows: Iterable[Iterable[object]], caption: str = ""
) -> "Markdown":
    """Return a table of results as Markdown: accessible, and in the page's colours.

    Numbers appear as you have formatted them, with a true minus sign outside of code.
    """
    from IPython.display import Markdown

    body = [[_as_shown(str(cell)) for cell in row] for row in rows]

    # the first column is text, and so is one without a digit; the others are numbers
    alignment = [":--"]
    for column in range(1, len(headers)):
        has_numbers = any(re.search(r"\d", row[column]) for row in body)
        alignment.append("--:" if has_numbers else ":--")
    lines = [
        "| " + " | ".join(headers) + " |",
        "|" + "|".join(alignment) + "|",
    ]

    # one line per row
    lines += ["| " + " | ".join(cells) + " |" for cells in body]

    # the caption is a separate paragraph
    text = "\n".join(lines)
    if caption:
        text = f"**{caption}**\n\n{text}"
    return Markdown(text)


def _as_shown(cell: str) -> str:
    # in code and in formulas, a hyphen stays one
    return cell if "`" in cell or "$" in cell else with_minus(cell)


def show_source(thing: Callable[..., object] | type, docstring: bool = False) -> "Markdown":
    """Return the source of a function, class or method of the installed package.

    Its docstring is shown only on request, because the chapter has just explained it.
    """
    from IPython.display import Markdown

    # take the source from the file, comments included
    code = inspect.getsource(thing)

    # cut out everything from the line before the docstring to its closing quotes
    if thing.__doc__ and not docstring:
        opening = code.find('"""')
        closing = code.find('"""', opening + 3)
        end_of_line = code.rfind("\n", 0, opening)
        code = code[:end_of_line] + code[closing + 3 :]

    # a method is indented in its class
    code = textwrap.dedent(code).strip()
    return Markdown(f"```python\n{code}\n```")
