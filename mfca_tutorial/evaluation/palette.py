"""One colour and one marker per codec, the same in every figure of the book and in `mfca plot`.

It only names colours; what is drawn with them is in `evaluation/plot.py` and `show/figures.py`.

Taught in chapter 12.
"""

from typing import NamedTuple


class Look(NamedTuple):
    """How a curve is drawn."""

    label: str  # what is written beside it
    colour: str  # as in HTML, '#rrggbb'
    marker: str  # Matplotlib's letter for the shape of its points


# The light colours of the page's tokens, `_assets/tokens.css`. Under normal and colour-blind sight
# they differ by a CIEDE2000 distance of 15 or more (tests/test_look.py). Published curves are grey,
# so each of them has a marker of its own, too.
OURS = "#e02e74"  # this book's codec and nothing else
BLUE = "#378cd4"
AMBER = "#8e6f00"
TEAL = "#005444"
VIOLET = "#463072"
RIVAL = "#8c929a"

# the same for text, where the colours above are too light: a contrast of 4.5 : 1 or more
OURS_TEXT = "#c2255c"
BLUE_TEXT = "#1c62a3"
RIVAL_TEXT = "#5a636e"

CODECS: dict[str, Look] = {
    "mfca": Look("MFCA codec", OURS, "o"),
    "jpeg": Look("JPEG", BLUE, "s"),
    "jpeg2000": Look("JPEG 2000", TEAL, "^"),
    "webp": Look("WebP", VIOLET, "D"),
    "avif": Look("AVIF", AMBER, "v"),
    "bpg": Look("BPG", RIVAL, "P"),
    "vtm": Look("VTM", RIVAL, "X"),
    "hyperprior": Look("hyperprior (2018)", RIVAL, "h"),
    "report": Look("the report's model", RIVAL, "p"),
}

# the names under which published curves of these codecs are stored
PUBLISHED: dict[str, str] = {
    "bpg444": "bpg",
    "vtm444": "vtm",
    "bmshj2018-hyperprior": "hyperprior",
}

# for curves that belong to no codec, in this order
CYCLE: list[str] = [
    BLUE,
    AMBER,
    TEAL,
    VIOLET,
    RIVAL,
]


def text_colour(colour: str) -> str:
    """Return the colour in which to write the name of a curve of this colour."""
    darker = {OURS: OURS_TEXT, BLUE: BLUE_TEXT, RIVAL: RIVAL_TEXT}
    return darker.get(colour, colour)


def look_of(name: str, number: int = 0) -> Look:
    """Return the look of a curve by its name; `number`, from 0, is its place in a figure.

    A codec's own curve has the codec's label, colour and marker. A variant or a published curve of
    it ('mfca-auto', 'bpg444') has the same colour and marker, and its own name for a label. Any
    other curve takes the colour of its number from the cycle.

    Example: look_of("mfca").label == "MFCA codec".
    """
    # the codec's own curve
    if name in CODECS:
        return CODECS[name]

    # a published curve, or a variant: 'mfca-effort10' is the same codec with another encoder
    codec = PUBLISHED.get(name) or name.split("-")[0]
    if codec in CODECS:
        return CODECS[codec]._replace(label=name)

    # any other curve
    colour = CYCLE[number % len(CYCLE)]
    return Look(name, colour, "o")
