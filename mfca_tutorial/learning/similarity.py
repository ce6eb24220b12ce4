"""MS-SSIM that a CUDA graph can capture, with the values of `pytorch_msssim.ms_ssim`.

`pytorch_msssim.ms_ssim` copies a list of weights to the GPU, and the gradient of its `torch.prod`
asks the GPU how many factors are zero. A graph can do neither. Here the factors are multiplied one
by one.

But: results are not reported with this version; `evaluation/metrics.py` computes those.

Taught in chapter 11.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from pytorch_msssim.ssim import _fspecial_gauss_1d, _ssim
from torch import Tensor

# The exponents of the scales, finest first. Source: Wang et al. 2003.
EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

WINDOW = 11  # pixels: side of the Gaussian window
SIGMA = 1.5  # pixels: its standard deviation

# Smaller factors are raised to this value: at zero, a power below one has an infinite slope.
SMALLEST_FACTOR = 1e-4


def ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """The similarity of each picture in x to the one in y; both (B, 3, H, W) in 0..1 -> (B,).

    Raises ValueError if a side has 160 pixels or fewer, because the coarsest scale would be smaller
    than the window. Source: Wang et al. 2003.
    """
    halvings = len(EXPONENTS) - 1
    smallest = (WINDOW - 1) * 2**halvings
    if min(x.shape[2:]) <= smallest:
        raise ValueError(f"MS-SSIM needs sides above {smallest} pixels, not {tuple(x.shape[2:])}")

    # Contiguous, since a GPU filters channels_last pictures with a ten-bit mantissa (TF32). That is
    # not enough for variances, which are differences of large numbers.
    x = x.float().contiguous()
    y = y.float().contiguous()
    window = _window(x.device)

    # contrast and structure at every scale, and at the coarsest scale also the luminance
    product = torch.ones_like(x[:, :, 0, 0])  # (B, 3)
    for scale, exponent in enumerate(EXPONENTS):
        ssim, contrast = _ssim(
            x,
            y,
            data_range=1.0,
            win=window,
            size_average=False,
        )  # (B, 3) each
        factor = ssim if scale == halvings else contrast
        factor = factor.clamp_min(SMALLEST_FACTOR)
        product = product * factor**exponent

        # an odd side gets a row of zeros before it is halved
        odd = [side % 2 for side in x.shape[2:]]
        x = F.avg_pool2d(x, 2, padding=odd)
        y = F.avg_pool2d(y, 2, padding=odd)
    return product.mean(1)


@lru_cache(maxsize=8)
def _window(device: torch.device) -> Tensor:
    """(3, 1, 1, 11): a row of the Gaussian per colour; cached, as a graph cannot copy it again."""
    row = _fspecial_gauss_1d(WINDOW, SIGMA)  # (1, 1, 11)
    return row.repeat(3, 1, 1, 1).to(device)
