"""Write the generated part of the README: one picture, and the table of results from data/results/kodak/*.json.

`python tools/readme.py` rewrites what stands between the two markers; `block()` is what must stand there (a test
compares). The picture is drawn anew only with `--picture`, since that needs the model and a few seconds.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.interpolate import PchipInterpolator

from mfca_tutorial.evaluation import rd

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PICTURE = ROOT / "_assets" / "equal_bytes.png"
BEGIN, END = (
    "<!-- written by tools/readme.py: begin -->",
    "<!-- written by tools/readme.py: end -->",
)
MEASURED = {
    "mfca": "**this book**, flat map",
    "mfca-auto": "**this book**, learned map",
    "mfca-effort10": "**this book**, flat map, `--effort 10`",
    "avif": "AVIF, speed 6",
    "webp": "WebP, method 6",
    "jpeg2000": "JPEG 2000, tuned",
    "jpeg": "JPEG, optimised",
}
PUBLISHED = {
    "vtm444": "VTM (VVC intra)",
    "bpg444": "BPG (HEVC intra)",
    "mbt2018-mean": "mbt2018-mean",
    "bmshj2018-hyperprior": "bmshj2018-hyperprior",
}
RATES = (0.25, 0.5, 0.75)  # bits per pixel
PHOTOGRAPH, TOP, LEFT, SIDE, QUALITY = "chelsea", 20, 100, 240, 15  # what the picture shows


def psnr_at(results, bpp):
    """PSNR in dB at a rate, pchip over the logarithm of the rate; '-' outside the curve."""
    rate, value = rd.curve(results)
    if not rate[0] <= bpp <= rate[-1]:
        return "-"
    return f"{float(PchipInterpolator(np.log(rate), value)(np.log(bpp))):.2f}"


def delta(anchor, results, metric="psnr-rgb"):
    """BD-rate as text: '-12.3 %', '0' of a curve against itself, '-' where the curves share no range."""
    if anchor["name"] == results["name"]:
        return "0"
    try:
        return f"{rd.bd_rate(anchor, results, metric):+.1f} %"
    except ValueError:
        return "-"


def measured(name):
    try:
        return rd.load_results(name)
    except FileNotFoundError:
        return None


def table():
    """The table in Markdown; empty while the model has not been measured."""
    curves = [(label, measured(name)) for name, label in MEASURED.items()]
    model, jpeg = curves[0][1], curves[-1][1]
    if model is None or jpeg is None:
        return ""
    curves += [(f"{label}, published", rd.published(name)) for name, label in PUBLISHED.items()]
    bpg = rd.published("bpg444")
    rates = " / ".join(f"{bpp:g}" for bpp in RATES)
    lines = [
        f"| Kodak, mean over 24 images | PSNR in dB at {rates} bpp | BD-rate against JPEG | against BPG "
        "| against BPG, MS-SSIM |",
        "|---|---|---|---|---|",
    ]
    for label, results in curves:
        if results is not None:
            psnr = " / ".join(psnr_at(results, bpp) for bpp in RATES)
            lines.append(
                f"| {label} | {psnr} | {delta(jpeg, results)} | {delta(bpg, results)} "
                f"| {delta(bpg, results, 'ms-ssim-rgb')} |"
            )
    lines += [
        "",
        "Real files, header included; 8-bit output; negative means fewer bits at equal quality. Rows marked "
        f"*published* are the literature's figures. Checkpoint `{model['checkpoint']}`; `make readme` writes "
        "this table from `data/results/kodak/`. `--effort 10` is the same model and decoder behind an encoder "
        "that searches, many times slower; a slower AVIF would gain as well (chapter 12).",
    ]
    return "\n".join(lines)


def block():
    """Everything between the markers."""
    parts = [table()]
    if PICTURE.exists():
        name = PICTURE.relative_to(ROOT).as_posix()
        parts.insert(
            0,
            f"![A detail of a photograph, and the same from a JPEG and a .mfca of equal size]({name})",
        )
    return "\n\n".join(part for part in parts if part)


def split(text):
    """README -> (before the generated part, the part, after it)."""
    before, rest = text.split(BEGIN + "\n")
    part, after = rest.split(END)
    return before + BEGIN + "\n", part.strip("\n"), END + after


def draw():
    """The picture: original, .mfca and the next larger JPEG, one square of each, at twice its size."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    from mfca_tutorial import Codec, data
    from mfca_tutorial.evaluation import classical, metrics

    image = data.photograph(PHOTOGRAPH)
    codec = Codec.from_pretrained()
    jpegs = [classical.jpeg(image, q) for q in range(1, 96)]
    stream = codec.compress(image, QUALITY)
    jpeg = min(
        (file for file in jpegs if len(file) >= len(stream)), key=len
    )  # never the smaller of the two
    if len(jpeg) > 1.1 * len(stream):
        raise ValueError(f"no JPEG is as small as {len(stream)} bytes: raise QUALITY")
    shown = {f"original, {image.shape[1]} x {image.shape[0]}": image}
    for name, file, decoded in (
        ("JPEG", jpeg, classical.decode(jpeg)),
        (".mfca", stream, data.to_image(codec.decompress(stream))),
    ):
        shown[f"{name}, {len(file):,} bytes, {metrics.psnr(image, decoded):.1f} dB"] = decoded
    figure, axes = plt.subplots(1, 3, figsize=(3 * 4.8, 5.2), layout="constrained")
    for ax, (title, picture) in zip(axes, shown.items(), strict=True):
        ax.imshow(picture[TOP : TOP + SIDE, LEFT : LEFT + SIDE], interpolation="nearest")
        ax.set_title(title, fontsize=15)
        ax.axis("off")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", action="store_true", help="draw the picture anew")
    if parser.parse_args().picture:
        draw()
    before, _, after = split(README.read_text("utf-8"))
    README.write_text(
        f"{before}{block()}\n{after}".replace(f"{BEGIN}\n\n{END}", f"{BEGIN}\n{END}"), "utf-8"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
