"""The pyramid multi-convolution block: four kernel sizes side by side on four groups of channels, then attention.

It looks at 1x1 to 7x7 neighbourhoods for about the price of one 3x3 convolution. It does not change the size of x.

Taught in chapter 3.
"""

import torch
import torch.nn.functional as F
from torch import nn

from mfca_tutorial.blocks.mfca import MFCA

KERNELS = (1, 3, 5, 7)


class PMCN(nn.Module):
    """Residual block of the report (its section III.2); the input and the output are (B, C, H, W).

        x -- 1x1, GELU -- split in 4 -- 1x1 | 3x3 | 5x5 | 7x7 -- concat, GELU -- 1x1 -- MFCA -- + x

    channels: a multiple of 4 (ValueError). attention=False leaves MFCA out (the ablation of chapter 3).
    The other arguments go to `MFCA`. Taught in chapter 3."""

    def __init__(self, channels: int, attention: bool = True, frequencies="top16", descriptor: str = "energy"):
        super().__init__()
        if channels % len(KERNELS):
            raise ValueError(f"PMCN splits its channels in {len(KERNELS)} groups: {channels} does not divide")
        group = channels // len(KERNELS)
        self.mix_in = nn.Conv2d(channels, channels, 1)
        self.branches = nn.ModuleList(nn.Conv2d(group, group, k, padding=k // 2) for k in KERNELS)
        self.mix_out = nn.Conv2d(channels, channels, 1, bias=False)
        self.attention = MFCA(channels, frequencies, descriptor=descriptor) if attention else None

    def pyramid(self, h: torch.Tensor) -> torch.Tensor:
        """Split, convolve, concatenate: (B, C, H, W) -> (B, C, H, W). Taught in chapter 3."""
        groups = h.chunk(len(KERNELS), 1)  # 4 x (B, C/4, H, W)
        return torch.cat([conv(g) for conv, g in zip(self.branches, groups, strict=True)], 1)

    def dense_kernel(self) -> torch.Tensor:
        """(C, C, 7, 7): the one kernel whose plain 7x7 convolution equals `pyramid` without its biases.

        Block-diagonal over the groups, and zero outside each group's own k x k centre. Taught in chapter 3."""
        channels, reach = self.mix_in.out_channels, max(KERNELS) // 2
        dense = self.mix_in.weight.new_zeros(channels, channels, max(KERNELS), max(KERNELS))
        start = 0
        for conv, k in zip(self.branches, KERNELS, strict=True):
            end, low, high = start + conv.out_channels, reach - k // 2, reach + k // 2 + 1
            dense[start:end, start:end, low:high, low:high] = conv.weight.detach()
            start = end
        return dense

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = _gelu(self.mix_in(x))  # (B, C, H, W)
        h = self.mix_out(_gelu(self.pyramid(h)))
        return self.attention(h, x) if self.attention else h + x


def _gelu(h: torch.Tensor) -> torch.Tensor:
    """GELU, in place where no gradient is wanted: a fresh tensor of this size costs a CPU more than the function."""
    return F.gelu(h) if torch.is_grad_enabled() else torch.ops.aten.gelu_(h)
