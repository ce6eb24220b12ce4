"""The Gaussian model of a latent: its price in bits, its scales, and a trainable clamp.

These are the bits that training counts.

But: files are written with the integer tables of `counts.py`.

Taught in chapters 7 and 8.
"""

import math
from typing import Any

import torch
from torch import Tensor

from mfca_tutorial.entropy.counts import LEVELS, SCALE_MAX, SCALE_MIN
from mfca_tutorial.entropy.factorized import LEAST_MASS

LOG_STEP = math.log(SCALE_MAX / SCALE_MIN) / (LEVELS - 1)  # from one scale to the next
SQRT_HALF = 0.5**0.5


def gaussian_bits(value: Tensor, scale: Tensor) -> Tensor:
    """The bits for [value - 1/2, value + 1/2] under N(0, scale), per element, at most 29.9.

    Source: Balle et al. 2018, equation 11.
    """
    # the Gaussian is symmetric, and its lower tail can be computed with more digits
    value = value.abs()

    # the borders of the interval, mirrored into that tail, in standard deviations
    upper = (0.5 - value) / scale
    lower = (-0.5 - value) / scale

    # the mass between them; the mass below a border is erfc(-border / sqrt(2)) / 2
    below_upper = torch.erfc(-upper * SQRT_HALF)
    below_lower = torch.erfc(-lower * SQRT_HALF)
    mass = 0.5 * (below_upper - below_lower)

    # a mass of zero would cost infinitely many bits
    mass = mass.clamp_min(LEAST_MASS)
    return -torch.log2(mass)


def scale_of_index(index: Tensor) -> Tensor:
    """Scale index 0..63, not necessarily whole -> standard deviation 0.11..256, log-spaced."""
    log_scale = index * LOG_STEP  # relative to the smallest scale
    return SCALE_MIN * torch.exp(log_scale)


def bound(x: Tensor, low: float, high: float) -> Tensor:
    """Clamp x to low..high, with a gradient that can lead back inside.

    The gradient of a plain clamp is zero outside, so a value that strays outside would stay there.
    """
    return _Bound.apply(x, low, high)


class _Bound(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, low: float, high: float) -> Tensor:
        # what the backward pass needs to know
        ctx.save_for_backward(x)
        ctx.low = low
        ctx.high = high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors

        # descent moves x against its gradient, so stop only moves that lead further outside
        falling = (x < ctx.low) & (grad > 0)
        rising = (x > ctx.high) & (grad < 0)
        grad = grad.masked_fill(falling | rising, 0)
        return grad, None, None
