"""Rate plus lambda times distortion, for every quality at once. The report's own loss is in `report/training.py`.

Taught in chapter 11.
"""

import torch
import torch.nn.functional as F
from pytorch_msssim import ms_ssim
from torch import nn

from mfca_tutorial.config import MAX_QUALITY, lambda_of

WEIGHT_POWER = 0.45  # 1 would make all qualities equally loud; 0 lets the highest drown the rest
MS_SSIM_RATIO = 1270.0  # lambda for 1 - MS-SSIM over lambda for MSE: what published pairs of models share


class RateDistortionLoss(nn.Module):
    """bpp + lambda * 255^2 * MSE (or bpp + 1270 lambda * (1 - MS-SSIM)), weighted so that no quality drowns the others.

    lambda follows the quality of each pixel's block, so an importance map moves the bits to where it is high.
    metric: 'mse' or 'ms-ssim' (sides above 160; flat maps' lambda). Source: Balle et al. 2017; Cui et al. 2021.
    Taught in chapter 11."""

    def __init__(self, metric: str = "mse"):
        super().__init__()
        if metric not in ("mse", "ms-ssim"):
            raise ValueError(f"unknown metric {metric!r}: use 'mse' or 'ms-ssim'")
        self.metric = metric

    def forward(self, out: dict, x: torch.Tensor, quality: torch.Tensor, offsets: torch.Tensor) -> dict:
        """out: what `Codec.forward` returned for x (B, 3, H, W), quality (B,), offsets (B, 1, H/64, W/64).

        Returns {"loss", "mse", "bpp", "z_bpp"}: means over the batch; mse in units of 1 = full scale squared."""
        pixels = x.shape[2] * x.shape[3]
        y_bpp, z_bpp = (out["bits"][k].sum((1, 2, 3)) / pixels for k in ("y", "z"))  # (B,)
        local = (quality[:, None, None, None] + offsets).clamp(0, MAX_QUALITY)  # (B, 1, H/64, W/64)
        price = lambda_of(F.interpolate(local, size=x.shape[2:], mode="nearest"))  # (B, 1, H, W)
        squared = (x - out["x_hat"]).square()  # (B, 3, H, W)
        if self.metric == "mse":
            distortion = 255**2 * (price * squared).mean((1, 2, 3))  # (B,)
        else:
            similar = ms_ssim(out["x_hat"].clamp(0, 1), x, data_range=1.0, size_average=False)  # (B,)
            distortion = MS_SSIM_RATIO * lambda_of(quality) * (1 - similar)
        weight = (lambda_of(quality) / lambda_of(MAX_QUALITY)) ** -WEIGHT_POWER  # (B,)
        return {"loss": (weight * (distortion + y_bpp + z_bpp)).mean(), "mse": squared.mean(),
                "bpp": (y_bpp + z_bpp).mean(), "z_bpp": z_bpp.mean()}
