"""Attack the decoder: damaged and forged files must give a picture or a BitstreamError, soon.

    python tools/fuzz.py                      20,000 mutants of the golden files (`make fuzz`)
    python tools/fuzz.py --seed 7 -n 100000   others
    python tools/fuzz.py --replay FILE        one file, with the traceback
    python tools/fuzz.py --through pillow     the Pillow plugin; `commands`: decode and info

The files come from `fuzz_mutants.py`. What it finds lands in _build/fuzz; a case that is moved
to tests/fuzz_cases is tried by tests/test_fuzz.py from then on.
"""

import argparse
import contextlib
import faulthandler
import io
import resource
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import torch
from fuzz_mutants import GOLDEN, ROOT, corpus, mutants
from PIL import Image, UnidentifiedImageError

from mfca_tutorial import cli, commands, pillow_plugin
from mfca_tutorial.codec import Codec
from mfca_tutorial.container import BitstreamError, pack, unpack

FOUND = ROOT / "_build" / "fuzz"

MAX_PIXELS = 1 << 18  # what the decoder is told to accept; a larger picture only takes longer
SECONDS = 2.0  # of processor time, for a mutant
MEMORY = 1 << 30  # bytes above what the process had before
HANGS = 120  # seconds on the clock, after which Python says where it is, and ends


# ---- the judge


def decode(codec: Codec, file: bytes) -> str:
    """Decode a file -> what became of it. Raises AssertionError for a picture that is none."""
    try:
        x_hat = codec.decompress(file, max_pixels=MAX_PIXELS)
    except BitstreamError as error:
        message = str(error)
        assert message.isprintable(), "the message is not one line"
        return "refused: " + " ".join(message.split(":")[0].split()[:7])

    # a picture as it should be
    header, tiles = unpack(file)
    assert pack(header, tiles) == file, "one file has two spellings"
    assert x_hat.shape == (1, 3, header.height, header.width), "wrong size"
    levels = x_hat * 255
    assert bool(x_hat.isfinite().all()), "pixels that are no numbers"
    assert bool((levels.round() / 255 == x_hat).all()), "pixels between the levels"
    assert 0 <= float(x_hat.min()) <= float(x_hat.max()) <= 1, "pixels out of range"
    return "a picture"


def pixels_of(codec: Codec, file: bytes) -> np.ndarray | None:
    """What the library makes of a file: uint8 (H, W, 3), or None if it is refused."""
    try:
        return codec.decode_pixels(file, max_pixels=MAX_PIXELS)
    except BitstreamError:
        return None


def through_pillow(codec: Codec, file: bytes) -> str:
    """Open a file by its name with Pillow, and verify it: the library's pixels, or an error."""
    expected = pixels_of(codec, file)
    refusals = (BitstreamError, UnidentifiedImageError, Image.DecompressionBombError)

    # the plugin has this codec, and Pillow refuses what is larger than twice its limit
    with (
        TemporaryDirectory() as folder,
        patch.object(pillow_plugin, "_codec", lambda: codec),
        patch.object(Image, "MAX_IMAGE_PIXELS", MAX_PIXELS // 2),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        path = Path(folder, "a.mfca")
        path.write_bytes(file)

        # verifying looks at less than decoding does
        try:
            with Image.open(path) as image:
                image.verify()
            unpack(file)
        except refusals:
            assert expected is None, "a good file does not pass"

        try:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
        except refusals as error:
            assert expected is None, "a good file is refused"
            return f"refused: {type(error).__name__}"
    assert expected is not None, "a bad file is opened"
    assert np.array_equal(pixels, expected), "other pixels than the library's"
    return "a picture"


def through_commands(codec: Codec, file: bytes) -> str:
    """`mfca info` and `mfca decode`: the library's pixels, or one line, status 2 and no file."""
    expected = pixels_of(codec, file)
    with (
        TemporaryDirectory() as folder,
        patch.object(commands, "load_codec", lambda checkpoint: codec),
    ):
        source = Path(folder, "a.mfca")
        target = Path(folder, "a.png")
        source.write_bytes(file)
        known = run_command("info", "--json", source)
        decoded = run_command("decode", source, target, "--max-pixels", MAX_PIXELS)

        # no trace of what failed, and the input as it was
        files = {source, target} if decoded else {source}
        assert set(Path(folder).iterdir()) == files, "a file is missing, or left over"
        assert source.read_bytes() == file, "the input was changed"
        assert decoded == (expected is not None), "the command and the library disagree"
        if not decoded:
            return "refused, but described" if known else "refused"

        assert known, "a good file is not described"
        with Image.open(target) as image:
            pixels = np.asarray(image.convert("RGB"))
    assert np.array_equal(pixels, expected), "other pixels than the library's"
    return "a picture"


def run_command(*words) -> bool:
    """Run `mfca` in this process. Whether it did it, or else said in one line why not."""
    said = io.StringIO()
    complaint = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complaint):
        status = cli.main([str(word) for word in words])
    lines = complaint.getvalue().splitlines()
    if status == 0:
        assert said.getvalue() and not lines, f"a success with the words {lines}"
        return True
    assert status == 2, f"the status is {status}"
    assert len(lines) == 1 and lines[0].startswith("mfca: "), f"not one line but {lines}"
    assert lines[0].isprintable(), "an unprintable line"
    assert not said.getvalue(), "a failure with a result"
    return False


THROUGH = {"library": decode, "pillow": through_pillow, "commands": through_commands}


def memory() -> int:
    """The most that the process has ever held, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def timed(codec: Codec, file: bytes, through: str) -> tuple[str, float]:
    """What became of a file, and the processor seconds it took; the end of Python if it hangs."""
    faulthandler.dump_traceback_later(HANGS, exit=True)
    start = time.process_time()
    try:
        result = THROUGH[through](codec, file)
    finally:
        faulthandler.cancel_dump_traceback_later()
    return result, time.process_time() - start


def judged(codec: Codec, file: bytes, through: str = "library") -> tuple[str, float]:
    """What became of a file, and the processor seconds it took; AssertionError beyond a limit."""
    peak = memory()
    result, seconds = timed(codec, file, through)
    if seconds > SECONDS:  # once can be the fault of a busy machine; a file that is slow stays so
        result, seconds = timed(codec, file, through)
    assert seconds <= SECONDS, f"it took {seconds:.1f} seconds"
    assert memory() - peak <= MEMORY, f"it took {(memory() - peak) >> 20} MiB"
    return result, seconds


def codec_of(form: str) -> Codec:
    return Codec.from_pretrained(GOLDEN / form / "model.safetensors")


def fuzz(form: str, seed: int, first: int, n: int, through: str = "library") -> int:
    """Try n mutants, print what became of them, and return the number of failures."""
    codec = codec_of(form)
    for seedling in corpus(form):  # whatever is set up once is not charged to a mutant
        THROUGH[through](codec, seedling.file)

    before = memory()
    results: Counter[str] = Counter()
    slowest = 0.0
    failures = 0
    for i, kind, file in mutants(codec, form, seed, first, n):
        try:
            result, seconds = judged(codec, file, through)
            slowest = max(slowest, seconds)
        except Exception as error:
            failures += 1
            result = f"FAILED: {type(error).__name__}: {error}"
            FOUND.mkdir(parents=True, exist_ok=True)
            path = FOUND / f"{form}-{seed}-{i}-{kind}.mfca"
            path.write_bytes(file)
            print(f"{path.relative_to(ROOT)}: {result}", flush=True)
        results[f"{kind:15} {result[:70]}"] += 1

    for line, count in sorted(results.items()):
        print(f"{count:6} {line}")
    print(f"{n} mutants of the files of {form!r}, seed {seed}, {through}: {failures} failures")
    print(f"slowest {slowest:.2f} s, memory {(memory() - before) >> 20} MiB above the start")
    return failures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-n", type=int, default=20_000, help="mutants, default 20,000")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first mutant")
    parser.add_argument("--model", default="energy", choices=["energy", "quality"])
    parser.add_argument("--through", default="library", choices=THROUGH)
    parser.add_argument("--replay", type=Path, help="decode this file only")
    arguments = parser.parse_args()
    through = arguments.through
    torch.set_num_threads(1)
    if arguments.replay:
        try:
            print(judged(codec_of(arguments.model), arguments.replay.read_bytes(), through))
        except Exception:
            traceback.print_exc()
            sys.exit(1)
        return
    failures = fuzz(arguments.model, arguments.seed, arguments.first, arguments.n, through)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
