"""PSNR, SSIM and MS-SSIM of two 8-bit images, each by the reference library, with the edge cases settled.

Nothing here works on floats in 0..1: metrics are taken on what the decoder writes, 8 bits. Taught in chapter 12.
"""

import numpy as np

PSNR_CAP = 100.0  # dB; keeps JSON valid when two images are equal
MS_SSIM_SIDE = 160  # pixels: five scales of an 11-pixel window need more than (11 - 1) * 2**4


def _check(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != np.uint8 or b.dtype != np.uint8 or a.shape != b.shape or a.ndim != 3:
        raise ValueError(f"two uint8 (H, W, 3) images expected, got {a.dtype} {a.shape} and {b.dtype} {b.shape}")
    return a, b


def psnr(a, b):
    """Peak signal-to-noise ratio in dB over all three channels, peak 255, at most 100.

    `psnr(x, x) -> 100.0`. a, b: uint8 (H, W, 3); ValueError for anything else. Taught in chapter 12.
    """
    from skimage.metrics import mean_squared_error
    a, b = _check(a, b)
    mse = mean_squared_error(a, b)
    return PSNR_CAP if mse == 0 else min(PSNR_CAP, float(10 * np.log10(255.0**2 / mse)))


def ssim(a, b, window=None):
    """Structural similarity in -1..1 (Wang et al. 2004), mean over the channels, scikit-image's uniform window.

    `window` is its side in pixels: odd; by default 7, or the largest odd size that fits. Images 1 or 2 pixels wide
    have a window of one pixel, where only the luminance term is left. Taught in chapter 12.
    """
    from skimage.metrics import structural_similarity
    a, b = _check(a, b)
    side = min(a.shape[:2])
    window = window or min(7, side - 1 + side % 2)
    return float(structural_similarity(a, b, win_size=window, channel_axis=2, data_range=255,
                                       use_sample_covariance=window > 1))


def ms_ssim(a, b):
    """Multi-scale SSIM in 0..1 (Wang et al. 2003) by pytorch-msssim, or None when a side is 160 pixels or less.

    a, b: uint8 (H, W, 3). Taught in chapter 12.
    """
    a, b = _check(a, b)
    if min(a.shape[:2]) <= MS_SSIM_SIDE:
        return None
    import torch
    from pytorch_msssim import ms_ssim as reference
    x, y = (torch.from_numpy(np.array(v)).permute(2, 0, 1)[None].float() for v in (a, b))  # (1, 3, H, W) each
    return float(reference(x, y, data_range=255))
