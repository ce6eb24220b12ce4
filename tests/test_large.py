"""Large pictures: 8-bit pixels tile by tile, no seams, and a limit that is checked first."""

import json
import subprocess
import sys
import textwrap
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small import lively_codec

from mfca_tutorial import data, picture_files
from mfca_tutorial.codec import Codec
from mfca_tutorial.container import BitstreamError, Header, Tile, pack, tile_grid, unpack
from mfca_tutorial.tiling import blend, finished_parts

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import large  # noqa: E402


@pytest.fixture(scope="module")
def tiny():
    return lively_codec()


@pytest.fixture(scope="module")
def shipped():
    return Codec.from_pretrained()


# ---- tiles that fade into one another

SIZES = [
    (50, 70, 0),
    (128, 129, 128),  # the last tile is hardly larger than what it shares
    (129, 128, 128),
    (192, 193, 128),
    (300, 500, 128),
    (1100, 70, 1024),
    (333, 2100, 1024),
]


@pytest.mark.parametrize(("height", "width", "tile"), SIZES)
def test_parts_cover_every_pixel_once(height, width, tile):
    grid = tile_grid(width, height, tile)
    covered = torch.zeros(height, width)
    for top, left, part in finished_parts((torch.zeros(1, 3, h, w) for *_, h, w in grid), grid):
        h, w = part.shape[2:]
        covered[top : top + h, left : left + w] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize(("height", "width", "tile"), SIZES)
def test_the_fade_is_the_weighted_mean_of_all_tiles(height, width, tile):
    grid = tile_grid(width, height, tile)
    generator = torch.Generator().manual_seed(0)
    pieces = [torch.rand(1, 3, h, w, generator=generator) for *_, h, w in grid]

    # the definition, pixel by pixel: a tile weighs less within 64 pixels of its border
    total = torch.zeros(1, 3, height, width, dtype=torch.float64)
    weight = torch.zeros(height, width, dtype=torch.float64)
    for piece, (top, left, h, w) in zip(pieces, grid, strict=True):
        ramps = []
        for n in (h, w):
            position = torch.arange(n, dtype=torch.float64) + 0.5
            ramps.append((torch.minimum(position, n - position) / 64).clamp(max=1))
        fade = ramps[0][:, None] * ramps[1]
        total[..., top : top + h, left : left + w] += piece * fade
        weight[top : top + h, left : left + w] += fade
    wanted = total / weight

    blended = blend(pieces, grid, height, width)
    torch.testing.assert_close(blended, wanted.float(), rtol=0, atol=1e-6)


def test_a_pixel_of_one_tile_is_taken_as_it_is():
    grid = tile_grid(300, 200, 128)
    x = torch.rand(1, 3, 200, 300)
    pieces = [x[..., top : top + h, left : left + w] for top, left, h, w in grid]
    blended = blend(pieces, grid, 200, 300)

    count = torch.zeros(200, 300)
    for top, left, h, w in grid:
        count[top : top + h, left : left + w] += 1
    alone = count == 1
    assert alone.any()
    assert torch.equal(blended[..., alone], x[..., alone])


# ---- whole pictures in tiles


@pytest.fixture
def small_tiles(monkeypatch):
    """Pictures are cut at 128 pixels, so that small ones have many tiles."""
    monkeypatch.setattr(picture_files, "TILE", 128)


@pytest.mark.parametrize("kind", ["colour", "grey", "mask"])
def test_a_picture_of_many_tiles_is_its_tiles(tiny, small_tiles, kind):
    pixels = data.photograph("coffee")[:200, :300]
    if kind == "grey":
        pixels = pixels[..., 0]
    mask = np.linspace(-1, 1, 300)[None] if kind == "mask" else None
    file = tiny.compress(pixels, 50, importance=mask)
    header, tiles = unpack(file)
    grid = tile_grid(300, 200, 128)
    assert len(tiles) == len(grid) == 12

    # all tiles as floats, faded, and then made grey and rounded
    pieces = [tiny.decode_tile(header, tile, h, w) for tile, (*_, h, w) in zip(tiles, grid)]
    x_hat = blend(pieces, grid, 200, 300)
    if kind == "grey":
        x_hat = x_hat.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    decoded = tiny.decode_pixels(file)
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, data.to_image(x_hat))

    # and as x_hat
    again = tiny.decompress(file)
    assert torch.equal(again, data.to_tensor(decoded))
    assert header.grey == (kind == "grey")


def psnr(error):
    return 10 * np.log10(255**2 / np.square(error).mean())


def test_no_seam_is_seen(shipped, monkeypatch):
    pixels = data.photograph("motorcycle_left")[:640, :960]
    whole = shipped.decode_pixels(shipped.compress(pixels, 50))
    monkeypatch.setattr(picture_files, "TILE", 512)
    tiled = shipped.decode_pixels(shipped.compress(pixels, 50))

    # within 32 pixels of where one tile becomes the next, against the same pixels without tiles
    near = np.zeros(pixels.shape[:2], bool)
    for top, left, _, _ in tile_grid(960, 640, 512):
        if top:
            near[top : top + 64] = True
        if left:
            near[:, left : left + 64] = True
    loss = psnr((whole - pixels.astype(float))[near]) - psnr((tiled - pixels.astype(float))[near])
    assert loss < 0.1


def test_memory_grows_by_no_more_than_six_bytes_per_pixel():
    # a codec without networks leaves nothing but what the tiles are cut from and put into
    code = """
        import sys, torch, numpy as np
        from types import SimpleNamespace
        from mfca_tutorial.container import Tile
        from mfca_tutorial.picture_files import file_to_pixels, picture_to_file

        def peak():
            lines = open("/proc/self/status").read().splitlines()
            return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

        class Stub:
            model_id = bytes(8)

            def encode_tile(self, x, quality, importance, effort, progress):
                return SimpleNamespace(streams=lambda has_map: Tile(b"", b"z", b"y"))

            def decode_tile(self, header, tile, height, width):
                return torch.zeros(1, 3, height, width)

        def both(height, width, kind):
            pixels = np.full((height, width, 3), 7, np.uint8)
            file = picture_to_file(Stub(), pixels, 50, None, 0, iter)
            del pixels
            return file_to_pixels(Stub(), file, None, iter)

        # what one tile takes is in both peaks, so that the difference is what the pixels take
        both(2500, 2500, 0)
        before = peak()
        both(5000, 5000, 0)
        print((peak() - before) / (5000**2 - 2500**2))
    """
    run = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=300)
    assert float(done.stdout) < 6


# ---- what tools/large.py measures


def test_a_seam_is_measured_on_the_same_pixels_of_the_photograph():
    original = large.picture(2100, 1300)
    height, width = data.photograph("coffee").shape[:2]
    first = original[:height, :width]
    assert np.array_equal(first, data.photograph("coffee"))
    assert np.array_equal(original[height : 2 * height, :width], first[::-1])
    near = large.near_borders(2100, 1300)
    assert 0.1 < near.mean() < 0.5

    # an error that goes with the photograph, however uneven, is no seam
    error = np.random.default_rng(0).integers(0, 40, (height, width, 1), dtype=np.uint8)
    rows = large.folded(1300, height)
    columns = large.folded(2100, width)
    decoded = original ^ error[rows[:, None], columns]
    even = large.seams(original, decoded)
    assert even["near"] == pytest.approx(even["interior"], abs=0.1)
    assert even["compared"] > 0.4

    # one that goes with the tiles is
    decoded[near] = decoded[near] // 2
    seen = large.seams(original, decoded)
    assert seen["interior"] == even["interior"]
    assert seen["near"] < even["near"] - 3


def test_the_stored_measurement_meets_its_bars():
    found = json.loads(large.RESULT.read_text("utf-8"))
    assert max(found["bytes_per_pixel"].values()) < 6
    for row in found["pictures"]:
        if row["model"] == "shipped":
            seams = row["decode"]["seams"]
            assert abs(seams["near"] - seams["interior"]) < 0.1


# ---- files that ask for too much


def bomb(codec, width, height):
    """A valid file of a few bytes per tile."""
    header = Header(codec.model_id, width, height, 50.0, tile=1024)
    return pack(header, [Tile(b"", b"", b"")] * len(tile_grid(width, height, 1024)))


@pytest.mark.parametrize("method", ["decompress", "decode_pixels"])
def test_a_large_picture_in_a_small_file_is_refused_before_anything_is_done(tiny, method):
    file = bomb(tiny, 11585, 11585)
    assert len(file) < 600

    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(BitstreamError, match="134212225 pixels.*max_pixels"):
        getattr(tiny, method)(file, max_pixels=50_000_000)
    assert time.perf_counter() - start < 1
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize("method", ["decompress", "decode_pixels"])
def test_by_default_too(tiny, method):
    # a warning would not do: it is more than Pillow warns of, and the most that the format holds
    file = bomb(tiny, 11585, 11585)
    with pytest.raises(BitstreamError, match="limit of 89478485"):
        getattr(tiny, method)(file)


def test_without_a_limit_it_is_the_one_that_pillow_warns_at(tiny, monkeypatch):
    file = tiny.compress(np.zeros((20, 30), np.uint8), 50)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 600)
    tiny.decode_pixels(file)

    # who gives a limit has thought about it
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 599)
    with pytest.raises(BitstreamError, match="limit of 599"):
        tiny.decode_pixels(file)
    tiny.decode_pixels(file, max_pixels=600)

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    tiny.decode_pixels(file)


def test_an_empty_tile_takes_no_longer_than_another(tiny):
    """What bounds the pixels bounds the time, too, whatever the streams hold."""
    pixels = data.photograph("coffee")[:320, :320]
    header, (tile,) = unpack(tiny.compress(pixels, 80))
    empty = Tile(b"", b"", b"")

    def seconds(tile):
        start = time.process_time()
        tiny.decode_tile(header, tile, 320, 320)
        return time.process_time() - start

    seconds(tile)  # what is set up only once
    of_empty = min(seconds(empty) for _ in range(5))
    of_full = min(seconds(tile) for _ in range(5))
    assert of_empty <= 1.5 * of_full


def test_limits(tiny):
    file = tiny.compress(np.zeros((20, 30), np.uint8), 50)
    assert tiny.decompress(file, max_pixels=600).shape == (1, 3, 20, 30)
    with pytest.raises(BitstreamError, match="30 x 20 = 600 pixels"):
        tiny.decompress(file, max_pixels=599)
    for senseless in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="max_pixels"):
            tiny.decompress(file, max_pixels=senseless)
