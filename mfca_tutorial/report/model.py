"""The report's CompressionAutoencoder, which reconstructs images.

Its decoder reads encoder features through skip connections, and its arithmetic coder is simulated.
`bits_read_by_decoder` counts what all of this would cost in a file. Where the report is silent
(widths, number of stages, activations), the choice is ours, and the docstring says so.

But: it does not make files, and no part of the codec imports it.

Taught in chapter 13.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import ArrayLike
from torch import Tensor, nn

from mfca_tutorial.blocks.pmcn import PMCN
from mfca_tutorial.blocks.pqf import PQF

MAP_MAX = 255  # the simulated coder keeps 8 bits per value of the map, 0..255
LEAST_RANGE = 1e-9  # the least range of a skip tensor; a constant one would cause division by zero


class Quantizer(nn.Module):
    """Report, section II.

    "adds uniform noise to the features during training to improve gradient approximation, and
    performs hard quantization during inference".
    """

    def forward(self, y: Tensor) -> Tensor:
        """(B, C, H, W) -> the same shape: in training with noise in -1/2..1/2, else rounded."""
        if not self.training:
            return torch.round(y)

        # noise as wide as a rounding step; unlike rounding, it has a gradient
        noise = torch.rand_like(y)
        return y + noise - 0.5


class ArithmeticEncoder(nn.Module):
    """Report, section II.

    "simulate the entropy coding process, converting the importance map into a compressed
    representation". No bit is written.
    """

    def forward(self, importance: Tensor) -> Tensor:
        """Map in 0..1 -> whole numbers 0..255 of the same shape."""
        # rounding has no gradient, so none is asked for
        levels = importance.detach() * MAP_MAX
        return torch.round(levels)


class ArithmeticDecoder(nn.Module):
    """Report, section II: "reconstructing it from the compressed representation"."""

    def forward(self, coded: Tensor) -> Tensor:
        """Whole numbers 0..255 -> map in 0..1 of the same shape: the encoder's inverse."""
        return coded / MAP_MAX


class Encoded(NamedTuple):
    """What the report's encoder returns; w0, w1 and w2 are its widths."""

    features: Tensor  # (B, latents, H/8, W/8)
    skips: list[Tensor]  # [(B, w0, H, W), (B, w1, H/2, W/2), (B, w2, H/4, W/4)]
    importance: Tensor  # (B, 1, H/8, W/8) in 0..1


class CoreEncoder(nn.Module):
    """Report, section III.3.

    "A 3x3 convolution layer is applied first", "PMCN modules [...] applied sequentially",
    "Convolutions with strides are used after each PMCN module", "The encoder generates an
    importance map". The three stages are our choice, as in Fu et al. 2022, the report's parent.
    """

    def __init__(self, widths: Sequence[int], latents: int) -> None:
        """widths: channels at full, half and quarter size; latents: channels of the features."""
        super().__init__()
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)

        # in each stage: a PMCN block, then a convolution that halves the size
        next_widths = [*widths[1:], latents]
        self.pmcn = nn.ModuleList()
        for width in widths:
            self.pmcn.append(PMCN(width))
        self.down = nn.ModuleList()
        for width, next_width in zip(widths, next_widths):
            convolution = nn.Conv2d(width, next_width, 3, stride=2, padding=1)
            self.down.append(convolution)

        # one value per position of the features
        self.importance = nn.Conv2d(latents, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Encoded:
        """x (B, 3, H, W) -> features, skips and importance map."""
        h = self.stem(x)  # (B, w0, H, W)

        skips = []
        for pmcn, down in zip(self.pmcn, self.down):
            skip = pmcn(h)  # (B, w, h, w)
            skips.append(skip)  # read by the decoder: the report's shortcut around the bottleneck
            h = down(skip)  # (B, next w, h/2, w/2)

        # how important each position is
        importance = self.importance(h)  # (B, 1, H/8, W/8)
        importance = torch.sigmoid(importance)
        return Encoded(h, skips, importance)


class CoreDecoder(nn.Module):
    """Report, section III.4.

    "Transposed convolutions", skip connections that "allow features from the encoder to be directly
    concatenated with corresponding decoder features", a final convolution; abstract: "the decoder
    uses a single stage" of PMCN.
    """

    def __init__(self, widths: Sequence[int], latents: int) -> None:
        """widths, latents: those of the encoder whose skips this decoder reads."""
        super().__init__()
        self.pmcn = PMCN(latents)

        # the encoder's widths in reverse: quarter, half, full size
        widths_up = list(reversed(widths))
        widths_before = [latents, *widths_up[:-1]]

        # in each stage: a convolution that doubles the size, then one that takes in the skip
        self.up = nn.ModuleList()
        for before, width in zip(widths_before, widths_up):
            convolution = nn.ConvTranspose2d(before, width, 4, stride=2, padding=1)
            self.up.append(convolution)
        self.fuse = nn.ModuleList()
        for width in widths_up:
            self.fuse.append(nn.Conv2d(2 * width, width, 3, padding=1))

        # to red, green and blue
        self.last = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, y_hat: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """y_hat (B, latents, H/8, W/8), the encoder's skips -> image (B, 3, H, W) in 0..1."""
        h = self.pmcn(y_hat)  # (B, latents, H/8, W/8)

        # the smallest skip comes first
        for up, fuse, skip in zip(self.up, self.fuse, reversed(skips), strict=True):
            larger = up(h)  # (B, w, 2h, 2w)
            both = torch.cat([larger, skip], 1)  # (B, 2w, 2h, 2w)
            fused = fuse(both)  # (B, w, 2h, 2w)
            h = F.relu(fused)

        # into the range of an image
        x_hat = self.last(h)  # (B, 3, H, W)
        return torch.sigmoid(x_hat)


class ReportOutput(NamedTuple):
    """What the report's model returns, for its loss and its tracker."""

    x_hat: Tensor  # (B, 3, H, W) in 0..1
    importance: Tensor  # (B, 1, H/8, W/8) in 0..1, with gradient
    quantized: Tensor  # (B, latents, H/8, W/8)
    weighted: Tensor  # (B, latents, H/8, W/8): features times map, before quantisation
    coded_map: Tensor  # (B, 1, H/8, W/8), whole numbers 0..255: the simulated bit stream


class CompressionAutoencoder(nn.Module):
    """Report, sections II and III.

        x --CoreEncoder--> features, skips, map
        features * map --Quantizer--> PQF --CoreDecoder(skips)--> x_hat
        map --ArithmeticEncoder--> coded map --ArithmeticDecoder--> map again (nothing reads it)

    The report does not state the widths; the defaults are our choice.
    """

    def __init__(self, widths: Sequence[int] = (32, 64, 128), latents: int = 128) -> None:
        """widths: channels at full, half and quarter size; latents: channels of the features."""
        super().__init__()
        self.encoder = CoreEncoder(widths, latents)
        self.decoder = CoreDecoder(widths, latents)

        # between the two
        self.quantizer = Quantizer()
        self.pqf = PQF(latents)

        # apart from these: what they do has no effect on the picture
        self.arithmetic_encoder = ArithmeticEncoder()
        self.arithmetic_decoder = ArithmeticDecoder()

    def forward(self, x: Tensor) -> ReportOutput:
        """x (B, 3, H, W) in 0..1; ValueError if H or W is not a multiple of 8."""
        height, width = x.shape[2:]
        if height % 8 or width % 8:
            raise ValueError(f"sides must be multiples of 8, got {height} x {width}")

        # (B, latents, H/8, W/8), three skips, (B, 1, H/8, W/8)
        features, skips, importance = self.encoder(x)

        # the map scales the features down before they are rounded
        weighted = features * importance
        quantized = self.quantizer(weighted)

        # the decoder reads not only the latents, but also the skips
        y_hat = self.pqf(quantized)
        x_hat = self.decoder(y_hat, skips)  # (B, 3, H, W)

        coded_map = self.arithmetic_encoder(importance)
        return ReportOutput(
            x_hat=x_hat,
            importance=importance,
            quantized=quantized,
            weighted=weighted,
            coded_map=coded_map,
        )


def entropy_bits(symbols: ArrayLike) -> float:
    """Return the total number of bits of integers under their own histogram.

    This is the least that a coder without context could spend. The histogram itself is not counted.
    Example: entropy_bits([0, 1, 0, 1]) == 4.0.
    """
    _, counts = np.unique(np.asarray(symbols), return_counts=True)

    # a symbol of probability p costs log2(1/p) bits
    bits_per_symbol = np.log2(counts.sum() / counts)
    total = (counts * bits_per_symbol).sum()
    return float(total)


@torch.no_grad()
def bits_read_by_decoder(model: CompressionAutoencoder, x: Tensor) -> dict[str, float]:
    """Return what the report's decoder reads for one image x (1, 3, H, W), in bits per pixel.

    "map": the simulated coder's only output. "latents": the rounded latents. "skips": the skip
    tensors, each quantised to 8 bits over its own range. "skips_float32": the skip tensors without
    quantisation. All but the last are entropies; those of "latents" and "skips" use one histogram
    per channel.
    """
    # in evaluation mode the latents are rounded
    model.eval()
    out = model(x)
    skips = model.encoder(x).skips

    # round every skip tensor to 256 levels between its smallest and its largest value
    skip_bits = 0.0
    for skip in skips:
        low = skip.min()
        high = skip.max()
        width = (high - low).clamp_min(LEAST_RANGE)
        share = (skip - low) / width  # 0..1
        codes = torch.round(share * 255)  # (1, w, h, w)
        skip_bits += _bits_of_channels(codes)

    # a float32 has 32 bits
    values = sum(skip.numel() for skip in skips)
    bits = {
        "map": entropy_bits(out.coded_map.cpu()),
        "latents": _bits_of_channels(out.quantized),
        "skips": skip_bits,
        "skips_float32": 32 * values,
    }

    # bits per pixel of the image
    pixels = x.shape[2] * x.shape[3]
    return {name: total / pixels for name, total in bits.items()}


def _bits_of_channels(symbols: Tensor) -> float:
    # symbols: (1, C, h, w); every channel has its own histogram
    bits = [entropy_bits(channel.cpu()) for channel in symbols[0]]
    return sum(bits)
