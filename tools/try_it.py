"""What the page 'Try it' (book/try_it.md) needs from the build: its pictures, and the codec.

`write(folder)` puts the six photographs that readers can pick into a staged source folder.
`connect(site, codec)` copies the exported codec into the built site and tells the page where it is;
without a codec the page says how to get one. The scripts and the style are in _assets/try_it/.
"""

import shutil

from PIL import Image, ImageOps

from mfca_tutorial import data

# free to be shared and changed; book/about.md names the authors and the terms
PICTURES = ("chelsea", "astronaut", "coffee", "rocket", "hubble_deep_field", "retina")
MAX_SIDE = 640  # pixels; the page codes 768 without asking
SMALL = 192  # pixels along each side of a thumbnail, for screens with two per CSS pixel

PAGE = "book/try_it.html"
FOLDER = "web"  # of the codec, beside the first page
NOWHERE, THERE = 'data-codec=""', f'data-codec="../{FOLDER}/"'
FOR_THE_SHELL = shutil.ignore_patterns("mfca.mjs", "ppm.mjs")


def write(folder):
    """Write the photographs, exact, and their thumbnails.

    folder: the source folder of a build, in which `_assets` becomes the site's `_static`.
    """
    target = folder / "_assets" / "try_it" / "pictures"
    target.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        picture = Image.fromarray(data.photograph(name))
        picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        picture.save(target / f"{name}.webp", lossless=True, method=4)
        small = ImageOps.fit(picture, (SMALL, SMALL), Image.Resampling.LANCZOS)
        small.save(target / f"{name}-small.webp", quality=80, method=6)


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
