"""A figure as SVG inside a page: in the page's colours and font, light and dark, desk and phone.

Matplotlib writes the light colours of the page's tokens (`_assets/tokens.css`) as they are. Here
they become the variables of these tokens, each with its colour as a fallback. The figure is drawn
twice: once for a wide column, once for a phone, where panels that stood side by side stand one
below the other. The same figure gives the same bytes each time.

But: in Jupyter and Colab, which know no such variables, a figure stays a picture.

Taught in chapter 0.
"""

import base64
import hashlib
import io
import re
from typing import NamedTuple
from weakref import WeakKeyDictionary

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec, GridSpecBase, SubplotSpec
from PIL import Image

from mfca_tutorial.show.html import data_uri
from mfca_tutorial.show.labels import name_lines_again
from mfca_tutorial.show.pictures import is_signed
from mfca_tutorial.show.tokens import TOKENS

PHONE_WIDTH = 3.56  # inches: the column of a page on a phone
MOST_PHONE_HEIGHT = 3.7  # inches, of a figure whose panels stay where they are
LEAST_ROW = 2.0  # inches, of a row of panels that stood side by side
CSS_DPI = 96  # pixels per inch on a page

COLOUR = re.compile(r"((?:fill|stroke|stop-color): )(#[0-9a-f]{6})")
FAMILY = re.compile(r"(?<=px )'[^;\"]*|(?<=font-family: )[^;\"]*")
NUMBERS = re.compile(r' (d|x|y|width|height|transform|points|style)="([^"]*)"')
LONG = re.compile(r"-?\d*\.\d{2,}(?!\d*%)")
LONG_LINE = 500  # letters of a path
PNG = re.compile(r'<image ([^>]*)"data:image/png;base64,([^"]+)"')


class PhoneLayout(NamedTuple):
    """How a figure is laid out on a phone."""

    columns: int = 1
    height: float | None = None  # inches; by default from the height of its rows


_layouts: "WeakKeyDictionary[Figure, PhoneLayout]" = WeakKeyDictionary()


def on_phones(figure: Figure, *, columns: int = 1, height: float | None = None) -> None:
    """Say how a figure is laid out on a phone: panels per row, and its height in inches."""
    _layouts[figure] = PhoneLayout(columns, height)


def figure_html(figure: Figure) -> str:
    """Return a Matplotlib figure as HTML: its SVG for a wide column and that for a phone.

    Both have an empty `aria-label`, which the build fills with the cell's alternative text. The
    figure is closed, and has the layout for phones afterwards.
    """
    wide = svg_of(figure)
    lay_out_for_phone(figure)
    narrow = svg_of(figure)
    plt.close(figure)
    variants = f'<div class="for-desks">{wide}</div><div class="for-phones">{narrow}</div>'
    return f'<div class="plots">{variants}</div>'


def svg_of(figure: Figure) -> str:
    """Return a figure as the text of an SVG element in the page's colours and font."""
    buffer = io.StringIO()
    # text stays text, and identifiers are the same each time
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "mfca"}):
        figure.savefig(
            buffer,
            format="svg",
            dpi=150,  # of what is drawn as pixels
            transparent=True,
            bbox_inches=None,
            metadata={"Date": None, "Creator": None},
        )
    text = buffer.getvalue()

    # only the drawing, without what precedes and describes it
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", text, flags=re.S)
    text = NUMBERS.sub(_shorter, text)
    text = PNG.sub(_as_webp, text)
    text = _with_own_names(text)
    text = COLOUR.sub(_as_variable, text)
    text = FAMILY.sub("var(--sans, Inter, sans-serif)", text)

    # its own size in pixels of a page; the style lets it shrink
    width, height = (CSS_DPI * inches for inches in figure.get_size_inches())
    box = re.search(r'viewBox="([^"]*)"', text)
    assert box is not None
    start = (
        f'<svg class="plot" role="img" aria-label="" viewBox="{box[1]}" '
        f'width="{width:.0f}" height="{height:.0f}" xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    text = re.sub(r"<svg[^>]*>", start, text, count=1)
    return re.sub(r"\n\s*", "\n", text).strip()


def _shorter(attribute: re.Match[str]) -> str:
    # a hundredth of a point cannot be seen, in a long line not even a tenth
    name, value = attribute[1], attribute[2]
    places = 1 if name == "d" and len(value) > LONG_LINE else 2

    def rounded(number: re.Match[str]) -> str:
        return f"{float(number[0]):.{places}f}".rstrip("0").rstrip(".")

    value = LONG.sub(rounded, value)
    if name == "d":
        value = " ".join(value.split())
    return f' {name}="{value}"'


def _as_webp(image: re.Match[str]) -> str:
    # pixels inside a figure become WebP, which the build can write as a file beside the page
    png = base64.b64decode(image[2])
    pixels = np.asarray(Image.open(io.BytesIO(png)))
    # the style sheet turns maps around zero over in the dark, so that zero is the page
    kind = 'class="signed-map" ' if is_signed(pixels) else ""
    return f'<image {kind}{image[1]}"{data_uri(pixels, lossless=True)}"'


def _with_own_names(text: str) -> str:
    # figures on one page must not share identifiers: keep those that are used, and rename them
    own = hashlib.sha256(text.encode()).hexdigest()[:8]
    used = dict.fromkeys(re.findall(r"(?:url\(#|href=\"#)([\w-]+)", text))
    names = {name: f"f{own}-{number}" for number, name in enumerate(used)}

    def renamed(match: re.Match[str]) -> str:
        return f' id="{names[match[1]]}"' if match[1] in names else ""

    text = re.sub(r' id="([^"]*)"', renamed, text)
    return re.sub(r"(?<=#)[\w-]+(?=[)\"])", lambda match: names.get(match[0], match[0]), text)


def _as_variable(match: re.Match[str]) -> str:
    before, colour = match[1], match[2]
    name = TOKENS.get(colour)
    return f"{before}var(--{name}, {colour})" if name else match[0]


def lay_out_for_phone(figure: Figure) -> None:
    """Make a figure as narrow as a phone, with its panels in fewer columns."""
    width, height = figure.get_size_inches()
    columns, wanted = _layouts.get(figure, PhoneLayout())
    panels = _panels(figure)

    # the rows stay as high as they are, but no lower than a panel needs
    if not panels or _grid_of(panels[0]).ncols <= columns:
        height = min(height, max(MOST_PHONE_HEIGHT, height * PHONE_WIDTH / width))
    else:
        height /= _grid_of(panels[0]).nrows
        height = _rearrange(figure, panels, columns) * max(height, LEAST_ROW)
    before = figure.get_size_inches()[1]
    figure.set_size_inches(PHONE_WIDTH, wanted or height)
    _keep_bars_thin(figure, (wanted or height) / before)
    name_lines_again(figure)


def _keep_bars_thin(figure: Figure, growth: float) -> None:
    # a colour bar beside panels gets as much longer as the figure gets higher, but no wider
    for axes in figure.axes:
        about = getattr(axes, "_colorbar_info", None)
        if about and about["location"] in ("left", "right"):
            about["aspect"] *= max(growth, 1)


def _panels(figure: Figure) -> list[Axes]:
    # a colour bar has a name, and follows the panels beside which it stands
    return [axes for axes in figure.axes if axes.get_subplotspec() and not axes.get_label()]


def _place_of(axes: Axes) -> SubplotSpec:
    place = axes.get_subplotspec()
    assert place is not None
    return place


def _grid_of(axes: Axes) -> GridSpecBase:
    return _place_of(axes).get_gridspec()


def _rearrange(figure: Figure, panels: list[Axes], columns: int) -> int:
    # what stands only at the left edge or at the lower one is needed elsewhere now
    lowest: dict[int, str] = {}
    leftmost: dict[int, str] = {}
    for axes in panels:
        place = _place_of(axes)
        leftmost.setdefault(place.rowspan.start, axes.get_ylabel())
        lowest[place.colspan.start] = axes.get_xlabel()

    # put the panels, in their order, into a grid with so many columns
    rows = -(-len(panels) // columns)
    grid = GridSpec(rows, columns, figure=figure)
    for number, axes in enumerate(panels):
        place = _place_of(axes)
        if number % columns == 0:
            axes.set_ylabel(axes.get_ylabel() or leftmost[place.rowspan.start])
            axes.tick_params(axis="y", labelleft=True)
        axes.set_xlabel(axes.get_xlabel() or lowest[place.colspan.start])
        axes.tick_params(axis="x", labelbottom=True)
        axes.set_subplotspec(grid[number])
    return rows
