"""MS-SSIM that a CUDA graph can capture: the values of `pytorch_msssim.ms_ssim`.

That one copies a list of weights to the GPU, and the gradient of its `torch.prod` asks the GPU how
many factors are zero; a graph can do neither. Here the factors are multiplied one by one.

Taught in chapter 11.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F
from pytorch_msssim.ssim import _fspecial_gauss_1d, _ssim

# The exponents of the scales, finest first. Source: Wang et al. 2003.
EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)

WINDOW = 11  # pixels: side of the Gaussian window
SIGMA = 1.5  # pixels: its standard deviation

# A factor below this counts as this much: at zero the slope of a power below one is infinite.
SMALLEST_FACTOR = 1e-4


def ms_ssim(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The similarity of each picture in x to the one in y; both (B, 3, H, W) in 0..1 -> (B,).

    Raises ValueError where a side is 160 pixels or less: the coarsest scale would be smaller than
    the window. Source: Wang et al. 2003.
    """
    halvings = len(EXPONENTS) - 1
    smallest = (WINDOW - 1) * 2**halvings
    if min(x.shape[2:]) <= smallest:
        raise ValueError(f"MS-SSIM needs sides above {smallest} pixels, not {tuple(x.shape[2:])}")

    # Contiguous, since a GPU filters channels_last pictures with a mantissa of ten bits (TF32): too
    # few for variances, which are differences of large numbers.
    x = x.float().contiguous()
    y = y.float().contiguous()
    window = _window(x.device)

    # contrast and structure of each scale, and at the coarsest one the luminance, too
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
def _window(device: torch.device) -> torch.Tensor:
    """(3, 1, 1, 11): a row of the Gaussian for each colour. Kept: a graph cannot fetch it anew."""
    row = _fspecial_gauss_1d(WINDOW, SIGMA)  # (1, 1, 11)
    return row.repeat(3, 1, 1, 1).to(device)
