"""The overview for a phone, from top to bottom; the file is a wall across."""

from diagrams.codec import CONFIG, WIDE_BY, Overview, middles
from diagrams.shapes import (
    AMBER,
    BLUE,
    BLUE_WASH,
    HAT_X,
    OURS_WASH,
    PHONE,
    RIVAL,
    VIOLET,
    WASH,
    Place,
    named,
)
from mfca_tutorial.config import LATENT_STRIDE, STRIDE

# Columns: the importance map, the side information, h_s and context, the flow of the picture.
MAP, SIDE, HYPER, FLOW = 88, 170, 217, 296
FIRST, LAST = 76, 660  # rows of the encoder's and of the decoder's blocks
FILE = 352  # where the file lies,
ABOVE, BELOW = 332, 372  # and where its edges are
TALL = 96  # pixels for the height of the picture


def transforms(d):
    """The picture, the stages and the latents; returns what the rest refers to."""
    with d.part("picture"):
        x = d.tensor(8, FIRST, 8, TALL, WASH)
        d.text(18, FIRST + 46, "picture x", "n", "start")
        x_hat = d.tensor(90, LAST, 8, TALL, WASH)
        d.text(82, LAST - 42, "decoded " + HAT_X, "n", "end")
    with d.part("stages"):
        down = middles(CONFIG.encoder_widths, 32, 14, FIRST)
        up = middles(CONFIG.decoder_widths[::-1], 174, 14, LAST)  # it goes to the left
        encoder = d.stages(down, TALL, (1, 2, 3), BLUE_WASH)
        decoder = d.stages(up, TALL, (1, 2, 3), OURS_WASH)
        channels = [*down.values(), *up.values()]
        for place, count in zip(encoder + decoder, channels):
            d.text(place.x, place.top[1] - 6, str(count), "s")
        d.text(64, 14, named("g", "a"), "s", "start")
        d.text(FLOW, LAST + 34, "decoder " + named("g", "s"), "s", "end")
        d.arrow(x.right, encoder[0].left)
        d.arrow(decoder[0].left, x_hat.right)
    with d.part("latents"):
        y = d.tensor(162, FIRST, CONFIG.latents * WIDE_BY, TALL / LATENT_STRIDE, BLUE, "latents y")
        d.arrow(encoder[-1].right, y.left)
    return encoder[-1], y, decoder[-1]


def coding(d, y, first_of_decoder):
    """Gain, rounding and range coder, and their counterparts; returns what the rest refers to."""
    with d.part("gain"):
        gain = d.circle(236, FIRST, "&#215;", 11)
        d.text(gain.x, FIRST - 18, "gain", "s")
        rounding = d.box(FLOW, 204, 56, 28, "round")
        d.arrow(y.right, gain.left, gap=2)
        d.arrow(gain.right, (FLOW, FIRST), rounding.top)
        d.text(FLOW + 6, FIRST + 20, "v", "s", "start")
        ungain = d.circle(FLOW, 524, "&#247;", 11)
        d.text(FLOW + 17, 528, "gain", "s", "start")
    with d.part("coder"):
        coder = d.box(FLOW, 276, 66, 40, "range", "coder")
        decoder = d.box(FLOW, 464, 66, 40, "range", "decoder")
        d.arrow(rounding.bottom, coder.top)
        d.arrow(coder.bottom, (FLOW, ABOVE), gap=1)
        d.arrow((FLOW, BELOW), decoder.top)
        d.arrow(decoder.bottom, ungain.top)
    with d.part("pqf"):
        pqf = d.box(FLOW, 578, 46, 28, "PQF")
        d.text(pqf.left[0] - 6, 582, "filter", "s", "end")
        d.arrow(ungain.bottom, pqf.top)
        d.arrow(pqf.bottom, (FLOW, LAST), first_of_decoder.right)
    return gain, ungain, rounding, coder, decoder


def importance_map(d, features, gain, ungain):
    """On the left: the map, which only moves the quality of every block."""
    with d.part("map"):
        head = d.box(MAP - 20, 148, 130, 28, "importance map")
        d.arrow(features.bottom, (features.x, 134))
        d.arrow(head.right, (gain.x, 148), gain.bottom, colour=AMBER, dashed=True)
        d.arrow((MAP, 162), (MAP, ABOVE), colour=AMBER, gap=1)
        words = ["a quality", "offset for", "every", f"{STRIDE} &#215; {STRIDE}", "pixels"]
        d.lines(MAP - 8, 190, words, "s", "end")
        d.arrow((MAP, BELOW), (MAP, 524), ungain.left, colour=AMBER, dashed=True)


def hyperprior(d, rounding, coder, decoder):
    """In the middle: z, and the same two networks on both sides."""
    with d.part("hyper"):
        h_a = d.box(SIDE, 196, 34, 28, named("h", "a"))
        z = d.tensor(SIDE, 240, CONFIG.hyper * WIDE_BY, TALL / STRIDE, VIOLET)
        d.text(SIDE - 14, 244, "z", "n", "end")
        d.arrow((FLOW, 164), (SIDE, 164), h_a.top)
        d.arrow(h_a.bottom, z.top, gap=2)
        d.arrow((SIDE, 243), (SIDE, ABOVE), colour=VIOLET, gap=1)

    for top, target in ((240, coder), (428, decoder)):
        with d.part("exact"):
            frame = Place(HYPER, top + 18, 74, 76)
            d.rectangle(frame, kind="frame", round=8)
            words = ["predicts v"] if target is coder else ["the same,", "bit for bit"]
            d.lines(SIDE - 6, top + 46, words, "s", "end")
        with d.part("hyper"):
            h_s = d.box(HYPER, top, 34, 28, named("h", "s"))
            context = d.box(HYPER, top + 36, 63, 28, "context")
            d.arrow(h_s.bottom, context.top, gap=1)
            d.arrow(context.right, target.left, gap=1)
            if target is coder:
                d.arrow(z.right, h_s.left, gap=2)
                d.arrow((242, context.top[1]), (242, rounding.y), rounding.left)
                d.text(238, 198, "mean", "s", "end")
                d.text(276, 312, "scale", "s", "end")
            else:
                d.arrow((SIDE, BELOW), (SIDE, top), h_s.left, colour=VIOLET)
                d.text(288, 500, "mean, scale", "s", "end")


def draw(chapter=""):
    """The overview; `chapter` is a key of PARTS."""
    d = Overview(chapter, PHONE, 788)
    d.text(0, 14, "Encoder", "n", "start")
    d.lines(0, FILE + 48, ["Decoder:", "sees only", "the file"], "n", "start")
    features, y, first_of_decoder = transforms(d)
    gain, ungain, rounding, coder, decoder = coding(d, y, first_of_decoder)
    importance_map(d, features, gain, ungain)
    hyperprior(d, rounding, coder, decoder)
    d.fields(
        {
            "header": (Place(28, FILE, 50, 34), RIVAL),
            "map": (Place(MAP, FILE, 64, 34), AMBER),
            "z": (Place(176, FILE, 106, 34), VIOLET),
            "y": (Place(285, FILE, 106, 34), BLUE),
        },
        words={"z": "side info z", "y": "latents y"},
    )
    words = [
        "Height of a block: resolution.",
        "Width and number: channels.",
        "Dashed: sets the gain. Dotted: the same on both sides.",
        "Each part is explained in its chapter.",
    ]
    d.lines(0, 732, words, "s", "start")
    return d.svg()
