"""Write the generated part of the README: two pictures, and the table of results.

`python tools/readme.py` rewrites the text between the two markers, from data/results/kodak/ and
tools/templates/readme.md.j2. The pictures are redrawn only with `--picture`, because that needs
the model and takes a few seconds.
"""

import argparse
import re

import matplotlib
from model_card import cases
from shared import ROOT, bd_rate, curve, measured, percent, render, save_sheet

from mfca_tutorial import Codec, data
from mfca_tutorial.evaluation import classical, metrics
from mfca_tutorial.show import figures, landscape

README = ROOT / "README.md"
BEGIN = "<!-- written by tools/readme.py: begin -->\n"
END = "<!-- written by tools/readme.py: end -->"

# The picture shows this square of a photograph (in image pixels), coded at this quality.
PICTURE = "_assets/equal_bytes.png"
PHOTOGRAPH = "chelsea"
QUALITY = 15
SQUARE = (slice(20, 260), slice(100, 340))

# The other: what this codec saves and costs, among learned codecs of the literature.
COST_PICTURE = "_assets/quality_and_cost.svg"
OWN = {"mfca": "this book", "mfca-effort10": "this book, --effort 10"}


def delta(anchor, results, metric="psnr-rgb"):
    """The BD-rate as text: '-12.3 %'; '0' against itself; '-' if it cannot be computed."""
    if results["name"] == anchor["name"]:
        return "0"
    return percent(bd_rate(anchor, results, metric))


def renewed(text):
    """The README's text, with a new generated part."""
    part = render("readme.md.j2", picture=PICTURE, cost_picture=COST_PICTURE, delta=delta)
    return re.sub(f"(?<={BEGIN}).*(?={END})", lambda _: part, text, flags=re.DOTALL)


def draw():
    """Draw the picture: one square of the original, of the JPEG and of .mfca, at twice its size."""
    image = data.photograph(PHOTOGRAPH)
    height, width = image.shape[:2]
    codec = Codec.from_pretrained()
    stream = codec.compress(image, QUALITY)

    # Take the smallest JPEG that is not smaller than the .mfca file.
    jpegs = [classical.jpeg(image, quality) for quality in range(1, 96)]
    jpeg = min((file for file in jpegs if len(file) >= len(stream)), key=len)
    if len(jpeg) > 1.1 * len(stream):
        raise ValueError(f"no JPEG has close to {len(stream)} bytes: raise QUALITY")

    panels = [(f"original, {width} x {height}", image[SQUARE], 2)]
    for name, file, decoded in (
        ("JPEG", jpeg, classical.decode(jpeg)),
        (".mfca", stream, data.to_image(codec.decompress(stream))),
    ):
        psnr = metrics.psnr(image, decoded)
        panels.append((f"{name}, {len(file):,} bytes, {psnr:.1f} dB", decoded[SQUARE], 2))
    save_sheet(panels, 3, ROOT / PICTURE)


def draw_costs():
    """The picture of quality and cost; what of our own is not measured stays out."""
    ours = {}
    for name, label in OWN.items():
        results = measured(name)
        if results:
            ours[label] = (cases()["decoder_macs"], bd_rate(curve("bpg444"), results))

    figures.use_style()
    matplotlib.rcParams |= {"svg.hashsalt": "quality and cost", "svg.fonttype": "none"}
    figure = landscape.quality_and_cost(ours)
    figure.savefig(ROOT / COST_PICTURE, metadata={"Date": None})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", action="store_true", help="redraw the pictures")
    if parser.parse_args().picture:
        draw()
        draw_costs()
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
