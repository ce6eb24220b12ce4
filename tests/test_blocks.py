"""The blocks against other people's code: scipy's DCT, torch's layers, and identities."""

import numpy as np
import pytest
import scipy.fft
import torch
import torch.nn.functional as F
from torch import nn

from mfca_tutorial.blocks import dct, importance
from mfca_tutorial.blocks.mfca import MFCA, QualityMFCA, spread
from mfca_tutorial.blocks.pmcn import KERNELS, PMCN
from mfca_tutorial.blocks.pqf import PQF
from mfca_tutorial.transforms import ToPixels

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


# Where each of JPEG's 64 coefficients stands in its block, counted row by row: T.81, figure A.6.
# fmt: off
JPEG_ORDER = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
]
# fmt: on


def test_zigzag_is_jpegs():
    assert [8 * u + v for u, v in dct.zigzag(8)] == JPEG_ORDER


def test_the_16_frequencies_are_fcanets():
    """As its source lists them, down and across."""
    down = [0, 0, 6, 0, 0, 1, 1, 4, 5, 1, 3, 0, 0, 0, 3, 2]
    across = [0, 1, 0, 5, 2, 0, 2, 0, 0, 6, 0, 4, 6, 3, 5, 2]
    assert list(dct.TOP16) == list(zip(down, across))


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


# ---- MFCA


def test_mfca_with_frequency_zero_is_squeeze_and_excitation():
    block = MFCA(16, frequencies=[(0, 0)], window=None, descriptor="signed", reduction=2).double()
    nn.init.normal_(block.fc2.weight)
    x = torch.randn(3, 16, 13, 10, dtype=torch.float64)
    squeeze = nn.AdaptiveAvgPool2d(1)
    excite = nn.Sequential(squeeze, nn.Flatten(), block.fc1, nn.ReLU(), block.fc2, nn.Sigmoid())
    expected = x * excite(x)[:, :, None, None]
    torch.testing.assert_close(block(x), expected, rtol=0, atol=1e-12)


def in_float64(block):
    """The block with cosines made anew: a converted float32 has only seven digits."""
    block = block.double()
    if block.window:
        block.cos_u = block._cosines(0, block.window)
        block.cos_v = block._cosines(1, block.window)
    return block


@pytest.mark.parametrize("window", [8, None])
def test_mfca_coefficients_equal_scipys(window):
    block = in_float64(MFCA(32, window=window))
    x = torch.randn(2, 32, 16, 24, dtype=torch.float64)
    got = block.coefficients(x).numpy()  # (2, 32, rows, columns)
    n_h, n_w = (8, 8) if window else (16, 24)
    for c, (u, v) in enumerate(block.frequencies):
        for i, j in np.ndindex(*got.shape[2:]):
            patch = x[:, c, i * n_h : (i + 1) * n_h, j * n_w : (j + 1) * n_w].numpy()
            transformed = scipy.fft.dctn(patch, norm="ortho", axes=(1, 2))
            expected = transformed[:, u, v] / np.sqrt(n_h * n_w)
            np.testing.assert_allclose(got[:, c, i, j], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [(16, 24), (9, 11)])
def test_the_fast_coefficients_are_the_plain_ones(size):
    block = in_float64(MFCA(32))
    x = torch.randn(2, 32, *size, dtype=torch.float64)
    fast = block.coefficients_fast_on_cpu(x)
    torch.testing.assert_close(fast, block.coefficients(x), rtol=0, atol=1e-12)


def test_mfca_descriptor_does_not_depend_on_size():
    block = MFCA(16).eval()
    tile = torch.randn(1, 16, 64, 64)
    torch.testing.assert_close(block.describe(tile), block.describe(tile.repeat(1, 1, 2, 3)))


def test_mfca_sees_small_features():
    block = MFCA(16).eval()
    tile = torch.randn(1, 16, 64, 64)
    change = block.describe(2e-2 * tile) - block.describe(1e-2 * tile)
    # log 4 / 2 = 0.69 but for the floor; with a floor of 1e-4 it was under 0.3
    assert (change > 0.5).all()


def test_mfca_without_windows_refuses_a_map_that_is_too_small():
    block = MFCA(8, frequencies=[(5, 0), (0, 2)], window=None)
    assert block(torch.zeros(1, 8, 6, 3)).shape == (1, 8, 6, 3)
    for shape, says in (((5, 3), "5 does not exist on 5"), ((6, 2), "2 does not exist on 2")):
        with pytest.raises(ValueError, match=f"frequency {says} samples"):
            block(torch.zeros(1, 8, *shape))


def test_mfca_starts_open():
    x = torch.randn(2, 8, 9, 11)  # no multiple of the window
    torch.testing.assert_close(MFCA(8).eval()(x), x * torch.sigmoid(torch.tensor(2.0)))


@pytest.mark.parametrize(
    "bad", [{"descriptor": "mean"}, {"frequencies": "none"}, {"frequencies": [(8, 0)]}]
)
@pytest.mark.parametrize("kind", [MFCA, QualityMFCA])
def test_mfca_refuses_what_it_cannot_do(kind, bad):
    with pytest.raises(ValueError):
        kind(8, **bad)


# ---- MFCA that knows the quality


def lively(block):
    """A block whose gates are not constant any more."""
    nn.init.normal_(block.fc2.weight)
    return block.eval()


def test_gates_with_a_quality_start_at_one():
    x = torch.randn(2, 16, 16, 24)
    assert torch.equal(QualityMFCA(16)(x, torch.rand(2, 1, 2, 3)), x)


def test_without_its_quality_weights_it_is_mfca_up_to_the_factor_two():
    knows = lively(QualityMFCA(16))
    nn.init.zeros_(knows.fcq.weight)
    plain = MFCA(16).eval()
    plain.load_state_dict(knows.state_dict(), strict=False)
    x = torch.randn(2, 16, 16, 24)
    quality_map = torch.rand(2, 1, 1, 1)
    torch.testing.assert_close(knows(x, quality_map), 2 * plain(x))


def test_without_its_energy_weights_it_is_a_scale_per_quality():
    block = lively(QualityMFCA(16))
    nn.init.zeros_(block.fc1.weight)
    quality_map = torch.rand(1, 1, 1, 1)
    ones = torch.ones(1, 16, 8, 8)
    scale = block(ones, quality_map)[:, :, :1, :1]
    x = torch.randn(1, 16, 16, 24)
    torch.testing.assert_close(block(x, quality_map), scale * x)
    assert not torch.allclose(scale, block(ones, 1 - quality_map)[:, :, :1, :1])


def test_a_constant_quality_map_is_one_quality():
    block = lively(QualityMFCA(16))
    x = torch.randn(2, 16, 16, 24)
    one = torch.full((2, 1, 1, 1), 0.3)
    torch.testing.assert_close(block(x, one.expand(2, 1, 2, 3)), block(x, one))


def test_gates_with_a_quality_need_it():
    with pytest.raises(ValueError, match="quality map"):
        QualityMFCA(16)(torch.randn(1, 16, 8, 8))


def test_gates_with_a_quality_in_double_precision():
    block = lively(QualityMFCA(16))
    x, quality_map = torch.randn(1, 16, 16, 24), torch.rand(1, 1, 2, 3)
    single = block(x, quality_map)
    double = block.double()(x.double(), quality_map.double())
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), single)


@pytest.mark.parametrize("size", [(16, 24), (2, 3), (7, 50)])
def test_spread_is_torchs_bilinear_interpolation(size):
    coarse = torch.randn(2, 5, 2, 3)
    expected = F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
    torch.testing.assert_close(spread(coarse, *size), expected)


# ---- PMCN


def test_pyramid_equals_one_dense_structured_convolution():
    block = PMCN(16).double()
    for branch in block.branches:
        nn.init.zeros_(branch.bias)
    h = torch.randn(2, 16, 12, 9, dtype=torch.float64)
    kernel = block.dense_kernel()
    torch.testing.assert_close(block.pyramid(h), F.conv2d(h, kernel, padding=3), rtol=0, atol=1e-12)

    used = sum(4 * 4 * k * k for k in KERNELS)
    assert int((kernel != 0).sum()) == used
    assert used < kernel.numel() / 4


def test_pmcn_is_residual():
    block = PMCN(8)
    nn.init.zeros_(block.mix_out.weight)
    x = torch.randn(1, 8, 8, 8)
    torch.testing.assert_close(block(x), x)


def test_pmcn_is_what_the_chapter_draws():
    block = PMCN(16).eval()
    nn.init.normal_(block.attention.fc2.weight)
    x = torch.randn(2, 16, 12, 9)
    h = F.gelu(block.mix_in(x))
    groups = h.split(4, 1)
    h = torch.cat([conv(group) for conv, group in zip(block.branches, groups, strict=True)], 1)
    h = block.mix_out(F.gelu(h))
    torch.testing.assert_close(block(x), x + block.attention(h))


def test_pmcn_refuses_what_it_cannot_do():
    with pytest.raises(ValueError, match="does not divide"):
        PMCN(10)
    with pytest.raises(ValueError, match="gates"):
        PMCN(8, gates="none")


# ---- PQF


def test_pqf_starts_as_the_identity_and_sees_the_quality():
    block = PQF(8, 4, side=1)
    y = torch.randn(2, 8, 5, 6)
    side = torch.rand(2, 1, 5, 6)
    torch.testing.assert_close(block(y, side), y)
    nn.init.normal_(block.second.weight)
    assert not torch.allclose(block(y, side), block(y, 1 - side))


# ---- the importance map


def test_importance_levels_and_offsets():
    levels = torch.arange(16, dtype=torch.uint8)
    offsets = importance.levels_to_offsets(levels)
    assert offsets.tolist() == list(range(-32, 32, 4))
    assert torch.equal(importance.offsets_to_levels(offsets), levels)


def test_a_mask_moves_the_quality_of_its_blocks():
    mask = torch.cat([torch.full((64, 64), -1.0), torch.full((64, 64), 1.0)], 1)
    assert importance.mask_to_offsets(mask).flatten().tolist() == [-32, 28]


def test_the_blocks_of_a_mask_are_those_of_the_picture_whatever_its_size():
    mask = torch.full((130, 70), -1.0)
    mask[64:128] = 1  # the second row of blocks; two rows of pixels are below it
    rows = importance.mask_to_offsets(mask)[0, 0]
    assert rows.tolist() == [[-32, -32], [28, 28], [-32, -32]]


def test_a_fresh_head_asks_for_nothing():
    asked = importance.ImportanceHead(8)(torch.randn(1, 8, 16, 24))
    assert importance.map_to_offsets(asked).unique().tolist() == [0]


@pytest.mark.parametrize(
    "bad",
    [
        torch.full((2, 2), 1.1),
        torch.full((2, 2), float("nan")),
        torch.zeros(3),
        torch.zeros(0, 4),
    ],
)
def test_what_is_no_mask_is_refused(bad):
    with pytest.raises(ValueError, match="mask"):
        importance.resize_mask(bad, 8, 8)


def test_block_quality_stays_in_its_range():
    quality = torch.tensor([10.0, 90.0])
    offsets = torch.tensor([-32.0, 0, 28])[None, None, None].expand(2, 1, 1, 3)
    found = importance.block_quality(quality, offsets)
    assert found.flatten().tolist() == [0, 10, 38, 58, 90, 100]


def test_importance_rounding_lets_the_gradient_through():
    x = torch.tensor([0.2, 0.5, 0.7], requires_grad=True)
    importance.map_to_offsets(x).sum().backward()
    assert torch.equal(x.grad, torch.full((3,), 64.0))


@pytest.mark.parametrize("size", [(1, 1), (5, 8)])
def test_the_fast_last_step_is_the_transposed_convolution(size):
    layer = ToPixels(8).double()
    h = torch.randn(2, 8, *size, dtype=torch.float64)
    plain = F.conv_transpose2d(h, layer.weight, layer.bias, stride=2, padding=2)
    torch.testing.assert_close(layer.fast_on_cpu(h), plain, rtol=0, atol=1e-12)


def test_the_last_step_has_gradients():
    layer = ToPixels(8)
    h = torch.randn(1, 8, 4, 4, requires_grad=True)
    layer(h).sum().backward()
    assert h.grad.abs().min() > 0
