"""Damaged and forged files for `tools/fuzz.py`: mutant i of seed s is always the same file."""

import random
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from mfca_tutorial.byte_reader import varint
from mfca_tutorial.codec import Codec
from mfca_tutorial.container import TILE_SIZES, Header, Tile, pack, tile_grid, unpack
from mfca_tutorial.entropy.latents import encode_latents

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"


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
