"""The comparison of chapters with and without a GPU: what it compares, and that it can run one."""

import sys
from pathlib import Path

import nbformat.v4 as nb
import pytest

pytest.importorskip("nbclient", reason="the book's tools are not installed")

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tools"))

import gpu_chapters  # noqa: E402
import nbformat  # noqa: E402


def notebook(size):
    """One that prints a number of bytes, and shows two more in a table."""
    printed = nb.new_output("stream", text=f"{size:,} bytes at quality 40\n")
    table = nb.new_output(
        "display_data", {"text/markdown": "| a | 99 bytes |\n| b | 1,000 bytes |"}
    )
    return nb.new_notebook(cells=[nb.new_code_cell("x", outputs=[printed, table])])


def test_numbers_of_bytes_are_found():
    assert gpu_chapters.byte_counts(notebook(12345)) == [12345, 99, 1000]


@pytest.mark.parametrize("other, same", [(12345, True), (12346, False)])
def test_other_bytes_are_noticed(other, same):
    sizes = {True: other, False: 12345}
    row = gpu_chapters.compared("x.ipynb", lambda file, gpu: (notebook(sizes[gpu]), 2.0))
    assert row["same_bytes"] is same
    assert row["byte_counts"] == 3


def test_a_chapter_is_run_without_the_gpu(tmp_path):
    file = tmp_path / "00_x.ipynb"
    code = "import os\nprint(f\"[{os.environ['CUDA_VISIBLE_DEVICES']}] 7 bytes\")"
    nbformat.write(nb.new_notebook(cells=[nb.new_code_cell(code)]), file)
    executed, seconds = gpu_chapters.run(file, gpu=False)
    assert executed.cells[0].outputs[0].text == "[] 7 bytes\n"
    assert seconds > 0
