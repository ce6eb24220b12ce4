"""The report's CompressionAutoencoder: it reconstructs images, but it does not make files.

Its decoder reads encoder features through skip connections, and its arithmetic coder is simulated;
`bits_read_by_decoder` counts what that would cost. Where the report is silent (widths, number of stages, activations)
the choice is ours and its docstring says so. Nothing of the codec imports this package. Taught in chapter 13.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from mfca_tutorial.blocks.pmcn import PMCN
from mfca_tutorial.blocks.pqf import PQF

MAP_LEVELS = 256  # the simulated coder keeps 8 bits a value


class Quantizer(nn.Module):
    """Report, section II: "adds uniform noise to the features during training to improve gradient approximation, and
    performs hard quantization during inference".

    (B, C, H, W) -> the same shape: plus noise in -1/2..1/2 in training, rounded in evaluation. Taught in chapter 13."""

    def forward(self, y):
        return y + torch.rand_like(y) - 0.5 if self.training else torch.round(y)


class ArithmeticEncoder(nn.Module):
    """Report, section II: "simulate the entropy coding process, converting the importance map into a compressed
    representation". Map in 0..1 -> whole numbers 0..255 of the same shape; no bit is written. Taught in chapter 13."""

    def forward(self, importance):
        return torch.round(importance.detach() * (MAP_LEVELS - 1))


class ArithmeticDecoder(nn.Module):
    """Report, section II: "reconstructing it from the compressed representation". The inverse. Taught in chapter 13."""

    def forward(self, coded):
        return coded / (MAP_LEVELS - 1)


class CoreEncoder(nn.Module):
    """Report, section III.3: "A 3x3 convolution layer is applied first", "PMCN modules [...] applied sequentially",
    "Convolutions with strides are used after each PMCN module", "The encoder generates an importance map".

    x (B, 3, H, W) -> features (B, latents, H/8, W/8), skips [(B, w0, H, W), (B, w1, H/2, W/2), (B, w2, H/4, W/4)],
    importance (B, 1, H/8, W/8) in 0..1. Three stages are our choice, as in the report's parent. Taught in chapter 13.
    """

    def __init__(self, widths, latents):
        super().__init__()
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        self.pmcn = nn.ModuleList(PMCN(width) for width in widths)
        self.down = nn.ModuleList(
            nn.Conv2d(width, after, 3, stride=2, padding=1)
            for width, after in zip(widths, (*widths[1:], latents), strict=True)
        )
        self.importance = nn.Conv2d(latents, 1, 3, padding=1)

    def forward(self, x):
        h, skips = self.stem(x), []  # (B, w0, H, W)
        for pmcn, down in zip(self.pmcn, self.down, strict=True):
            skips.append(pmcn(h))
            h = down(
                skips[-1]
            )  # half the size: (B, w, H/2, W/2), (B, w, H/4, W/4), (B, latents, H/8, W/8)
        return h, skips, torch.sigmoid(self.importance(h))  # map (B, 1, H/8, W/8)


class CoreDecoder(nn.Module):
    """Report, section III.4: "Transposed convolutions", skip connections that "allow features from the encoder to be
    directly concatenated with corresponding decoder features", a final convolution; abstract: "the decoder uses a
    single stage" of PMCN.

    y_hat (B, latents, H/8, W/8) and the encoder's skips -> image (B, 3, H, W) in 0..1 (sigmoid). Taught in chapter 13.
    """

    def __init__(self, widths, latents):
        super().__init__()
        self.pmcn = PMCN(latents)
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(before, width, 4, stride=2, padding=1)
            for before, width in zip((latents, *widths[:0:-1]), widths[::-1], strict=True)
        )
        self.fuse = nn.ModuleList(
            nn.Conv2d(2 * width, width, 3, padding=1) for width in widths[::-1]
        )
        self.last = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, y_hat, skips):
        h = self.pmcn(y_hat)  # (B, latents, H/8, W/8)
        for up, fuse, skip in zip(self.up, self.fuse, skips[::-1], strict=True):
            h = torch.cat(
                [up(h), skip], 1
            )  # twice the size: (B, 2w, H/4, W/4), (B, 2w, H/2, W/2), (B, 2w, H, W)
            h = F.relu(fuse(h))  # (B, w, same, same)
        return torch.sigmoid(self.last(h))  # (B, 3, H, W)


class ReportOutput(NamedTuple):
    """What the report's model returns; its loss and its tracker read these. Taught in chapter 13."""

    x_hat: torch.Tensor  # (B, 3, H, W) in 0..1
    importance: torch.Tensor  # (B, 1, H/8, W/8) in 0..1, with gradient
    quantized: torch.Tensor  # (B, latents, H/8, W/8)
    weighted: torch.Tensor  # (B, latents, H/8, W/8): features times map, before quantisation
    coded_map: torch.Tensor  # (B, 1, H/8, W/8), whole numbers 0..255: the simulated bit stream


class CompressionAutoencoder(nn.Module):
    """Report, section II and III.

        x --CoreEncoder--> features, skips, map;   features * map --Quantizer--> PQF --CoreDecoder(skips)--> x_hat
        map --ArithmeticEncoder--> coded map --ArithmeticDecoder--> map again (nothing reads it)

    x (B, 3, H, W) in 0..1, H and W multiples of 8 (ValueError). widths are the channels at full, half and quarter
    size; the report does not give them. Taught in chapter 13."""

    def __init__(self, widths=(32, 64, 128), latents=128):
        super().__init__()
        self.encoder, self.decoder = CoreEncoder(widths, latents), CoreDecoder(widths, latents)
        self.quantizer, self.pqf = Quantizer(), PQF(latents)
        self.arithmetic_encoder, self.arithmetic_decoder = ArithmeticEncoder(), ArithmeticDecoder()

    def forward(self, x):
        if x.shape[2] % 8 or x.shape[3] % 8:
            raise ValueError(f"sides must be multiples of 8, got {x.shape[2]} x {x.shape[3]}")
        features, skips, importance = self.encoder(
            x
        )  # (B, latents, H/8, W/8), [...], (B, 1, H/8, W/8)
        weighted = features * importance
        quantized = self.quantizer(weighted)
        x_hat = self.decoder(self.pqf(quantized), skips)  # (B, 3, H, W)
        return ReportOutput(
            x_hat, importance, quantized, weighted, self.arithmetic_encoder(importance)
        )


def entropy_bits(symbols):
    """Total bits of integers under their own histogram, the least that a coder without context could spend.

    `entropy_bits([0, 1, 0, 1]) -> 4.0`. The histogram itself is not counted. Taught in chapter 7."""
    counts = np.unique(np.asarray(symbols), return_counts=True)[1]
    return float((counts * np.log2(counts.sum() / counts)).sum())


@torch.no_grad()
def bits_read_by_decoder(model, x):
    """What the report's decoder reads for one image x (1, 3, H, W), in bits per pixel of that image.

    {"map": the simulated coder's only output, "latents": the rounded latents, "skips": the skip tensors at 8 bits a
    value over their own range, "skips_float32": the skip tensors as they are}; all but the last are entropies of each
    channel's histogram. Taught in chapter 13."""
    model.eval()
    pixels = x.shape[2] * x.shape[3]
    out, skips = model(x), model.encoder(x)[1]
    skip_bits = 0.0
    for skip in skips:
        low, high = skip.min(), skip.max()
        codes = torch.round((skip - low) / (high - low).clamp_min(1e-9) * 255)  # (1, w, h, w)
        skip_bits += sum(entropy_bits(channel.cpu()) for channel in codes[0])
    return {
        "map": entropy_bits(out.coded_map.cpu()) / pixels,
        "latents": sum(entropy_bits(channel.cpu()) for channel in out.quantized[0]) / pixels,
        "skips": skip_bits / pixels,
        "skips_float32": 32 * sum(skip.numel() for skip in skips) / pixels,
    }
