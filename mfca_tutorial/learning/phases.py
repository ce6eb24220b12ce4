"""The phases of a run. Within a phase every step does the same, so one CUDA graph can hold it.

A run trains with squared error alone, then with a share of MS-SSIM, and then, if asked for, the
decoder alone.

But: the learning rates are not part of a phase. They change from step to step, and a graph reads
them from a tensor.

Taught in chapter 11.
"""

from dataclasses import dataclass

from mfca_tutorial.learning.recipe import Recipe


@dataclass(frozen=True)
class Phase:
    """What a step does, starting at a certain share of the budget."""

    start: float  # share of the budget, 0..1
    ms_ssim: float  # share of MS-SSIM in the distortion, 0..1
    finetune: bool  # whether the encoder is frozen and the bits are those of rounded latents


def phases_of(recipe: Recipe) -> list[Phase]:
    """The phases that a recipe asks for, in order; the first starts at 0.

    Example: ms_ssim=0.2, ms_ssim_from=0.7, finetune_share=0.1 make phases from 0, 0.7 and 0.9.
    """
    # squared error alone, from the start
    starts = {0.0}
    if recipe.ms_ssim:
        starts.add(recipe.ms_ssim_from)

    # the last part of the budget; a start of 1 would come after the last step
    finetune_from = 1 - recipe.finetune_share
    if recipe.finetune_share:
        starts.add(finetune_from)

    # one phase from each of these starts to the next
    phases = []
    for start in sorted(starts):
        with_ms_ssim = start >= recipe.ms_ssim_from
        phase = Phase(
            start,
            ms_ssim=recipe.ms_ssim if with_ms_ssim else 0.0,
            finetune=start >= finetune_from,
        )
        phases.append(phase)
    return phases
