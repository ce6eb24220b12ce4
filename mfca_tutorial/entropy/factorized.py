"""The factorised prior: a learned density for each channel of z, the same at every position.

Taught in chapter 7.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class FactorizedPrior(nn.Module):
    """A monotone little network a channel, whose sigmoid is the cumulative distribution of that channel.

    Layer k: x -> softplus(H_k) x + b_k, then x + tanh(a_k) tanh(x); every step increases, so the whole does.
    Source: Balle et al. 2018, appendix 6.1. Taught in chapter 7.
    """

    def __init__(self, channels: int, widths: tuple[int, ...] = (3, 3, 3), spread: float = 10.0):
        super().__init__()
        sizes = (1, *widths, 1)
        scale = spread ** (1 / (len(sizes) - 1))
        self.matrices, self.biases, self.factors = nn.ParameterList(), nn.ParameterList(), nn.ParameterList()
        for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            self.matrices.append(nn.Parameter(torch.full((channels, b, a), math.log(math.expm1(1 / scale / b)))))
            self.biases.append(nn.Parameter(torch.empty(channels, b, 1).uniform_(-0.5, 0.5)))
            if i < len(widths):
                self.factors.append(nn.Parameter(torch.zeros(channels, b, 1)))

    def logits(self, values: torch.Tensor) -> torch.Tensor:
        """(C, 1, N) -> (C, 1, N): the inverse sigmoid of the cumulative distribution. Taught in chapter 7."""
        x = values
        for i, (matrix, bias) in enumerate(zip(self.matrices, self.biases, strict=True)):
            x = torch.matmul(F.softplus(matrix), x) + bias  # (C, width, N)
            if i < len(self.factors):
                x = x + torch.tanh(self.factors[i]) * torch.tanh(x)
        return x

    def likelihoods(self, values: torch.Tensor) -> torch.Tensor:
        """(C, 1, N) -> (C, 1, N): the mass of [value - 1/2, value + 1/2], at least 1e-9. Taught in chapter 7."""
        low, high = self.logits(values - 0.5), self.logits(values + 0.5)
        sign = -torch.sign(low + high).detach()  # subtract in the tail where sigmoid is small, not near 1
        return (torch.sigmoid(sign * high) - torch.sigmoid(sign * low)).abs().clamp_min(1e-9)

    def bits(self, z: torch.Tensor) -> torch.Tensor:
        """(B, C, h, w) -> (B, C, h, w), the estimated bits of each element. Taught in chapter 7."""
        flat = z.transpose(0, 1).flatten(1)[:, None]  # (C, 1, B h w)
        bits = -torch.log2(self.likelihoods(flat))
        return bits.reshape(z.shape[1], z.shape[0], *z.shape[2:]).transpose(0, 1)

    @torch.no_grad()
    def pmfs(self, reach: int = 64) -> list[tuple[np.ndarray, int]]:
        """For each channel the masses of the integers of its support, and the first of them.

        The support is -reach..reach less the ends that together hold under 1e-6. Taught in chapter 7.
        """
        prior = FactorizedPrior(self.matrices[0].shape[0]).double()
        prior.load_state_dict(self.state_dict())  # a copy in float64, on the CPU
        grid = torch.arange(-reach, reach + 1, dtype=torch.float64)
        masses = prior.likelihoods(grid.expand(self.matrices[0].shape[0], 1, -1))[:, 0].numpy()  # (C, 2 reach + 1)
        trimmed = []
        for row in masses:
            kept = np.flatnonzero((np.cumsum(row) > 5e-7) & (np.cumsum(row[::-1])[::-1] > 5e-7))
            trimmed.append((row[kept[0]:kept[-1] + 1], int(kept[0]) - reach))
        return trimmed
