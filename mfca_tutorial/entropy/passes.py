"""The order in which latents are coded: to which of the context passes each latent belongs.

All latents of a pass are coded at once, based on what the earlier passes have decoded.

But: nothing is predicted here; `hyperprior.py` does that.

Taught in chapter 8.
"""

from functools import lru_cache

import torch
from torch import Tensor

# The pass in which a channel group is coded at a position. There is one row per group and one
# column per position in a 2x2 square (row-major). Each pass codes exactly one group at every
# position, and each group at exactly one of the four. Source: Li et al. 2023 (DCVC-DC).
QUADTREE = (
    (0, 1, 2, 3),
    (3, 2, 1, 0),
    (2, 3, 0, 1),
    (1, 0, 3, 2),
)


@lru_cache(maxsize=32)  # a CUDA graph cannot copy from the CPU, so keep the copy on the device
def pass_of_latent(
    channels: int,
    height: int,
    width: int,
    passes: int,
    device: torch.device | str = "cpu",
) -> Tensor:
    """The pass, 0..passes - 1, in which each latent is coded: uint8 (C, h, w).

    Args:
      channels: C; a multiple of 4 if there are four passes.
      height: h, in latents.
      width: w, in latents.
      passes: 1; 2 for a checkerboard; 4 for `QUADTREE`. Raises ValueError for anything else.
      device: where to put the result.
    """
    # the position of each latent within its 2x2 square
    row = torch.arange(height, device="cpu") % 2
    column = torch.arange(width, device="cpu") % 2
    row = row[:, None]  # (h, 1)
    column = column[None]  # (1, w)

    if passes == 1:
        turn = torch.zeros(channels, height, width, device="cpu")
    elif passes == 2:
        checkerboard = (row + column) % 2  # (h, w)
        turn = checkerboard.expand(channels, -1, -1)  # (C, h, w)
    elif passes == 4:
        position = 2 * row + column  # (h, w), 0..3
        pattern = torch.tensor(QUADTREE, device="cpu")  # (4, 4)
        turn_of_group = pattern[:, position]  # (4, h, w)
        turn = turn_of_group.repeat_interleave(channels // 4, 0)  # (C, h, w)
    else:
        raise ValueError(f"context passes must be 1, 2 or 4, not {passes}")
    return turn.to(device, torch.uint8)


@lru_cache(
    maxsize=4
)  # finding them takes 3 % of a decoding; the tiles of a picture have few shapes
def places_of_passes(
    channels: int,
    height: int,
    width: int,
    passes: int,
    device: torch.device | str = "cpu",
) -> tuple[Tensor, ...]:
    """For each pass, the places of its latents in the flattened (C, h, w), in ascending order.

    The arguments are those of `pass_of_latent`.
    """
    turn = pass_of_latent(channels, height, width, passes, device).flatten()
    return tuple((turn == p).nonzero().flatten() for p in range(passes))
