"""What the README and the model card share: curves to compare, templates, and sheets of pictures.

Curves are read from data/results/; nothing is measured here. The templates are in tools/templates/,
and jinja2 fills them in.
"""

import hashlib
from pathlib import Path

import jinja2
import numpy as np
from PIL import Image, ImageDraw, ImageOps
from skimage.util import montage

from mfca_tutorial.evaluation import rd

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"

# The names of result files and of published curves, with their labels in tables.
OWN = {
    "mfca": "**this book**, flat map",
    "mfca-auto": "**this book**, learned map",
    "mfca-effort10": "**this book**, flat map, `--effort 10`",
}
CLASSICAL = {
    "avif": "AVIF, speed 6",
    "webp": "WebP, method 6",
    "jpeg2000": "JPEG 2000, tuned",
    "jpeg": "JPEG, optimised",
}
PUBLISHED = {
    "vtm444": "VTM 4:4:4 (VVC intra)",
    "bpg444": "BPG 4:4:4 (HEVC intra)",
    "mbt2018-mean": "mbt2018-mean",
    "bmshj2018-hyperprior": "bmshj2018-hyperprior",
}
LABELS = OWN | CLASSICAL | {name: f"{label}, published" for name, label in PUBLISHED.items()}

RATES = (0.25, 0.5, 0.75)  # bits per pixel at which tables show a PSNR


def model_id():
    """The id of the shipped model, as hexadecimal digits."""
    return hashlib.sha256((DATA / "mfca.safetensors").read_bytes()).hexdigest()[:16]


def measured(name, image_set="kodak"):
    """A curve that was measured here; None if it is missing or was measured with other weights."""
    try:
        results = rd.load_results(name, image_set)
    except FileNotFoundError:
        return None
    return results if results.get("checkpoint") in (None, model_id()) else None


def curve(name):
    """The curve of a name in LABELS, or None if it has not been measured."""
    return rd.published(name) if name in PUBLISHED else measured(name)


def bd_rate(anchor, test, metric="psnr-rgb"):
    """The BD-rate in %, or None if a curve is missing or the two share no range."""
    try:
        return rd.bd_rate(anchor, test, metric) if anchor and test else None
    except ValueError:
        return None


def fixed(value, places=1, sign=""):
    """A number with so many decimal places; '-' for None. With sign='+', a sign always shows."""
    return "-" if value is None else f"{value:{sign}.{places}f}"


def percent(value):
    """A difference in per cent, with its sign, as in '+1.2 %'; '-' for None."""
    return "-" if value is None else f"{value:+.1f} %"


def psnrs(results):
    """A curve's PSNR at each of RATES, as in '30.40 / 33.32 / 35.29'."""
    return " / ".join(fixed(rd.psnr_at(results, bpp), 2) for bpp in RATES)


def render(template, **names):
    """Fill in a template of tools/templates/; a name without a value is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ROOT / "tools" / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.do"],
    )
    environment.filters |= {"fixed": fixed, "percent": percent, "psnrs": psnrs}
    environment.filters |= {"thousands": "{:,}".format, "g": "{:g}".format}
    return environment.get_template(template).render(
        rates=RATES, labels=LABELS, curve=curve, **names
    )


def save_sheet(panels, columns, file):
    """Write pictures to one PNG, in rows of `columns`, enlarged, each under its title.

    panels: [(title, picture, zoom), ...]; pictures are uint8 (H, W, 3), all of the same size once
    they are enlarged.
    """
    frames = []
    for title, picture, zoom in panels:
        enlarged = Image.fromarray(picture.repeat(zoom, 0).repeat(zoom, 1))
        size = enlarged.width // 16  # pixels: the size of the title
        frame = ImageOps.expand(enlarged, (0, 2 * size, 0, 0), "white")
        ImageDraw.Draw(frame).text((0, size // 3), title, fill="black", font_size=size)
        frames.append(np.array(frame))

    rows = len(panels) // columns
    white = (255, 255, 255)
    sheet = montage(frames, white, grid_shape=(rows, columns), padding_width=6, channel_axis=-1)
    Image.fromarray(sheet).save(file, optimize=True)
