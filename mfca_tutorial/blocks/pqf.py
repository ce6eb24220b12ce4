"""The post-quantisation filter: one residual block that mends latents after rounding. It knows no bits and no pixels.

Taught in chapter 10.
"""

import torch
import torch.nn.functional as F
from torch import nn


class PQF(nn.Module):
    """conv3x3 - ReLU - conv3x3 + input, on the dequantised latents (B, M, H/16, W/16).

    The second convolution starts at zero, so the filter starts as the identity. How coarse the rounding was differs
    from quality to quality: with side=1 the filter also sees that, as one more input plane (a deblocking filter in
    H.264 depends on the quantiser in the same way). Source: the report, section II; Fu et al. 2022.
    Taught in chapter 10.
    """

    def __init__(self, channels: int, hidden: int | None = None, side: int = 0):
        super().__init__()
        hidden = hidden or channels
        self.first = nn.Conv2d(channels + side, hidden, 3, padding=1)
        self.second = nn.Conv2d(hidden, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, y_hat: torch.Tensor, side: torch.Tensor | None = None) -> torch.Tensor:
        h = y_hat if side is None else torch.cat([y_hat, side], 1)  # (B, M + side, H/16, W/16)
        return y_hat + self.second(F.relu(self.first(h)))
