"""Chapter 8: the hyperprior, from v to the mean and the scale of every latent."""

from diagrams.shapes import (
    BLUE,
    BLUE_WASH,
    HAT_V,
    PHONE,
    VIOLET,
    WASH,
    WIDE,
    Drawing,
    Place,
    named,
)
from mfca_tutorial.config import LATENT_STRIDE, STRIDE, CodecConfig

CONFIG = CodecConfig()
WIDE_BY = 1 / 8  # pixels for each channel
TALL = 64  # pixels for the height of the latents

LABEL = (
    "The hyperprior. In the encoder alone, h_a turns v into z, which has a quarter of the width "
    "and height; z is rounded and stored. On both sides, h_s turns the rounded z into features. "
    "From the features and from what earlier passes have decoded, adapter and trunk predict a "
    "mean and a scale for every latent. With these, the range coder codes the next quarter of the "
    "latents; this happens four times."
)


def latents(d, x, y, channels, fill, name, below=True):
    """A block at the resolution of the latents, with its name above it."""
    place = d.tensor(x, y, channels * WIDE_BY, TALL, fill)
    d.text(x, place.top[1] - 8, name, "b")
    if below:
        d.text(x, place.bottom[1] + 16, str(channels), "s")
    return place


def field(d, x, y, height, fill, name):
    """A part of the file."""
    d.rectangle(Place(x, y, 52, height + 6), kind="box", round=4)
    d.rectangle(Place(x, y, 46, height), fill)
    d.text_on(fill, x, y + 4.5, name)
    d.text(x, y - height / 2 - 10, "file", "s")
    return Place(x, y, 52, height + 6)


def encoder_alone(d, y, *columns):
    """From v to the z of the file; returns the place of the latter."""
    at_v, at_h_a, at_z, at_round, at_file = columns
    v = latents(d, at_v, y, CONFIG.latents, BLUE, "v", below=False)
    d.text(at_v, v.bottom[1] + 16, f"{CONFIG.latents} at 1/{LATENT_STRIDE}", "s")
    h_a = d.box(at_h_a, y, 44, 36, named("h", "a"))
    z = d.tensor(at_z, y, CONFIG.hyper * WIDE_BY, TALL * LATENT_STRIDE / STRIDE, VIOLET)
    d.text(at_z, y - 16, "z", "b")
    d.text(at_z, y + 26, f"{CONFIG.hyper} at 1/{STRIDE}", "s")
    rounding = d.box(at_round, y, 56, 30, "round")
    stored = field(d, at_file, y, 44, VIOLET, "z")
    for start, end in ((v, h_a), (h_a, z), (z, rounding), (rounding, stored)):
        d.arrow(start.right, end.left)
    return stored


def network(d, y, *columns):
    """From the features and the latents known so far to the trunk."""
    at_features, at_known, at_adapter, at_trunk = columns
    features = latents(d, at_features, y, CONFIG.hyper_width, WASH, "", below=False)
    known = latents(d, at_known, y, CONFIG.latents, BLUE_WASH, "", below=False)
    d.text(features.right[0], y - TALL / 2 - 8, "features", "b", "end")
    d.text(known.left[0] + 2, y - TALL / 2 - 8, HAT_V + " so far", "b", "start")
    d.text(features.x, y + TALL / 2 + 16, str(CONFIG.hyper_width), "s")
    d.text(known.right[0] + 4, y + TALL / 2, str(CONFIG.latents), "s", "start")
    adapter = d.box(at_adapter, y, 94, 44, "adapter", "of this pass")
    trunk = d.box(at_trunk, y, 52, 44, "trunk")
    d.arrow(known.right, adapter.left)
    d.arrow(adapter.right, trunk.left)
    return features, known, trunk


def wide():
    d = Drawing(LABEL, WIDE, 356)
    first, second = 84, 252
    d.text(0, 14, "The encoder alone", "n", "start")
    stored = encoder_alone(d, first, 34, 114, 180, 254, 350)
    d.text(386, first + 4, "one table for each channel", "s", "start")

    d.text(76, 178, "Encoder and decoder alike, in exact arithmetic", "n", "start")
    d.rectangle(Place(252, 250, 504, 124), kind="frame", round=10)
    h_s = d.box(40, second, 44, 36, named("h", "s"))
    way = [stored.bottom, (stored.x, 150), (h_s.x, 150), h_s.top]
    d.arrow(*way, colour=VIOLET)
    features, known, trunk = network(d, second, 110, 141, 236, 326)
    d.arrow(h_s.right, features.left)
    mean = latents(d, 398, second, CONFIG.latents, WASH, "mean")
    scale = latents(d, 446, second, CONFIG.latents, WASH, "scale")
    d.arrow(trunk.right, mean.left)

    coder = d.box(574, second, 96, 42, "range coder", "or decoder")
    d.arrow(scale.right, coder.left)
    d.text(coder.x, coder.top[1] - 10, "k = round(v \u2212 mean)", "s")
    file = field(d, 700, second, 100, BLUE, "y")
    d.arrow((648, second), file.left, gap=1)
    d.arrow((648, second), coder.right, gap=1)
    d.arrow(coder.bottom, (coder.x, 344), (known.x, 344), known.bottom)
    words = f"what a pass has decoded is known to the next, {CONFIG.passes} times"
    d.text(360, 337, words, "s")
    return d.svg()


def phone():
    d = Drawing(LABEL, PHONE, 482)
    first, second, third = 84, 252, 406
    d.text(0, 14, "The encoder alone", "n", "start")
    stored = encoder_alone(d, first, 34, 102, 158, 224, 310)

    d.text(38, 186, "Both sides, in exact arithmetic", "n", "start")
    h_s = d.box(24, second, 44, 36, named("h", "s"))
    way = [stored.bottom, (stored.x, 150), (h_s.x, 150), h_s.top]
    d.arrow(*way, colour=VIOLET)
    features, known, trunk = network(d, second, 84, 115, 212, 308)
    d.arrow(h_s.right, features.left)
    mean = latents(d, 262, third, CONFIG.latents, WASH, "mean")
    latents(d, 304, third, CONFIG.latents, WASH, "scale")
    d.arrow(trunk.bottom, (trunk.x, third - 50))
    coder = d.box(160, third, 96, 42, "range coder", "or decoder")
    d.arrow(mean.left, coder.right)
    d.text(coder.x, coder.bottom[1] + 18, "k = round(v \u2212 mean)", "s")
    file = field(d, 30, third, 100, BLUE, "y")
    d.arrow((84, third), file.right, gap=1)
    d.arrow((84, third), coder.left, gap=1)
    d.arrow((known.x, coder.top[1]), known.bottom)
    d.lines(known.x + 8, 330, ["what a pass has decoded", "is known to the next"], "s", "start")
    return d.svg()
