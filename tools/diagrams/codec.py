"""The overview: the whole codec, and the same with the part of one chapter lit.

What is right of the file, or below it on a phone, sees nothing but the file. This module has what
both layouts share; they are in `codec_wide.py` and `codec_phone.py`.
"""

from diagrams.shapes import OURS_TEXT, Drawing, Place
from mfca_tutorial.config import CodecConfig

CONFIG = CodecConfig()
WIDE_BY = 1 / 8  # pixels for each channel

LABEL = (
    "The whole codec. The encoder's stages shrink the picture x and add channels, until the "
    "latents y remain; they are multiplied by a gain, rounded and range-coded into the file. "
    "An importance map moves the quality of every block; a hyperprior with context predicts the "
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
            self.label = f"{SHORT} Highlighted: {here}."
            self.text(0, -12, f"You are here: {here}", "n", "start", OURS_TEXT)

    def part(self, name):
        """What is drawn inside belongs to this part."""
        state = ""
        if self.lit:
            state = "lit" if name in self.lit else "dim"
        return self.group(part=name, kind=state)

    def fields(self, places, words=None):
        """The file: its fields, each {name: (place, colour)}, inside a frame.

        words: what is written into a field instead of its name, by name.
        """
        with self.part("file"):
            first, last = places["header"][0], places["y"][0]
            left, top = first.left[0] - 3, first.top[1] - 3
            right, bottom = last.right[0] + 3, last.bottom[1] + 3
            frame = Place((left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
            self.rectangle(frame, kind="box", round=4)
            for name, (place, colour) in places.items():
                self.rectangle(place, colour)
                self.text_on(colour, place.x, place.y + 4.5, (words or {}).get(name, name))

    def stages(self, middles, tall, halvings, fill):
        """Blocks of features, each {(x, y): channels}; returns their places.

        tall: the height of the picture; halvings: how often each has been halved.
        """
        places = []
        for ((x, y), channels), count in zip(middles.items(), halvings):
            place = self.tensor(x, y, channels * WIDE_BY, tall / 2**count, fill)
            places.append(place)
        return places


def middles(channels, start, gap, y):
    """Where blocks of so many channels stand side by side: {(x, y): channels}."""
    found, at = {}, start
    for count in channels:
        width = count * WIDE_BY
        found[at + width / 2, y] = count
        at += width + gap
    return found
