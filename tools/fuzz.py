"""Attack the decoder: damaged and forged files must give a picture or a BitstreamError, soon.

    python tools/fuzz.py                      20,000 mutants of the golden files (`make fuzz`)
    python tools/fuzz.py --seed 7 -n 100000   others
    python tools/fuzz.py --replay FILE        one file, with the traceback
    python tools/fuzz.py --through pillow     the Pillow plugin; `commands`: decode and info

Mutant i of seed s is always the same file. What it finds lands in _build/fuzz; a case that is moved
to tests/fuzz_cases is tried by tests/test_fuzz.py from then on.
"""

import argparse
import contextlib
import faulthandler
import io
import random
import resource
import sys
import time
import traceback
import warnings
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from mfca_tutorial import cli, commands, pillow_plugin
from mfca_tutorial.byte_reader import varint
from mfca_tutorial.codec import Codec
from mfca_tutorial.container import (
    TILE_SIZES,
    BitstreamError,
    Header,
    Tile,
    pack,
    tile_grid,
    unpack,
)
from mfca_tutorial.entropy.latents import encode_latents

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
FOUND = ROOT / "_build" / "fuzz"

MAX_PIXELS = 1 << 18  # what the decoder is told to accept; a larger picture only takes longer
SECONDS = 2.0  # of processor time, for a mutant
MEMORY = 1 << 30  # bytes above what the process had before
HANGS = 120  # seconds on the clock, after which Python says where it is, and ends


@dataclass(frozen=True)
class Seedling:
    """A file that is well, taken apart."""

    name: str
    file: bytes
    header: Header
    tiles: list[Tile]


def corpus(form: str = "energy") -> list[Seedling]:
    """The golden files of a model."""
    seedlings = []
    for path in sorted((GOLDEN / form).glob("*.mfca")):
        file = path.read_bytes()
        seedlings.append(Seedling(path.stem, file, *unpack(file)))
    return seedlings


def seal(body: bytes) -> bytes:
    """With a checksum that is right: an attacker can compute one, too."""
    return body + zlib.crc32(body).to_bytes(4, "big")


# ---- damage to any bytes


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Bits flipped, bytes set, pieces cut out, doubled, moved or put in."""
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        if not out:
            return rng.randbytes(rng.randint(0, 9))
        # where, how much, and what to do there
        at = rng.randrange(len(out))
        size = min(rng.choice([1, 1, 2, 4, 16, 200]), len(out) - at)
        kind = rng.randrange(8)
        if kind <= 1:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            out[at] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        elif kind == 3:
            del out[at : at + size]
        elif kind == 4:
            out[at:at] = out[at : at + size]
        elif kind == 5:
            out[at:at] = rng.choice([bytes(size), b"\xff" * size, rng.randbytes(size)])
        elif kind == 6:
            out[at : at + size] = rng.choice([bytes(size), b"\xff" * size, rng.randbytes(size)])
        else:
            del out[at:]
    return bytes(out)


# ---- kinds of mutants: (seedling, another one, random numbers) -> a file


def raw_damage(seedling, other, rng):
    """Anything, checksum included: what a bad disk does."""
    return damaged(seedling.file, rng)


def sealed_damage(seedling, other, rng):
    """Anything behind the model's id, under a right checksum."""
    return seal(seedling.file[:13] + damaged(seedling.file[13:-4], rng))


def truncation(seedling, other, rng):
    body = seedling.file[: rng.randrange(len(seedling.file))]
    return rng.choice([body, seal(body)])


def splice(seedling, other, rng):
    """The beginning of one file and the end of another."""
    head = seedling.file[: rng.randrange(13, len(seedling.file))]
    tail = other.file[rng.randrange(13, len(other.file)) : -4]
    return seal(head + tail)


def other_header(seedling, other, rng):
    """True streams under a header that says something else."""
    sizes = [1, 2, 63, 64, 65, 127, 128, 129, 192, 512, 513, 1024, 1025, 65535]
    values = {
        "width": rng.choice([seedling.header.width, *sizes]),
        "height": rng.choice([seedling.header.height, *sizes]),
        "quality": rng.randrange(201) / 2,
        "grey": rng.random() < 0.5,
        "has_map": rng.random() < 0.5,
        "tile": rng.choice([seedling.header.tile, *TILE_SIZES]),
    }

    # one to three fields of it
    changed = rng.sample(sorted(values), rng.randint(1, 3))
    try:
        header = replace(seedling.header, **{name: values[name] for name in changed})
    except ValueError:  # one that the format cannot hold
        return seedling.file

    # as many tiles as it needs
    grid = tile_grid(header.width, header.height, header.tile)[:2000]
    tiles = [seedling.tiles[i % len(seedling.tiles)] for i in range(len(grid))]
    if not header.has_map:
        tiles = [tile._replace(map=b"") for tile in tiles]
    return forged(header, tiles)


def forged(header: Header, tiles: list[Tile], lengths: list[int] | None = None) -> bytes:
    """As `pack` does, but with nothing checked, and with any lengths."""
    # the header's bytes: a file without streams, less three lengths per tile and the checksum
    grid = tile_grid(header.width, header.height, header.tile)
    empty = [Tile(b"", b"", b"")] * len(grid)
    out = bytearray(pack(header, empty)[: -4 - 3 * len(grid)])

    # then the tiles, with the lengths that are to be said
    true = [len(stream) for tile in tiles for stream in tile]
    said = iter(lengths or true)
    for tile in tiles:
        for _ in tile:
            out += varint(next(said))
        for stream in tile:
            out += stream
    return seal(bytes(out))


def other_lengths(seedling, other, rng):
    """The lengths of the streams are a little wrong, or absurd."""
    lengths = [len(stream) for tile in seedling.tiles for stream in tile]
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lengths))
        near = lengths[at] + rng.choice([-2, -1, 1, 2, 100])
        far = rng.choice([0, 1, 127, 128, 2**14, 2**28, 2**31, 2**32, 2**35 - 1])
        lengths[at] = rng.choice([max(near, 0), far])
    return forged(seedling.header, seedling.tiles, lengths)


def other_streams(seedling, other, rng):
    """Whole and well framed; a stream is damaged, another one's, of one byte repeated, or noise."""
    tiles = list(seedling.tiles)
    header = replace(seedling.header, has_map=seedling.header.has_map or rng.random() < 0.3)
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(len(tiles))
        # which stream of which tile
        fields = Tile._fields if header.has_map else ("z", "y")
        field = rng.choice(fields)
        stream = getattr(tiles[at], field)

        # and what stands in its place
        size = rng.choice([0, 1, 2, 3, 4, 8, 40, len(stream), 3 * len(stream), 5000])
        value = rng.choice(
            [
                damaged(stream, rng),
                damaged(stream, rng),
                getattr(rng.choice(other.tiles), field),
                getattr(tiles[at], rng.choice(fields)),
                bytes([rng.randrange(256)]) * size,
                rng.choice([b"\0", b"\xff"]) * size + b"\1",
                rng.randbytes(size),
            ]
        )
        tiles[at] = tiles[at]._replace(**{field: value})
    return pack(header, tiles)


class Forger:
    """Streams that decode without an error, to latents that no encoder would write."""

    def __init__(self, codec: Codec):
        self.codec = codec

    def __call__(self, seedling, other, rng):
        # a picture of a few blocks
        codec = self.codec
        rows = rng.randint(1, 2)
        columns = rng.randint(1, 3)
        generator = torch.Generator().manual_seed(rng.getrandbits(60))

        def noise(channels, scale, factor):
            shape = (1, channels, rows * factor, columns * factor)
            return scale * torch.randn(shape, generator=generator, dtype=torch.float64)

        # any size of latents, from nearly nothing to beyond what an encoder lets through
        v = noise(codec.config.latents, 10 ** rng.uniform(-1, 9), 4)
        z = noise(codec.config.hyper, 10 ** rng.uniform(-1, 9), 1)
        factor = 10 ** rng.choice([0, 0, rng.uniform(0, 7)])

        def stretch(residual):
            """Whole numbers that fit int32, and that nobody would round to."""
            far = residual * factor
            return far.clamp(-(2**31), 2**31 - 1).round()

        coded = encode_latents(codec.exact, codec.tables, v, z, stretch)
        header = Header(
            codec.model_id,
            width=64 * columns - rng.randrange(64),
            height=64 * rows - rng.randrange(64),
            quality=rng.choice([0.0, 100.0, rng.randrange(201) / 2]),
        )
        return pack(header, [Tile(b"", coded.z_bytes, coded.y_bytes)])


KINDS = [
    raw_damage,
    sealed_damage,
    truncation,
    splice,
    other_header,
    other_lengths,
    other_streams,
    other_streams,
]


def mutants(codec: Codec, form: str, seed: int, first: int, n: int):
    """(number, kind, file) of the mutants first, first + 1, ... of a seed."""
    seedlings = corpus(form)
    kinds = [*KINDS, Forger(codec)]
    for i in range(first, first + n):
        rng = random.Random(f"{form} {seed} {i}")
        kind = rng.choice(kinds)
        name = getattr(kind, "__name__", "forged_latents")
        yield i, name, kind(rng.choice(seedlings), rng.choice(seedlings), rng)


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
