"""Run every chapter with and without the GPU: `make gpu-chapters`, on a machine that has one.

Chapters that train take a GPU by themselves (4, 11, 13; chapter 9 checks its arithmetic on it).
Files are made on the processor. This tool runs each chapter both ways and writes
`data/results/gpu_chapters.json`: the seconds of both runs, and whether every number of bytes that
the chapter prints is the same. `--chapters 04 13` runs only these and keeps the other rows, if they
are of the same machine. The file is written after each chapter.
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


def kept(results, chapters, machine):
    """The rows of an earlier run that stay: none if all chapters are run, or on another machine.

    Args:
        results: what the file held, or None.
        chapters: the numbers that are run now; empty for all.
        machine: GPU, torch and threads of this run.
    """
    if not results or not chapters:
        return {}
    if any(results[key] != value for key, value in machine.items()):
        print("the stored rows are of another machine, and are dropped", flush=True)
        return {}
    return results["chapters"]


def write(rows, machine):
    """Write the results that there are so far: a lent GPU may be gone before the last chapter."""
    results = {
        "command": "make gpu-chapters",
        "date": datetime.now(UTC).date().isoformat(),
        **machine,
        "chapters": dict(sorted(rows.items())),
    }
    RESULT.write_text(json.dumps(results, indent=1) + "\n", "utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chapters", nargs="*", default=[], metavar="NN")
    options = parser.parse_args()

    # a slip of the pen must not look like a run without differences
    files = {file.stem[:2]: file for file in CHAPTERS}
    unknown = set(options.chapters) - set(files)
    if unknown:
        parser.error(f"there is no chapter {', '.join(sorted(unknown))}")

    import torch

    if not torch.cuda.is_available():
        sys.exit("there is no GPU that torch can use; nothing was measured")
    machine = {
        "gpu": torch.cuda.get_device_name(0),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }

    before = json.loads(RESULT.read_text("utf-8")) if RESULT.exists() else None
    rows = dict(kept(before, options.chapters, machine))
    for number in options.chapters or files:
        rows[number] = compared(files[number], run)
        print(number, rows[number], flush=True)
        write(rows, machine)

    different = [number for number, row in sorted(rows.items()) if not row["same_bytes"]]
    sys.exit(f"other bytes with the GPU in chapters {', '.join(different)}" if different else 0)


if __name__ == "__main__":
    main()
