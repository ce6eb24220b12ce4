"""What a chapter shows: photographs pixel by pixel, curves, tables, and source code of the package.

Every function returns its figure or its table. A figure is closed first, so that it is shown only
once, as the last value of a cell. The look comes from `show/style.py`, single pictures come from
`show/pictures.py`, and the colours of the codecs come from `evaluation/palette.py`. A chapter can
import all of them from here.

But: it does not compute results. It only draws what a chapter passes to it.

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

DPI = 100  # for photographs: one pixel of the image is `scale` pixels of the figure
FRAME_COLOUR = "#ffd60a"  # around an enlarged detail: yellow is visible on most photographs
FRAME_WIDTH = 1.2  # points
TITLE_LINE = 17  # pixels from one line of a title to the next
TITLE_GAP = 6  # pixels between a title and whatever is above it
TITLE_LIFT = 5  # pixels between a title and its picture


class _Sheet(NamedTuple):
    """A figure whose positions are in pixels from its upper left corner.

    Matplotlib's own positions are fractions of the figure, from its lower left corner.
    """

    figure: Figure
    width: int  # pixels
    height: int

    def axes(self, left: int, top: int, width: int, height: int) -> Axes:
        # Matplotlib measures upwards from the lower edge
        bottom = 1 - (top + height) / self.height
        return self.figure.add_axes(
            (left / self.width, bottom, width / self.width, height / self.height)
        )

    def write(self, left: int, top: int, text: str) -> None:
        # the text sits on the line `top`
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
    """Show photographs side by side, pixel for pixel. The book's column is 740 pixels wide.

    Args:
        images: arrays (H, W) or (H, W, 3), uint8 or float in 0..1.
        titles: one per picture; `\\n` begins a second line.
        zoom: (top, left, side) of a square that is framed, and drawn again in the lower right
            corner, enlarged without smoothing.
        factor: how many times larger the square is drawn.
        columns: how many pictures to put in a row; by default all.
        scale: how many times each pixel is repeated; for small arrays.
        gap: the number of pixels between two pictures.
    """
    # convert every image to uint8 (H, W, 3)
    pictures = [enlarge(as_rgb(image), scale) for image in images]
    count = len(pictures)
    captions = list(titles or [""] * count)  # a title may be empty

    # every picture gets a cell of the size of the largest picture, with its title above
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

    # without Matplotlib's layout, which would move the pictures off the pixel grid
    figure = plt.figure(figsize=inches, dpi=DPI, layout="none")
    sheet = _Sheet(figure, full_width, full_height)

    # place one picture after another, row by row
    for number, (picture, caption) in enumerate(zip(pictures, captions)):
        row, column = divmod(number, columns)
        left = gap + column * (width + gap)
        top = row * (height + above + gap) + above

        # no rescaling: one pixel of the picture is one pixel of the figure
        axes = sheet.axes(left, top, picture.shape[1], picture.shape[0])
        axes.imshow(picture, interpolation="nearest", aspect="auto")
        axes.set_axis_off()
        sheet.write(left, top - TITLE_LIFT, caption)

        # the square is given in pixels of the image before they are repeated
        if zoom is not None:
            square = tuple(value * scale for value in zoom)
            _draw_detail(sheet, axes, picture, square, factor, left, top)

    # close the figure; otherwise the notebook would show it a second time
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
    # frame the square; in Matplotlib, a pixel begins half a pixel before its middle
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

    # put the same frame around it
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
    """Draw curves, each with its name at its end.

    Args:
        curves: (x, y) by name; a codec's name is shown with the codec's label and colour.
        xlabel: the text of the horizontal axis, with its unit.
        ylabel: the text of the vertical axis, with its unit.
        ax: the Matplotlib axes to draw on; by default those of a new figure.
        label_at: the index of the point beside which the name is written.
    """
    # if there are no axes to draw on, make a new figure
    if ax is None:
        _, ax = plt.subplots()

    for number, (name, (x, y)) in enumerate(curves.items()):
        label, colour, marker = look_of(name, number)
        ax.plot(x, y, color=colour, marker=marker, label=label)

        # a name beside its curve is easier to find than one in a legend
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

    # close the figure; otherwise the notebook would show it a second time
    figure = cast(Figure, ax.figure)
    plt.close(figure)
    return figure


def table(
    headers: Sequence[str], rows: Iterable[Iterable[object]], caption: str = ""
) -> "Markdown":
    """Return a table of results as Markdown: accessible, and in the page's colours.

    Numbers appear as you have formatted them.
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

    # the caption is a separate paragraph
    text = "\n".join(lines)
    if caption:
        text = f"**{caption}**\n\n{text}"
    return Markdown(text)


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
