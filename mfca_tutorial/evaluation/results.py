"""The curve of a codec as a file, and the curves of the literature.

But: what is in it is measured and compared in `evaluation/rd.py`.

Taught in chapter 12.
"""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NotRequired, TypedDict

from mfca_tutorial import data
from mfca_tutorial.data import AnyPath

# our name of a column -> its heading in data/results/published_kodak.csv
PUBLISHED_COLUMNS = {
    "bpp": "bpp",
    "psnr-rgb": "psnr_rgb_db",
    "ms-ssim-rgb": "ms_ssim_rgb",
}

Columns = dict[str, list[float | None]]  # one value per setting; None: not measured

# one curve, as a file holds it; written as a call, since some keys have a hyphen
Results = TypedDict(
    "Results",
    {
        "name": str,
        "results": Columns,
        "description": NotRequired[str],  # how it was measured, or where it was published
        # what a curve from the literature does not have
        "settings": NotRequired[list[float]],
        "skipped-ms-ssim": NotRequired[int],  # images that are too small for MS-SSIM
        "failed": NotRequired[list[dict[str, str]]],  # file and reason of what was not measured
        "checkpoint": NotRequired[str | None],  # the model's id; None for other codecs
        "versions": NotRequired[dict[str, str]],  # of Python, the machine and the packages
        "images": NotRequired[list[dict[str, str | float | None]]],  # one row per file and setting
        "command": NotRequired[str],  # the command line that made it
    },
)


def save_results(results: Mapping[str, object], file: AnyPath) -> None:
    """Write results as JSON, whole or not at all. Raises ValueError for NaN or infinity."""
    text = json.dumps(results, indent=1, allow_nan=False) + "\n"
    data.write_atomic(file, text.encode())


def read_results(file: AnyPath) -> Results:
    """Read a result file. Raises ValueError, in one line, if it is not one."""
    # whatever is wrong with the file, say only that it is not a result, and why
    try:
        text = Path(file).read_text(encoding="utf-8")
        results = json.loads(text)
        columns = results["results"]
        count = len(columns["bpp"])

        # every column has one value per setting
        lengths = {len(values) for values in columns.values()}
        if lengths != {count}:
            raise ValueError("columns of different lengths")

        # JSON knows NaN and infinity, in Python's reading; a mean over them would be one, too
        for values in columns.values():
            if not all(value is None or math.isfinite(value) for value in values):
                raise ValueError("a value that is not finite")

        # rates are compared by their logarithms
        if not all(value is None or value > 0 for value in columns["bpp"]):
            raise ValueError("a rate that is not above 0")

        # the name stands in legends and tables
        if not isinstance(results["name"], str):
            raise ValueError("its name is not text")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file}: not a result of `mfca eval` ({error})") from error
    return results


def load_results(name: str, image_set: str = "kodak") -> Results:
    """Read a curve that comes with the package: data/results/<image_set>/<name>.json.

    Example: load_results("mfca").
    """
    return read_results(data.path(f"results/{image_set}/{name}.json"))


def published(name: str) -> Results:
    """Return a curve from the literature on Kodak, in the layout of `Results`.

    Names and sources are in data/results/published_kodak.csv. Raises KeyError for any other name.
    Example: published("bpg444").
    """
    path = data.path("results/published_kodak.csv")
    with open(path, encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))

    # one row per point
    rows = [row for row in table if row["codec"] == name]
    if not rows:
        known = sorted({row["codec"] for row in table})
        raise KeyError(f"no published curve {name!r}; there are {', '.join(known)}")

    # from the cheapest point to the dearest
    rows.sort(key=lambda row: float(row["bpp"]))

    # an empty cell is a value that the source does not give
    columns: Columns = {}
    for key, heading in PUBLISHED_COLUMNS.items():
        cells = [row[heading] for row in rows]
        columns[key] = [float(cell) if cell else None for cell in cells]

    return {"name": name, "description": rows[0]["source"], "results": columns}
