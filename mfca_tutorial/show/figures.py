"""What a chapter shows: photographs at their own pixels, curves, tables, source of the package.

Does not compute results: it draws what a chapter hands it. Every function returns its figure
(closed, so that it shows once, as the last line of a cell) or its table. The look comes from
`show/style.py`, single pictures from `show/pictures.py`, colours of codecs from
`evaluation/palette.py`; a chapter finds them all here.

Taught in chapter 0.
"""

import inspect
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from mfca_tutorial.evaluation.palette import CODECS, CYCLE, look_of
from mfca_tutorial.pixels import Pixels, as_rgb
from mfca_tutorial.show.pictures import enlarge, error_map, heat, signed
from mfca_tutorial.show.style import INK, MUTED, PAPER, start, use_style

if TYPE_CHECKING:
    from IPython.display import Markdown

__all__ = [
    # defined here
    "plot_curves",
    "show_images",
    "show_source",
    "table",
    # from the palette and the style
    "CODECS",
    "CYCLE",
    "INK",
    "MUTED",
    "PAPER",
    "start",
    "use_style",
    # from the pictures
    "as_rgb",
    "enlarge",
    "error_map",
    "heat",
    "signed",
]

DPI = 100  # of photographs: one pixel of the image is `scale` pixels of the figure
FRAME_COLOUR = "#ffd60a"  # of an enlarged detail: yellow is seen on most photographs
FRAME_WIDTH = 1.2  # points
TITLE_LINE = 17  # pixels from one line of a title to the next
TITLE_GAP = 6  # pixels between a title and what is above it
TITLE_LIFT = 5  # pixels between a title and its picture


class _Sheet(NamedTuple):
    """A figure that is measured in pixels from its top left corner.

    Matplotlib measures in shares of the figure, from its lower left corner.
    """

    figure: Figure
    width: int  # pixels
    height: int

    def axes(self, left: int, top: int, width: int, height: int) -> Axes:
        # y runs upwards from the lower edge
        bottom = 1 - (top + height) / self.height
        return self.figure.add_axes(
            (left / self.width, bottom, width / self.width, height / self.height)
        )

    def write(self, left: int, top: int, text: str) -> None:
        # the text stands on the line `top`
        self.figure.text(
            left / self.width,
            1 - top / self.height,
            text,
            va="bottom",
            fontsize=8.6,
            linespacing=1.2,
        )


def show_images(
    images: Iterable[ArrayLike],
    titles: Iterable[str] | None = None,
    *,
    zoom: tuple[int, int, int] | None = None,
    factor: int = 4,
    columns: int | None = None,
    scale: int = 1,
    gap: int = 12,
) -> Figure:
    """Show photographs side by side at their own pixels. The book's column is 740 pixels wide.

    Args:
        images: arrays (H, W) or (H, W, 3), uint8 or float in 0..1.
        titles: one per picture; `\\n` begins a second line.
        zoom: (top, left, side) of a square that is framed and drawn enlarged, nearest neighbour,
            in the lower right corner.
        factor: how much larger the square is drawn.
        columns: pictures in a row; by default all.
        scale: how often each pixel is repeated; for small arrays.
        gap: pixels between two pictures.
    """
    # whatever comes in becomes uint8 (H, W, 3)
    pictures = [enlarge(as_rgb(image), scale) for image in images]
    count = len(pictures)
    captions = list(titles or [""] * count)  # a title may be empty

    # every picture gets a cell as large as the largest picture, its title above it
    height = max(picture.shape[0] for picture in pictures)
    width = max(picture.shape[1] for picture in pictures)
    lines = max(caption.count("\n") + bool(caption) for caption in captions)
    above = TITLE_GAP + TITLE_LINE * lines

    # the figure is a grid of cells with gaps around them
    columns = min(columns or count, count)
    rows = -(-count // columns)  # rounded up
    full_width = columns * (width + gap) + gap
    full_height = rows * (height + above + gap)
    inches = (full_width / DPI, full_height / DPI)

    # no layout of Matplotlib's: it would move the pictures off the grid of pixels
    figure = plt.figure(figsize=inches, dpi=DPI, layout="none")
    sheet = _Sheet(figure, full_width, full_height)

    # place one picture after the other, row by row
    for number, (picture, caption) in enumerate(zip(pictures, captions)):
        row, column = divmod(number, columns)
        left = gap + column * (width + gap)
        top = row * (height + above + gap) + above

        # no rescaling: one pixel of the picture is one pixel of the figure
        axes = sheet.axes(left, top, picture.shape[1], picture.shape[0])
        axes.imshow(picture, interpolation="nearest", aspect="auto")
        axes.set_axis_off()
        sheet.write(left, top - TITLE_LIFT, caption)

        # the square is given in pixels of the image, before they were repeated
        if zoom is not None:
            square = tuple(value * scale for value in zoom)
            _draw_detail(sheet, axes, picture, square, factor, left, top)

    # close the figure, or the notebook would show it a second time
    plt.close(figure)
    return figure


def _draw_detail(
    sheet: _Sheet,
    axes: Axes,
    picture: Pixels,
    square: tuple[int, ...],
    factor: int,
    left: int,
    top: int,
) -> None:
    # frame the square; Matplotlib's pixels begin half a pixel before their middle
    row, column, side = square
    corner = (column - 0.5, row - 0.5)
    frame = Rectangle(
        corner,
        side,
        side,
        fill=False,
        edgecolor=FRAME_COLOUR,
        linewidth=FRAME_WIDTH,
    )
    axes.add_patch(frame)

    # draw it again, larger, in the lower right corner of the picture
    detail = picture[row : row + side, column : column + side]
    patch = enlarge(detail, factor)
    height, width = patch.shape[:2]
    right = left + picture.shape[1]
    bottom = top + picture.shape[0]
    inset = sheet.axes(right - width, bottom - height, width, height)
    inset.imshow(patch, interpolation="nearest", aspect="auto")

    # with the same frame around it
    inset.set(xticks=[], yticks=[])
    for spine in inset.spines.values():
        spine.set(visible=True, edgecolor=FRAME_COLOUR, linewidth=FRAME_WIDTH)


def plot_curves(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
    label_at: int = -1,
) -> Figure:
    """Draw lines with their names written at their ends.

    Args:
        curves: (x, y) by name; a codec's name gets its label and its colour.
        xlabel: text of the horizontal axis, with its unit.
        ylabel: text of the vertical axis, with its unit.
        ax: the Matplotlib axes to draw on; by default those of a new figure.
        label_at: index of the point that the name is written beside.
    """
    # without axes to draw on, begin a figure
    if ax is None:
        _, ax = plt.subplots()

    for number, (name, (x, y)) in enumerate(curves.items()):
        label, colour, marker = look_of(name, number)
        ax.plot(x, y, color=colour, marker=marker, label=label)

        # a name beside its curve is found faster than one in a legend
        point = (np.asarray(x)[label_at], np.asarray(y)[label_at])
        ax.annotate(
            label,
            point,
            xytext=(6, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            fontsize=9,
        )

    # leave room for the names on the right
    ax.margins(x=0.16)
    ax.set(xlabel=xlabel, ylabel=ylabel)

    # close the figure, or the notebook would show it a second time
    figure = cast(Figure, ax.figure)
    plt.close(figure)
    return figure


def table(
    headers: Sequence[str], rows: Iterable[Iterable[object]], caption: str = ""
) -> "Markdown":
    """Return a table of results as Markdown: accessible, in the page's colours, no picture.

    Numbers are written as you format them.
    """
    from IPython.display import Markdown

    # the first column is text, the others are numbers
    alignment = [":--"] + ["--:"] * (len(headers) - 1)
    lines = [
        "| " + " | ".join(headers) + " |",
        "|" + "|".join(alignment) + "|",
    ]

    # one line per row
    for row in rows:
        cells = [str(cell) for cell in row]
        lines.append("| " + " | ".join(cells) + " |")

    # the caption is a paragraph of its own
    text = "\n".join(lines)
    if caption:
        text = f"**{caption}**\n\n{text}"
    return Markdown(text)


def show_source(thing: Callable[..., object] | type, docstring: bool = False) -> "Markdown":
    """Return the source of a function, class or method of the package, as it is installed.

    Its docstring is shown only when asked for: the chapter has just said it.
    """
    from IPython.display import Markdown

    # from the file, comments included
    code = inspect.getsource(thing)

    # cut from the end of the line before the docstring to its closing quotes
    if thing.__doc__ and not docstring:
        opening = code.find('"""')
        closing = code.find('"""', opening + 3)
        end_of_line = code.rfind("\n", 0, opening)
        code = code[:end_of_line] + code[closing + 3 :]

    # a method stands indented in its class
    code = textwrap.dedent(code).strip()
    return Markdown(f"```python\n{code}\n```")
