"""The same bits everywhere: whatever torch is told to do, a golden file gives the same latents.

The matrix: threads, oneDNN, flushed denormals, precision of matrix products, layout of the weights
and the processor's instructions. (Batches are in test_exact.py.) The pixels may differ by a level.
`make matrix` runs this file under other versions of Python and torch; the part that needs a GPU
compares it with the CPU, both ways.
"""

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from mfca_tutorial import Codec, data

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import portability  # noqa: E402
from portability import GOLDEN, hashes_of, latents_of, mode  # noqa: E402

# gates that know nothing or the quality; a map, tiles, symbols that escape
FILES = ["energy/colour", "quality/tiled_map", "energy/escapes", "quality/map_grey"]

# Everything with everything, for `make matrix`. In daily tests several threads, which are slow
# where others work too, are tried with two of the modes.
EVERY_MODE = list(product((1, 2, 4), (True, False), (False, True), ("highest", "medium")))
FEW_THREADS = [settings for settings in EVERY_MODE if settings[0] == 1]
SEVERAL_THREADS = [(2, True, False, "highest"), (4, False, True, "medium")]
MODES = EVERY_MODE if os.environ.get("MFCA_MATRIX") else FEW_THREADS + SEVERAL_THREADS
LAYOUTS = [torch.contiguous_format, torch.channels_last]


@pytest.fixture(scope="module", params=LAYOUTS, ids=["contiguous", "channels_last"])
def codecs(request):
    return {
        form: portability.golden(form).to(memory_format=request.param)
        for form in ("energy", "quality")
    }


@pytest.mark.parametrize("settings", MODES, ids=str)
def test_a_golden_file_in_every_mode(codecs, settings):
    for name in FILES:
        file = GOLDEN / f"{name}.mfca"
        codec = codecs[file.parent.name]
        expected = json.loads((file.parent / "hashes.json").read_text())[file.stem]
        with mode(*settings):
            hashes = hashes_of(codec, file.read_bytes())
            pixels = data.to_image(codec.decompress(file.read_bytes())).astype(int)
        assert hashes == expected

        was, _ = data.read_image(file.with_suffix(".png"))
        assert np.abs(pixels - was).max() <= 1


@pytest.mark.parametrize("settings", MODES[1::2], ids=str)
def test_what_is_written_in_one_mode_is_read_in_another(codecs, settings):
    picture = data.to_tensor(data.photograph("coffee")[100:170, 200:300])
    codec = codecs["quality"]
    with mode(*settings):
        written = codec.encode_tile(picture, 80).coded.v_hat
        file = codec.compress(picture, 80)
    ((read, _),) = latents_of(codec, file)
    assert torch.equal(written, read)


@pytest.mark.parametrize(
    "environment",
    [
        {"ATEN_CPU_CAPABILITY": "default", "OMP_NUM_THREADS": "1"},
        {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "SSE41", "OMP_NUM_THREADS": "4"},
        {"MKL_CBWR": "COMPATIBLE", "KMP_BLOCKTIME": "0", "PYTHONHASHSEED": "1"},
    ],
    ids=["default", "old oneDNN", "old MKL"],
)
def test_a_process_with_other_instructions_agrees(environment):
    run = subprocess.run(
        [sys.executable, ROOT / "tools" / "portability.py", "--hashes", "energy"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == json.loads((GOLDEN / "energy" / "hashes.json").read_text())


@pytest.mark.gpu
@pytest.mark.parametrize("writes", ["cpu", "gpu"])
def test_24_files_cross_between_cpu_and_gpu(writes):
    one, other = Codec.from_pretrained(), Codec.from_pretrained().to("cuda")
    if writes == "gpu":
        one, other = other, one
    found = portability.both_ways(one, other)
    assert found["files"] == 24
    assert found["differing_latents"] == 0
    assert found["largest_difference"] <= 1


def test_the_comparison_itself_sees_a_difference(monkeypatch):
    """On the CPU, without a GPU: two models that do not agree, and one with itself."""
    monkeypatch.setattr(portability, "CROP", 64)
    codec = portability.golden("energy")
    same = portability.both_ways(codec, portability.golden("energy"))
    assert (same["files"], same["differing_latents"], same["largest_difference"]) == (24, 0, 0)
    assert same["latents"] == 24 * codec.config.latents * 4 * 4

    spoilt = portability.golden("energy")
    spoilt.g_s.up3.bias.data += 0.1
    assert portability.both_ways(codec, spoilt)["largest_difference"] > 10


def test_what_was_measured_on_a_gpu_holds():
    """Of the shipped model, and nothing differed; absent until there was a GPU to measure on."""
    if not portability.RESULT.exists():
        pytest.skip("not measured yet: `make portability` on a machine with a GPU")
    result = json.loads(portability.RESULT.read_text())
    if "cpu_writes_gpu_reads" not in result:
        pytest.skip("not measured yet: `make portability` on a machine with a GPU")
    assert result["checkpoint"] == Codec.from_pretrained().model_id.hex()
    for way in ("cpu_writes_gpu_reads", "gpu_writes_cpu_reads"):
        assert result[way]["files"] == 24
        assert result[way]["differing_latents"] == 0
        assert result[way]["largest_difference"] <= 1


def test_what_was_measured_in_javascript_holds():
    """Of the shipped model, at least 40 files both ways together, and nothing differed."""
    if not portability.RESULT.exists():
        pytest.skip("nothing measured yet")
    web = json.loads(portability.RESULT.read_text()).get("web")
    if web is None:
        pytest.skip("not measured yet: `make portability ARGS=--web` where there is npm")
    assert web["checkpoint"] == Codec.from_pretrained().model_id.hex()
    ways = [web["python_writes_javascript_reads"], web["javascript_writes_python_reads"]]
    assert sum(way["files"] for way in ways) >= 40
    for way in ways:
        assert way["differing_files"] == 0
        assert way["largest_difference"] <= 1
