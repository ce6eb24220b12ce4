"""`mfca train` as the command line calls it: one process, or one of several.

But: what a run does is in `trainer.py`.

Taught in chapter 11.
"""

import argparse
import os
from pathlib import Path

import torch
import torch.distributed as dist

from mfca_tutorial.interrupts import Interrupted
from mfca_tutorial.learning.crops import read_photographs
from mfca_tutorial.learning.recipe import from_arguments
from mfca_tutorial.learning.trainer import Trainer


def main(args: argparse.Namespace) -> None:
    """Run `mfca train`. Raises ImageError, ValueError or OSError, of one line, on bad input."""
    recipe = from_arguments(args)

    # one of several processes, started by torchrun
    processes = int(os.environ.get("WORLD_SIZE", 1))
    if processes > 1:
        backend = "nccl" if torch.cuda.is_available() else "gloo"
        dist.init_process_group(backend)

    # on a GPU: float32 products with a mantissa of ten bits, and convolutions timed for the fastest
    if torch.cuda.is_available():
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True

    photographs = read_photographs(recipe.source)
    try:
        Trainer(recipe, photographs).run()
    except Interrupted as stop:
        # a run that has saved its state can go on, in whichever part of it this happened
        if (Path(recipe.out) / "state.pt").exists():
            raise Interrupted(stop.number, "the same command with --resume goes on") from None
        raise
    if dist.is_initialized():
        dist.destroy_process_group()
