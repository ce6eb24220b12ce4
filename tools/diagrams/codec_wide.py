"""The overview for a desk, from left to right; the file is a wall in the middle."""

from diagrams.codec import CONFIG, WIDE_BY, Overview, middles
from diagrams.shapes import (
    AMBER,
    BLUE,
    BLUE_WASH,
    HAT_X,
    OURS_WASH,
    RIVAL,
    VIOLET,
    WASH,
    WIDE,
    Place,
    named,
)
from mfca_tutorial.config import LATENT_STRIDE, STRIDE

# Rows, from above: the importance map, z on its way, the hyperprior, the flow of the picture.
MAP, SIDE, HYPER, FLOW = 62, 106, 156, 278
TALL = 150  # pixels for the height of the picture
FILE = 402  # where the file stands,
LEFT, RIGHT = 375, 429  # and where its edges are


def transforms(d):
    """The picture, the stages and the latents; returns what the rest refers to."""
    with d.part("picture"):
        x = d.tensor(8, FLOW, 8, TALL, WASH, "", "3")
        x_hat = d.tensor(WIDE - 8, FLOW, 8, TALL, WASH, "", "3")
        d.text(0, x.top[1] - 8, "picture x", "n", "start")
        d.text(WIDE, x.top[1] - 8, "decoded " + HAT_X, "n", "end")
    with d.part("stages"):
        down = middles(CONFIG.encoder_widths, 30, 8, FLOW)
        up = middles(CONFIG.decoder_widths, 644, 8, FLOW)
        encoder = d.stages(down, TALL, (1, 2, 3), BLUE_WASH)
        decoder = d.stages(up, TALL, (3, 2, 1), OURS_WASH)
        channels = [*down.values(), *up.values()]
        for place, count in zip(encoder + decoder, channels):
            d.text(place.x, place.bottom[1] + 15, str(count), "s")
        d.text(24, FLOW + 78, "encoder " + named("g", "a"), "s", "start")
        d.text(WIDE - 24, FLOW + 78, "decoder " + named("g", "s"), "s", "end")
        d.arrow(x.right, encoder[0].left)
        d.arrow(decoder[-1].right, x_hat.left)
    with d.part("latents"):
        width, height = CONFIG.latents * WIDE_BY, TALL / LATENT_STRIDE
        y = d.tensor(130, FLOW, width, height, BLUE, "latents y", str(CONFIG.latents))
        d.arrow(encoder[-1].right, y.left)
    return encoder[-1], y, decoder[0]


def coding(d, y, first_of_decoder):
    """Gain, rounding and range coder, and their counterparts; returns what the rest refers to."""
    with d.part("gain"):
        gain = d.circle(170, FLOW, "&#215;", 11)
        d.text(gain.x - 6, FLOW + 27, "gain", "s")
        rounding = d.box(236, FLOW, 50, 30, "round")
        d.arrow(y.right, gain.left, gap=2)
        d.arrow(gain.right, rounding.left)
        d.text(200, FLOW + 16, "v", "s")
        ungain = d.circle(572, FLOW, "&#247;", 11)
        d.text(ungain.x, FLOW + 27, "gain", "s")
    with d.part("coder"):
        coder = d.box(322, FLOW, 58, 42, "range", "coder")
        decoder = d.box(516, FLOW, 66, 42, "range", "decoder")
        d.arrow(rounding.right, coder.left)
        d.arrow(coder.right, (LEFT, FLOW), gap=1)
        d.arrow((RIGHT, FLOW), decoder.left)
        d.arrow(decoder.right, ungain.left, gap=2)
    with d.part("pqf"):
        pqf = d.box(612, FLOW, 40, 30, "PQF")
        d.text(pqf.x, FLOW + 29, "filter", "s")
        d.arrow(ungain.right, pqf.left, gap=2)
        d.arrow(pqf.right, first_of_decoder.left, gap=2)
    return gain, ungain, rounding, coder, decoder


def importance_map(d, features, gain, ungain):
    """Above: the map, which only moves the quality of every block."""
    with d.part("map"):
        head = d.box(gain.x, MAP, 130, 28, "importance map")
        d.arrow(features.top, (features.x, MAP), head.left)
        d.arrow(head.bottom, gain.top, colour=AMBER, dashed=True)
        d.arrow(head.right, (LEFT, MAP), colour=AMBER, gap=1)
        d.text(244, MAP - 7, "a quality offset for", "s", "start")
        d.text(244, MAP + 17, f"every {STRIDE} &#215; {STRIDE} pixels", "s", "start")
        d.arrow((RIGHT, MAP), (ungain.x, MAP), ungain.top, colour=AMBER, dashed=True)


def hyperprior(d, rounding, coder, decoder):
    """Below the map: z, and the same two networks on both sides."""
    with d.part("hyper"):
        h_a = d.box(200, HYPER, 32, 30, named("h", "a"))
        z = d.tensor(235, HYPER, CONFIG.hyper * WIDE_BY, TALL / STRIDE, VIOLET)
        d.text(z.x - 6, HYPER - 18, "z", "n", "end")
        d.arrow((189, FLOW), (189, HYPER + 15), gap=2)
        d.arrow(h_a.right, z.left, gap=1)
        d.arrow((z.x, HYPER - 3), (z.x, SIDE), (LEFT, SIDE), colour=VIOLET, gap=1)
        d.text(244, SIDE - 6, "side information", "s", "start")

    for left, target in ((252, coder), (446, decoder)):
        with d.part("exact"):
            frame = Place(left + 48, HYPER, 114, 48)
            d.rectangle(frame, kind="frame", round=8)
            words = "predicts v" if target is coder else "same, bit for bit"
            d.text(left + 21, HYPER - 31, words, "s", "start")
        with d.part("hyper"):
            h_s = d.box(left + 13, HYPER, 30, 30, named("h", "s"))
            context = d.box(left + 68, HYPER, 64, 30, "context")
            d.arrow(h_s.right, context.left, gap=1)
            d.arrow((target.x, HYPER + 15), target.top)
            if target is coder:
                d.arrow(z.right, h_s.left, gap=2)
                d.arrow((294, HYPER + 15), (294, 230), (rounding.x, 230), rounding.top)
                d.text(266, 223, "mean", "s")
                d.text(target.x + 8, 228, "scale", "s", "start")
            else:
                d.arrow((RIGHT, SIDE), (h_s.x, SIDE), h_s.top, colour=VIOLET)
                d.text(target.x - 9, 228, "mean, scale", "s", "end")


def draw(chapter=""):
    """The overview; `chapter` is a key of PARTS."""
    d = Overview(chapter, WIDE, 422)
    d.text(0, 18, "Encoder", "n", "start")
    d.text(WIDE, 18, "Decoder: sees only the file", "n", "end")
    features, y, first_of_decoder = transforms(d)
    gain, ungain, rounding, coder, decoder = coding(d, y, first_of_decoder)
    importance_map(d, features, gain, ungain)
    hyperprior(d, rounding, coder, decoder)
    d.fields(
        {
            "header": (Place(FILE, 33, 46, 20), RIVAL),
            "map": (Place(FILE, MAP, 46, 34), AMBER),
            "z": (Place(FILE, SIDE, 46, 50), VIOLET),
            "y": (Place(FILE, 260, 46, 254), BLUE),
        }
    )
    with d.part("file"):
        d.text(FILE, 12, ".mfca", "n")
    words = "Height of a block: resolution. Width and number: channels. Dashed: sets the gain."
    d.text(0, 418, words, "s", "start")
    d.text(WIDE, 418, "Dotted: the same on both sides.", "s", "end")
    return d.svg()
