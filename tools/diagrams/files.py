"""Chapters 7 and 9: how a range coder narrows its interval, and the file byte by byte."""

from fractions import Fraction
from math import log2

from diagrams.shapes import (
    AMBER,
    BLUE,
    BLUE_WASH,
    PHONE,
    RIVAL,
    SOFT,
    VIOLET,
    WASH,
    WIDE,
    Drawing,
    Place,
)
from mfca_tutorial.config import MAX_QUALITY
from mfca_tutorial.container import CHECKSUM_BYTES, MAGIC, MODEL_ID_BYTES, Header, Tile, pack
from mfca_tutorial.entropy.range_coder import cumulate

# ---- the range coder

COUNTS = (2, 5, 1)  # of the symbols -1, 0, 1
MESSAGE = (0, 0, -1, 0)  # the first symbols of the message in chapter 7

RANGE_LABEL = (
    "A message as an interval. The counts of three symbols divide the interval from 0 to 1; the "
    "first symbol chooses its part, which is enlarged and divided in the same way for the next. "
    "The file is the shortest binary number in the part that is left after the last symbol."
)


def shortest(low, high):
    """The shortest binary fraction 0.b1b2... with everything that begins so in low..high."""
    digits = 0
    while True:
        digits += 1
        unit = Fraction(1, 2**digits)
        value = -(-low // unit)
        if (value + 1) * unit <= high:
            return f"{int(value):0{digits}b}"


def ends(d, y, width, low, span):
    """The numbers at which an interval begins and ends."""
    d.text(0, y + 29, f"{float(low):.4f}", "s", "start", halo=True)
    d.text(width, y + 29, f"{float(low + span):.4f}", "s", "end", halo=True)


def bar(d, y, width, low, span, symbol):
    """An interval with its three parts, one of them chosen; returns where that one lies."""
    edges = [Fraction(total, sum(COUNTS)) for total in cumulate(COUNTS)]
    for part, (start, end) in enumerate(zip(edges, edges[1:])):
        left, right = float(start) * width, float(end) * width
        chosen = part - 1 == symbol
        place = Place((left + right) / 2, y, right - left, 28)
        d.rectangle(place, BLUE if chosen else BLUE_WASH, SOFT, round=0)
        sign = "&#8722;" if part == 0 else ""
        name = f"{sign}{abs(part - 1)}"
        if chosen:
            d.text_on(BLUE, place.x, y + 4.5, name)
            found = place, low + start * span, (end - start) * span
        else:
            d.text(place.x, y + 4.5, name, "b")
    ends(d, y, width, low, span)
    return found


def enlarged(d, width, step):
    """Dashed lines from the part that a symbol chooses to the ends of the next interval."""
    edges = cumulate(COUNTS)
    for row, symbol in enumerate(MESSAGE):
        y = 34 + row * step
        for x, edge in ((0, edges[symbol + 1]), (width, edges[symbol + 2])):
            corner = width * edge / edges[-1]
            d.line((corner, y + 14), (x, y + step - 14), colour=SOFT, dashed=True)


def range_coder(width):
    """The message, symbol by symbol, in a drawing of this width."""
    step = 80
    height = len(MESSAGE) * step + 68
    d = Drawing(RANGE_LABEL, width, height)
    enlarged(d, width, step)
    low, span = Fraction(0), Fraction(1)
    for row, symbol in enumerate(MESSAGE):
        y = 34 + row * step
        words = ("first", "second", "third", "fourth")[row]
        sign = "&#8722;" if symbol < 0 else ""
        d.text(width / 2, y - 22, f"{words} symbol: {sign}{abs(symbol)}", "n", halo=True)
        place, low, span = bar(d, y, width, low, span, symbol)

    # what is left, and the part of it in which every number begins with the bits
    y = 34 + len(MESSAGE) * step
    bits = shortest(low, low + span)
    unit = Fraction(1, 2 ** len(bits))
    start = (int(bits, 2) * unit - low) / span
    end = start + unit / span
    d.rectangle(Place(width / 2, y, width, 28), BLUE_WASH, SOFT, round=0)
    place = Place(float(start + end) / 2 * width, y, float(end - start) * width, 28)
    d.rectangle(place, BLUE, SOFT, round=0)
    d.text_on(BLUE, place.x, y + 4.5, f"0.{bits}&#8230;")
    cost = f"{-log2(span):.1f}"
    d.text(width / 2, y - 22, f"left: worth {cost} bits, written in {len(bits)}", "n", halo=True)
    ends(d, y, width, low, span)
    return d.svg()


# ---- the file

CONTAINER_LABEL = (
    "The bytes of a file, in order: four of magic, one of version, eight of the model's id, flags, "
    "width, height and quality; then the lengths of the streams map, z and y, the three streams "
    "themselves, and four bytes of checksum."
)

# A picture of 768 x 512 pixels at quality 50, with an empty map: its real bytes, but for the id.
HEADER = Header(bytes(MODEL_ID_BYTES), 768, 512, MAX_QUALITY / 2)
STREAMS = Tile(b"", bytes(420), bytes(21000))
BYTES = pack(HEADER, [STREAMS])
CELL = 27  # pixels


def fields():
    """The header's fields, and those after it: (name, bytes as text, meaning) in order."""
    sizes = (
        ("magic", len(MAGIC), MAGIC.decode()),
        ("version", 1, ""),
        ("model id", MODEL_ID_BYTES, "which weights"),
        ("flags", 1, "0"),
        ("width", 2, f"{HEADER.width}"),
        ("height", 2, f"{HEADER.height}"),
        ("quality", 1, f"{HEADER.quality:g}"),
        ("map", 1, f"{len(STREAMS.map)}"),
        ("z", 2, f"{len(STREAMS.z)}"),
        ("y", 3, f"{len(STREAMS.y):,}"),
    )
    at, found = 0, {}
    for name, size, meaning in sizes:
        digits = [f"{byte:02X}" for byte in BYTES[at : at + size]]
        found[name] = ["" if name == "model id" else two for two in digits], meaning
        at += size

    # after the fields come the streams and the checksum, nothing else
    assert BYTES[at:-CHECKSUM_BYTES] == b"".join(STREAMS)
    checksum = [f"{byte:02X}" for byte in BYTES[-CHECKSUM_BYTES:]]
    return found | {"CRC-32": ([""] * len(checksum), "of all before")}


def row(d, x, y, names, gap=14):
    """Fields side by side: their names above, their bytes as cells, their meanings below.

    Returns where they end.
    """
    found = fields()
    for name in names:
        digits, meaning = found[name]
        colour = {"map": AMBER, "z": VIOLET, "y": BLUE}.get(name, RIVAL)
        width = CELL * len(digits)
        for number, two in enumerate(digits):
            place = Place(x + (number + 0.5) * CELL, y, CELL, 28)
            d.rectangle(place, WASH, SOFT, round=0)
            d.text(place.x, y + 4, two, "m")
        d.rectangle(Place(x + width / 2, y + 17, width, 4), colour, round=0)
        d.text(x + width / 2, y - 20, name, "b")
        d.text(x + width / 2, y + 35, meaning, "s")
        x += width + gap
    return x - gap


def streams(d, y, left, width):
    """The three streams; in a real file y takes nearly all of the length."""
    right = left + width
    d.rectangle(Place(left + 16, y, 32, 28), AMBER, round=0)
    d.text_on(AMBER, left + 16, y + 4, "map")
    d.rectangle(Place(left + 56, y, 44, 28), VIOLET, round=0)
    d.text_on(VIOLET, left + 56, y + 4, "z")
    middle, rest = (left + 80 + right) / 2, right - left - 80
    d.rectangle(Place(middle, y, rest, 28), BLUE, round=0)
    d.text_on(BLUE, middle, y + 4, "y")
    d.text((left + right) / 2, y - 20, "the streams, range-coded", "b")
    d.text(
        (left + right) / 2,
        y + 35,
        f"empty, {len(STREAMS.z)} and {len(STREAMS.y):,} bytes here",
        "s",
    )


def container():
    d = Drawing(CONTAINER_LABEL, WIDE, 224)
    d.text(0, 14, "The header", "n", "start")
    row(d, 0, 62, ("magic", "version", "model id", "flags", "width", "height", "quality"), 32)
    d.text(0, 138, "Each tile: lengths, then streams", "n", "start")
    end = row(d, 0, 186, ("map", "z", "y"))
    streams(d, 186, end + 24, 366)
    d.text(WIDE, 138, "The end", "n", "end")
    row(d, WIDE - CHECKSUM_BYTES * CELL, 186, ("CRC-32",))
    return d.svg()


def container_for_phones():
    d = Drawing(CONTAINER_LABEL, PHONE, 570)
    d.text(0, 14, "The header", "n", "start")
    row(d, 0, 62, ("magic", "version"), 32)
    row(d, 0, 142, ("model id",))
    row(d, 0, 222, ("flags", "width", "height", "quality"), 32)
    d.text(0, 296, "Each tile: lengths, then streams", "n", "start")
    row(d, 0, 344, ("map", "z", "y"), 24)
    streams(d, 424, 0, PHONE)
    d.text(0, 484, "The end", "n", "start")
    row(d, 0, 528, ("CRC-32",))
    return d.svg()
