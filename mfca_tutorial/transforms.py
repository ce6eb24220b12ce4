"""g_a and g_s: pixels to latents and back. Three fifths of the work is in the encoder; the report wants it there.

They know no rounding, no bits, no quality. The decoder sees only y: the report's skip connections from encoder to
decoder would have to be sent too (chapter 4 measures what they would cost).

Taught in chapter 4.
"""

import torch
from torch import nn

from mfca_tutorial.blocks.pmcn import PMCN
from mfca_tutorial.config import CodecConfig


def _blocks(config: CodecConfig, channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*[PMCN(channels, config.attention, config.frequencies, config.descriptor)
                           for _ in range(count)])


class Analysis(nn.Module):
    """g_a: x (B, 3, H, W) in 0..1 -> y (B, M, H/16, W/16), and the last stage's features (B, C, H/8, W/8).

    A 5x5 stem with stride 2, then three stages of PMCN blocks between strided 3x3 convolutions. H and W are multiples
    of 64. Taught in chapter 4."""

    def __init__(self, config: CodecConfig):
        super().__init__()
        w1, w2, w3 = config.encoder_widths
        d1, d2, d3 = config.encoder_depths
        self.stem = nn.Conv2d(3, w1, 5, stride=2, padding=2)
        self.stage1 = _blocks(config, w1, d1)
        self.down1 = nn.Conv2d(w1, w2, 3, stride=2, padding=1)
        self.stage2 = _blocks(config, w2, d2)
        self.down2 = nn.Conv2d(w2, w3, 3, stride=2, padding=1)
        self.stage3 = _blocks(config, w3, d3)
        self.down3 = nn.Conv2d(w3, config.latents, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = self.stage1(self.stem(x - 0.5))  # (B, 96, H/2, W/2)
        h = self.stage2(self.down1(h))  # (B, 128, H/4, W/4)
        features = self.stage3(self.down2(h))  # (B, 192, H/8, W/8)
        return self.down3(features), features  # (B, M, H/16, W/16)


class Synthesis(nn.Module):
    """g_s: y_hat (B, M, H/16, W/16) -> x_hat (B, 3, H, W), about 0..1 but not clamped.

    Transposed convolutions with kernel 4 and stride 2 (each output pixel is covered equally often, so no checkerboard:
    Odena et al. 2016), one PMCN block a resolution. Taught in chapter 4."""

    def __init__(self, config: CodecConfig):
        super().__init__()
        w1, w2, w3 = config.decoder_widths
        self.up1 = nn.ConvTranspose2d(config.latents, w1, 4, stride=2, padding=1)
        self.stage1 = _blocks(config, w1, 1)
        self.up2 = nn.ConvTranspose2d(w1, w2, 4, stride=2, padding=1)
        self.stage2 = _blocks(config, w2, 1)
        self.up3 = nn.ConvTranspose2d(w2, w3, 4, stride=2, padding=1)
        self.stage3 = _blocks(config, w3, 1)
        self.to_pixels = nn.ConvTranspose2d(w3, 3, 6, stride=2, padding=2)

    def forward(self, y_hat: torch.Tensor) -> torch.Tensor:
        h = self.stage1(self.up1(y_hat))  # (B, 192, H/8, W/8)
        h = self.stage2(self.up2(h))  # (B, 128, H/4, W/4)
        h = self.stage3(self.up3(h))  # (B, 64, H/2, W/2)
        return self.to_pixels(h) + 0.5  # (B, 3, H, W)
