"""What the decoder knows about y before it reads y: side information z, and what it has read so far.

h_a sums y up in z; h_s turns z into features; the context network turns the features and the latents decoded so far
into a mean and a scale for the latents of the next pass. Four passes, each over a quarter of the latents at once:
parallel, unlike pixel-by-pixel contexts. Everything the decoder runs here has an exact twin (`ExactHyperprior`).

Taught in chapter 8.
"""

import math
from functools import lru_cache
from itertools import product

import torch
from torch import nn

from mfca_tutorial.config import CodecConfig
from mfca_tutorial.entropy.counts import LEVELS, SCALE_MAX, SCALE_MIN
from mfca_tutorial.entropy.exact import FixedPoint, freeze
from mfca_tutorial.entropy.factorized import FactorizedPrior
from mfca_tutorial.entropy.quantization import add_uniform_noise, round_straight_through

# Which of the four channel groups is coded in which pass at each position of a 2x2 square (row-major), one row a group.
# Every position sees each group exactly once, and each pass touches every position. Source: Li et al. 2023 (DCVC-DC).
QUADTREE = ((0, 1, 2, 3), (3, 2, 1, 0), (2, 3, 0, 1), (1, 0, 3, 2))
INDEX_UNIT = 8.0  # scale index = 8 x the network's output: a power of two, so still exact


@lru_cache(maxsize=32)
def pass_of_latent(channels: int, height: int, width: int, passes: int, device="cpu") -> torch.Tensor:
    """(C, h, w) uint8: the pass in which each latent is coded, for 1, 2 or 4 passes (ValueError otherwise).

    Kept, since a CUDA graph cannot copy from the CPU. Taught in chapter 8."""
    if passes not in (1, 2, 4):
        raise ValueError(f"context passes must be 1, 2 or 4, not {passes}")
    row, column = torch.arange(height)[:, None] % 2, torch.arange(width)[None] % 2  # (h, 1), (1, w)
    if passes < 4:
        return (((row + column) % 2) * (passes - 1)).to(torch.uint8).expand(channels, -1, -1).to(device)
    order = torch.tensor(QUADTREE, dtype=torch.uint8)[:, row * 2 + column]  # (4, h, w)
    return order.repeat_interleave(channels // 4, 0).to(device)  # (C, h, w)


def gaussian_bits(value: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Bits of N(0, scale) on [value - 1/2, value + 1/2], element by element, at most 29.9.

    Source: Balle et al. 2018, equation 11. Taught in chapter 8."""
    value = value.abs()
    upper, lower = (0.5 - value) / scale, (-0.5 - value) / scale
    mass = 0.5 * (torch.erfc(-upper * 0.5**0.5) - torch.erfc(-lower * 0.5**0.5))
    return -torch.log2(mass.clamp_min(1e-9))


class _Bound(torch.autograd.Function):
    """Clamp whose gradient still passes where it would lead back inside."""

    @staticmethod
    def forward(ctx, x, low, high):
        ctx.save_for_backward(x)
        ctx.low, ctx.high = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        stuck = ((x < ctx.low) & (grad > 0)) | ((x > ctx.high) & (grad < 0))
        return grad.masked_fill(stuck, 0), None, None


def scale_of_index(index: torch.Tensor) -> torch.Tensor:
    """Scale index 0..63, whole or not -> standard deviation 0.11..256, log-spaced. Taught in chapter 7."""
    return SCALE_MIN * torch.exp(index * (math.log(SCALE_MAX / SCALE_MIN) / (LEVELS - 1)))


def downsampler(channels: int, width: int, out: int) -> nn.Sequential:
    """h_a: y (B, M, h, w) -> z (B, C_z, h/4, w/4). Runs in the encoder only, so it need not be exact."""
    return nn.Sequential(nn.Conv2d(channels, width, 1), nn.GELU(),
                         nn.Conv2d(width, width, 3, stride=2, padding=1), nn.GELU(),
                         nn.Conv2d(width, out, 3, stride=2, padding=1))


def upsampler(channels: int, width: int) -> nn.Sequential:
    """h_s: z_hat (B, C_z, h/4, w/4) -> features (B, C_h, h, w), by pixel shuffles."""
    return nn.Sequential(nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(width, 4 * width, 1), nn.PixelShuffle(2), nn.ReLU(),
                         nn.Conv2d(width, 4 * width, 1), nn.PixelShuffle(2), nn.ReLU())


class Hyperprior(nn.Module):
    """h_a, h_s, the factorised prior of z and the context network: the whole probability model of a file.

        y -- h_a -- z -- round -- z_hat -- h_s -- features
        pass p: [features, y_hat of the passes before p] -- adapter_p -- trunk -- mean, scale of the latents of pass p

    Source: Balle et al. 2018; Minnen et al. 2018; He et al. 2021 (parallel context); Li et al. 2023 (its pattern).
    Taught in chapter 8."""

    def __init__(self, config: CodecConfig):
        super().__init__()
        m, n, h = config.latents, config.context_width, config.hyper_width
        self.passes = config.passes
        self.h_a = downsampler(m, h, config.hyper)
        self.h_s = upsampler(config.hyper, h)
        self.prior = FactorizedPrior(config.hyper)
        self.adapters = nn.ModuleList(
            nn.Sequential(nn.Conv2d(h + m, n, 1), nn.ReLU(), nn.Conv2d(n, n, 5, padding=2, groups=n))
            for _ in range(self.passes))
        self.trunk = nn.Sequential(nn.Conv2d(n, n, 1), nn.ReLU(), nn.Conv2d(n, 2 * m, 1))
        for layer in (*self.h_a, *self.h_s):  # keep the variance from layer to layer: a z that starts small stays dead
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        with torch.no_grad():
            self.h_a[-1].weight.mul_(2)
            self.trunk[-1].bias[m:] += 2.2  # scale about 1

    def parameters_of(self, p: int, features: torch.Tensor, decoded: torch.Tensor):
        """Mean (B, M, h, w) and real-valued scale index (B, M, h, w), 0..63, for pass p. Taught in chapter 8."""
        out = self.trunk(self.adapters[p](torch.cat([features, decoded], 1)))  # (B, 2 M, h, w)
        mean, scale = out.chunk(2, 1)
        return mean, _Bound.apply(scale * INDEX_UNIT, 0.0, LEVELS - 1.0)

    def forward(self, y: torch.Tensor, noise: bool = True) -> dict:
        """y (B, M, h, w) -> y_hat, and the bits of every element of y and z.

        noise=True (training) counts bits of y + u; False counts them on the rounded values. y_hat is always rounded.
        Returns {"y_hat", "z_hat", "mean", "scale", "bits": {"y": (B, M, h, w), "z": (B, C_z, h/4, w/4)}}."""
        z = self.h_a(y)  # (B, C_z, h/4, w/4)
        z_hat = round_straight_through(z)
        y_hat, mean, scale = self.predict(y, self.h_s(z_hat))
        residual = add_uniform_noise(y - mean) if noise else torch.round(y - mean)
        bits = {"y": gaussian_bits(residual, scale), "z": self.prior.bits(add_uniform_noise(z) if noise else z_hat)}
        return {"y_hat": y_hat, "z_hat": z_hat, "mean": mean, "scale": scale, "bits": bits}

    def predict(self, y: torch.Tensor, features: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """All passes: y, features (B, C_h, h, w) of h_s -> y_hat, mean, scale (B, M, h, w). Taught in chapter 8."""
        turn = pass_of_latent(*y.shape[1:], self.passes, y.device)  # (M, h, w)
        y_hat, mean, index = (torch.zeros_like(y) for _ in range(3))
        for p in range(self.passes):
            mask = (turn == p).to(y.dtype)
            mean_p, index_p = self.parameters_of(p, features, y_hat)
            mean, index = mean + mask * mean_p, index + mask * index_p
            y_hat = y_hat + mask * (round_straight_through(y - mean_p) + mean_p)
        return y_hat, mean, scale_of_index(index)

    def freeze(self) -> None:
        """Round what the decoder runs to fixed point, in place. Once, after training. Taught in chapter 9."""
        for network in (self.h_s, self.adapters, self.trunk):
            freeze(network)


class _Quarters:
    """A 1x1 layer on the four positions of every 2x2 square apart, each with only the channels that count there.

    inputs, outputs: bool (C, 2, 2), which channels to read and to work out at each position; the other outputs are 0.
    What is left out of the sums is zero, so they stay exact."""

    def __init__(self, layer: nn.Conv2d, inputs: torch.Tensor, outputs: torch.Tensor, device: torch.device):
        self.channels, self.parts = layer.out_channels, []
        for i, j in product(range(2), repeat=2):
            read, made = (on[:, i, j].nonzero()[:, 0] for on in (inputs, outputs))
            if len(made):
                part = nn.utils.skip_init(nn.Conv2d, len(read), len(made), 1)  # draws no random numbers
                part.weight.data, part.bias.data = layer.weight.data[made][:, read], layer.bias.data[made]
                self.parts.append((i, j, read.to(device), made.to(device), FixedPoint(nn.Sequential(part), device)))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        out = x.new_zeros(x.shape[0], self.channels, *x.shape[2:])  # (B, C, h, w)
        for i, j, read, made, part in self.parts:
            out[:, made, i::2, j::2] = part(x[:, read, i::2, j::2], rounded=True)  # (B, made, h/2, w/2)
        return out


class ExactHyperprior:
    """The decoder's half of a frozen `Hyperprior`, bit-identical on every device with float64. Taught in chapter 9."""

    def __init__(self, hyperprior: Hyperprior, device: torch.device | str = "cpu"):
        self.passes, self.device = hyperprior.passes, torch.device(device)
        self.h_s = FixedPoint(hyperprior.h_s, device)
        *middle, last = hyperprior.trunk
        features, latents, width = hyperprior.h_s[0].out_channels, last.out_channels // 2, last.in_channels
        turn = pass_of_latent(latents, 2, 2, self.passes)  # (M, 2, 2): the same in every square
        every = torch.ones(max(features, width), 2, 2, dtype=torch.bool)
        self.turns = [
            (_Quarters(adapter[0], torch.cat([every[:features], turn < p]), every[:width], self.device),
             FixedPoint(nn.Sequential(*adapter[1:], *middle), device),
             _Quarters(last, every[:width], torch.cat([turn == p, turn == p]), self.device))
            for p, adapter in enumerate(hyperprior.adapters)]

    def parameters_of(self, p: int, features: torch.Tensor, decoded: torch.Tensor):
        """Mean (B, M, h, w), multiples of 2^-8, float64, and scale index (B, M, h, w), uint8, of pass p's latents.

        The others are 0. Of decoded only what earlier passes coded is read: two fifths of the work less than all."""
        first, middle, last = self.turns[p]
        mean, scale = last(middle(first(torch.cat([features, decoded], 1)), rounded=True)).chunk(2, 1)
        return mean, torch.floor(scale * INDEX_UNIT + 0.5).clamp(0, LEVELS - 1).to(torch.uint8)
