"""The blocks against other people's code: scipy's DCT, torch's layers, and the identities the chapters rest on."""

import numpy as np
import pytest
import scipy.fft
import torch
import torch.nn.functional as F
from torch import nn

from mfca_tutorial.blocks import dct, importance
from mfca_tutorial.blocks.mfca import MFCA
from mfca_tutorial.blocks.pmcn import KERNELS, PMCN
from mfca_tutorial.blocks.pqf import PQF
from mfca_tutorial.transforms import upsample_to_pixels

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (7, 5), (2, 3, 16, 9)])
def test_dct_equals_scipy(shape):
    x = RNG.normal(size=shape)
    expected = scipy.fft.dctn(x, type=2, norm="ortho", axes=(-2, -1))
    np.testing.assert_allclose(dct.dct2(x), expected, atol=1e-12)
    np.testing.assert_allclose(dct.idct2(expected), x, atol=1e-12)


def test_basis_images_are_what_scipy_projects_on():
    x = RNG.normal(size=(8, 6))
    projections = [[np.sum(x * dct.basis_image(u, v, 8, 6)) for v in range(6)] for u in range(8)]
    np.testing.assert_allclose(projections, scipy.fft.dctn(x, norm="ortho"), atol=1e-12)


def test_basis_image_is_square_by_default_and_knows_its_frequencies():
    np.testing.assert_array_equal(dct.basis_image(3, 5, 8), dct.basis_image(3, 5, 8, 8))
    with pytest.raises(IndexError):
        dct.basis_image(8, 0, 8, 9)
    with pytest.raises(IndexError):
        dct.basis_image(0, 6, 8, 6)


def test_zigzag_is_jpegs():
    order = dct.zigzag(8)
    # the first ten and the last two of T.81, figure A.6
    assert order[:4] == [(0, 0), (0, 1), (1, 0), (2, 0)]
    assert order[4:10] == [(1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0)]
    assert order[-2:] == [(7, 6), (7, 7)]
    # and every other frequency once
    assert len(order) == 64
    assert len(set(order)) == 64


def test_blocks_are_cut_and_put_together_again():
    x = RNG.normal(size=(16, 24))
    blocks = dct.to_blocks(x)
    assert blocks.shape == (2, 3, 8, 8)
    np.testing.assert_array_equal(blocks[1, 2], x[8:16, 16:24])
    np.testing.assert_array_equal(dct.from_blocks(blocks), x)


@pytest.mark.parametrize("shape", [(15, 24), (16, 23)])
def test_an_image_that_does_not_divide_into_blocks_is_refused(shape):
    with pytest.raises(ValueError, match="does not divide"):
        dct.to_blocks(np.zeros(shape))


@pytest.mark.parametrize(
    ("selection", "first"),
    [
        ("low", [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]),  # 2, 0 comes before 0, 2 in the zig-zag
        ("zigzag", [(0, 0), (0, 1), (1, 0), (2, 0), (1, 1)]),
        ("top16", [(0, 0), (0, 1), (6, 0), (0, 5), (0, 2)]),
    ],
)
def test_selections_by_name_are_cut_to_the_count(selection, first):
    assert dct.select_frequencies(selection, 5) == first
    assert len(dct.select_frequencies(selection)) == 16


def test_a_selection_of_your_own_is_returned_whole():
    own = [(0, 7), (3, 3), (0, 0)]
    assert dct.select_frequencies(own, count=1) == own


@pytest.mark.parametrize("bad", ["high", [], [(0, 8)], [(8, 0)], [(-1, 0)], [(0, -1)]])
def test_selections_outside_the_grid_are_refused(bad):
    with pytest.raises(ValueError, match="frequenc"):
        dct.select_frequencies(bad)


def test_a_named_selection_does_not_fit_every_grid():
    with pytest.raises(ValueError, match="0 <= u, v < 4"):
        dct.select_frequencies("top16", n=4)


def test_mfca_with_frequency_zero_is_squeeze_and_excitation():
    block = MFCA(16, frequencies=[(0, 0)], window=None, descriptor="signed", reduction=2).double()
    nn.init.normal_(block.fc2.weight)
    x = torch.randn(3, 16, 13, 10, dtype=torch.float64)
    squeeze = nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), block.fc1, nn.ReLU(), block.fc2, nn.Sigmoid()
    )
    expected = x * squeeze(x)[:, :, None, None]
    torch.testing.assert_close(block(x), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("window", [8, None])
def test_mfca_coefficients_equal_scipys(window):
    block = MFCA(32, window=window).double()
    if window:
        block.cos_u, block.cos_v = block._cosines(0, 8), block._cosines(1, 8)  # made in float32
    x = torch.randn(2, 32, 16, 24, dtype=torch.float64)
    got = block.coefficients(x).numpy()  # (2, 32, rows, columns)
    n_h, n_w = (8, 8) if window else (16, 24)
    for c, (u, v) in enumerate(block.frequencies):
        for i in range(got.shape[2]):
            for j in range(got.shape[3]):
                patch = x[:, c, i * n_h : (i + 1) * n_h, j * n_w : (j + 1) * n_w].numpy()
                expected = scipy.fft.dctn(patch, norm="ortho", axes=(1, 2))[:, u, v] / np.sqrt(
                    n_h * n_w
                )
                np.testing.assert_allclose(got[:, c, i, j], expected, atol=1e-7)


def test_mfca_descriptor_does_not_depend_on_size_and_sees_small_features():
    block = MFCA(16).eval()
    tile = torch.randn(1, 16, 64, 64)
    small, large = block.describe(tile), block.describe(tile.repeat(1, 1, 2, 3))
    torch.testing.assert_close(small, large)
    change = block.describe(2e-2 * tile) - block.describe(1e-2 * tile)
    assert (
        change > 0.5
    ).all()  # log 4 / 2 = 0.69 but for the floor; with a floor of 1e-4 it was under 0.3


def test_mfca_starts_open_and_refuses_what_it_cannot_do():
    x = torch.randn(2, 8, 9, 11)  # no multiple of the window
    torch.testing.assert_close(MFCA(8).eval()(x), x * torch.sigmoid(torch.tensor(2.0)))
    for bad in ({"descriptor": "mean"}, {"frequencies": "none"}, {"frequencies": [(8, 0)]}):
        with pytest.raises(ValueError):
            MFCA(8, **bad)


def test_pyramid_equals_one_dense_structured_convolution():
    block = PMCN(16).double()
    for branch in block.branches:
        nn.init.zeros_(branch.bias)
    h = torch.randn(2, 16, 12, 9, dtype=torch.float64)
    kernel = block.dense_kernel()
    torch.testing.assert_close(block.pyramid(h), F.conv2d(h, kernel, padding=3), rtol=0, atol=1e-12)
    used = sum(4 * 4 * k * k for k in KERNELS)
    assert int((kernel != 0).sum()) == used < kernel.numel() / 4


def test_pmcn_is_residual_and_splits_by_four():
    block = PMCN(8)
    nn.init.zeros_(block.mix_out.weight)
    x = torch.randn(1, 8, 8, 8)
    torch.testing.assert_close(block(x), x)
    with pytest.raises(ValueError, match="does not divide"):
        PMCN(10)


def test_pmcn_gives_the_same_with_and_without_gradients():
    block, x = PMCN(16), torch.randn(2, 16, 12, 9)
    nn.init.normal_(block.attention.fc2.weight)
    block.eval()
    with torch.no_grad():
        kept = x.clone()
        quick = block(x)  # works in place
    torch.testing.assert_close(quick, block(x))
    h = block.mix_out(F.gelu(block.pyramid(F.gelu(block.mix_in(x)))))
    torch.testing.assert_close(quick, x + block.attention(h))
    assert torch.equal(x, kept)


def test_the_last_step_up_equals_torchs_transposed_convolution():
    layer, h = nn.ConvTranspose2d(5, 3, 6, stride=2, padding=2), torch.randn(2, 5, 7, 4)
    torch.testing.assert_close(upsample_to_pixels(h, layer), layer(h), rtol=0, atol=1e-5)


def test_pqf_starts_as_the_identity_and_sees_the_quality():
    block, y, side = PQF(8, 4, side=1), torch.randn(2, 8, 5, 6), torch.rand(2, 1, 5, 6)
    torch.testing.assert_close(block(y, side), y)
    nn.init.normal_(block.second.weight)
    assert not torch.allclose(block(y, side), block(y, 1 - side))


def test_importance_levels_offsets_and_masks():
    levels = torch.arange(16, dtype=torch.uint8)
    offsets = importance.levels_to_offsets(levels)
    assert offsets.tolist() == list(range(-32, 32, 4))
    assert torch.equal(importance.offsets_to_levels(offsets), levels)
    mask = torch.cat([torch.full((64, 64), -1.0), torch.full((64, 64), 1.0)], 1)
    assert importance.mask_to_offsets(mask, 1, 2).flatten().tolist() == [-32, 28]
    assert importance.map_to_offsets(
        importance.ImportanceHead(8)(torch.randn(1, 8, 16, 24))
    ).unique().tolist() == [0]
    for bad in (
        torch.full((2, 2), 1.1),
        torch.full((2, 2), float("nan")),
        torch.zeros(3),
        torch.zeros(0, 4),
    ):
        with pytest.raises(ValueError, match="mask"):
            importance.resize_mask(bad, 8, 8)


def test_importance_rounding_lets_the_gradient_through():
    x = torch.tensor([0.2, 0.5, 0.7], requires_grad=True)
    importance.map_to_offsets(x).sum().backward()
    assert torch.equal(x.grad, torch.full((3,), 64.0))
