"""Large pictures: seconds, memory and seams, written to data/results/large.json.

    python tools/large.py           12 and 24 megapixels; 100 with the small model of the tests
    python tools/large.py --100     those with the shipped model, too (five minutes and more)

Every picture is coded and decoded in a process of its own, on one core, since a process knows only
the most memory that it has ever held. Needs Linux.

The picture is a photograph, mirrored again and again. So each of its pixels stands in many places,
near the border of a tile and far from any, and what a border costs is a comparison of like with
like: the mean over the photograph's pixels, here and there.
"""

import argparse
import datetime
import json
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from shared import DATA, ROOT

from mfca_tutorial import Codec, data
from mfca_tutorial.container import MAX_PIXELS, TILE, tile_grid

RESULT = DATA / "results" / "large.json"
MODELS = {
    "shipped": DATA / "mfca.safetensors",
    "small": ROOT / "tests" / "golden" / "energy" / "model.safetensors",
}
SIZES = {12: (4000, 3000), 24: (6000, 4000), 100: (11552, 8664)}  # megapixels: width, height
QUALITY = 50
NEAR = 32  # pixels from the border of a tile
WORK = ROOT / "_build" / "large"


# ---- the picture, and where its tiles end


def folded(length: int, side: int) -> np.ndarray:
    """Places 0..length-1 of an axis on which `side` pixels are mirrored again and again."""
    place = np.arange(length) % (2 * side)
    return np.minimum(place, 2 * side - 1 - place)


def picture(width: int, height: int) -> np.ndarray:
    """uint8 (height, width, 3)."""
    photograph = data.photograph("coffee")
    rows = folded(height, photograph.shape[0])
    columns = folded(width, photograph.shape[1])
    return photograph[rows[:, None], columns]


def near_borders(width: int, height: int) -> np.ndarray:
    """Which pixels, bool (height, width), are within `NEAR` of where a tile begins or ends."""
    rows = np.zeros(height, bool)
    columns = np.zeros(width, bool)
    for top, left, h, w in tile_grid(width, height, TILE):
        for mask, start, end in ((rows, top, top + h), (columns, left, left + w)):
            for border in (start, end):
                if 0 < border < len(mask):
                    mask[border - NEAR : border + NEAR] = True
    return rows[:, None] | columns


def seams(original: np.ndarray, decoded: np.ndarray) -> dict[str, float]:
    """PSNR near the borders of tiles and away from them, in dB, over the same photograph."""
    height, width = original.shape[:2]
    side_h, side_w = data.photograph("coffee").shape[:2]
    near = near_borders(width, height)
    pixel = folded(height, side_h)[:, None] * side_w + folded(width, side_w)  # (height, width)

    # the mean square error of each pixel of the photograph, over its places of one kind
    means = []
    for chosen in (near, ~near):
        difference = original[chosen].astype(np.int32) - decoded[chosen]
        error = np.square(difference).mean(1)
        places = np.bincount(pixel[chosen], minlength=side_h * side_w)
        total = np.bincount(pixel[chosen], error, minlength=side_h * side_w)
        means.append(total / np.where(places, places, np.nan))  # nan: it has no such place

    both = np.isfinite(means[0]) & np.isfinite(means[1])
    near_psnr, inner_psnr = (float(10 * np.log10(255**2 / mean[both].mean())) for mean in means)
    return {"near": near_psnr, "interior": inner_psnr, "compared": float(both.mean())}


# ---- one measurement, in a process of its own


def peak() -> int:
    """The most memory that this process has held, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


def measured(work, *arguments, **options) -> tuple[object, dict]:
    """What a function returns; its seconds of processor time, and the memory of the process."""
    start = time.process_time()
    result = work(*arguments, **options)
    return result, {"seconds": time.process_time() - start, "peak_bytes": peak()}


def encode(model: str, megapixels: int, file: Path) -> dict:
    codec = Codec.from_pretrained(MODELS[model])
    stream, facts = measured(codec.compress, picture(*SIZES[megapixels]), QUALITY)
    file.write_bytes(stream)
    return facts | {"bytes": len(stream)}


def decode(model: str, megapixels: int, file: Path) -> dict:
    codec = Codec.from_pretrained(MODELS[model])
    stream = file.read_bytes()
    decoded, facts = measured(codec.decode_pixels, stream, max_pixels=MAX_PIXELS)

    # the small model is not trained for more than tests
    if model == "shipped":
        facts["seams"] = seams(picture(*SIZES[megapixels]), decoded)
    return facts


STEPS = {"encode": encode, "decode": decode}


def in_a_process(model: str, megapixels: int, step: str) -> dict:
    command = [sys.executable, __file__, "--step", model, str(megapixels), step]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    print(f"{model:8} {megapixels:4} MP {step}: {run.stdout}", end="", flush=True)
    return json.loads(run.stdout)


# ---- all of them


def measure(with_100: bool) -> dict:
    runs = [("small", 12), ("small", 24), ("small", 100), ("shipped", 12), ("shipped", 24)]
    if with_100:
        runs.append(("shipped", 100))

    rows = []
    for model, megapixels in runs:
        width, height = SIZES[megapixels]
        row = {"model": model, "megapixels": megapixels, "width": width, "height": height}
        rows.append(row | {step: in_a_process(model, megapixels, step) for step in STEPS})

    # what a pixel takes beyond the work on one tile, which is the same in all sizes
    small = {row["megapixels"]: row for row in rows if row["model"] == "small"}
    pixels = {size: small[size]["width"] * small[size]["height"] for size in small}
    per_pixel = {}
    for step in STEPS:
        more = small[100][step]["peak_bytes"] - small[12][step]["peak_bytes"]
        per_pixel[step] = more / (pixels[100] - pixels[12])

    return {
        "command": "python tools/large.py" + " --100" * with_100,
        "date": datetime.date.today().isoformat(),
        "checkpoint": Codec.from_pretrained(MODELS["shipped"]).model_id.hex(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "cpu": torch.backends.cpu.get_cpu_capability(),
        },
        "threads": 1,
        "quality": QUALITY,
        "near_pixels": NEAR,
        "bytes_per_pixel": per_pixel,
        "pictures": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--100", dest="with_100", action="store_true")
    parser.add_argument("--step", nargs=3, metavar=("MODEL", "MEGAPIXELS", "STEP"))
    arguments = parser.parse_args()

    if arguments.step:
        model, megapixels, step = arguments.step
        torch.set_num_threads(1)
        file = WORK / f"{model}-{megapixels}.mfca"
        print(json.dumps(STEPS[step](model, int(megapixels), file)))
        return

    WORK.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(measure(arguments.with_100), indent=1) + "\n")


if __name__ == "__main__":
    main()
