"""Chapters 5 and 6: the importance map, and rounding with a gain."""

import numpy as np

from diagrams.shapes import (
    AMBER,
    BLUE,
    HAT_V,
    HAT_Y,
    INK,
    LINE,
    PHONE,
    SOFT,
    TEAL,
    WIDE,
    Drawing,
    Place,
)
from mfca_tutorial.config import MAP_FLAT, MAP_LEVELS, MAP_STEP, MAX_QUALITY, STRIDE, CodecConfig

CONFIG = CodecConfig()

# ---- the importance map

MAP_LABEL = (
    "The importance map. A learned head, a mask of yours or a flat map gives every block of the "
    "picture a level. The level shifts the quality of the block, the quality chooses its gain, and "
    "the file carries the levels, so that the decoder divides by the same gains."
)
ROWS, COLUMNS = 4, 6


def levels():
    """The levels of an example: high in the middle, where a face might be."""
    rows = np.arange(ROWS)[:, None] - 1.4
    columns = np.arange(COLUMNS)[None] - 2.6
    bump = np.exp(-(rows**2 + columns**2) / 4)
    return np.round(5 + 9 * bump).astype(int)


def blocks(d, x, y, cell):
    """The picture's blocks, the more opaque the higher their level; returns their place."""
    for level in range(MAP_LEVELS):
        places = []
        for row, column in np.argwhere(levels() == level):
            left = x + (column - COLUMNS / 2 + 0.5) * cell
            top = y + (row - ROWS / 2 + 0.5) * cell
            places.append(Place(left, top, cell, cell))
        if places:
            with d.group(opacity=f"{0.7 * level / MAP_LEVELS:.2f}"):
                d.squares(places, AMBER)
            for place in places:
                d.text(place.x, place.y + 4, str(level), "b")
    for row in range(1, ROWS):
        at = y + (row - ROWS / 2) * cell
        d.line((x - COLUMNS / 2 * cell, at), (x + COLUMNS / 2 * cell, at), colour=LINE)
    for column in range(1, COLUMNS):
        at = x + (column - COLUMNS / 2) * cell
        d.line((at, y - ROWS / 2 * cell), (at, y + ROWS / 2 * cell), colour=LINE)
    return d.rectangle(Place(x, y, COLUMNS * cell, ROWS * cell), "none", SOFT)


LOWEST, HIGHEST = -MAP_STEP * MAP_FLAT, MAP_STEP * (MAP_LEVELS - 1 - MAP_FLAT)
SHIFT = f"&#8722;{-LOWEST} to +{HIGHEST}"


def shifted(d, x, y):
    """How a level and the quality of the picture give the quality of a block."""
    words = (f"q + {MAP_STEP} (level &#8722; {MAP_FLAT}),", f"within 0 to {MAX_QUALITY}")
    return d.box(x, y, 148, 42, *words)


def importance(d, sources, grid, boxes, circles):
    """Everything, at these middles: sources of the map, its grid, encoder's and decoder's half."""
    names = ("learned head", "your mask", "flat map")
    high, low = boxes
    picture = blocks(d, *grid, 26)
    block = f"{STRIDE} &#215; {STRIDE}"
    d.text(grid[0], picture.bottom[1] + 18, f"a level 0 to {MAP_LEVELS - 1} for", "s")
    d.text(grid[0], picture.bottom[1] + 33, f"every block of {block}", "s")
    starts = [d.box(*place, 104, 28, name) for place, name in zip(sources, names)]

    # the encoder uses the map and writes it, the decoder reads it
    of_encoder, of_decoder = shifted(d, *high), shifted(d, *low)
    d.arrow((picture.right[0], of_encoder.y), of_encoder.left, colour=AMBER)
    file = Place(grid[0], low[1], 58, 36)
    d.rectangle(file, kind="box", round=4)
    d.rectangle(Place(file.x, file.y, 52, 30), AMBER)
    d.text_on(AMBER, file.x, file.y + 4.5, "map")
    d.text(file.left[0] - 8, file.y + 4.5, "file", "b", "end")
    d.arrow((file.x, picture.bottom[1] + 40), file.top, colour=AMBER)
    d.arrow(file.right, of_decoder.left, colour=AMBER)

    times, over = (d.circle(*place, sign) for place, sign in zip(circles, ("&#215;", "&#247;")))
    return starts, picture, (of_encoder, of_decoder), (times, over)


def importance_wide():
    d = Drawing(MAP_LABEL, WIDE, 248)
    sources = [(54, 34), (54, 80), (54, 126)]
    parts = importance(d, sources, (236, 80), [(424, 80), (424, 216)], [(572, 80), (572, 216)])
    starts, picture, shifts, gains = parts
    for start in starts:
        d.arrow(start.right, (130, start.y), (130, 80), picture.left, tip=start.y == 80)
    for shift, gain, words in zip(shifts, gains, ("latents, times", "latents, divided by")):
        d.arrow(shift.right, gain.left, colour=TEAL)
        d.text((shift.right[0] + gain.left[0]) / 2, gain.y - 8, "gain", "b")
        d.lines(gain.right[0] + 10, gain.y - 3, [words, "the gain of the block"], "s", "start")
    d.text(424, 46, "encoder", "n")
    d.text(424, 182, "decoder", "n")
    return d.svg()


def importance_phone():
    d = Drawing(MAP_LABEL, PHONE, 392)
    sources = [(53, 16), (171, 16), (289, 16)]
    parts = importance(d, sources, (78, 130), [(260, 100), (260, 266)], [(260, 164), (260, 330)])
    starts, picture, shifts, gains = parts
    for start in starts:
        d.arrow(start.bottom, (start.x, 50), (78, 50), picture.top, tip=start.x < 60)
    for shift, gain, words in zip(shifts, gains, ("latents, times the", "latents, divided by the")):
        d.arrow(shift.bottom, gain.top, colour=TEAL)
        d.text(gain.x + 17, gain.y - 12, "gain", "b", "start")
        d.text(gain.x, gain.y + 30, words + " gain", "s")
    d.text(260, 68, "encoder", "n")
    d.text(260, 234, "decoder", "n")
    return d.svg()


# ---- rounding with a gain

GAIN_LABEL = (
    "Rounding with a gain. Latents are multiplied by the gain of the quality, the predicted mean "
    "is taken away, the rest is rounded to whole numbers for the file; the decoder goes back the "
    "same way. Two number lines below: at gain 1 the grid is coarse, at gain 4 it is four times as "
    "fine."
)
LATENT = 2.3  # the example on the number lines
LOW, HIGH = 1, 4  # two gains


def flow(d, y, steps, start=None):
    """Steps side by side, with arrows between them: (x, kind, words)."""
    places = []
    for x, kind, words in steps:
        if kind == "circle":
            place = d.circle(x, y, words)
        elif kind == "box":
            place = d.box(x, y, 54, 30, words)
        elif kind == "file":
            d.rectangle(Place(x, y, 52, 66), kind="box", round=4)
            d.rectangle(Place(x, y, 46, 60), BLUE)
            d.text_on(BLUE, x, y + 4.5, words)
            place = Place(x, y, 52, 66)
        else:
            place = d.tensor(x, y, 32, 60, BLUE, words)
        if places:
            d.arrow(places[-1].right, place.left)
        places.append(place)
    return places


def grid(d, edge, y, width, gain):
    """A number line with the values that a latent can be rounded to at this gain."""
    left, right, last = edge + 10, edge + width - 10, 4
    scale = (right - left) / last
    d.line((left, y), (right, y), colour=SOFT)
    for step in range(last * gain + 1):
        x = left + step / gain * scale
        d.line((x, y - 5), (x, y + 5), colour=SOFT)
    for whole in range(last + 1):
        d.text(left + whole * scale, y + 22, str(whole), "s")

    # the latent above the line, what it is rounded to on the line
    rounded = round(LATENT * gain) / gain
    at, to = left + LATENT * scale, left + rounded * scale
    d.arrow((at, y - 24), (at, y - 2), gap=2)
    d.rectangle(Place(to, y, 10, 10), BLUE, INK, round=5)
    step = "1" if gain == 1 else f"1/{gain}"
    words = f"gain {gain}, steps of {step}: {LATENT} becomes {rounded:g}"
    d.text(edge, y - 34, words, "n", "start")


def gain_wide():
    d = Drawing(GAIN_LABEL, WIDE, 342)
    y = 104
    encoder = [
        (20, "", "y"),
        (120, "circle", "&#215;"),
        (200, "circle", "&#8722;"),
        (290, "box", "round"),
    ]
    decoder = [
        (376, "file", "k"),
        (474, "circle", "+"),
        (558, "circle", "&#247;"),
        (700, "", HAT_Y),
    ]
    places = flow(d, y, encoder + decoder)
    d.text(376, y - 42, "file", "b")
    d.text(160, y - 9, "v", "s")
    d.text(517, y - 9, HAT_V, "s")
    gain = d.box(339, 24, 196, 30, "gain of the quality")
    d.arrow(gain.left, (120, 24), places[1].top, colour=TEAL)
    d.arrow(gain.right, (558, 24), places[6].top, colour=TEAL)
    mean = d.box(339, 180, 206, 30, "mean from the hyperprior")
    d.arrow(mean.left, (200, 180), places[2].bottom)
    d.arrow(mean.right, (474, 180), places[5].bottom)
    grid(d, 0, 294, 344, LOW)
    grid(d, WIDE - 344, 294, 344, HIGH)
    return d.svg()


def gain_phone():
    d = Drawing(GAIN_LABEL, PHONE, 578)
    encoder = [
        (18, "", "y"),
        (96, "circle", "&#215;"),
        (154, "circle", "&#8722;"),
        (222, "box", "round"),
        (314, "file", "k"),
    ]
    places = flow(d, 104, encoder)
    d.text(314, 60, "file", "b")
    d.text(125, 95, "v", "s")
    gain = d.box(96, 24, 150, 30, "gain of the quality")
    d.arrow(gain.bottom, places[1].top, colour=TEAL)
    mean = d.box(154, 184, 206, 30, "mean from the hyperprior")
    d.arrow(mean.top, places[2].bottom)
    decoder = [(28, "file", "k"), (154, "circle", "+"), (230, "circle", "&#247;"), (322, "", HAT_Y)]
    back = flow(d, 260, decoder)
    d.text(28, 218, "file", "b")
    d.text(190, 251, HAT_V, "s")
    d.arrow(mean.bottom, back[1].top)
    again = d.box(230, 334, 190, 30, "the same gain")
    d.arrow(again.top, back[2].bottom, colour=TEAL)
    grid(d, 0, 440, PHONE, LOW)
    grid(d, 0, 544, PHONE, HIGH)
    return d.svg()
