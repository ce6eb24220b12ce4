"""The same bits everywhere: what the tests compare; a GPU with the CPU, JavaScript with Python.

python tools/portability.py                   24 files each way between CPU and GPU, written to
                                              data/results/portability.json; 2 without a GPU
python tools/portability.py --web             30 files each way between Python and JavaScript (the
                                              export of `make web`, in Node), into the same file
python tools/portability.py --hashes FORM     hashes of the latents of the golden files, as JSON
"""

import argparse
import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from torch import Tensor

from mfca_tutorial import Codec, data
from mfca_tutorial.container import tile_grid, unpack

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
RESULT = ROOT / "data" / "results" / "portability.json"

COMMAND = "python tools/portability.py"
QUALITIES = (5, 35, 65, 95)
PICTURES = 6
CROP = 256  # pixels


# ---- what a file decodes to


def latents_of(codec: Codec, file: bytes) -> list[tuple[Tensor, Tensor]]:
    """v_hat and the quality offsets of each tile of a file."""
    header, tiles = unpack(file)
    grid = tile_grid(header.width, header.height, header.tile)
    return [
        codec.latents_of(header, tile, height, width)
        for tile, (_, _, height, width) in zip(tiles, grid, strict=True)
    ]


def hash_of(v_hat: Tensor) -> str:
    """The latents of a tile, as multiples of 2^-8 (int32, little-endian) -> sha256."""
    units = v_hat.cpu().double().numpy() * 256
    integers = units.astype("<i4")
    assert (integers == units).all()
    return hashlib.sha256(integers.tobytes()).hexdigest()


def hashes_of(codec: Codec, file: bytes) -> list[str]:
    """Of the latents of each tile of a file."""
    return [hash_of(v_hat) for v_hat, _ in latents_of(codec, file)]


def golden(form: str) -> Codec:
    """The small frozen model with this form of the gates."""
    return Codec.from_pretrained(GOLDEN / form / "model.safetensors")


# ---- what torch can be told


@contextmanager
def mode(threads: int, onednn: bool, flush_denormals: bool, precision: str) -> Iterator[None]:
    """Torch set up this way, and afterwards as before.

    Args:
        threads: how many share an operation.
        onednn: whether oneDNN's kernels may be used.
        flush_denormals: take the smallest numbers for 0.
        precision: of float32 matrix products, 'highest' or 'medium'.
    """
    threads_before = torch.get_num_threads()
    precision_before = torch.get_float32_matmul_precision()
    try:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flush_denormals)
        torch.set_float32_matmul_precision(precision)
        with torch.backends.mkldnn.flags(enabled=onednn):
            yield
    finally:
        torch.set_num_threads(threads_before)
        torch.set_flush_denormal(False)
        torch.set_float32_matmul_precision(precision_before)


# ---- a GPU and the CPU


def both_ways(one: Codec, other: Codec) -> dict[str, int]:
    """Files that `one` writes and `other` reads: how much differs.

    Returns {"files", "latents", "differing_latents", "largest_difference"}; the last is that of the
    pixels, in levels of 255.
    """
    found = {"files": 0, "latents": 0, "differing_latents": 0, "largest_difference": 0}
    for name in data.PHOTOGRAPHS[:PICTURES]:
        picture = data.to_tensor(data.centre_crop(data.photograph(name), CROP))
        for quality in QUALITIES:
            # what the writer coded, and what the reader takes out
            written = one.encode_tile(picture, quality).coded.v_hat.cpu()
            file = one.compress(picture, quality)
            ((read, _),) = latents_of(other, file)

            # and what each makes of it
            here = data.to_image(one.decompress(file)).astype(int)
            there = data.to_image(other.decompress(file)).astype(int)
            levels = int(np.abs(here - there).max())

            found["files"] += 1
            found["latents"] += written.numel()
            found["differing_latents"] += int((written != read.cpu()).sum())
            found["largest_difference"] = max(found["largest_difference"], levels)
    return found


def measure() -> dict:
    """The shipped codec on the CPU and on the GPU, 24 files each way."""
    on_cpu = Codec.from_pretrained()
    on_gpu = Codec.from_pretrained().to("cuda")
    return {
        "checkpoint": on_cpu.model_id.hex(),
        "command": COMMAND,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "cpu": torch.backends.cpu.get_cpu_capability(),
            "gpu": torch.cuda.get_device_name(),
        },
        "cpu_writes_gpu_reads": both_ways(on_cpu, on_gpu),
        "gpu_writes_cpu_reads": both_ways(on_gpu, on_cpu),
    }


def store(result: dict) -> None:
    """Print a result and put it in the place of the same one; the other comparison's stays."""
    before = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    everything = {"command": COMMAND} | before | result
    RESULT.write_text(json.dumps(everything, indent=1) + "\n")
    print(json.dumps(result, indent=1))


# ---- JavaScript and Python


def measure_web() -> dict:
    """The shipped codec in Python and in JavaScript: 30 files each way, 6 with the learned map."""
    import export_web
    from web_crossing import Case, javascript_to_python, python_to_javascript

    # the pictures and qualities of the other comparison, and a map
    cases = []
    for name in data.PHOTOGRAPHS[:PICTURES]:
        picture = data.centre_crop(data.photograph(name), CROP)
        cases += [Case(picture, quality) for quality in QUALITIES]
        cases.append(Case(picture, 50, "auto"))

    exported = export_web.build()
    if exported is None:
        sys.exit("portability: nothing was measured")
    codec = Codec.from_pretrained()
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    with TemporaryDirectory() as folder:
        ways = {
            "python_writes_javascript_reads": python_to_javascript,
            "javascript_writes_python_reads": javascript_to_python,
        }
        found = {
            name: asdict(way(codec, exported, cases, Path(folder))) for name, way in ways.items()
        }
    return {
        "checkpoint": codec.model_id.hex(),
        "command": f"{COMMAND} --web",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "node": node.stdout.strip(),
            "packages": export_web.PACKAGES,
        },
        **found,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--web", action="store_true")
    parser.add_argument("--hashes", choices=["energy", "quality"], metavar="FORM")
    arguments = parser.parse_args()

    if arguments.hashes:
        codec = golden(arguments.hashes)
        files = sorted((GOLDEN / arguments.hashes).glob("*.mfca"))
        print(json.dumps({file.stem: hashes_of(codec, file.read_bytes()) for file in files}))
        return

    if arguments.web:
        torch.set_num_threads(1)
        web = measure_web()
        store({"web": web})
        ways = (web["python_writes_javascript_reads"], web["javascript_writes_python_reads"])
        sys.exit(1 if any(way["differing_files"] for way in ways) else 0)

    if not torch.cuda.is_available():
        sys.exit("portability: no CUDA device: nothing was measured")
    result = measure()
    store(result)
    ways = (result["cpu_writes_gpu_reads"], result["gpu_writes_cpu_reads"])
    sys.exit(1 if any(way["differing_latents"] for way in ways) else 0)


if __name__ == "__main__":
    main()
