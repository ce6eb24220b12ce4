"""The weights that are shipped: a running average of the trained ones, smoother than any of them.

`torch.optim.swa_utils.AveragedModel` averages too, but takes whatever the weights are; here a step
that went wrong is left out, so that there is always something sound to go back to.

Taught in chapter 11.
"""

import torch
from torch import nn

EVERY = 10  # steps between two updates of the average
DECAY = 0.99  # how much of the average an update keeps: it remembers about 100 updates, 1000 steps


@torch.no_grad()
def follow(
    average: nn.Module,
    model: nn.Module,
    count: int,
) -> None:
    """Move an average a little towards a model, buffers too; not at all if the model is not finite.

    Nothing here waits for the GPU.

    Args:
        average: a copy of the model, changed in place.
        model: what it follows.
        count: number of this update, from 1. The first ones keep less (2/11, 3/12, ...), so that
            the weights that a run began with are soon forgotten.
    """
    decay = (1 + count) / (10 + count)
    decay = min(decay, DECAY)

    # one step towards the weights
    old_values = list(average.state_dict().values())
    weights = list(model.state_dict().values())
    new_values = torch._foreach_lerp(old_values, weights, 1 - decay)

    # One flag for the whole model. It stays on the device: asking for it would make Python wait.
    norms = torch._foreach_norm(weights)
    finite = torch.stack(norms).isfinite().all()

    # NaN times 0 is NaN, so the new value has to be chosen, not weighted.
    for old, new in zip(old_values, new_values, strict=True):
        chosen = torch.where(finite, new, old)
        old.copy_(chosen)
