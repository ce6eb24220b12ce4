"""The comparison of chapters with and without a GPU: what it compares, and that it can run one."""

import json
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


@pytest.fixture
def with_gpu(tmp_path, monkeypatch):
    """`with_gpu(*arguments)` runs the tool as on a machine with a GPU; returns what it has written.

    Two small chapters are really run, twice each; only the name of the GPU is invented.
    """
    import torch

    files = []
    for number in ("00", "01"):
        file = tmp_path / f"{number}_x.ipynb"
        code = f"print('{int(number) + 7} bytes')"
        nbformat.write(nb.new_notebook(cells=[nb.new_code_cell(code)]), file)
        files.append(file)
    monkeypatch.setattr(gpu_chapters, "CHAPTERS", files)
    monkeypatch.setattr(gpu_chapters, "RESULT", tmp_path / "gpu_chapters.json")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)

    def go(*arguments, gpu="Example GPU"):
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: gpu)
        monkeypatch.setattr(sys, "argv", ["gpu_chapters.py", *arguments])
        with pytest.raises(SystemExit) as ended:
            gpu_chapters.main()
        assert ended.value.code == 0
        return json.loads(gpu_chapters.RESULT.read_text("utf-8"))

    return go


def test_what_it_writes(with_gpu):
    results = with_gpu()
    assert results["command"] == "make gpu-chapters"
    assert results["gpu"] == "Example GPU"
    assert {"date", "torch", "threads"} <= set(results)
    assert list(results["chapters"]) == ["00", "01"]
    for row in results["chapters"].values():
        assert row["same_bytes"] is True
        assert row["byte_counts"] == 1
        assert min(row["cpu_seconds"], row["gpu_seconds"]) > 0

    # some chapters only: the other rows stay, but not those of another machine
    assert list(with_gpu("--chapters", "01")["chapters"]) == ["00", "01"]
    assert list(with_gpu("--chapters", "01", gpu="Another GPU")["chapters"]) == ["01"]


def test_results_are_there_if_a_later_chapter_fails(with_gpu, monkeypatch):
    def runs_once(file, on_gpu):
        if "01" in file.name:
            raise RuntimeError("the machine is gone")
        return {"same_bytes": True}

    monkeypatch.setattr(gpu_chapters, "compared", runs_once)
    with pytest.raises(RuntimeError, match="gone"):
        with_gpu()
    written = json.loads(gpu_chapters.RESULT.read_text("utf-8"))
    assert list(written["chapters"]) == ["00"]


def test_a_chapter_that_does_not_exist_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu_chapters.py", "--chapters", "99"])
    with pytest.raises(SystemExit) as ended:
        gpu_chapters.main()
    assert ended.value.code == 2
    assert "no chapter 99" in capsys.readouterr().err
