"""Rounding: what training does instead of it, and the gains that turn one rounding step into every quality.

Taught in chapter 6.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from mfca_tutorial.config import MAX_QUALITY

DEAD_ZONE = 0.0  # in rounding steps


def round_straight_through(x: torch.Tensor) -> torch.Tensor:
    """Rounds in the forward pass, is the identity in the backward pass. For what the decoder sees.

    Source: Bengio et al. 2013; Minnen and Singh 2020. Taught in chapter 6."""
    return x + (torch.round(x) - x).detach()


def add_uniform_noise(x: torch.Tensor) -> torch.Tensor:
    """x + u, u uniform in -1/2..1/2: its density is that of rounding's integers, made continuous. For what is counted.

    Source: Balle et al. 2017, equation 13. Taught in chapter 6."""
    return x + torch.rand_like(x) - 0.5


class Gains(nn.Module):
    """One positive factor a channel and quality: y is multiplied by it before rounding, y_hat divided after.

    K anchor vectors lie evenly over quality 0..100, and between them the gain is interpolated in the log domain, so one
    model serves every quality. A large gain is a fine step. Source: Cui et al. 2021 (there with a learned inverse; here
    the decoder divides by the same gain). Taught in chapter 6."""

    def __init__(self, channels: int, anchors: int = 8, lowest: float = 0.5, highest: float = 7.0):
        super().__init__()
        start = torch.linspace(math.log(lowest), math.log(highest), anchors)[:, None]  # (K, 1)
        self.log_gain = nn.Parameter(start.repeat(1, channels))  # (K, M)

    def forward(self, quality: torch.Tensor) -> torch.Tensor:
        """Quality (B, 1, h, w) in 0..100, clamped -> gain (B, M, h, w)."""
        anchors = torch.arange(self.log_gain.shape[0], device=quality.device)[:, None, None]  # (K, 1, 1)
        t = quality.clamp(0, MAX_QUALITY) / MAX_QUALITY * (self.log_gain.shape[0] - 1)
        weights = F.relu(1 - (t - anchors).abs())  # (B, K, h, w), two non-zero weights that sum to one
        return torch.exp(torch.einsum("bkhw,km->bmhw", weights, self.log_gain))


def dead_zone(residual: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Round, but towards zero in doubt: what lies within DEAD_ZONE of a half goes to the smaller magnitude.

    A zero is cheaper than a one, so near the middle rounding down saves more bits than it costs in error. Only the
    encoder decides this; any decoder reads the file. Source: Sullivan 1996; every JPEG 2000 and H.264 encoder.
    residual and index: any equal shape; index is the scale index 0..63. Taught in chapter 6."""
    threshold = 0.5 + DEAD_ZONE
    return residual.sign() * torch.floor(residual.abs() + 1 - threshold)
