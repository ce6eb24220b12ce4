"""What pages with the codec in JavaScript need from the build: above all 'Try it' (book/try_it.md).

`write(folder)` prepares a staged source folder: the six photographs that readers can pick, what the
codec costs in a page (as `web_limits.py` has measured it), and for chapter 9 the modules that read
the fields of a file. `connect(site, codec)` copies the exported codec into the built site and tells
the page where it is; without a codec the page says how to get one. The scripts and the style of the
page are in _assets/try_it/.
"""

import json
import shutil
from pathlib import Path

import shared
from PIL import Image, ImageOps

from mfca_tutorial import data

ROOT = Path(__file__).resolve().parent.parent

# free to be shared and changed; book/about.md names the authors and the terms
PICTURES = ("chelsea", "astronaut", "coffee", "rocket", "hubble_deep_field", "retina")
MAX_SIDE = 640  # pixels; the page codes 768 without asking
SMALL = 192  # pixels along each side of a thumbnail, for screens with two per CSS pixel

SOURCE, PAGE = "book/try_it.md", "book/try_it.html"
FOLDER = "web"  # of the codec, beside the first page
NOWHERE, THERE = 'data-codec=""', f'data-codec="../{FOLDER}/"'
COSTS = "<!-- costs -->"
LIMITS = ROOT / "data" / "results" / "web_limits.json"
NOT_MEASURED = "What that costs has not been measured for this model yet (`make web-limits`)."
READER = ("container.mjs", "bytes.mjs")
FOR_THE_SHELL = shutil.ignore_patterns("mfca.mjs", "ppm.mjs")


def write(folder):
    """Write what the build of the pages needs into its source folder.

    In it, `_assets` becomes the site's `_static`.
    """
    write_pictures(folder / "_assets" / "try_it" / "pictures")
    write_reader(folder / "_assets" / "explorables" / "reader")
    page = folder / SOURCE
    text = page.read_text("utf-8")
    if text.count(COSTS) != 1:
        raise ValueError(f"{page.name}: {COSTS} must be there once")
    page.write_text(text.replace(COSTS, costs()), "utf-8")


def write_pictures(target):
    """Write the photographs, exact, and their thumbnails."""
    target.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        picture = Image.fromarray(data.photograph(name))
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        picture.save(target / f"{name}.webp", lossless=True, method=4)
        small = ImageOps.fit(picture, (SMALL, SMALL), Image.Resampling.LANCZOS)
        small.save(target / f"{name}-small.webp", quality=80, method=6)


def write_reader(target):
    """Copy what chapter 9 reads a file of the reader's with; it needs neither npm nor the model."""
    target.mkdir(parents=True, exist_ok=True)
    for name in READER:
        shutil.copy(ROOT / "web" / name, target)


def costs():
    """What the codec costs in a page, in Markdown; of other weights, nothing is said."""
    if not LIMITS.exists():
        return NOT_MEASURED
    found = json.loads(LIMITS.read_text("utf-8"))
    if found["checkpoint"] != shared.model_id():
        return NOT_MEASURED

    def seconds(way):
        package, page = (found["seconds"][way][who] for who in ("package", "page"))
        return f"{page / package:.1f} times as long ({page:.2f} instead of {package:.2f} seconds)"

    width, height = found["two_tiles"]
    memory = found["memory_MB"]
    return (
        f"With the first picture, {found['download']['gzip_MB']} MB are loaded "
        f"({found['download']['raw_MB']} MB where the server does not compress them); "
        "your browser keeps them. "
        f"For a photograph of {found['width']} x {found['height']} pixels, coding takes "
        f"{seconds('encode')} as with the Python package on one thread, and decoding "
        f"{seconds('decode')}. While doing so, the page's process held up to "
        f"{memory['picture']} MB of memory, and {memory['two_tiles']} MB for a file of two tiles "
        f"({width:,} x {height:,} pixels). "
        "These numbers are from one run on one machine (`data/results/web_limits.json`): "
        "on yours, expect the ratios rather than the seconds."
    )


def connect(site, codec):
    """Copy the exported codec into a built site, and tell the page; do nothing without a codec.

    site: the folder of the built book; codec: what `export_web.build` returned. Raises ValueError
    if the page has no place for the address.
    """
    if not codec:
        return
    shutil.copytree(codec, site / FOLDER, ignore=FOR_THE_SHELL)
    page = site / PAGE
    text = page.read_text("utf-8")
    if text.count(NOWHERE) != 1:
        raise ValueError(f"{PAGE}: {NOWHERE} must be there once")
    page.write_text(text.replace(NOWHERE, THERE), "utf-8")
