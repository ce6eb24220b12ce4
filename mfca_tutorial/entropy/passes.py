"""The order in which the latents are coded: which of the context passes each one belongs to.

All latents of a pass are coded at once, from what the passes before it brought. But: nothing is
predicted here; `hyperprior.py` does that.

Taught in chapter 8.
"""

from functools import lru_cache

import torch
from torch import Tensor

# One row per channel group, one column per position in a 2x2 square (row-major): the pass in which
# the group is coded there. At every position each pass codes one group, so every pass touches every
# position, and codes each group at one of the four. Source: Li et al. 2023 (DCVC-DC).
QUADTREE = (
    (0, 1, 2, 3),
    (3, 2, 1, 0),
    (2, 3, 0, 1),
    (1, 0, 3, 2),
)


@lru_cache(maxsize=32)  # a CUDA graph cannot copy from the CPU, so the copy must be there already
def pass_of_latent(
    channels: int,
    height: int,
    width: int,
    passes: int,
    device: torch.device | str = "cpu",
) -> Tensor:
    """The pass, 0..passes - 1, in which each latent is coded: uint8 (C, h, w).

    Args:
      channels: C; a multiple of 4 where there are four passes.
      height: h, in latents.
      width: w, in latents.
      passes: 1; 2 for a checkerboard; 4 for `QUADTREE`. Raises ValueError for anything else.
      device: where the result is wanted.
    """
    # the position of each latent in its 2x2 square
    row = torch.arange(height) % 2
    column = torch.arange(width) % 2
    row = row[:, None]  # (h, 1)
    column = column[None]  # (1, w)

    if passes == 1:
        turn = torch.zeros(channels, height, width)
    elif passes == 2:
        checkerboard = (row + column) % 2  # (h, w)
        turn = checkerboard.expand(channels, -1, -1)  # (C, h, w)
    elif passes == 4:
        position = 2 * row + column  # (h, w), 0..3
        pattern = torch.tensor(QUADTREE)  # (4, 4)
        turn_of_group = pattern[:, position]  # (4, h, w)
        turn = turn_of_group.repeat_interleave(channels // 4, 0)  # (C, h, w)
    else:
        raise ValueError(f"context passes must be 1, 2 or 4, not {passes}")
    return turn.to(device, torch.uint8)
