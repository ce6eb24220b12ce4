"""Run every chapter with and without the GPU: `make gpu-chapters`, on a machine that has one.

Chapters that train take a GPU by themselves (4, 11, 13; chapter 9 checks its arithmetic on it).
Files are made on the processor. This tool runs each chapter both ways and writes
`data/results/gpu_chapters.json`: the seconds of both runs, and whether every number of bytes that
the chapter prints is the same. `--chapters 04 13` runs only these and keeps the other rows.
"""

import argparse
import json
import os
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from shown_cells import CHAPTERS, ROOT

RESULT = ROOT / "data" / "results" / "gpu_chapters.json"
TIMEOUT = 600  # seconds per cell
BYTES = re.compile(r"\b([\d,]+) bytes\b")


def run(file, gpu):
    """Run a chapter; return (notebook with its outputs, seconds).

    gpu: whether torch sees the GPU.
    """
    notebook = nbformat.read(file, as_version=4)
    environment = {**os.environ, "MFCA_PUBLISHED": "1", "TQDM_DISABLE": "1"}
    if not gpu:
        environment["CUDA_VISIBLE_DEVICES"] = ""
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": Path(file).parent}},
    )
    start = time.perf_counter()
    client.execute(env=environment)
    return notebook, time.perf_counter() - start


def byte_counts(notebook):
    """All numbers of bytes that a notebook prints or shows in text, in order."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            text = output.get("text", "") or data.get("text/markdown", "")
            found += [int(number.replace(",", "")) for number in BYTES.findall(text)]
    return found


def compared(file, on_gpu):
    """The row of one chapter.

    on_gpu: how to run it: `run`, which tests replace.
    """
    with_gpu, gpu_seconds = on_gpu(file, gpu=True)
    without, cpu_seconds = on_gpu(file, gpu=False)
    counts = byte_counts(without)
    return {
        "cpu_seconds": round(cpu_seconds, 1),
        "gpu_seconds": round(gpu_seconds, 1),
        "byte_counts": len(counts),
        "same_bytes": counts == byte_counts(with_gpu),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chapters", nargs="*", default=[], metavar="NN")
    options = parser.parse_args()

    import torch

    if not torch.cuda.is_available():
        sys.exit("there is no GPU that torch can use; nothing was measured")

    rows = {}
    if options.chapters and RESULT.exists():
        rows = json.loads(RESULT.read_text("utf-8"))["chapters"]
    for file in CHAPTERS:
        number = file.stem[:2]
        if options.chapters and number not in options.chapters:
            continue
        rows[number] = compared(file, run)
        print(number, rows[number], flush=True)

    results = {
        "command": "make gpu-chapters",
        "date": datetime.now(UTC).date().isoformat(),
        "gpu": torch.cuda.get_device_name(0),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "chapters": dict(sorted(rows.items())),
    }
    RESULT.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    different = [number for number, row in rows.items() if not row["same_bytes"]]
    sys.exit(f"other bytes with the GPU in chapters {', '.join(different)}" if different else 0)


if __name__ == "__main__":
    main()
