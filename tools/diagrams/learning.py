"""Chapters 11 and 12: a training step, and how a BD-rate comes about."""

from math import log10

import numpy as np
from scipy.interpolate import PchipInterpolator

from diagrams.shapes import (
    BLUE,
    BLUE_WASH,
    INK,
    PHONE,
    RIVAL,
    SOFT,
    TEAL,
    WIDE,
    Drawing,
    named,
)
from mfca_tutorial.evaluation import rd
from mfca_tutorial.learning.recipe import Recipe

RECIPE = Recipe(source="", steps=1)  # its defaults

TRAINING_LABEL = (
    "A training step. Crops and a random quality go through encoder and gain. With noise in place "
    "of rounding the hyperprior counts bits per pixel; with rounding the decoder makes a picture, "
    "whose squared error is weighted by lambda. Their sum, times w(q), is the loss, whose "
    "gradients move all weights."
)
CROPS = ("crops", f"{RECIPE.crop} &#215; {RECIPE.crop}")
LOSS = ("loss", "w(q) &#215; sum")
PAINT = ("&#247; gain, PQF,", named("g", "s"))


def training_wide():
    d = Drawing(TRAINING_LABEL, WIDE, 262)
    flow, rate, distortion = 142, 84, 198
    crops = d.box(48, flow, 90, 44, *CROPS)
    g_a = d.box(136, flow, 40, 34, named("g", "a"))
    gain = d.circle(196, flow, "&#215;")
    noise = d.box(280, rate, 84, 32, "+ noise")
    prior = d.box(396, rate, 98, 32, "hyperprior")
    bits = d.box(522, rate, 104, 32, "bits per pixel")
    rounding = d.box(280, distortion, 84, 32, "round")
    paint = d.box(396, distortion, 98, 44, *PAINT)
    error = d.box(522, distortion, 112, 44, "squared error", "to the crops")
    price = d.circle(604, distortion, "&#215;")
    total = d.circle(604, flow, "+")
    loss = d.box(682, flow, 102, 44, *LOSS)

    for row in (
        (crops, g_a, gain),
        (noise, prior, bits),
        (rounding, paint, error, price),
        (total, loss),
    ):
        for start, end in zip(row, row[1:]):
            d.arrow(start.right, end.left)
    for branch in (noise, rounding):
        d.arrow(gain.right, (222, flow), (222, branch.y), branch.left)
    d.arrow(bits.right, (total.x, rate), total.top)
    d.arrow(price.top, total.bottom)

    # the quality is drawn for every crop
    quality = d.box(196, 246, 148, 30, "a random quality q")
    d.arrow(quality.top, gain.bottom, colour=TEAL)
    d.arrow(quality.right, (price.x, 246), price.bottom, colour=TEAL)
    d.text(price.x - 8, 239, "&#955;(q)", "b", "end")
    d.arrow((price.x, 246), (loss.x, 246), loss.bottom, colour=TEAL)

    # and the gradients go back
    d.arrow(loss.top, (loss.x, 30), (g_a.x, 30), g_a.top, dashed=True)
    d.text(420, 22, "gradients: Muon moves the kernels of encoder and decoder, Adam the rest", "b")
    return d.svg()


def training_phone():
    d = Drawing(TRAINING_LABEL, PHONE, 512)
    left, right, middle = 98, 250, 174
    crops = d.box(middle, 24, 90, 44, *CROPS)
    g_a = d.box(middle, 86, 44, 30, named("g", "a"))
    gain = d.circle(middle, 138, "&#215;")
    noise = d.box(left, 204, 84, 30, "+ noise")
    prior = d.box(left, 262, 98, 30, "hyperprior")
    bits = d.box(left, 326, 104, 30, "bits per pixel")
    rounding = d.box(right, 204, 84, 30, "round")
    paint = d.box(right, 262, 98, 44, *PAINT)
    error = d.box(right, 326, 112, 44, "squared error", "to the crops")
    price = d.circle(right, 384, "&#215;")
    total = d.circle(middle, 428, "+")
    loss = d.box(middle, 484, 102, 44, *LOSS)

    for way in (
        (crops, g_a, gain),
        (noise, prior, bits),
        (rounding, paint, error, price),
        (total, loss),
    ):
        for start, end in zip(way, way[1:]):
            d.arrow(start.bottom, end.top)
    for branch in (noise, rounding):
        d.arrow(gain.bottom, (middle, 170), (branch.x, 170), branch.top)
    d.arrow(bits.bottom, (left, 428), total.left)
    d.arrow(price.bottom, (right, 428), total.right)

    quality = d.box(284, 86, 112, 44, "a random", "quality q")
    d.arrow(quality.bottom, (284, 138), gain.right, colour=TEAL)
    d.arrow((328, 108), (328, 384), price.right, colour=TEAL)
    d.text(290, 376, "&#955;(q)", "b")
    d.arrow((328, 384), (328, 484), loss.right, colour=TEAL)

    d.arrow(loss.left, (22, 484), (22, 86), g_a.left, dashed=True)
    d.lines(
        0, 22, ["gradients: Muon", "for encoder and", "decoder, Adam", "for the rest"], "s", "start"
    )
    return d.svg()


# ---- how a BD-rate comes about

BD_LABEL = (
    "How a BD-rate comes about. Every picture is coded at every setting: the bytes of the file "
    "give bits per pixel, the decoded picture its PSNR, and the means are a point of a curve. "
    "Between two curves, here BPG left of JPEG, the distance along the rate is averaged over the "
    "quality that both reach."
)
ANCHOR = rd.load_results("jpeg")  # measured for this book: 4:2:0, optimised tables
TEST = rd.published("bpg444")
RATES, VALUES = (0.06, 4.0), (23, 46)  # the edges of the plot
TICKS = (0.1, 0.25, 0.5, 1, 2)
ROWS = (28, 30, 32, 34)  # PSNR at which the distance is drawn


class Plot:
    """A plot of PSNR over the logarithm of the rate in a rectangle."""

    def __init__(self, left, top, width, height):
        self.left, self.top, self.width, self.height = left, top, width, height

    def x(self, rate):
        low, high = map(log10, RATES)
        return self.left + (log10(rate) - low) / (high - low) * self.width

    def y(self, value):
        return self.top + (VALUES[1] - value) / (VALUES[1] - VALUES[0]) * self.height

    def points(self, results):
        """The points of a curve that lie in the plot."""
        inside = [
            (rate, value)
            for rate, value in zip(*rd.curve(results))
            if RATES[0] <= rate <= RATES[1] and VALUES[0] <= value <= VALUES[1]
        ]
        return [(self.x(rate), self.y(value)) for rate, value in inside]


def rate_at(results, value):
    """The rate at which a curve reaches a PSNR, interpolated as for the BD-rate."""
    rates, values = rd.curve(results)
    return 10 ** float(PchipInterpolator(values, np.log10(rates))(value))


def curves(d, plot):
    """The two curves, and the distance that is averaged."""
    bottom, right = plot.top + plot.height, plot.left + plot.width

    # the range that both reach, and the area between the curves in it
    low, high = rd.common_range(ANCHOR, TEST)
    values = np.linspace(low, high, 30)
    edge = [(plot.x(rate_at(TEST, value)), plot.y(value)) for value in values]
    edge += [(plot.x(rate_at(ANCHOR, value)), plot.y(value)) for value in values[::-1]]
    d.polygon(edge, BLUE_WASH)
    for value in (low, high):
        d.line((plot.left, plot.y(value)), (right, plot.y(value)), colour=SOFT, dashed=True)
    for value in ROWS:
        start, end = (plot.x(rate_at(results, value)) for results in (ANCHOR, TEST))
        d.arrow((start, plot.y(value)), (end, plot.y(value)), colour=BLUE, gap=0)

    # axes
    d.line((plot.left, plot.top), (plot.left, bottom), (right, bottom), colour=SOFT)
    for rate in TICKS:
        d.line((plot.x(rate), bottom), (plot.x(rate), bottom + 4), colour=SOFT)
        d.text(plot.x(rate), bottom + 18, f"{rate:g}", "s")
    for value in range(25, VALUES[1], 5):
        d.text(plot.left - 6, plot.y(value) + 4, str(value), "s", "end")
    d.text(right, bottom + 36, "bits per pixel, logarithmic", "s", "end")
    d.text(plot.left - 24, plot.top - 8, "PSNR in dB", "s", "start")

    # the curves and their names
    for results, colour in ((ANCHOR, RIVAL), (TEST, INK)):
        d.line(*plot.points(results), colour=colour, width=2.4)
    x, y = plot.points(TEST)[-1]
    d.text(x - 8, y + 2, "BPG", "n", "end")
    x, y = plot.points(ANCHOR)[2]
    d.text(x + 10, y + 14, "JPEG", "n", "start")
    words = f"both reach {low:.0f} to {high:.0f} dB"
    d.text(plot.left + 6, plot.y(high) - 6, words, "s", "start")


def measured(d, x, y, step):
    """From a picture to a point of a curve."""
    start = d.box(x, y, 164, 42, "every picture,", "at every setting")
    file = d.box(x - 47, y + step, 84, 30, "bytes")
    picture = d.box(x + 47, y + step, 84, 30, "decoded")
    bits = d.box(x - 47, y + 2 * step, 88, 30, "bits / pixel")
    psnr = d.box(x + 47, y + 2 * step, 84, 30, "PSNR")
    point = d.box(x, y + 3 * step, 164, 42, "means over pictures:", "a point of a curve")
    for way in ((file, bits), (picture, psnr)):
        d.arrow((way[0].x, start.bottom[1]), way[0].top)
        d.arrow(way[0].bottom, way[1].top)
        d.arrow(way[1].bottom, (way[1].x, point.top[1]))
    return point


def verdict():
    """The BD-rate of the example as words."""
    percent = rd.bd_rate(ANCHOR, TEST)
    return f"on average: BD-rate &#8722;{abs(percent):.0f} %"


def evaluation_wide():
    d = Drawing(BD_LABEL, WIDE, 344)
    measured(d, 90, 44, 70)
    curves(d, Plot(262, 26, 474, 262))
    d.text(700, 270, verdict(), "n", "end")
    return d.svg()


def evaluation_phone():
    d = Drawing(BD_LABEL, PHONE, 584)
    measured(d, PHONE / 2, 22, 62)
    curves(d, Plot(28, 290, 310, 250))
    d.text(336, 529, verdict(), "n", "end")
    return d.svg()
