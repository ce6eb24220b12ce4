"""Muon: momentum, then the nearest orthogonal matrix, as the step of every convolution kernel.

Plain gradient steps follow a few strong directions; an orthogonal step moves all directions of a weight matrix alike.
It is for matrices only: biases, gains and the probability model stay with Adam.

Taught in chapter 11.
"""

import math

import torch
import torch.nn.functional as F

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic; steep at zero, so that five rounds suffice
ROUNDS = 5


def orthogonalise(matrices: torch.Tensor) -> torch.Tensor:
    """(N, a, b) -> (N, a, b): singular values pushed to about 1 by five Newton-Schulz rounds in bfloat16.

    Source: Jordan et al. 2024. Taught in chapter 11.
    """
    a, b, c = COEFFICIENTS
    x = matrices.bfloat16()
    tall = x.shape[1] > x.shape[2]
    x = x.mT if tall else x  # (N, small, large)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        gram = x @ x.mT  # (N, small, small)
        polynomial = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)  # b gram + c gram gram
        x = torch.baddbmm(x, polynomial, x, beta=a)  # a x + polynomial x
    return (x.mT if tall else x).to(matrices.dtype)


class Muon(torch.optim.Optimizer):
    """Muon for weights of two or more axes, each seen as a matrix (first axis, others); similar shapes share a batch.

    lr: a float or a tensor (a tensor can change inside a captured CUDA graph); a step's root mean square is 0.2 lr,
    as Adam's roughly is. Source: Jordan et al. 2024; scale of Liu et al. 2025. Taught in chapter 11.
    """

    def __init__(self, params, lr=2e-3, momentum: float = 0.95):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            weights = [p for p in group["params"] if p.grad is not None]
            gradients = [p.grad for p in weights]
            for p in weights:
                if not self.state[p]:
                    self.state[p]["momentum"] = torch.zeros_like(p)
            momenta = [self.state[p]["momentum"] for p in weights]
            torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
            updates = torch._foreach_lerp(gradients, momenta, group["momentum"])  # Nesterov
            batches = {}
            for p, update in zip(weights, updates, strict=True):
                batches.setdefault(_padded(p.shape[0], p[0].numel()), []).append((p, update.flatten(1)))
            for (rows, columns), members in batches.items():
                padded = [F.pad(u, (0, columns - u.shape[1], 0, rows - u.shape[0])) for _, u in members]
                steps = orthogonalise(torch.stack(padded))  # (N, rows, columns); zeros stay zeros
                steps = [s[:u.shape[0], :u.shape[1]].reshape(p.shape) * (-0.2 * math.sqrt(max(u.shape)))
                         for (p, u), s in zip(members, steps, strict=True)]
                torch._foreach_mul_(steps, group["lr"])
                torch._foreach_add_([p for p, _ in members], steps)


def _padded(rows: int, columns: int) -> tuple[int, int]:
    """Sides rounded up to powers of four and two: a few large batches instead of one for every shape."""
    return 4 ** math.ceil(math.log(rows, 4) - 1e-9), 2 ** math.ceil(math.log2(columns))
