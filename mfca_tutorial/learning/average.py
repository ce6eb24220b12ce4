"""The weights that are shipped: a running average of the trained ones, smoother than any of them.

`torch.optim.swa_utils.AveragedModel` also computes an average, but it takes in any weights, even
when they are not finite. Here such weights are left out, so there is always a sound state to return
to.

Taught in chapter 11.
"""

import torch
from torch import nn

EVERY = 10  # training steps between two updates of the average
DECAY = 0.99  # the share of the average that an update keeps: a memory of about 1000 steps


@torch.no_grad()
def follow(
    average: nn.Module,
    model: nn.Module,
    count: int,
) -> None:
    """Move an average a little towards a finite model, buffers included; otherwise leave it alone.

    Nothing here waits for the GPU.

    Args:
        average: a copy of the model, changed in place.
        model: the model that the average follows.
        count: the number of this update, from 1. The first updates keep less of the average (2/11,
            3/12, ...), so that the weights at the beginning of the run are soon forgotten.
    """
    decay = (1 + count) / (10 + count)
    decay = min(decay, DECAY)

    # one step towards the weights
    old_values = list(average.state_dict().values())
    weights = list(model.state_dict().values())
    new_values = torch._foreach_lerp(old_values, weights, 1 - decay)

    # One flag for the whole model. It stays on the device: reading it would make Python wait.
    norms = torch._foreach_norm(weights)
    finite = torch.stack(norms).isfinite().all()

    # NaN times 0 is NaN, so a new value must be selected, not weighted by 0 or 1.
    for old, new in zip(old_values, new_values, strict=True):
        chosen = torch.where(finite, new, old)
        old.copy_(chosen)
