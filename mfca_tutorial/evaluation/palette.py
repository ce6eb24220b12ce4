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


# Every colour has a contrast of 3:1 or more against white paper. To a colour-blind reader some look
# alike (without green cones, MFCA and AVIF), so each codec has a marker of its own, too.
CODECS: dict[str, Look] = {
    "mfca": Look("MFCA codec", "#c1440e", "o"),
    "jpeg": Look("JPEG", "#0b6aa8", "s"),
    "jpeg2000": Look("JPEG 2000", "#00805b", "^"),
    "webp": Look("WebP", "#a8508a", "D"),
    "avif": Look("AVIF", "#9a6b00", "v"),
    "bpg": Look("BPG", "#2f7fb0", "P"),
    "vtm": Look("VTM", "#444444", "X"),
    "hyperprior": Look("hyperprior (2018)", "#7a56b8", "h"),
    "report": Look("the report's model", "#8a4b2a", "p"),
}

# the names under which published curves of these codecs are stored
PUBLISHED: dict[str, str] = {
    "bpg444": "bpg",
    "vtm444": "vtm",
    "bmshj2018-hyperprior": "hyperprior",
}

# for curves that belong to no codec, in this order: the above without BPG's and the report's
CYCLE: list[str] = [
    "#0b6aa8",
    "#c1440e",
    "#00805b",
    "#a8508a",
    "#9a6b00",
    "#7a56b8",
    "#444444",
]


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
