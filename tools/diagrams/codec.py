"""The overview: the whole codec, and the same with the part of one chapter lit.

What is right of the file, or below it on a phone, sees nothing but the file.
"""

from diagrams.shapes import (
    AMBER,
    BLUE,
    BLUE_WASH,
    HAT_X,
    OURS_TEXT,
    OURS_WASH,
    PHONE,
    RIVAL,
    VIOLET,
    WASH,
    WIDE,
    Drawing,
    Place,
    named,
)
from mfca_tutorial.config import LATENT_STRIDE, STRIDE, CodecConfig

CONFIG = CodecConfig()

LABEL = (
    "The whole codec. The encoder's stages make the picture x smaller and its channels more, until "
    "the latents y remain; they are multiplied by a gain, rounded and range-coded into the file. "
    "An importance map sets the quality of every block; a hyperprior with context predicts the "
    "latents. The decoder has only the file with header, map, z and y: it predicts with the same "
    "networks, range-decodes, divides by the gain, filters, and enlarges back to a picture."
)

SHORT = (
    "Overview of the codec: the encoder, the file as a wall, the decoder that sees only the file."
)

# What each chapter lights, and what it says of the place; '' is for the plain overview.
PARTS = {
    "": ("", ()),
    "00": ("picture, file, picture", ("picture", "file")),
    "01": ("frequencies, in every stage", ("stages",)),
    "02": ("MFCA, in every stage", ("stages",)),
    "03": ("PMCN, the blocks of a stage", ("stages",)),
    "04": ("encoder and decoder", ("stages", "latents")),
    "05": ("the importance map", ("map",)),
    "06": ("gain and rounding", ("gain",)),
    "07": ("the range coder", ("coder",)),
    "08": ("hyperprior and context", ("hyper",)),
    "09": ("the file and exact arithmetic", ("file", "exact")),
    "10": ("PQF, after the gain", ("pqf",)),
    "11": ("training all networks", ("stages", "map", "gain", "hyper", "pqf")),
    "12": ("measuring what comes out", ("picture", "file")),
    "13": ("the parts of the report", ("stages", "map", "gain", "coder", "pqf")),
}


class Overview(Drawing):
    """A drawing whose groups belong to parts; those of the chapter are lit."""

    def __init__(self, chapter, width, height):
        here, self.lit = PARTS[chapter]
        super().__init__(LABEL, width, height, above=30 if here else 0)
        if here:
            self.label = f"{SHORT} Lit: {here}."
            self.text(0, -12, f"You are here: {here}", "n", "start", OURS_TEXT)

    def part(self, name):
        """What is drawn inside belongs to this part."""
        state = ""
        if self.lit:
            state = "lit" if name in self.lit else "dim"
        return self.group(part=name, kind=state)

    def fields(self, places):
        """The file: its fields, each {name: (place, colour)}, inside a frame."""
        with self.part("file"):
            first, last = places["header"][0], places["y"][0]
            left, top = first.left[0] - 3, first.top[1] - 3
            right, bottom = last.right[0] + 3, last.bottom[1] + 3
            frame = Place((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
            self.rectangle(frame, kind="box", round=4)
            for name, (place, colour) in places.items():
                self.rectangle(place, colour)
                self.text(place.x, place.y + 4.5, name, "f")


def wide(chapter=""):
    """From left to right: rows for the map, the hyperprior and the flow of the picture."""
    d = Overview(chapter, WIDE, 402)
    map_y, z_y, hyper_y, flow_y = 62, 106, 156, 278
    tall = 150  # pixels for the height of the picture
    wide_by = 1 / 8  # pixels for each channel

    d.text(0, 18, "Encoder", "n", "start")
    d.text(WIDE, 18, "Decoder: sees only the file", "n", "end")

    # the picture, and the stages on both sides
    with d.part("picture"):
        x = d.tensor(8, flow_y, 8, tall, WASH, "x", "3")
        x_hat = d.tensor(WIDE - 8, flow_y, 8, tall, WASH, HAT_X, "3")
    with d.part("stages"):
        places = []
        for side, at, widths, fill in (
            (0, 30, CONFIG.encoder_widths, BLUE_WASH),
            (1, 644, CONFIG.decoder_widths, OURS_WASH),
        ):
            for step, channels in enumerate(widths):
                height = tall / 2 ** (3 - step if side else step + 1)
                width = channels * wide_by
                block = d.tensor(at + width / 2, flow_y, width, height, fill, "", str(channels))
                places.append(block)
                at += width + 8
        d.text(24, flow_y + 78, "encoder " + named("g", "a"), "s", "start")
        d.text(WIDE - 24, flow_y + 78, "decoder " + named("g", "s"), "s", "end")
        d.arrow(x.right, places[0].left)
        d.arrow(places[5].right, x_hat.left)
    features = places[2]
    with d.part("latents"):
        y_height = tall / LATENT_STRIDE
        y = d.tensor(
            130, flow_y, CONFIG.latents * wide_by, y_height, BLUE, "y", str(CONFIG.latents)
        )
        d.arrow(features.right, y.left)

    # gain, rounding, range coder
    with d.part("gain"):
        gain = d.circle(170, flow_y, "&#215;", 11)
        d.text(gain.x - 6, flow_y + 27, "gain", "s")
        rounding = d.box(226, flow_y, 50, 30, "round")
        d.arrow(y.right, gain.left, gap=2)
        d.arrow(gain.right, rounding.left)
        d.text(196, flow_y + 16, "v", "s")
        ungain = d.circle(572, flow_y, "&#247;", 11)
        d.text(ungain.x, flow_y + 27, "gain", "s")
    with d.part("coder"):
        coder = d.box(322, flow_y, 58, 42, "range", "coder")
        d.arrow(rounding.right, coder.left)
        decoder = d.box(518, flow_y, 62, 42, "range", "decoder")
        d.arrow(decoder.right, ungain.left, gap=2)
    with d.part("pqf"):
        pqf = d.box(612, flow_y, 40, 30, "PQF")
        d.arrow(ungain.right, pqf.left, gap=2)
        d.arrow(pqf.right, places[3].left, gap=2)

    # the importance map, which only moves the quality of every block
    with d.part("map"):
        head = d.box(gain.x, map_y, 122, 28, "importance map")
        d.arrow(features.top, (features.x, map_y), head.left)
        d.arrow(head.bottom, gain.top, colour=AMBER, dashed=True)
        d.arrow(head.right, (375, map_y), colour=AMBER, gap=1)
        d.text(240, map_y - 7, "a quality for every", "s", "start")
        d.text(240, map_y + 17, f"{STRIDE} &#215; {STRIDE} pixels", "s", "start")
        d.arrow((429, map_y), (ungain.x, map_y), ungain.top, colour=AMBER, dashed=True)

    # the hyperprior: the same two networks on both sides
    with d.part("hyper"):
        h_a = d.box(200, hyper_y, 32, 30, named("h", "a"))
        z = d.tensor(235, hyper_y, CONFIG.hyper * wide_by, tall / STRIDE, VIOLET)
        d.text(z.x - 6, hyper_y - 18, "z", "n", "end")
        d.arrow((189, flow_y), (189, hyper_y + 15), gap=2)
        d.arrow(h_a.right, z.left, gap=1)
        d.arrow((z.x, hyper_y - 3), (z.x, z_y), (375, z_y), colour=VIOLET, gap=1)
    for left, target, from_z in ((252, coder, None), (446, decoder, (429, z_y))):
        with d.part("exact"):
            frame = Place(left + 47, hyper_y, 110, 48)
            d.rectangle(frame, kind="frame", round=8)
            d.text(target.x - 9, hyper_y + 42, "bit for bit", "s", "end")
        with d.part("hyper"):
            h_s = d.box(left + 14, hyper_y, 32, 30, named("h", "s"))
            context = d.box(left + 68, hyper_y, 60, 30, "context")
            d.arrow(h_s.right, context.left, gap=1)
            d.arrow((target.x, hyper_y + 15), target.top)
            d.text(target.x - 9, hyper_y + 86, "mean, scale", "s", "end")
            if from_z:
                d.arrow(from_z, (h_s.x, z_y), h_s.top, colour=VIOLET)
            else:
                d.arrow(z.right, h_s.left, gap=2)

    # the file, a wall between the two sides
    d.fields(
        {
            "header": (Place(402, 33, 46, 20), RIVAL),
            "map": (Place(402, map_y, 46, 34), AMBER),
            "z": (Place(402, z_y, 46, 50), VIOLET),
            "y": (Place(402, 260, 46, 254), BLUE),
        }
    )
    with d.part("file"):
        d.text(402, 12, ".mfca", "n")
    with d.part("coder"):
        d.arrow(coder.right, (375, flow_y), gap=1)
        d.arrow((429, flow_y), decoder.left)
    d.text(0, 398, "Height of a block: resolution. Width and number: channels.", "s", "start")
    return d.svg()


def phone(chapter=""):
    """From top to bottom; the file lies across."""
    d = Overview(chapter, PHONE, 752)
    tall = 96
    wide_by = 1 / 8
    flow_x, z_x, map_x = 296, 176, 88  # columns below the first row
    row = 76  # of the encoder's blocks
    file_y = 352
    last_row = 660  # of the decoder's blocks

    d.text(0, 14, "Encoder", "n", "start")
    d.lines(0, file_y + 48, ["Decoder:", "sees only", "the file"], "n", "start")

    with d.part("picture"):
        x = d.tensor(8, row, 8, tall, WASH, "", "")
        d.text(18, row + 46, "x", "n", "start")
        x_hat = d.tensor(90, last_row, 8, tall, WASH, "", "")
        d.text(82, last_row - 42, HAT_X, "n", "end")
    with d.part("stages"):
        places = []
        for side, at, widths, fill in (
            (0, 32, CONFIG.encoder_widths, BLUE_WASH),
            (1, 250, CONFIG.decoder_widths, OURS_WASH),
        ):
            for step, channels in enumerate(widths):
                height = tall / 2 ** (3 - step if side else step + 1)
                width = channels * wide_by
                at -= width if side else 0
                block = d.tensor(at + width / 2, last_row if side else row, width, height, fill)
                d.text(block.x, block.top[1] - 6, str(channels), "s")
                places.append(block)
                at += -14 if side else width + 14
        d.text(64, 14, named("g", "a"), "s", "start")
        d.text(flow_x, last_row + 34, "decoder " + named("g", "s"), "s", "end")
        d.arrow(x.right, places[0].left)
        d.arrow(places[5].left, x_hat.right)
    features = places[2]
    with d.part("latents"):
        y = d.tensor(162, row, CONFIG.latents * wide_by, tall / LATENT_STRIDE, BLUE, "y")
        d.arrow(features.right, y.left)

    with d.part("gain"):
        gain = d.circle(236, row, "&#215;", 11)
        d.text(gain.x, row - 18, "gain", "s")
        rounding = d.box(flow_x, 204, 56, 28, "round")
        d.arrow(y.right, gain.left, gap=2)
        d.arrow(gain.right, (flow_x, row), rounding.top)
        d.text(flow_x + 6, row + 20, "v", "s", "start")
        ungain = d.circle(flow_x, 524, "&#247;", 11)
        d.text(flow_x + 17, 528, "gain", "s", "start")
    with d.part("coder"):
        coder = d.box(flow_x, 276, 66, 40, "range", "coder")
        d.arrow(rounding.bottom, coder.top)
        decoder = d.box(flow_x, 464, 66, 40, "range", "decoder")
        d.arrow(decoder.bottom, ungain.top)
    with d.part("pqf"):
        pqf = d.box(flow_x, 578, 46, 28, "PQF")
        d.arrow(ungain.bottom, pqf.top)
        d.arrow(pqf.bottom, (flow_x, last_row), places[3].right)

    with d.part("map"):
        head = d.box(map_x - 24, 148, 120, 28, "importance map")
        d.arrow(features.bottom, (features.x, 134))
        d.arrow(head.right, (gain.x, 148), gain.bottom, colour=AMBER, dashed=True)
        d.arrow((map_x, 162), (map_x, file_y - 20), colour=AMBER, gap=1)
        d.lines(
            map_x - 8,
            190,
            ["a quality for", "every", f"{STRIDE} &#215; {STRIDE}", "pixels"],
            "s",
            "end",
        )
        way = [(map_x, file_y + 20), (map_x, 524), ungain.left]
        d.arrow(*way, colour=AMBER, dashed=True)

    with d.part("hyper"):
        h_a = d.box(z_x, 196, 34, 28, named("h", "a"))
        z = d.tensor(z_x, 240, CONFIG.hyper * wide_by, 2, VIOLET)
        d.text(z_x - 14, 244, "z", "n", "end")
        d.arrow((flow_x, 164), (z_x, 164), h_a.top)
        d.arrow(h_a.bottom, z.top, gap=2)
        d.arrow((z_x, 243), (z_x, file_y - 20), colour=VIOLET, gap=1)
    for top, target, start in ((240, coder, None), (428, decoder, file_y + 20)):
        with d.part("exact"):
            frame = Place(225, top + 18, 70, 76)
            d.rectangle(frame, kind="frame", round=8)
            d.text(z_x - 6, top + 56, "bit for bit", "s", "end")
        with d.part("hyper"):
            h_s = d.box(225, top, 34, 28, named("h", "s"))
            context = d.box(225, top + 36, 60, 28, "context")
            d.arrow(h_s.bottom, context.top, gap=1)
            d.arrow(context.right, target.left, gap=1)
            if start:
                d.arrow((z_x, start), (z_x, top), h_s.left, colour=VIOLET)
            else:
                d.arrow(z.right, h_s.left, gap=2)

    d.fields(
        {
            "header": (Place(28, file_y, 50, 34), RIVAL),
            "map": (Place(map_x, file_y, 64, 34), AMBER),
            "z": (Place(z_x, file_y, 106, 34), VIOLET),
            "y": (Place(285, file_y, 106, 34), BLUE),
        }
    )
    with d.part("coder"):
        d.arrow(coder.bottom, (flow_x, file_y - 20), gap=1)
        d.arrow((flow_x, file_y + 20), decoder.top)
    d.lines(0, 732, ["Height of a block: resolution.", "Width and number: channels."], "s", "start")
    return d.svg()
