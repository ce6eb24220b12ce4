"""Sizes that do not fit: padding to the network's stride, and overlapping tiles faded into one another.

Taught in chapter 9.
"""

from collections.abc import Iterable

import torch
import torch.nn.functional as F

from mfca_tutorial.config import STRIDE


def pad_to_stride(x: torch.Tensor) -> torch.Tensor:
    """(B, 3, H, W) -> (B, 3, H', W'), sides rounded up to multiples of 64 by repeating the last row and column.

    Taught in chapter 9."""
    height, width = x.shape[2:]
    return F.pad(x, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")


def _ramp(length: int, before: int, after: int) -> torch.Tensor:
    """(length,): 1, but rising over the first `before` samples and falling over the last `after`."""
    position = torch.arange(length, dtype=torch.float32)
    rise = (position + 0.5) / before if before else torch.ones(length)
    fall = (length - position - 0.5) / after if after else torch.ones(length)
    return torch.minimum(rise, fall).clamp(max=1.0)


def blend(pieces: Iterable[torch.Tensor], grid: list[tuple[int, int, int, int]], height: int,
          width: int) -> torch.Tensor:
    """Tiles (1, 3, h, w) at (top, left, h, w) -> one image (1, 3, height, width), a linear fade where tiles overlap.

    Taught in chapter 9."""
    if len(grid) == 1:
        return next(iter(pieces))
    tops, lefts = sorted({tile[0] for tile in grid}), sorted({tile[1] for tile in grid})
    ends_y = {top: top + h for top, _, h, _ in grid}
    ends_x = {left: left + w for _, left, _, w in grid}
    total, weight = torch.zeros(1, 3, height, width), torch.zeros(1, 1, height, width)
    for piece, (top, left, h, w) in zip(pieces, grid, strict=True):
        fade = _ramp(h, *_overlaps(tops, ends_y, top))[:, None] * _ramp(w, *_overlaps(lefts, ends_x, left))[None]
        total[:, :, top:top + h, left:left + w] += piece * fade
        weight[:, :, top:top + h, left:left + w] += fade
    return total / weight


def _overlaps(starts: list[int], ends: dict[int, int], start: int) -> tuple[int, int]:
    """How many samples a tile shares with the one before it and the one after it."""
    i = starts.index(start)
    before = ends[starts[i - 1]] - start if i else 0
    after = ends[start] - starts[i + 1] if i + 1 < len(starts) else 0
    return before, after
