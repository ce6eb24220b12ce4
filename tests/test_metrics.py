"""Metrics against scikit-image and against formulas by hand, with every edge case of small and equal images."""

import numpy as np
import pytest
import skimage.metrics

from mfca_tutorial.evaluation import metrics

RNG = np.random.default_rng(0)


def pair(height, width, sigma=12):
    a = np.clip(np.add.outer(np.arange(height), np.arange(width)) % 256, 0, 255).astype(np.uint8)
    a = np.repeat(a[..., None], 3, 2)
    return a, np.clip(a + RNG.normal(0, sigma, a.shape), 0, 255).astype(np.uint8)


def test_psnr_and_ssim_are_scikit_images():
    a, b = pair(40, 61)
    assert metrics.psnr(a, b) == pytest.approx(
        skimage.metrics.peak_signal_noise_ratio(a, b), abs=1e-12
    )
    assert metrics.ssim(a, b) == pytest.approx(
        skimage.metrics.structural_similarity(a, b, channel_axis=2), abs=1e-12
    )


def test_psnr_by_hand():
    a = np.full((2, 2, 3), 100, np.uint8)
    assert metrics.psnr(a, a + np.uint8(10)) == pytest.approx(
        10 * np.log10(255**2 / 100), abs=1e-12
    )


def test_equal_images_and_the_cap():
    a, _ = pair(200, 200)
    assert metrics.psnr(a, a) == 100.0
    assert metrics.ssim(a, a) == pytest.approx(1, abs=1e-12)
    assert metrics.ms_ssim(a, a) == pytest.approx(1, abs=1e-6)
    large = np.zeros((4000, 3000, 3), np.uint8)
    other = large.copy()
    other[0, 0, 0] = 1
    assert metrics.psnr(large, other) == 100.0  # 124 dB before the cap


@pytest.mark.parametrize(
    ("height", "width", "window"), [(7, 9, 7), (6, 50, 5), (5, 5, 5), (4, 4, 3), (3, 7, 3)]
)
def test_ssim_window_is_the_largest_odd_one_that_fits(height, width, window):
    a, b = pair(height, width)
    expected = skimage.metrics.structural_similarity(a, b, channel_axis=2, win_size=window)
    assert metrics.ssim(a, b) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (900, 2, 3)])
def test_ssim_of_thin_images_is_the_luminance_term(shape):
    a, b = RNG.integers(0, 256, (2, *shape), dtype=np.uint8)
    x, y, c1 = a.astype(float), b.astype(float), (0.01 * 255) ** 2
    assert metrics.ssim(a, b) == pytest.approx(
        ((2 * x * y + c1) / (x**2 + y**2 + c1)).mean(), abs=1e-9
    )


def test_ms_ssim_starts_above_160_pixels():
    assert metrics.ms_ssim(*pair(160, 300)) is None
    light, heavy = (metrics.ms_ssim(*pair(161, 300, sigma)) for sigma in (3, 30))
    assert 0 < heavy < light < 1


@pytest.mark.parametrize("measure", [metrics.psnr, metrics.ssim, metrics.ms_ssim])
def test_only_pairs_of_8_bit_colour_images(measure):
    a, b = pair(20, 20)
    for wrong in (b / 255, b[:-1], b[..., 0]):
        with pytest.raises(ValueError, match="uint8"):
            measure(a, wrong)
