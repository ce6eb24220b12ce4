"""Padding, and tiles that fade into one another: against numpy, and against a loop over pixels."""

import numpy as np
import pytest
import torch

from mfca_tutorial.container import OVERLAP, tile_grid
from mfca_tutorial.tiling import blend, pad_to_stride


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (65, 63), (128, 1), (100, 77)])
def test_padding_repeats_the_last_row_and_column(size):
    torch.manual_seed(0)
    x = torch.rand(2, 3, *size)
    padded = pad_to_stride(x)
    below, right = [-side % 64 for side in size]
    expected = np.pad(x.numpy(), [(0, 0), (0, 0), (0, below), (0, right)], mode="edge")
    assert np.array_equal(padded.numpy(), expected)


def cut(x, grid):
    return [x[..., top : top + h, left : left + w].clone() for top, left, h, w in grid]


SIZES = [(300, 200), (129, 128), (128, 129), (190, 400), (128, 64)]


@pytest.mark.parametrize("width, height", SIZES)
def test_pieces_of_one_picture_give_that_picture(width, height):
    torch.manual_seed(1)
    x = torch.rand(1, 3, height, width)
    grid = tile_grid(width, height, 128)
    assert (blend(cut(x, grid), grid, height, width) - x).abs().max() < 1e-6


@pytest.mark.parametrize("tile, width, height", [*[(128, *s) for s in SIZES], (256, 300, 500)])
def test_the_fade_is_linear_in_the_distance_to_the_border(tile, width, height):
    """Every pixel: the mean of the tiles that cover it, weighted by a product of two ramps."""
    torch.manual_seed(2)
    grid = tile_grid(width, height, tile)
    pieces = [torch.rand(1, 3, h, w) for _, _, h, w in grid]
    total = np.zeros((3, height, width))
    weights = np.zeros((height, width))
    for piece, (top, left, h, w) in zip(pieces, grid):
        rows = np.minimum(np.arange(h) + 0.5, h - np.arange(h) - 0.5)
        columns = np.minimum(np.arange(w) + 0.5, w - np.arange(w) - 0.5)
        weight = np.outer(np.minimum(rows / OVERLAP, 1), np.minimum(columns / OVERLAP, 1))
        total[:, top : top + h, left : left + w] += weight * piece[0].numpy()
        weights[top : top + h, left : left + w] += weight
    blended = blend(iter(pieces), grid, height, width)
    assert blended.shape == (1, 3, height, width)
    assert blended.dtype == torch.float32
    assert np.abs(blended[0].numpy() - total / weights).max() < 1e-5


def test_a_pixel_that_only_one_tile_covers_is_taken_as_it_is():
    grid = tile_grid(300, 200, 128)
    torch.manual_seed(3)
    pieces = [100 * torch.rand(1, 3, h, w) for _, _, h, w in grid]
    blended = blend(pieces, grid, 200, 300)
    torch.testing.assert_close(blended[..., :60, :60], pieces[0][..., :60, :60], rtol=1e-6, atol=0)
    (single,) = pieces[:1]
    alone = [(0, 0, *single.shape[2:])]
    assert torch.equal(blend([single], alone, *single.shape[2:]), single)
