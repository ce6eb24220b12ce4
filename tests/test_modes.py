"""The same file and the same pixels, whatever torch was told elsewhere, after copies and forks."""

import copy
import os
import pickle
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch

from mfca_tutorial import checkpoint, data, modes
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import TINY

PIXELS = data.photograph("chelsea")[:100, 100:230]  # uint8 (100, 130, 3)
MASK = np.linspace(-1, 1, 130)[None]


@pytest.fixture(scope="module")
def checkpoint_file(tmp_path_factory):
    """An untrained tiny model, but livelier than a fresh one, and with the newest gates."""
    torch.manual_seed(0)
    codec = Codec(replace(TINY, gates="quality"))
    for name, weight in codec.named_parameters():
        if name.endswith("fc2.weight"):
            torch.nn.init.normal_(weight, std=0.2)
    torch.nn.init.normal_(codec.importance.map.weight)
    codec.g_a.down3.weight.data.mul_(60)
    codec.hyperprior.h_a[-1].weight.data.mul_(20)

    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    checkpoint.save_checkpoint(codec.freeze(), path)
    return path


@pytest.fixture(scope="module")
def codec(checkpoint_file):
    return Codec.from_pretrained(checkpoint_file)


def results(codec):
    """A file of every kind, and what comes out of one."""
    files = [
        codec.compress(PIXELS, 50),
        codec.compress(PIXELS, 50, importance="auto"),
        codec.compress(PIXELS, 50, importance=MASK),
        codec.compress(PIXELS, 50, effort=2),
    ]
    return files, codec.decode_pixels(files[2]), codec.decompress(files[3])


@pytest.fixture(scope="module")
def wanted(codec):
    return results(codec)


def assert_equal(found, wanted):
    assert found[0] == wanted[0]
    np.testing.assert_array_equal(found[1], wanted[1])
    assert torch.equal(found[2], wanted[2])
    assert found[2].dtype == torch.float32


@contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def default_type(dtype):
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def products_in_bfloat16():
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision("highest")


MODES = {
    "no gradients": torch.no_grad,
    "gradients": torch.enable_grad,
    "inference": torch.inference_mode,
    "deterministic": deterministic,
    "float64 by default": lambda: default_type(torch.float64),
    "bfloat16 by default": lambda: default_type(torch.bfloat16),
    "autocast to bfloat16": lambda: torch.autocast("cpu", torch.bfloat16),
    "autocast to float16": lambda: torch.autocast("cpu", torch.float16),
    "products in bfloat16": products_in_bfloat16,  # some processors have them
    "a device that holds no numbers": lambda: torch.device("meta"),  # what forgets its device fails
    "numpy's warnings are errors": lambda: np.errstate(all="raise"),
}


@pytest.mark.parametrize("name", MODES)
def test_no_mode_changes_a_bit(codec, wanted, name):
    with MODES[name]():
        assert_equal(results(codec), wanted)


@pytest.mark.parametrize("name", MODES)
def test_nor_does_the_mode_in_which_the_codec_was_loaded(checkpoint_file, wanted, name):
    with MODES[name]():
        codec = Codec.from_pretrained(checkpoint_file)
    assert_equal(results(codec), wanted)


def test_modes_are_as_before(codec, checkpoint_file):
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16), default_type(torch.float64):
        Codec.from_pretrained(checkpoint_file)
        codec.compress(PIXELS, 50)
        assert torch.is_inference_mode_enabled()
        assert torch.is_autocast_enabled("cpu")
        assert torch.get_default_dtype() == torch.float64
    assert torch.is_grad_enabled()


def test_the_precision_is_given_back_when_the_last_call_ends():
    with products_in_bfloat16():
        before = modes.allowed_precision()
        with modes.FULL_PRECISION:
            full = modes.allowed_precision()
            with modes.FULL_PRECISION:  # of another thread
                pass
            assert modes.allowed_precision() == full
        assert modes.allowed_precision() == before
        assert torch.get_float32_matmul_precision() == "medium"
    assert "bf16" not in full and "medium" not in full


def test_copies_of_a_used_codec_work(codec, wanted):
    assert_equal(results(copy.deepcopy(codec)), wanted)
    assert_equal(results(pickle.loads(pickle.dumps(codec))), wanted)


def test_threads_may_share_a_codec(checkpoint_file, wanted):
    codec = Codec.from_pretrained(checkpoint_file)
    with ThreadPoolExecutor(4) as threads:
        for found in threads.map(lambda _: results(codec), range(4)):
            assert_equal(found, wanted)


CASTS = {
    "half": lambda codec: codec.half(),
    "double": lambda codec: codec.double(),
    "bfloat16": lambda codec: codec.bfloat16(),
    "to": lambda codec: codec.to("cpu", torch.float16),
    "there and back": lambda codec: codec.half().float(),
    "a part": lambda codec: codec.g_s.half(),
    "another part": lambda codec: codec.hyperprior.double(),
}


@pytest.mark.parametrize("name", CASTS)
def test_another_type_of_weights_is_an_error_that_says_so(codec, wanted, name):
    codec = copy.deepcopy(codec)
    with pytest.raises(RuntimeError, match=r"float32.*(float16|float64)"):
        CASTS[name](codec)
        codec.decompress(wanted[0][0])
    with pytest.raises(RuntimeError, match="float32"):
        codec.g_a.half()
        codec.compress(PIXELS, 50)


def test_what_keeps_the_weights_is_allowed(codec, wanted):
    codec = copy.deepcopy(codec)
    codec.float().to("cpu").to(memory_format=torch.contiguous_format).requires_grad_(False)
    assert_equal(results(codec), wanted)
    Codec(TINY).double()  # not frozen: its weights mean nothing yet


def test_a_codec_in_training_mode_would_learn_from_the_picture(codec):
    codec = copy.deepcopy(codec)
    codec.g_a.train()
    with pytest.raises(RuntimeError, match=r"eval\(\)"):
        codec.compress(PIXELS, 50)


def run(code):
    """Run Python code in a process of its own, which may hang. Returns what it printed."""
    begin = """
        import os
        import torch
        from mfca_tutorial import Codec, data

        torch.set_num_threads(2)
        codec = Codec.from_pretrained()
        pixels = data.photograph("chelsea")[:128, :128]
        file = codec.compress(pixels, 50)

        # a forked process has one thread, and with two some pixels may differ by a level
        torch.set_num_threads(1)
        decoded = codec.decompress(file)
        torch.set_num_threads(2)
        codec.decompress(file)
    """
    program = textwrap.dedent(begin) + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@FORKS
def test_a_fork_of_a_process_that_has_decoded_can_decode():
    code = """
        child = os.fork()
        if child == 0:
            try:
                another = Codec.from_pretrained()  # to load is work, too
                assert another.compress(pixels, 50) == file
                assert codec.compress(pixels, 50, effort=1)
                assert torch.equal(codec.decompress(file), decoded)
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        print("status", status, "threads", torch.get_num_threads())
    """
    assert run(code).split() == ["status", "0", "threads", "2"]


@FORKS
def test_workers_of_a_data_loader_can_decode():
    code = """
        class Files(torch.utils.data.Dataset):
            def __len__(self):
                return 4

            def __getitem__(self, number):
                return codec.decompress(file)[0]

        loader = torch.utils.data.DataLoader(
            Files(), batch_size=2, num_workers=2, multiprocessing_context="fork", timeout=60
        )
        for batch in loader:
            assert torch.equal(batch, decoded.expand(2, -1, -1, -1))
            print(len(batch))
    """
    assert run(code).split() == ["2", "2"]


@FORKS
def test_a_pool_of_processes_can_encode():
    code = """
        import multiprocessing

        def encode(number):
            return codec.compress(pixels, 50) == file

        with multiprocessing.get_context("fork").Pool(2) as pool:
            print(pool.map_async(encode, range(4)).get(60))
    """
    assert run(code).strip() == "[True, True, True, True]"
