"""Rate-distortion: measure a codec on a folder of images, store the curve, compare curves by BD-rate.

Rates are sizes of whole files, header included; distortions are taken on the 8-bit image that the decoder writes;
a curve's point is the mean of the per-image values (not the value of the mean error). Taught in chapter 12.
"""

import csv
import json
import math
import platform
import time
from importlib import metadata
from pathlib import Path

import numpy as np

from mfca_tutorial import __version__, data
from mfca_tutorial.evaluation import classical, metrics

MEANS = ("bpp", "psnr-rgb", "ssim-rgb", "ms-ssim-rgb", "encoding_time", "decoding_time")
QUALITIES = tuple(range(0, 101, 10))
PACKAGES = ("torch", "numpy", "pillow", "scikit-image", "pytorch-msssim", "constriction")


def _coder(codec, importance, effort):
    """-> (encode(array, setting) -> bytes, decode(bytes) -> array) of a `Codec` or of a name in `classical.CODECS`."""
    if isinstance(codec, str):
        return classical.CODECS[codec], classical.decode
    return (lambda array, quality: codec.compress(array, quality, importance, effort=effort),
            lambda stream: data.to_image(codec.decompress(stream)))


def measure(encode, decode, image, setting):
    """One image at one setting -> dict of bytes, bpp, PSNR, SSIM, MS-SSIM (None if too small), seconds.

    image: uint8 (H, W, 3). Taught in chapter 12."""
    start = time.perf_counter()
    stream = encode(image, setting)
    middle = time.perf_counter()
    decoded = decode(stream)
    end = time.perf_counter()
    height, width = image.shape[:2]
    return {"setting": setting, "width": width, "height": height, "bytes": len(stream),
            "bpp": 8 * len(stream) / (height * width), "psnr-rgb": metrics.psnr(image, decoded),
            "ssim-rgb": metrics.ssim(image, decoded), "ms-ssim-rgb": metrics.ms_ssim(image, decoded),
            "encoding_time": middle - start, "decoding_time": end - middle}


def mean_of(rows):
    """Per-image rows of one setting -> dict of means; MS-SSIM over the images that have one, None if none has."""
    means = {}
    for key in MEANS:
        values = [row[key] for row in rows if row[key] is not None]
        means[key] = float(np.mean(values)) if values else None
    return means


def versions():
    """The versions that a result depends on. Taught in chapter 12."""
    found = {"mfca_tutorial": __version__, "python": platform.python_version(), "machine": platform.machine()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def evaluate(codec, files, settings, importance="flat", effort=0, progress=False):
    """Encode and decode every file at every setting and average.

    codec: a `Codec`, or a name in `classical.CODECS`. files: image paths, any kind that `data.read_image` reads.
    settings: qualities 0..100 (JPEG 2000: compression ratios). importance ('flat', 'auto') and effort: a `Codec`'s.
    Returns CompressAI's layout, {"name", "description", "results": {"bpp": [...], "psnr-rgb": [...], ...}}, one
    value a setting, and beside it "settings", "skipped-ms-ssim", "checkpoint", "versions" and "images", one row a
    file and setting. The first image is coded once before the clock runs. Raises ImageError. Taught in chapter 12."""
    files, settings = list(files), list(settings)
    if not files or not settings:
        raise ValueError("nothing to evaluate: no image or no setting")
    encode, decode = _coder(codec, importance, effort)
    decode(encode(data.read_image(files[0])[0], settings[0]))
    from tqdm import tqdm
    rows = []
    with tqdm(total=len(files) * len(settings), unit="file", disable=not progress) as bar:
        for file in files:
            image = data.read_image(file)[0]  # (H, W, 3)
            for setting in settings:
                rows.append({"file": Path(file).name, **measure(encode, decode, image, setting)})
                bar.update()
    points = [mean_of([row for row in rows if row["setting"] == setting]) for setting in settings]
    name = codec if isinstance(codec, str) else "-".join(
        ["mfca"] + [importance] * (importance not in (None, "flat")) + [f"effort{effort}"] * (effort > 0))
    return {
        "name": name,
        "description": f"mean over {len(files)} images of per-image values; whole files, 8-bit output",
        "settings": settings,
        "results": {key: [point[key] for point in points] for key in MEANS},
        "skipped-ms-ssim": sum(row["ms-ssim-rgb"] is None for row in rows[::len(settings)]),
        "checkpoint": None if isinstance(codec, str) else codec.model_id.hex(),
        "versions": versions(),
        "images": rows,
    }


def save_results(results, file):
    """Write a result of `evaluate` as JSON, whole or not at all; NaN or infinity is a ValueError."""
    data.write_atomic(file, (json.dumps(results, indent=1, allow_nan=False) + "\n").encode())


def read_results(file):
    """Read a result file; ValueError with one line when it is not one."""
    try:
        results = json.loads(Path(file).read_text(encoding="utf-8"))
        curve, count = results["results"], len(results["results"]["bpp"])
        if not isinstance(results["name"], str) or any(len(values) != count for values in curve.values()):
            raise ValueError("columns of different lengths")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file}: not a result of `mfca eval` ({error})") from error
    return results


def load_results(name, set="kodak"):
    """`load_results("mfca")`: the committed curve data/results/<set>/<name>.json. Taught in chapter 12."""
    return read_results(data.path(f"results/{set}/{name}.json"))


def published(name):
    """`published("bpg444")`: a curve from the literature on Kodak, in the layout of `evaluate`.

    Names and sources are in data/results/published_kodak.csv; KeyError for another name. Taught in chapter 12."""
    with open(data.path("results/published_kodak.csv"), encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    rows = sorted((row for row in table if row["codec"] == name), key=lambda row: float(row["bpp"]))
    if not rows:
        raise KeyError(f"no published curve {name!r}; there are {', '.join(sorted({r['codec'] for r in table}))}")
    columns = {"bpp": "bpp", "psnr-rgb": "psnr_rgb_db", "ms-ssim-rgb": "ms_ssim_rgb"}
    return {"name": name, "description": rows[0]["source"],
            "results": {key: [float(r[column]) if r[column] else None for r in rows]
                        for key, column in columns.items()}}


def curve(results, metric="psnr-rgb"):
    """-> (bpp, metric), two float64 arrays, rising: the points where more bits buy more.

    MS-SSIM comes in dB, -10 log10(1 - value). A point that a cheaper one equals or beats is left out, as is one
    without the metric. Taught in chapter 12."""
    columns = results["results"]
    rate, value = [], []
    for bpp, v in sorted(zip(columns["bpp"], columns.get(metric, []), strict=False), key=lambda point: point[0]):
        if v is None:
            continue
        v = -10 * math.log10(max(1 - v, 1e-10)) if "ssim" in metric else v
        if not value or v > value[-1]:
            rate, value = rate + [bpp], value + [v]
    return np.array(rate), np.array(value)


def bd_rate(anchor, test, metric="psnr-rgb"):
    """Bjontegaard delta rate in %: how many more bits `test` needs than `anchor` at equal quality; negative = fewer.

    anchor, test: results of `evaluate`, `load_results` or `published`. pchip of log rate over the metric, on the range
    that both curves cover; ValueError when that is empty or a curve has fewer than two points. Taught in chapter 12."""
    import bjontegaard
    (rate_a, value_a), (rate_b, value_b) = curve(anchor, metric), curve(test, metric)
    names = f"{anchor['name']} and {test['name']}"
    if min(len(rate_a), len(rate_b)) < 2:
        raise ValueError(f"BD-rate of {names}: fewer than two points with {metric}")
    if min(value_a[-1], value_b[-1]) <= max(value_a[0], value_b[0]):
        raise ValueError(f"BD-rate of {names}: the curves share no range of {metric}")
    return float(bjontegaard.bd_rate(rate_a, value_a, rate_b, value_b, method="pchip",
                                     require_matching_points=False, min_overlap=0))
