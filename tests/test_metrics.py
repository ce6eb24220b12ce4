"""Metrics against scikit-image and formulas by hand; the edge cases of small and equal images."""

import numpy as np
import pytest
import skimage.metrics

from mfca_tutorial.evaluation import metrics

RNG = np.random.default_rng(0)


def pair(height, width, sigma=12):
    """A ramp uint8 (height, width, 3), and the same with noise."""
    ramp = np.add.outer(np.arange(height), np.arange(width)) % 256
    a = np.repeat(ramp[..., None], 3, axis=2).astype(np.uint8)
    noise = RNG.normal(0, sigma, a.shape)
    b = np.clip(a + noise, 0, 255).astype(np.uint8)
    return a, b


def test_psnr_and_ssim_are_scikit_images():
    a, b = pair(40, 61)
    psnr = skimage.metrics.peak_signal_noise_ratio(a, b)
    ssim = skimage.metrics.structural_similarity(a, b, channel_axis=2)
    assert metrics.psnr(a, b) == pytest.approx(psnr, abs=1e-12)
    assert metrics.ssim(a, b) == pytest.approx(ssim, abs=1e-12)


def test_psnr_by_hand():
    a = np.full((2, 2, 3), 100, np.uint8)
    b = a + np.uint8(10)  # the mean squared error is 100
    assert metrics.psnr(a, b) == pytest.approx(10 * np.log10(255**2 / 100), abs=1e-12)


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
    x = a.astype(float)
    y = b.astype(float)
    c1 = (0.01 * 255) ** 2
    luminance = (2 * x * y + c1) / (x**2 + y**2 + c1)
    assert metrics.ssim(a, b) == pytest.approx(luminance.mean(), abs=1e-9)


def test_ms_ssim_starts_above_160_pixels():
    assert metrics.ms_ssim(*pair(160, 300)) is None
    light = metrics.ms_ssim(*pair(161, 300, sigma=3))
    heavy = metrics.ms_ssim(*pair(161, 300, sigma=30))
    assert 0 < heavy < light < 1


@pytest.mark.parametrize("measure", [metrics.psnr, metrics.ssim, metrics.ms_ssim])
@pytest.mark.parametrize(
    "spoil",
    [lambda b: b / 255, lambda b: b[:-1], lambda b: b[..., 0]],
    ids=["floats", "another size", "grey"],
)
def test_only_pairs_of_8_bit_colour_images(measure, spoil):
    a, b = pair(20, 20)
    with pytest.raises(ValueError, match="uint8"):
        measure(a, spoil(b))
    with pytest.raises(ValueError, match="uint8"):
        measure(spoil(b), a)


@pytest.mark.parametrize("measure", [metrics.psnr, metrics.ssim, metrics.ms_ssim])
def test_two_grey_images_are_refused(measure):
    grey = np.zeros((200, 200), np.uint8)
    with pytest.raises(ValueError, match="uint8"):
        measure(grey, grey)
