"""The first page of the book: its pictures, its numbers and its HTML, made when the book is built.

Nothing on that page is written by hand that could be measured or counted: sizes of files, savings
on Kodak, minutes, exercises, and the pictures on its cards. `write(folder, ...)` stages all of it;
the words are in tools/templates/landing.html.j2, the look in _assets/landing.css.
"""

import csv
import json
import re
from bisect import bisect_right
from pathlib import Path

import edition as this_edition
import numpy as np
from diagrams import codec_phone, codec_wide
from PIL import Image
from set_repo import address, forms
from shared import DATA, ROOT, bd_rate, measured, model_id, render

# The photograph under the curtain and in the README; the quality of its JPEG, to whose size our
# file is fitted; and the quality at which its importance map is shown.
PHOTOGRAPH = "chelsea"
JPEG_QUALITY = 8
MAP_QUALITY = 38
FAIR = 0.03  # our file is not larger than the JPEG, and at most this much smaller
SCALE = 2  # pictures are enlarged for screens with two pixels per CSS pixel

# The four parts: their title, their chapters, their key terms, and what their picture shows.
PARTS = [
    {
        "title": "See in frequencies",
        "chapters": range(0, 5),
        "terms": "DCT, channel attention by frequency (MFCA), pyramid blocks (PMCN), "
        "encoder and decoder",
        "shown": "Twelve basis pictures of the cosine transform",
    },
    {
        "title": "Pay for every bit",
        "chapters": range(5, 10),
        "terms": "Importance map, quantisation, range coding, hyperprior and context, "
        "a file format",
        "shown": "The importance map of this codec for a cat: bright blocks get more bits",
    },
    {
        "title": "Train it",
        "chapters": range(10, 12),
        "terms": "Post-quantisation filter (PQF), losses with a rate in them, optimisers, "
        "what goes wrong",
        "shown": "The loss of a training run, falling steeply and then slowly",
    },
    {
        "title": "Judge it",
        "chapters": range(12, 14),
        "terms": "PSNR and MS-SSIM, BD-rate and its traps, eight codecs on Kodak, "
        "a report put to the test",
        "shown": "PSNR against bits per pixel: the curve of this book lies above four others",
    },
]

WIDTH, HEIGHT = 240, 96  # of the drawings on the cards
RIVALS = ("jpeg", "webp", "jpeg2000", "avif")
BASES = [
    (0, 1),
    (1, 0),
    (1, 1),
    (0, 2),
    (2, 1),
    (3, 0),
    (2, 2),
    (1, 4),
    (4, 3),
    (0, 6),
    (5, 5),
    (7, 6),
]


def curtain():
    """Encode the photograph: (original, JPEG's and our pixels, bytes of JPEG, bytes of ours).

    Raises ValueError if the two files do not compare fairly.
    """
    from mfca_tutorial import Codec, data
    from mfca_tutorial.evaluation import classical

    image = data.photograph(PHOTOGRAPH)
    jpeg = classical.jpeg(image, JPEG_QUALITY)
    codec = Codec.from_pretrained()

    # our largest file that is not larger than the JPEG; qualities come in half steps
    def size(half_steps):
        return len(codec.compress(image, half_steps / 2))

    half_steps = bisect_right(range(201), len(jpeg), key=size) - 1
    ours = codec.compress(image, half_steps / 2)
    if len(ours) < (1 - FAIR) * len(jpeg):
        raise ValueError(f"{len(ours)} bytes against JPEG's {len(jpeg)}: no fair comparison")

    pictures = {
        "original": image,
        "jpeg": classical.decode(jpeg),
        "mfca": data.to_image(codec.decompress(ours)),
    }
    return pictures, {"jpeg": len(jpeg), "mfca": len(ours)}


def save(picture, file):
    """Write a picture as WebP, enlarged for sharp screens."""
    image = Image.fromarray(picture)
    size = (SCALE * image.width, SCALE * image.height)
    image.resize(size, Image.Resampling.LANCZOS).save(file, quality=90, method=6)


def basis_pictures():
    """Twelve basis pictures of the DCT in two rows, with nothing between them: RGBA."""
    from mfca_tutorial.blocks.dct import basis_image

    side, gap = 40, 8
    sheet = np.zeros((2 * side + gap, 6 * side + 5 * gap, 4), np.uint8)
    for number, (u, v) in enumerate(BASES):
        row, column = divmod(number, 6)
        wave = basis_image(u, v, side)
        shade = np.uint8(np.round(127.5 + 115 * wave / np.abs(wave).max()))
        top, left = row * (side + gap), column * (side + gap)
        sheet[top : top + side, left : left + side, :3] = shade[:, :, None]
        sheet[top : top + side, left : left + side, 3] = 255
    return sheet


def importance_map():
    """The learned map of the photograph, laid over it, uint8 (H, W, 3)."""
    from mfca_tutorial import Codec, data
    from mfca_tutorial.show.pictures import enlarge, heat

    image = data.photograph(PHOTOGRAPH)
    codec = Codec.from_pretrained()
    x = data.to_tensor(image)
    seen = codec.encode_tile(x, MAP_QUALITY, "auto")
    blocks = seen.blocks[0, 0].numpy()  # the quality of every 64 x 64 block
    colours = enlarge(heat(blocks), 64)[: image.shape[0], : image.shape[1]]

    # light and shade from the photograph, colours from the map
    grey = image.mean(2, keepdims=True) / 255
    mixed = 0.35 * image + 0.65 * colours * (0.35 + 0.65 * grey)
    height = image.shape[1] * HEIGHT // WIDTH
    top = (image.shape[0] - height) // 3
    return np.uint8(np.clip(mixed, 0, 255))[top : top + height]


def line(xs, ys, low, high, kind):
    """A curve as an SVG polyline in the box of a card; `low` and `high` are (x, y) of its edges."""
    left = (np.asarray(xs) - low[0]) / (high[0] - low[0]) * WIDTH
    up = (np.asarray(ys) - low[1]) / (high[1] - low[1]) * (HEIGHT - 8)
    points = " ".join(f"{x:.1f},{HEIGHT - 4 - y:.1f}" for x, y in zip(left, up))
    return f'<polyline class="{kind}" points="{points}"/>'


def drawing(label, *shapes):
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none"'
    head = f'<svg {box} role="img" aria-label="{label}">'
    return "".join([head, *shapes, "</svg>"])


def training_curve(label):
    """The loss over the steps of the first run, without the steep fall at its beginning."""
    with (DATA / "training" / "log_first.csv").open(encoding="utf-8") as file:
        rows = [(float(row["step"]), float(row["loss"])) for row in csv.DictReader(file)]
    steps, losses = zip(*[row for row in rows if row[1] < 9])
    edges = (0, min(losses)), (max(steps), max(losses))
    return drawing(label, line(steps, losses, *edges, "ours"))


def measured_curves(label):
    """PSNR over bits per pixel on Kodak: ours thick, the others grey."""
    shapes = []
    edges = (0.1, 25.5), (1.0, 37.5)
    for name in (*RIVALS, "mfca"):
        results = measured(name)["results"]
        rates = np.linspace(0.12, 1, 30)
        psnr = np.interp(rates, results["bpp"], results["psnr-rgb"], left=np.nan)
        known = np.isfinite(psnr)
        kind = "ours" if name == "mfca" else "rival"
        shapes.append(line(rates[known], psnr[known], *edges, kind))
    return drawing(label, *shapes)


def savings():
    """By how many per cent our files are smaller at equal PSNR, mean over Kodak, by rival.

    Raises ValueError if the page's sentences do not hold.
    """
    saved = {name: -bd_rate(measured(name), measured("mfca")) for name in RIVALS}
    if saved["jpeg"] < 50 or min(saved.values()) <= 0:
        raise ValueError(f"the first page claims too much: {saved}")
    return saved


def chapter(file):
    """What the page says of a chapter: number, title, minutes, address."""
    cells = json.loads(file.read_text("utf-8"))["cells"]
    head = "".join(cells[0]["source"])
    number, title = re.match(r"# (\d+)\. (.+)", head).groups()
    minutes = re.search(r"\*\*Time:\*\* (\d+) minutes", head).group(1)
    return {
        "number": int(number),
        "title": title,
        "minutes": int(minutes),
        "address": f"book/{file.stem}.html",
    }


def counts(files):
    """Exercises, those of them that check themselves, and pictures that move."""
    found = {"exercises": 0, "checked": 0, "moving": 0}
    for file in files:
        for cell in json.loads(file.read_text("utf-8"))["cells"]:
            source = "".join(cell["source"])
            found["exercises"] += len(re.findall(r"^`{3,}\{exercise(?:-start)?\}", source, re.M))
            found["checked"] += "check" in cell["metadata"].get("tags", [])
            found["moving"] += len(re.findall(r"^(?:Explorable|Curtain)\(", source, re.M))
    return found


def hours(chapters):
    """The hours that chapters take, rounded to halves, as text: '3.5 h'."""
    halves = round(sum(c["minutes"] for c in chapters) / 30)
    return f"{halves / 2:g}"


def pictures(folder):
    """Write the pictures of the page once per model; return the sizes of the two files."""
    sizes = folder / "sizes.json"
    if sizes.exists():
        known = json.loads(sizes.read_text("utf-8"))
        if known.pop("model") == model_id():
            return known
    folder.mkdir(parents=True, exist_ok=True)
    shown, found = curtain()
    for name, picture in shown.items():
        save(picture, folder / f"{name}.webp")
    Image.fromarray(basis_pictures()).save(folder / "basis.webp", lossless=True)
    Image.fromarray(importance_map()).save(folder / "map.webp", quality=85)
    sizes.write_text(json.dumps(found | {"model": model_id()}), "utf-8")
    return found


def html(files, sizes, edition):
    """The page's HTML below its title."""
    chapters = [chapter(file) for file in files]
    parts = []
    for part in PARTS:
        own = [c for c in chapters if c["number"] in part["chapters"]]
        parts.append(part | {"chapters": own, "hours": hours(own)})
    label = {part["title"]: part["shown"] for part in PARTS}
    url, colab, _ = forms(address())
    branch = this_edition.branch()
    first = Path(chapters[0]["address"]).with_suffix(".ipynb")
    return render(
        "landing.html.j2",
        parts=parts,
        sizes=sizes,
        saved=savings(),
        counts=counts(files),
        hours=hours(chapters),
        words=("no", "one", "two", "three", "four"),
        count=len(chapters),
        start=chapters[0]["address"],
        colab=f"https://colab.{colab}/blob/{branch}/{first}",
        source=url,
        guide=edition != "student",
        wide=codec_wide.draw(),
        narrow=codec_phone.draw(),
        training=training_curve(label["Train it"]),
        curves=measured_curves(label["Judge it"]),
    )


def write(folder, files, cache, edition):
    """Put the page's HTML and pictures into a staged source folder.

    folder: where index.md is; files: the chapters' notebooks; cache: where pictures are kept.
    """
    sizes = pictures(cache)
    target = folder / "_assets" / "landing"
    target.mkdir(parents=True, exist_ok=True)
    for file in cache.glob("*.webp"):
        (target / file.name).write_bytes(file.read_bytes())
    (folder / "landing.html").write_text(html(files, sizes, edition), "utf-8")


if __name__ == "__main__":
    out = ROOT / "_build" / "landing"
    print(html(sorted((ROOT / "book").glob("[0-9]*.ipynb")), pictures(out), "student"))
