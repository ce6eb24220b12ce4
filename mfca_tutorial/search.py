"""The encoder's search: better latents for one picture, found by gradient descent.

The weights stay as they are. The latents move so that bits plus lambda times squared error fall,
and the decoder need not know it. The search is given the parts of a codec that it needs, since
`codec.py`, which calls it, must not be imported here.

But: it writes no bytes. What it finds is coded like any other latents.

Taught in chapter 12.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from mfca_tutorial.config import LATENT_STRIDE, lambda_of
from mfca_tutorial.entropy.gaussian import gaussian_bits
from mfca_tutorial.entropy.hyperprior import Hyperprior

FIRST_STRIDE = 0.4  # rounding steps: the farthest that a latent goes in the first move
LEAST_STRIDE = 0.4 / 2**8  # rounding steps: below, a move changes hardly any rounding
HALF_STRIDE_SLOPE = 100.0  # bits per rounding step at which a latent goes half the stride
PEAK = 255.0  # lambda is a price per squared error on the scale 0..255

Progress = Callable[[Iterable], Iterable]  # wraps a loop to show its progress, as `tqdm` does


class _Trial(NamedTuple):
    """One choice of latents, and what it costs."""

    v: Tensor  # (1, M, h, w), not rounded: the objective is differentiated with respect to it
    v_hat: Tensor  # (1, M, h, w), what the decoder would have
    cost: Tensor  # bits plus weighted squared error, with true rounding
    objective: Tensor  # what is differentiated in its place; only its gradient means something


@torch.enable_grad()  # the encoder that calls it has gradients switched off
def refine_latents(
    x: Tensor,
    v: Tensor,
    z: Tensor,
    blocks: Tensor,
    hyperprior: Hyperprior,
    synthesise: Callable[[Tensor], Tensor],
    moves: int,
    progress: Progress = iter,
) -> Tensor:
    """Latents v_hat (1, M, h, w) that cost less than those of v, or the same if none are found.

    A move that does not help is taken back, and the next one is half as far; the search ends early
    when the moves have become too small to change anything. Source: Campos et al. 2019.

    Args:
        x: the picture (1, 3, H, W) in 0..1, not padded.
        v: its latents times their gains, (1, M, h, w), not rounded.
        z: the side information (1, C_z, h/4, w/4), not rounded; it stays as it is.
        blocks: the quality of each 64x64 block, (1, 1, h/4, w/4) or (1, 1, 1, 1), in 0..100.
        hyperprior: the probability model.
        synthesise: v_hat -> picture (1, 3, 16 h, 16 w).
        moves: how many moves are tried.
        progress: wraps the iteration over the moves; `tqdm` for a bar.
    """
    height, width = x.shape[2:]
    features = hyperprior.h_s(torch.round(z)).detach()

    # the price of squared error at each pixel, in bits; the mean over three channels is what counts
    padded = (v.shape[2] * LATENT_STRIDE, v.shape[3] * LATENT_STRIDE)
    quality = F.interpolate(blocks, size=padded, mode="nearest")[:, :, :height, :width]
    price = PEAK**2 / 3 * lambda_of(quality)  # (1, 1, H, W)

    def attempt(place: Tensor) -> _Trial:
        # what the decoder would have; the gradient passes its rounding as if there were none
        v = place.detach().requires_grad_()
        v_hat, mean, scale = hyperprior.predict(v, features)
        residual = v - mean

        # what these latents cost; the gradient of the bits passes through the scale alone
        x_hat = synthesise(v_hat)[:, :, :height, :width]
        distortion = (price * (x - x_hat).square()).sum()
        rate = gaussian_bits(torch.round(residual).detach(), scale).sum()
        cost = distortion + rate

        # the rounded residual passes no gradient; in its place stands a constant slope, the change
        # of the bits over one rounding step around the residual
        above = gaussian_bits(residual.detach() + 0.5, scale.detach())
        below = gaussian_bits(residual.detach() - 0.5, scale.detach())
        surrogate = ((above - below) * residual).sum()
        return _Trial(v, v_hat.detach(), cost.detach(), cost + surrogate)

    # look at where the encoder put the latents
    best = attempt(v)
    (slope,) = torch.autograd.grad(best.objective, best.v)
    stride = FIRST_STRIDE

    for _ in progress(range(moves)):
        # go downhill: a whole stride where the slope is steep, less where it is gentle
        step = stride * slope / (slope.abs() + HALF_STRIDE_SLOPE)
        trial = attempt(best.v - step)

        # keep what helps; a cost that is not a number helps nothing
        if trial.cost < best.cost:
            best = trial
            (slope,) = torch.autograd.grad(best.objective, best.v)
            continue
        stride /= 2
        if stride < LEAST_STRIDE:
            break
    return best.v_hat
