"""Write the generated part of the README: one picture, and the table of results.

`python tools/readme.py` rewrites what stands between the two markers, from data/results/kodak/ and
tools/templates/readme.md.j2. The picture is drawn anew only with `--picture`, since that needs the
model and a few seconds.
"""

import argparse
import re

from shared import ROOT, bd_rate, percent, render, save_sheet

from mfca_tutorial import Codec, data
from mfca_tutorial.evaluation import classical, metrics

README = ROOT / "README.md"
BEGIN = "<!-- written by tools/readme.py: begin -->\n"
END = "<!-- written by tools/readme.py: end -->"

# What the picture shows: a square of a photograph, in image pixels, coded at this quality.
PICTURE = "_assets/equal_bytes.png"
PHOTOGRAPH = "chelsea"
QUALITY = 15
SQUARE = (slice(20, 260), slice(100, 340))


def delta(anchor, results, metric="psnr-rgb"):
    """BD-rate as text: '-12.3 %', '0' of a curve against itself, '-' where it cannot be told."""
    if results["name"] == anchor["name"]:
        return "0"
    return percent(bd_rate(anchor, results, metric))


def renewed(text):
    """The README's text with the generated part written anew."""
    part = render("readme.md.j2", picture=PICTURE, delta=delta)
    return re.sub(f"(?<={BEGIN}).*(?={END})", lambda _: part, text, flags=re.DOTALL)


def draw():
    """The picture: original, JPEG and .mfca, one square of each, at twice its size."""
    image = data.photograph(PHOTOGRAPH)
    height, width = image.shape[:2]
    codec = Codec.from_pretrained()
    stream = codec.compress(image, QUALITY)

    # The JPEG is the next larger file, never the smaller of the two.
    jpegs = [classical.jpeg(image, quality) for quality in range(1, 96)]
    jpeg = min((file for file in jpegs if len(file) >= len(stream)), key=len)
    if len(jpeg) > 1.1 * len(stream):
        raise ValueError(f"no JPEG is as small as {len(stream)} bytes: raise QUALITY")

    panels = [(f"original, {width} x {height}", image[SQUARE], 2)]
    for name, file, decoded in (
        ("JPEG", jpeg, classical.decode(jpeg)),
        (".mfca", stream, data.to_image(codec.decompress(stream))),
    ):
        psnr = metrics.psnr(image, decoded)
        panels.append((f"{name}, {len(file):,} bytes, {psnr:.1f} dB", decoded[SQUARE], 2))
    save_sheet(panels, 3, ROOT / PICTURE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", action="store_true", help="draw the picture anew")
    if parser.parse_args().picture:
        draw()
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
