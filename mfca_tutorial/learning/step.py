"""The parts of a training step that stand alone: the objective, who trains which weight, and the CUDA graph.

Taught in chapter 11.
"""

from collections.abc import Callable, Sequence

import torch
from torch import nn

from mfca_tutorial.codec import Codec
from mfca_tutorial.learning.losses import RateDistortionLoss

MUON_PARTS = ("g_a.", "g_s.")  # Adam has the rest: under Muon the PQF was found dead


class Objective(nn.Module):
    """A codec and its loss as one module, so that DistributedDataParallel can wrap both. Taught in chapter 11."""

    def __init__(self, codec: Codec):
        super().__init__()
        self.codec, self.criterion = codec, RateDistortionLoss()

    def forward(self, x, quality, offsets, noise: bool = True) -> dict:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda, cache_enabled=False):
            out = self.codec(x, quality, offsets, noise)
        return self.criterion(out, x, quality, offsets)


def split_parameters(codec: Codec, muon: bool = True) -> tuple[list, list]:
    """The weights for Muon (kernels of g_a and g_s with 16 or more rows and columns) and those for Adam (the rest).

    Taught in chapter 11."""
    kernels, rest = [], []
    for name, p in codec.named_parameters():
        if name.startswith("importance."):
            continue  # trained last, by `train_head`
        matrix = name.startswith(MUON_PARTS) and p.ndim == 4 and min(p.shape[0], p[0].numel()) >= 16
        (kernels if muon and matrix else rest).append(p)
    return kernels, rest


def capture(update: Callable, batch: Sequence[torch.Tensor]) -> Callable:
    """Record update(*batch) in a CUDA graph, after four ordinary calls; returns what replays it on a new batch.

    A replay starts all kernels of a step at once, so the GPU never waits for Python. Taught in chapter 11."""
    static = [t.clone() for t in batch]
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(4):
            update(*static)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        update(*static)

    def replay(*new: torch.Tensor) -> None:
        for target, value in zip(static, new, strict=True):
            target.copy_(value)
        graph.replay()

    return replay
