"""Chapters 2, 3 and 10: the blocks that change features, MFCA, PMCN and PQF."""

import numpy as np

from diagrams.shapes import (
    BLUE,
    BLUE_WASH,
    HAT_Y,
    INK,
    PHONE,
    SOFT,
    TEAL,
    WASH,
    WIDE,
    Drawing,
    Place,
    number,
)
from mfca_tutorial.blocks.dct import basis_image, select_frequencies
from mfca_tutorial.blocks.mfca import MFCA
from mfca_tutorial.blocks.pmcn import KERNELS
from mfca_tutorial.config import STRIDE, CodecConfig

CONFIG = CodecConfig()
CHANNELS = CONFIG.encoder_widths[0]  # of the first stage, as the example
WINDOW = 8  # side of MFCA's windows
FREQUENCIES = select_frequencies(CONFIG.frequencies, n=WINDOW)
SHADES = 4  # of a basis picture, besides the colour of the page
DARKEST = 0.8
ICON = 42  # pixels, the side of a basis picture
HIDDEN = MFCA(CHANNELS).fc1.out_features

ENERGY = (
    "energy",
    "in windows",
    f"of {WINDOW} &#215; {WINDOW},",
    "logarithm,",
    "less its",
    "usual value",
)

MFCA_LABEL = (
    "MFCA, from the features to the gates. Every group of channels is projected onto a cosine of "
    "its own, and the energy of that frequency becomes one number for each channel. Two small "
    "layers, which may also see the quality of the block, turn these numbers into one gate for "
    "each channel, and the features are multiplied by their gates."
)


def basis(d, x, y, side, frequency):
    """The basis picture of a frequency, its dark parts in ink."""
    # how dark each of its pixels is, 0..1; a constant one is half dark
    wave = basis_image(*frequency, WINDOW)
    shade = (wave.max() - wave) / max(wave.max() - wave.min(), 1e-9)
    if frequency == (0, 0):
        shade = np.full_like(wave, 0.5)

    # pixels of one shade become one shape
    cell = side / WINDOW
    left, top = x - side / 2, y - side / 2
    levels = {}
    for row in range(WINDOW):
        for column in range(WINDOW):
            level = round(SHADES * float(shade[row, column]))
            place = Place(left + (column + 0.5) * cell, top + (row + 0.5) * cell, cell, cell)
            levels.setdefault(level, []).append(place)

    # a darker shade is a more opaque ink
    for level, places in sorted(levels.items()):
        if level:
            with d.group(opacity=number(DARKEST * level / SHADES)):
                d.squares(places, INK, INK, seams=True)
    return d.rectangle(Place(x, y, side, side), "none", SOFT)


def projections(d, x, left, top, step):
    """The features x, and four of the groups with their frequencies.

    Returns where the groups' lines end, and where they part.
    """
    share = CHANNELS // len(FREQUENCIES)
    ends = []
    part = (x.right[0] + left - ICON / 2) / 2, x.y
    for row, group in enumerate((0, 1, 2, len(FREQUENCIES) - 1)):
        y = top + row * step + (16 if row == 3 else 0)
        icon = basis(d, left, y, ICON, FREQUENCIES[group])
        d.arrow(x.right, part, (part[0], y), icon.left)
        first = group * share
        channels = f"channels {first}&#8211;{first + share - 1}"
        u, v = FREQUENCIES[group]
        d.lines(left + 30, y - 3, [channels, f"frequency ({u}, {v})"], "s", "start")
        ends.append((left + 136, y))
    d.text(left, top + 2.5 * step + 11, "&#8942;", "n")
    return ends, part


def column(d, x, y, count, fill, name):
    """A vector of numbers, one for each channel."""
    place = d.tensor(x, y, 14, 90 if count == CHANNELS else 34, fill, name)
    d.text(x, place.bottom[1] + 15, str(count), "s")
    return place


def layers(d, y, columns, quality_y):
    """From the descriptor to the gates, with the quality; returns both ends."""
    # the descriptor, the hidden layer, the gates
    at_s, at_hidden, at_gate = columns
    s = column(d, at_s, y, CHANNELS, WASH, "s")
    hidden = column(d, at_hidden, y, HIDDEN, WASH, "")
    gate = column(d, at_gate, y, CHANNELS, TEAL, "gate")
    for start, end, words in ((s, hidden, "FC, ReLU"), (hidden, gate, "FC, sigmoid")):
        d.arrow(start.right, end.left)
        d.text((start.x + end.x) / 2, y - 26, words, "s")

    # the quality, which only some gates see
    block = f"{STRIDE} &#215; {STRIDE} block"
    quality = d.box(at_hidden, quality_y, 112, 40, "quality of the", block)
    seen = CONFIG.gates == "quality"
    d.arrow(quality.top, (at_hidden, y + 38), colour=TEAL, dashed=not seen)
    if not seen:
        words = ["only in", "QualityMFCA"]
        d.lines(quality.right[0] + 8, quality_y - 3, words, "s", "start")
    return s, gate


def mfca():
    d = Drawing(MFCA_LABEL, WIDE, 318)
    middle = 160
    x = d.tensor(20, middle, CHANNELS / 4, 96, BLUE_WASH, "x")
    d.text(x.x, x.bottom[1] + 16, str(CHANNELS), "s")
    energy = d.box(328, middle, 84, 236, *ENERGY, kind="b")
    ends, part = projections(d, x, 126, 66, 60)
    for end in ends:
        d.arrow((end[0] - 4, end[1]), (energy.left[0], end[1]))
    s, gate = layers(d, middle, (406, 498, 598), 280)
    d.arrow(energy.right, s.left)
    product = d.circle(656, middle, "&#215;")
    d.arrow(gate.right, product.left)
    out = d.tensor(704, middle, CHANNELS / 4, 96, BLUE_WASH, "gate &#183; x")
    d.arrow(product.right, out.left)
    d.arrow(part, (part[0], 24), (product.x, 24), product.top)
    return d.svg()


def mfca_for_phones():
    d = Drawing(MFCA_LABEL, PHONE, 540)
    x = d.tensor(16, 132, CHANNELS / 4, 96, BLUE_WASH, "x", "")
    d.text(x.x, x.bottom[1] + 16, str(CHANNELS), "s")
    energy = d.box(296, 132, 84, 236, *ENERGY, kind="b")
    ends, part = projections(d, x, 88, 38, 60)
    for end in ends:
        d.arrow((end[0] - 4, end[1]), (energy.left[0], end[1]))
    s, gate = layers(d, 392, (16, 108, 208), 506)
    product = d.circle(266, 392, "&#215;")
    d.arrow(part, (part[0], 304), (product.x, 304), product.top)
    d.arrow(energy.bottom, (energy.x, 282), (s.x, 282), (s.x, 326), halo=True)
    d.arrow(gate.right, product.left)
    out = d.tensor(322, 392, CHANNELS / 4, 96, BLUE_WASH)
    d.arrow(product.right, out.left)
    return d.svg()


PMCN_LABEL = (
    "PMCN. A convolution of one pixel mixes the channels; they are split into four groups, which "
    "see windows of one, three, five and seven pixels; put together again they are mixed, weighed "
    "by MFCA, and added to the input."
)


def kernel(d, x, y, size):
    """A window of so many pixels each way, its middle filled."""
    cell = 5.5
    places = []
    for row in range(size):
        for column in range(size):
            across, down = column - size // 2, row - size // 2
            places.append(Place(x + across * cell, y + down * cell, cell, cell))
    d.squares(places, BLUE_WASH, SOFT)
    d.squares([Place(x, y, cell, cell)], BLUE)


def branches(d, left, top, step):
    """The four groups of channels, each with its convolution; returns the places of both ends."""
    group = CHANNELS // len(KERNELS)
    ends = []
    for row, size in enumerate(KERNELS):
        y = top + row * step
        start = d.tensor(left, y, group / 4, 44, BLUE_WASH)
        end = d.tensor(left + 160, y, group / 4, 44, BLUE_WASH)
        kernel(d, left + 46, y, size)
        d.text(left + 72, y + 4, f"{size} &#215; {size}", "n", "start")
        d.arrow(start.right, (left + 24, y))
        d.arrow((left + 112, y), end.left)
        ends.append((start, end))
    d.text(left, top + 3 * step + 40, str(group), "s")
    return ends


def pmcn():
    d = Drawing(PMCN_LABEL, WIDE, 296)
    y = 138
    x = d.tensor(16, y, CHANNELS / 4, 96, BLUE_WASH)
    d.text(16, y - 56, "x")
    d.text(16, y + 66, str(CHANNELS), "s")
    mix_in = d.box(100, y, 60, 40, "1 &#215; 1", "GELU")
    d.arrow(x.right, mix_in.left)
    for start, end in branches(d, 190, y - 93, 62):
        d.arrow(mix_in.right, (150, y), (150, start.y), start.left)
        d.arrow(end.right, (378, end.y), (378, y), (404, y), tip=end.y > y)
    joined = d.box(434, y, 60, 40, "join", "GELU")
    mix_out = d.box(516, y, 52, 32, "1 &#215; 1")
    attention = d.box(598, y, 60, 32, "MFCA")
    total = d.circle(662, y, "+")
    out = d.tensor(720, y, CHANNELS / 4, 96, BLUE_WASH)
    steps = (joined, mix_out, attention, total, out)
    for start, end in zip(steps, steps[1:]):
        d.arrow(start.right, end.left)
    d.arrow((46, y), (46, 284), (total.x, 284), total.bottom)
    d.text(460, 277, "what goes in is added again", "s")
    return d.svg()


def pmcn_for_phones():
    d = Drawing(PMCN_LABEL, PHONE, 496)
    y = 138
    x = d.tensor(16, y, CHANNELS / 4, 96, BLUE_WASH)
    d.text(16, y - 56, "x")
    d.text(16, y + 66, str(CHANNELS), "s")
    mix_in = d.box(88, y, 54, 40, "1 &#215; 1", "GELU")
    d.arrow(x.right, mix_in.left)
    for start, end in branches(d, 152, y - 93, 62):
        d.arrow(mix_in.right, (130, y), (130, start.y), start.left)
        d.arrow(end.right, (332, end.y), (332, 308), (250, 308), tip=False)
    joined = d.box(332 - 124, 308, 84, 30, "join, GELU")
    d.arrow((256, 308), joined.right)
    mix_out = d.box(208, 362, 84, 30, "1 &#215; 1")
    attention = d.box(208, 416, 84, 30, "MFCA")
    total = d.circle(208, 470, "+")
    out = d.tensor(320, 446, CHANNELS / 4, 96, BLUE_WASH)
    steps = (joined, mix_out, attention, total)
    for start, end in zip(steps, steps[1:]):
        d.arrow(start.bottom, end.top)
    d.arrow(total.right, (out.left[0], 470))
    d.arrow((42, y), (42, 470), total.left)
    d.lines(50, 440, ["what goes in", "is added again"], "s", "start")
    return d.svg()


PQF_LABEL = (
    "PQF. The decoded latents and one plane with the quality pass two convolutions; what comes out "
    "is added to the latents."
)


def pqf(width):
    """The filter; what goes in is added again."""
    d = Drawing(PQF_LABEL, width, 214)
    y, tall, wide_by = 96, 64, 1 / 8
    xs = [width * share for share in (0.06, 0.26, 0.45, 0.64, 0.8, 0.95)]
    latents = d.tensor(xs[0], y, CONFIG.latents * wide_by, tall, BLUE, HAT_Y)
    d.text(latents.x, latents.bottom[1] + 16, str(CONFIG.latents), "s")
    first = d.box(xs[1], y, 52, 40, "3 &#215; 3", "ReLU")
    hidden = d.tensor(xs[2], y, CONFIG.pqf_width * wide_by, tall, BLUE_WASH)
    d.text(hidden.x, hidden.bottom[1] + 16, str(CONFIG.pqf_width), "s")
    second = d.box(xs[3], y, 52, 30, "3 &#215; 3")
    total = d.circle(xs[4], y, "+", 10)
    out = d.tensor(xs[5], y, CONFIG.latents * wide_by, tall, BLUE)
    d.text(out.x, out.bottom[1] + 16, str(CONFIG.latents), "s")
    steps = (latents, first, hidden, second, total, out)
    for start, end in zip(steps, steps[1:]):
        d.arrow(start.right, end.left, gap=2)
    part = latents.right[0] + 8
    d.arrow((part, y), (part, 24), (total.x, 24), total.top)
    d.text((part + total.x) / 2, 16, "what goes in is added again", "s")
    quality = d.box(xs[1], 182, 158, 30, "quality plane Q")
    d.arrow(quality.top, first.bottom, colour=TEAL)
    return d.svg()
