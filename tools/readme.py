"""Write the generated part of the README: two pictures, and the table of results.

`python tools/readme.py` rewrites the text between the two markers, from data/results/kodak/ and
tools/templates/readme.md.j2. The pictures are redrawn only with `--picture`, because that needs
the model and takes a few seconds.
"""

import argparse
import re

import matplotlib
from landing import curtain
from model_card import cases
from shared import ROOT, bd_rate, measured, percent, render, save_sheet

from mfca_tutorial.evaluation import metrics
from mfca_tutorial.show import figures, landscape

README = ROOT / "README.md"
BEGIN = "<!-- written by tools/readme.py: begin -->\n"
END = "<!-- written by tools/readme.py: end -->"

# The picture shows this square of the photograph (in its pixels).
PICTURE = "_assets/equal_bytes.png"
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
    """Draw the picture: one square of the original, of the JPEG and of .mfca, at twice its size.

    The two files are those under the curtain of the book's first page.
    """
    pictures, sizes = curtain()
    original = pictures["original"]
    height, width = original.shape[:2]

    panels = [(f"original, {width} x {height}", original[SQUARE], 2)]
    for name, label in (("jpeg", "JPEG"), ("mfca", ".mfca")):
        decoded = pictures[name]
        psnr = metrics.psnr(original, decoded)
        panels.append((f"{label}, {sizes[name]:,} bytes, {psnr:.1f} dB", decoded[SQUARE], 2))
    save_sheet(panels, 3, ROOT / PICTURE)


def draw_costs():
    """The picture of quality and cost; what of our own is not measured stays out."""
    ours = {}
    for name, label in OWN.items():
        results = measured(name)
        if results:
            ours[label] = (cases()["decoder_macs"], landscape.bd_rate_over_shared(results))

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
