"""The family of the book's diagrams: a few shapes, drawn the same way everywhere, as SVG text.

A tensor is a filled block: its height is its resolution, its width the number of its channels.
A step is a rounded frame with its name, a gate or a gain a circle. The file is a wall: nothing
passes it but what it holds. Colours are the page's own variables (_assets/tokens.css), with the
light ones as fallbacks for places that have no such variables, such as Jupyter and Colab.

A drawing is as wide as the column of a page: WIDE on a desk, PHONE on a phone. One unit is one
pixel there, so a font size is what the reader gets.
"""

from contextlib import contextmanager
from typing import NamedTuple

WIDE = 736  # pixels: the column of a chapter on a screen that is 1280 wide
PHONE = 342  # the same on a phone that is 390 wide

CRISP = 'shape-rendering="crispEdges"'  # for squares
LEAST_NAME = 40  # characters that say what a diagram shows

# Colours by name, with the light ones as fallbacks.
PAGE = "var(--page, #fdfdfc)"
CARD = "var(--card, #ffffff)"
WASH = "var(--wash, #f3f5f7)"
LINE = "var(--line, #dfe3e8)"
INK = "var(--ink, #1b1f24)"
SOFT = "var(--soft, #5a636e)"
OURS = "var(--ours, #e02e74)"
OURS_TEXT = "var(--ours-deep, #c2255c)"
OURS_WASH = "var(--ours-wash, #fdeef4)"
BLUE = "var(--blue, #378cd4)"  # the latents y
BLUE_WASH = "var(--blue-wash, #eaf3fb)"
AMBER = "var(--amber, #8e6f00)"  # the importance map
TEAL = "var(--teal, #005444)"  # the quality, and what depends on it
VIOLET = "var(--violet, #463072)"  # the side information z
RIVAL = "var(--rival, #8c929a)"  # what is not the point

# The colour of words on a fill, where it is not that of a card.
ON = {
    BLUE: "var(--on-blue, #1b1f24)",
    VIOLET: "var(--on-violet, #ffffff)",
    RIVAL: INK,
}

# Sizes of text: names, remarks, indices.
SIZES = {"n": 13.5, "s": 12, "b": 12, "f": 12, "m": 12, "i": 10.5}

STYLE = f"""
.diagram text {{ fill: {INK}; font-family: var(--sans, system-ui, sans-serif) }}
.diagram .n {{ font-size: {SIZES["n"]}px; font-weight: 600 }}
.diagram .s {{ font-size: {SIZES["s"]}px; fill: {SOFT} }}
.diagram .b {{ font-size: {SIZES["b"]}px }}
.diagram .f {{ font-size: {SIZES["f"]}px }}
.diagram .m {{ font-size: {SIZES["m"]}px; font-family: var(--mono, ui-monospace, monospace) }}
.diagram .i {{ font-size: {SIZES["i"]}px }}
.diagram .line {{ fill: none; stroke: {INK}; stroke-width: 1.4 }}
.diagram .box {{ fill: {CARD}; stroke: {INK}; stroke-width: 1.3 }}
.diagram .frame {{ fill: none; stroke: {VIOLET}; stroke-width: 1.2; stroke-dasharray: 2 3 }}
.diagram .dim :not(text, tspan) {{ opacity: .55 }}
.diagram .dim text {{ fill: {SOFT} }}
.diagram .dim .f {{ fill: {INK} !important }}
.diagram .lit :is(.box, .tensor, .frame) {{ stroke: {OURS}; stroke-width: 2.6 }}
.diagram .lit .line {{ stroke-width: 2.2 }}
"""


class Place(NamedTuple):
    """Where a shape is: its middle and its size. Its edges are points (x, y) for arrows."""

    x: float
    y: float
    width: float
    height: float

    @property
    def left(self):
        return self.x - self.width / 2, self.y

    @property
    def right(self):
        return self.x + self.width / 2, self.y

    @property
    def top(self):
        return self.x, self.y - self.height / 2

    @property
    def bottom(self):
        return self.x, self.y + self.height / 2


def number(value):
    """A coordinate as text, without digits that nobody sees."""
    return f"{value:.1f}".removesuffix(".0")


def named(letter, index):
    """A letter with an index below the line, and back on the line after it."""
    return f'{letter}<tspan dy="3" class="i">{index}</tspan><tspan dy="-3">&#8203;</tspan>'


HAT_X = "x&#770;"
HAT_Y = "y&#770;"
HAT_V = "v&#770;"
HAT_Z = "z&#770;"


class Drawing:
    """A diagram in the making. Lengths are pixels, y grows downwards.

    label: what the diagram shows, for those who do not see it; at least 40 characters.
    above: room over y = 0.
    """

    def __init__(self, label, width, height, above=0):
        assert len(label) >= LEAST_NAME, label
        self.label = label
        self.width = width
        self.height = height
        self.above = above
        self.shapes = []

    @contextmanager
    def group(self, **attributes):
        """What is drawn inside becomes one <g>; `kind` is its class, `part` its chapter."""
        names = {"kind": "class", "part": "data-part", "opacity": "opacity"}
        written = [f'{names[name]}="{value}"' for name, value in attributes.items() if value]
        self.shapes.append(f"<g {' '.join(written)}>" if written else "<g>")
        yield
        self.shapes.append("</g>")

    def text(self, x, y, words, kind="n", anchor="middle", fill="", halo=False):
        """One line of words on the base line y; `kind` is a key of SIZES.

        halo: words that stand on a line get an edge in the colour of the page.
        """
        colour = f' style="fill:{fill}"' if fill else ""
        if halo:
            colour += f' paint-order="stroke" stroke="{PAGE}" stroke-width="6"'

        place = f'x="{number(x)}" y="{number(y)}" text-anchor="{anchor}"'
        self.shapes.append(f'<text {place} class="{kind}"{colour}>{words}</text>')

    def text_on(self, fill, x, y, words):
        """Words in the middle of a filled shape, in a colour that can be read there."""
        self.text(x, y, words, "f", fill=ON.get(fill, CARD))

    def lines(self, x, y, words, kind="s", anchor="middle", fill=""):
        """Several lines of words, the first on the base line y."""
        for row, line in enumerate(words):
            self.text(x, y + 15 * row, line, kind, anchor, fill)

    def rectangle(self, place, fill="none", stroke="", round=2, kind="", line=1):
        """A rectangle of a colour or, instead, of a class: 'box' or 'frame'. Returns its place."""
        left, top = place.left[0], place.top[1]
        size = f'width="{number(place.width)}" height="{number(place.height)}"'
        look = f' class="{kind}"' if kind else f' fill="{fill}"'
        look += f' stroke="{stroke}" stroke-width="{line}"' if stroke else ""
        corner = f'x="{number(left)}" y="{number(top)}"'
        self.shapes.append(f'<rect {corner} {size} rx="{round}"{look}/>')
        return place

    def squares(self, places, fill, stroke="", seams=False):
        """Many rectangles of one colour, as one shape; seams: close those between neighbours."""
        way = ""
        for place in places:
            left, top = number(place.left[0]), number(place.top[1])
            across, down = number(place.width), number(place.height)
            way += f"M{left} {top}h{across}v{down}h-{across}z"
        look = f' stroke="{stroke}"' if stroke else ""
        look += ' stroke-width=".5"' if seams else f" {CRISP}"
        if places:
            self.shapes.append(f'<path d="{way}" fill="{fill}"{look}/>')

    def box(self, x, y, width, height, *words, kind="n"):
        """A step: a rounded frame around lines of words. Returns its place."""
        place = self.rectangle(Place(x, y, width, height), kind="box", round=6)
        first = y + 4.5 - 7.5 * (len(words) - 1)
        self.lines(x, first, words, kind)
        return place

    def circle(self, x, y, sign, radius=12):
        """A multiplication, a division, a sum. Returns its place."""
        at = f'cx="{number(x)}" cy="{number(y)}"'
        self.shapes.append(f'<circle {at} r="{radius}" class="box"/>')
        self.text(x, y + 5, sign)
        return Place(x, y, 2 * radius, 2 * radius)

    def tensor(self, x, y, width, height, fill, above="", below=""):
        """A block of numbers around the middle (x, y), with remarks. Returns its place."""
        place = Place(x, y, width, height)
        left, top = place.left[0], place.top[1]
        size = f'width="{number(width)}" height="{number(height)}"'
        look = f'fill="{fill}" stroke="{INK}" stroke-opacity=".5"'
        corner = f'x="{number(left)}" y="{number(top)}"'
        self.shapes.append(f'<rect {corner} {size} rx="1.5" {look} class="tensor"/>')
        if above:
            self.text(x, top - 7, above)
        if below:
            self.text(x, place.bottom[1] + 15, below, "s")
        return place

    def arrow(self, *points, colour=INK, dashed=False, tip=True, halo=False, gap=3):
        """A line along points with a tip at its end, which stays `gap` pixels from the last one.

        halo: a line that passes over others gets an edge in the colour of the page.
        """
        # the direction of the last piece, which is where the tip points
        (x0, y0), (x1, y1) = points[-2:]
        length = max(abs(x1 - x0), abs(y1 - y0)) or 1
        across, down = (x1 - x0) / length, (y1 - y0) / length
        end = (x1 - gap * across, y1 - gap * down) if tip else (x1, y1)
        base = (end[0] - 7 * across, end[1] - 7 * down)

        # the line ends inside the tip
        way = "L".join(f"{number(x)} {number(y)}" for x, y in [*points[:-1], base if tip else end])
        style = f' style="stroke:{colour}"' if colour != INK else ""
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        if halo:
            self.shapes.append(f'<path d="M{way}" fill="none" stroke="{PAGE}" stroke-width="6"/>')
        self.shapes.append(f'<path d="M{way}" class="line"{dashes}{style}/>')

        # the tip, a triangle
        if tip:
            corners = [
                end,
                (base[0] - 3.6 * down, base[1] + 3.6 * across),
                (base[0] + 3.6 * down, base[1] - 3.6 * across),
            ]
            self.polygon(corners, colour)

    def line(self, *points, colour=INK, dashed=False, width=0):
        """A line along points."""
        way = "L".join(f"{number(x)} {number(y)}" for x, y in points)
        style = f"stroke:{colour};" if colour != INK else ""
        style += f"stroke-width:{width};" if width else ""
        written = f' style="{style}"' if style else ""
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        self.shapes.append(f'<path d="M{way}" class="line"{dashes}{written}/>')

    def polygon(self, points, fill):
        """An area inside points."""
        drawn = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        self.shapes.append(f'<polygon points="{drawn}" fill="{fill}"/>')

    def svg(self):
        """The diagram as SVG text."""
        box = f"0 {-self.above} {self.width} {self.height + self.above}"
        size = f'width="{self.width}" height="{self.height + self.above}"'
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="{box}" {size} '
            f'role="img" aria-label="{self.label}" style="background:{PAGE};overflow:visible">'
        )
        return "\n".join([head, f"<style>{STYLE}</style>", *self.shapes, "</svg>\n"])
