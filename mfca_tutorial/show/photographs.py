"""Photographs side by side, pixel for pixel, with a detail of each enlarged below it.

In Jupyter and Colab they are one picture. On a page they are images in a grid, whose titles are
text in the page's font, and which has fewer columns on a phone.

But: it draws no axes and no curves; `show/figures.py` does.

Taught in chapter 0.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from mfca_tutorial.pixels import Pixels, as_rgb
from mfca_tutorial.show.html import data_uri, image_html
from mfca_tutorial.show.pictures import enlarge, heat, is_signed, signed

DPI = 100  # one pixel of an image is `scale` pixels of the figure
FRAME_COLOUR = "#ffd60a"  # around an enlarged detail: yellow is visible on most photographs
FRAME_WIDTH = 1.2  # points
TITLE_LINE = 17  # pixels from one line of a title to the next
TITLE_GAP = 6  # pixels between a title and whatever is above it
TITLE_LIFT = 5  # pixels between a title and its picture
BAR = 26  # pixels that a colour bar and its numbers take
BAR_HEIGHT = 8  # pixels of its colours
PHONE = 342  # pixels: the column of a page on a phone
PHONE_GAP = 12  # pixels between photographs there
LEAST = 108  # pixels: photographs become no narrower than this on a phone
LEAST_IN_ROWS = 100  # the same for a figure of several rows


class ColourBar(NamedTuple):
    """What the colours of a map mean: the values at both ends, and their unit."""

    low: str
    high: str
    unit: str
    cmap: str = "viridis"  # "signed" is that of `signed`

    def colours(self, width: int) -> Pixels:
        """All colours of the bar in a row, uint8 (1, width, 3)."""
        ramp = np.linspace(-1, 1, width)[None]
        return signed(ramp, 1) if self.cmap == "signed" else heat(ramp, cmap=self.cmap)


class Panel(NamedTuple):
    """One photograph with all that stands above and below it."""

    picture: Pixels  # every pixel once
    title: str
    bar: ColourBar | None
    detail: Pixels | None  # the square that is enlarged


class Photographs(Figure):
    """A figure that remembers its photographs; a page shows them without Matplotlib."""

    panels: Sequence[Panel] = ()
    columns = 1
    scale = 1  # how many times each pixel is repeated
    zoom: tuple[int, int, int] | None = None  # top, left, side of the enlarged square, in pixels


class _Sheet(NamedTuple):
    """A figure whose positions are in pixels from its upper left corner.

    Matplotlib's own positions are fractions of the figure, from its lower left corner.
    """

    figure: Figure
    width: int  # pixels
    height: int

    def show(self, left: int, top: int, picture: np.ndarray) -> Axes:
        # Matplotlib measures upwards from the lower edge
        height, width = picture.shape[:2]
        bottom = 1 - (top + height) / self.height
        place = (left / self.width, bottom, width / self.width, height / self.height)
        axes = self.figure.add_axes(place)

        # no rescaling: one pixel of the picture is one pixel of the figure
        axes.imshow(picture, interpolation="nearest", aspect="auto")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        return axes

    def write(self, left: int, top: int, text: str, align: str = "left") -> None:
        # the text sits on the line `top`
        self.figure.text(
            left / self.width,
            1 - top / self.height,
            text,
            va="bottom",
            ha=align,
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
    bars: Sequence[ColourBar | None] | None = None,
) -> Photographs:
    """Show photographs side by side, pixel for pixel. The book's column is 736 pixels wide.

    Args:
        images: arrays (H, W) or (H, W, 3), uint8 or float in 0..1.
        titles: one per picture; `\\n` begins a second line.
        zoom: (top, left, side) of a square that is framed, and drawn again below the picture,
            enlarged without smoothing.
        factor: how many times larger the square is drawn, in pixels of the figure.
        columns: how many pictures to put in a row; by default all.
        scale: how many times each pixel is repeated; for small arrays.
        gap: the number of pixels between two pictures.
        bars: one per picture: what the colours of a map mean, or None.
    """
    # convert every image to uint8 (H, W, 3)
    pictures = [as_rgb(image) for image in images]
    count = len(pictures)
    captions = list(titles or [""] * count)  # a title may be empty

    # cut out what is to be enlarged
    details: list[Pixels | None] = [None] * count
    if zoom is not None:
        row, column, side = zoom
        window = np.s_[row : row + side, column : column + side]
        details = [picture[window] for picture in pictures]
    panels = map(Panel, pictures, captions, bars or [None] * count, details)

    figure = plt.figure(FigureClass=Photographs, dpi=DPI, layout="none")
    assert isinstance(figure, Photographs)
    figure.panels = list(panels)
    figure.columns = min(columns or count, count)
    figure.scale = scale
    figure.zoom = zoom
    _draw(figure, factor, gap)

    # close the figure; otherwise the notebook would show it a second time
    plt.close(figure)
    return figure


def _draw(figure: Photographs, factor: int, gap: int) -> None:
    # every picture gets a cell of the size of the largest picture, with its title above
    panels = figure.panels
    height = figure.scale * max(panel.picture.shape[0] for panel in panels)
    width = figure.scale * max(panel.picture.shape[1] for panel in panels)
    lines = max(panel.title.count("\n") + bool(panel.title) for panel in panels)
    above = TITLE_GAP + TITLE_LINE * lines

    # below it may come a colour bar and a detail
    below = BAR if any(panel.bar for panel in panels) else 0
    if figure.zoom is not None:
        below += figure.zoom[2] * factor + gap // 2

    # the figure is a grid of cells with gaps around them
    rows = -(-len(panels) // figure.columns)  # rounded up
    full_width = figure.columns * (width + gap) + gap
    full_height = rows * (above + height + below + gap)
    figure.set_size_inches(full_width / DPI, full_height / DPI)
    sheet = _Sheet(figure, full_width, full_height)

    # place one picture after another, row by row
    for number, panel in enumerate(panels):
        row, column = divmod(number, figure.columns)
        left = gap + column * (width + gap)
        top = row * (above + height + below + gap) + above
        sheet.write(left, top - TITLE_LIFT, panel.title)
        picture = enlarge(panel.picture, figure.scale)
        axes = sheet.show(left, top, picture)

        under = top + picture.shape[0]
        if panel.bar is not None:
            _draw_bar(sheet, panel.bar, left, under, picture.shape[1])
            under += BAR
        if panel.detail is not None and figure.zoom is not None:
            _frame(axes, figure.zoom, figure.scale)
            sheet.show(left, under + gap // 2, enlarge(panel.detail, factor))


def _draw_bar(sheet: _Sheet, bar: ColourBar, left: int, top: int, width: int) -> None:
    # the colours, and below them the values at both ends and the unit
    sheet.show(left, top + 4, bar.colours(width).repeat(BAR_HEIGHT, axis=0))
    line = top + BAR
    sheet.write(left, line, bar.low)
    sheet.write(left + width // 2, line, bar.unit, "center")
    sheet.write(left + width, line, bar.high, "right")


def _frame(axes: Axes, zoom: tuple[int, int, int], scale: int) -> None:
    # in Matplotlib, a pixel begins half a pixel before its middle
    row, column, side = (scale * value for value in zoom)
    frame = Rectangle(
        (column - 0.5, row - 0.5),
        side,
        side,
        fill=False,
        edgecolor=FRAME_COLOUR,
        linewidth=FRAME_WIDTH,
    )
    axes.add_patch(frame)


def photographs_html(figure: Photographs) -> str:
    """Return the photographs as a grid of HTML images; `book.css` lays it out.

    The grid has an empty `aria-label`, which the build fills with the cell's alternative text.
    """
    width = figure.scale * max(panel.picture.shape[1] for panel in figure.panels)
    on_phones = _columns_on_phones(figure, width)
    variables = f"--columns: {figure.columns}; --phone-columns: {on_phones}; --width: {width}px"

    cells = [_cell(panel, figure) for panel in figure.panels]
    grid = f'<div class="photographs-grid" style="{variables}">{"".join(cells)}</div>'
    return f'<div class="photographs" role="group" aria-label="">{grid}</div>'


def _columns_on_phones(figure: Photographs, width: int) -> int:
    # as many columns as there is room for
    if len(figure.panels) <= figure.columns:
        return max(1, min(figure.columns, PHONE // (min(width, LEAST) + 8)))

    # of several rows, each stays a row or becomes some of equal length
    divisors = [n for n in range(1, figure.columns + 1) if figure.columns % n == 0]
    room = [(PHONE - PHONE_GAP * (n - 1)) / n for n in divisors]
    fitting = [n for n, each in zip(divisors, room) if each >= min(width, LEAST_IN_ROWS)]
    return max(fitting)


def _cell(panel: Panel, figure: Photographs) -> str:
    # the title, line by line
    title = escape(panel.title).replace("\n", "<br>")
    parts = [f'<p class="photograph-title">{title}</p>']

    # the photograph, with a frame around what is enlarged, in per cent of its sides
    height, width = panel.picture.shape[:2]
    kind = "photograph-pixels" if figure.scale > 1 else "photograph-image"
    of_map = " signed-map" if is_signed(panel.picture) else ""
    uri = data_uri(panel.picture, lossless=True)
    shown = image_html(kind + of_map, uri, "", height * figure.scale, width * figure.scale)
    if figure.zoom is not None:
        row, column, side = figure.zoom
        place = {
            "left": column / width,
            "top": row / height,
            "width": side / width,
            "height": side / height,
        }
        style = "; ".join(f"{name}: {100 * share:.2f}%" for name, share in place.items())
        shown += f'<span class="photograph-frame" style="{style}"></span>'
    parts.append(f'<div class="photograph-picture">{shown}</div>')

    # what its colours mean
    if panel.bar is not None:
        low, high, unit = (escape(text) for text in panel.bar[:3])
        colours = image_html(
            of_map.strip(), data_uri(panel.bar.colours(128), lossless=True), "", 1, 128
        )
        ends = f"<span>{low}</span> <span>{unit}</span> <span>{high}</span>"
        parts.append(f'<div class="colour-bar">{colours}<p>{ends}</p></div>')

    # the detail; its pixels stay squares, however large it is shown
    if panel.detail is not None:
        side = len(panel.detail)
        uri = data_uri(panel.detail, lossless=True)
        parts.append(
            image_html(f"photograph-pixels photograph-detail{of_map}", uri, "", side, side)
        )
    return f'<div class="photograph">{"".join(parts)}</div>'
