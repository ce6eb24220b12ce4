"""Files that cross between the Python package and the codec in JavaScript, both ways.

For `tools/portability.py --web` and for tests/test_web.py: they write pictures and files into a
folder, and `web_batch.mjs` goes through them in one process of Node.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mfca_tutorial import data
from mfca_tutorial.codec import Codec
from mfca_tutorial.container import read_header
from mfca_tutorial.pixels import Pixels

ROOT = Path(__file__).resolve().parent.parent
BATCH = ROOT / "tools" / "web_batch.mjs"


def in_node(folder: Path, jobs: list[dict[str, Any]], *flags: str) -> list[dict[str, Any]]:
    """The results of `web_batch.mjs` for some jobs, with the model exported to `folder`."""
    done = subprocess.run(
        ["node", BATCH, folder, *flags],
        input=json.dumps(jobs, default=str),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


@dataclass(frozen=True)
class Case:
    """A picture, and what is asked for: importance as for `Codec.compress`, None or 'auto'."""

    picture: Pixels
    quality: float
    importance: str | None = None


@dataclass
class Found:
    """How much differs between two sides, over all files that crossed one way."""

    files: int = 0
    latents: int = 0
    differing_files: int = 0  # with other latents
    largest_difference: int = 0  # of the pixels, in levels of 255


def levels_apart(one: Pixels, other: Pixels) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


def latents_in(codec: Codec, file: bytes) -> int:
    """How many latents the tiles of a file have."""
    from portability import latents_of

    return sum(v_hat.numel() for v_hat, _ in latents_of(codec, file))


def python_to_javascript(codec: Codec, exported: Path, cases: list[Case], folder: Path) -> Found:
    """Files that Python writes and JavaScript reads, in a folder for scratch files."""
    from portability import hashes_of

    jobs = []
    files = []
    for k, case in enumerate(cases):
        file = codec.compress(case.picture, case.quality, importance=case.importance)
        (folder / f"{k}.mfca").write_bytes(file)
        jobs.append({"do": "decode", "file": folder / f"{k}.mfca", "to": folder / f"{k}.ppm"})
        files.append(file)

    found = Found()
    for k, (file, result) in enumerate(zip(files, in_node(exported, jobs), strict=True)):
        found.files += 1
        found.latents += latents_in(codec, file)
        found.differing_files += result.get("hashes") != hashes_of(codec, file)
        if "hashes" in result:
            shown, _ = data.read_image(folder / f"{k}.ppm")
            apart = levels_apart(codec.decode_pixels(file), shown)
            found.largest_difference = max(found.largest_difference, apart)
    return found


def javascript_to_python(codec: Codec, exported: Path, cases: list[Case], folder: Path) -> Found:
    """Files that JavaScript writes and Python reads: as `python_to_javascript`.

    The pixels are those that JavaScript decodes its own file to.
    """
    from portability import hashes_of

    jobs: list[dict[str, Any]] = []
    for k, case in enumerate(cases):
        Image.fromarray(case.picture).save(folder / f"{k}.in.ppm")
        file = folder / f"{k}.js.mfca"
        job = {"do": "encode", "file": folder / f"{k}.in.ppm", "to": file}
        jobs.append({**job, "quality": case.quality, "map": case.importance})
        jobs.append({"do": "decode", "file": file, "to": folder / f"{k}.js.ppm"})

    found = Found()
    results = in_node(exported, jobs)
    for k, (case, written) in enumerate(zip(cases, results[::2], strict=True)):
        found.files += 1
        if "hashes" not in written:
            found.differing_files += 1
            continue
        file = (folder / f"{k}.js.mfca").read_bytes()
        header = read_header(file)
        assert (header.height, header.width) == case.picture.shape[:2]
        found.latents += latents_in(codec, file)
        found.differing_files += written["hashes"] != hashes_of(codec, file)
        shown, _ = data.read_image(folder / f"{k}.js.ppm")
        apart = levels_apart(codec.decode_pixels(file), shown)
        found.largest_difference = max(found.largest_difference, apart)
    return found
