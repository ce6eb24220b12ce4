"""The .mfca container: what goes in comes out, and nothing else comes in."""

import itertools
import random
import subprocess
import sys
import tracemalloc
import zlib
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfca_tutorial.byte_reader import ByteReader, varint
from mfca_tutorial.container import (
    OVERLAP,
    TILE,
    BitstreamError,
    Header,
    Tile,
    pack,
    read_header,
    tile_grid,
    unpack,
)

ID = bytes(range(8))


def seal(body: bytes) -> bytes:
    """A file whose checksum is right, whatever it holds."""
    return body + zlib.crc32(body).to_bytes(4, "big")


def body(
    width=b"\x10", height=b"\x10", flags=0, quality=100, rest=b"\0\1\1zy", version=1, magic=b"MFCA"
):
    return magic + bytes([version]) + ID + bytes([flags]) + width + height + bytes([quality]) + rest


RNG = random.Random(0)
SMALLEST = Header(ID, 1, 1, 0.0), [Tile(b"", b"", b"")]
GREY = (
    Header(ID, 768, 512, 49.5, grey=True),
    [Tile(b"", RNG.randbytes(300), RNG.randbytes(40_000))],
)
WITH_MAP = (
    Header(ID, 1024, 1024, 100.0, has_map=True),
    [Tile(RNG.randbytes(9), RNG.randbytes(128), b"")],
)
TILED = (
    Header(ID, 1025, 3, 50.0, tile=1024),
    [Tile(b"", b"z", b"y" * n) for n in (5, 7)],
)
TILED_WITH_MAP = (
    Header(ID, 300, 130, 1.5, has_map=True, tile=128),
    [Tile(b"m", b"", b"y" * n) for n in range(8)],
)


@pytest.mark.parametrize("header, tiles", [SMALLEST, GREY, WITH_MAP, TILED, TILED_WITH_MAP])
def test_round_trip(header, tiles):
    data = pack(header, tiles)
    assert unpack(data) == (header, tiles)
    assert read_header(data[:32]) == header


def test_the_bytes_of_a_small_file_are_pinned():
    """The layout of the docstring, by hand."""
    data = pack(Header(ID, 768, 512, 30.5, has_map=True), [Tile(b"m", b"zz", b"y" * 130)])
    expected = (
        b"MFCA\x01"  # magic, version
        + ID
        + b"\x02"  # flags: a map
        + b"\x80\x06"  # 768 as a varint
        + b"\x80\x04"  # 512
        + b"\x3d"  # quality 30.5 in half steps
        + b"\x01\x02\x82\x01"  # lengths 1, 2, 130
        + b"mzz"
        + b"y" * 130
    )
    assert data == seal(expected)


def test_the_bytes_of_a_small_tiled_file_are_pinned():
    data = pack(Header(ID, 1100, 64, 50, tile=1024), [Tile(b"", b"z", b"y")] * 2)
    expected = (
        b"MFCA\x01"  # magic, version
        + ID
        + b"\x04"  # flags: tiled
        + b"\xcc\x08"  # 1100 as a varint
        + b"\x40"  # 64
        + b"\x64"  # quality 50 in half steps
        + b"\x0a"  # tiles of 2**10 pixels
        + b"\0\1\1zy" * 2  # lengths 0, 1, 1 and the streams, twice
    )
    assert data == seal(expected)


def test_an_untiled_file_spends_32_bytes_at_most_on_itself():
    # larger than any picture of 1024 x 1024 pixels needs
    streams = Tile(b"", bytes(16_383), bytes(2_000_000))
    data = pack(Header(ID, 1024, 1024, 100), [streams])
    assert len(data) - sum(map(len, streams)) <= 32


@pytest.mark.parametrize("header, tiles", [TILED, TILED_WITH_MAP])
def test_every_truncation_is_noticed(header, tiles):
    data = pack(header, tiles)
    for size in range(len(data)):
        with pytest.raises(BitstreamError):
            unpack(data[:size])
    with pytest.raises(BitstreamError):
        unpack(data + b"\0")


@pytest.mark.parametrize("header, tiles", [TILED, TILED_WITH_MAP])
def test_every_flipped_bit_is_noticed(header, tiles):
    data = pack(header, tiles)
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BitstreamError):
            unpack(bytes(damaged))


@pytest.mark.parametrize(
    "damaged, says",
    [
        (b"", "not a .mfca"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "not a .mfca"),
        (body(version=2), "version 2"),
        (body(flags=8), "flags"),
        (body(width=b"\0"), "pixels"),
        (body(height=b"\0"), "pixels"),
        (body(width=b"\xff\xff\xff\xff\x0f", height=b"\xff\xff\xff\xff\x0f"), "pixels"),
        (body(width=b"\x90\x00"), "shortest"),
        (body(width=b"\xff\xff\xff\xff\xff\x01"), "shortest"),
        (body(quality=201), "quality"),
        (body(width=b"\x81\x08"), "tile"),  # 1025 pixels and not tiled
        (body(flags=4, rest=b"\x0a\0\1\1zy"), "tile"),  # tiled and smaller than a tile
        (body(flags=4, rest=b"\x0b\0\1\1zy"), "tile"),
        (body(flags=4, rest=b"\xff\0\1\1zy"), "tile"),
        (body(rest=b"\1\1\1mzy"), "map"),
        (body(rest=b"\0\1\2zy"), "cut short"),
        (body(rest=b"\0\1\1zyy"), "follow"),
        (body(rest=b"\0\1\1zy" + bytes(23)), "23 bytes follow"),  # as many as before them
        (body(version=0), "no format version 0"),
        (body(rest=b"\0\xff\xff\xff\xff\x7fzy"), "cut short"),
    ],
)
def test_wrong_contents_under_a_right_checksum(damaged, says):
    with pytest.raises(BitstreamError, match=says) as caught:
        unpack(seal(damaged) if damaged else damaged)
    assert "\n" not in str(caught.value)


# 65535 x 2048 pixels in 128-pixel tiles, of which the file holds three
HUGE_PICTURE = body(b"\xff\xff\x03", b"\x80\x10", flags=4, rest=b"\x07" + b"\0\1\1zy" * 3)
# a stream that is said to hold 32 GiB
HUGE_STREAM = body(rest=b"\0\1" + b"\xff\xff\xff\xff\x7f" + b"zy")


@pytest.mark.parametrize("absurd", [HUGE_PICTURE, HUGE_STREAM])
def test_absurd_sizes_allocate_nothing(absurd):
    data = seal(absurd)
    tracemalloc.start()
    with pytest.raises(BitstreamError, match="cut short"):
        unpack(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_random_bytes_under_a_right_checksum_never_crash():
    rng = random.Random(1)
    whole = [pack(header, tiles) for header, tiles in (SMALLEST, TILED, TILED_WITH_MAP)]
    for _ in range(20_000):
        data = bytearray(rng.choice(whole)[:-4])
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(5, len(data))] = rng.getrandbits(8)
        try:
            header, tiles = unpack(seal(bytes(data)))
        except BitstreamError:
            continue
        assert pack(header, tiles) == seal(bytes(data))  # one file, one spelling


@pytest.mark.parametrize(
    "values",
    [
        {"model_id": b"1234567"},
        {"model_id": b"123456789"},
        {"width": 0},
        {"height": 65536},
        {"width": 1025},
        {"tile": 1024},
        {"quality": 50.25},
        {"quality": -0.5},
        {"quality": 100.5},
        {"quality": float("nan")},
        {"tile": 64, "width": 500},
        {"tile": 2048, "width": 5000},
        {"width": 65535, "height": 2**27 // 65535 + 1, "tile": 1024},
        {"width": 65536, "height": 1, "tile": 1024},
        {"width": 1, "height": 65536, "tile": 1024},
        {"width": 0, "height": 2000, "tile": 1024},
        {"tile": 128, "width": 128, "height": 128},
        {"tile": 1024, "width": 1024, "height": 1024},
    ],
)
def test_headers_that_the_format_cannot_hold(values):
    with pytest.raises(ValueError):
        Header(**{"model_id": ID, "width": 64, "height": 64, "quality": 50.0} | values)


@pytest.mark.parametrize(
    "values",
    [
        {"width": 1, "height": 1},
        {"width": 1024, "height": 1024},
        {"width": 65535, "height": 1, "tile": 1024},
        {"width": 1, "height": 65535, "tile": 128},
        {"width": 65535, "height": 2**27 // 65535, "tile": 1024},
        {"width": 2**14, "height": 2**13, "tile": 512},  # 2**27 pixels, and not one more
        {"width": 129, "height": 1, "tile": 128},
        {"width": 1, "height": 257, "tile": 256},
        {"quality": 0},
        {"quality": 100},
        {"quality": 99.5},
    ],
)
def test_headers_at_the_ends_of_what_the_format_holds(values):
    header = Header(**{"model_id": ID, "width": 64, "height": 64, "quality": 50.0} | values)
    tiles = len(tile_grid(header.width, header.height, header.tile))
    file = pack(header, [Tile(b"", b"", b"")] * tiles)
    assert read_header(file) == header
    assert unpack(file)[0] == header


def test_a_header_stays_as_it_was_checked():
    header = Header(ID, 64, 64, 50.0)
    with pytest.raises(FrozenInstanceError):
        header.width = 0


@pytest.mark.parametrize(
    "tiles, says",
    [
        ([Tile(b"", b"", b"")] * 2, "tiles"),
        ([], "tiles"),
        ([Tile(b"m", b"", b"")], "map"),
    ],
)
def test_pack_refuses_what_unpack_would(tiles, says):
    with pytest.raises(ValueError, match=says):
        pack(Header(ID, 64, 64, 50), tiles)


@pytest.mark.parametrize("tile", [128, 256, TILE])
def test_tiles_cover_the_picture_and_share_their_borders(tile):
    some_sizes = range(tile - 3, 3 * tile, 37 if tile > 200 else 1)
    for size in {*some_sizes, tile, tile + 1, 4000, 65535}:
        cuts = [(left, w) for _, left, _, w in tile_grid(size, 1, tile)]
        lefts = [left for left, _ in cuts]
        widths = [w for _, w in cuts]

        # they begin and end with the picture
        assert lefts[0] == 0
        assert sum(cuts[-1]) == size

        # none is empty or too wide, and there are no more than needed
        assert min(widths) > 0
        assert max(widths) <= tile
        fewest = 1 if size <= tile else -(-(size - OVERLAP) // (tile - OVERLAP))
        assert len(cuts) == fewest

        # neighbours share a border, of the same width everywhere and at a multiple of it
        assert all(left % OVERLAP == 0 for left in lefts)
        assert all(a + w - b == OVERLAP for (a, w), (b, _) in itertools.pairwise(cuts))

        # they are of nearly the same width
        assert max(widths) - min(widths) <= 2 * OVERLAP


@pytest.mark.parametrize(
    "width, height, tile, grid",
    [
        (1100, 500, TILE, [(0, 0, 500, 640), (0, 576, 500, 524)]),
        (70, 50, 0, [(0, 0, 50, 70)]),
    ],
)
def test_tile_grids_by_hand(width, height, tile, grid):
    assert tile_grid(width, height, tile) == grid


def test_tiles_run_row_by_row():
    grid = tile_grid(4000, 3000, TILE)
    assert len(grid) == 5 * 4
    assert grid == sorted(grid)


def test_the_container_needs_no_torch():
    code = (
        "import sys, mfca_tutorial.container, mfca_tutorial.entropy.map_coder; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# ---- whatever comes


headers = st.builds(
    Header,
    model_id=st.binary(min_size=8, max_size=8),
    width=st.integers(1, 1024),
    height=st.integers(1, 1024),
    quality=st.integers(0, 200).map(lambda half_steps: half_steps / 2),
    grey=st.booleans(),
    has_map=st.booleans(),
)


@given(headers, st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=3))
def test_what_is_packed_is_unpacked(header, z, y, map_bytes):
    tile = Tile(map_bytes if header.has_map else b"", z, y)
    file = pack(header, [tile])
    assert unpack(file) == (header, [tile])
    assert read_header(file[:32]) == header


@given(st.binary(max_size=80))
def test_any_body_is_refused_or_has_one_spelling(body):
    for file in (body, seal(b"MFCA\x01" + body)):
        try:
            header, tiles = unpack(file)
        except BitstreamError:
            continue
        assert pack(header, tiles) == file


@given(st.integers(0, 2**35 - 1))
def test_varints_come_back_and_are_short(n):
    data = varint(n)
    reader = ByteReader(data)
    assert reader.varint() == n
    assert reader.at == len(data)
    assert len(data) == max(1, -(-n.bit_length() // 7))


@given(st.binary(min_size=0, max_size=7))
def test_any_bytes_are_one_varint_at_most(data):
    reader = ByteReader(data)
    try:
        n = reader.varint()
    except BitstreamError:
        return
    assert varint(n) == data[: reader.at]
