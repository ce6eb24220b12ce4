"""A small codec and a short training, for tests that need any codec or any training."""

from dataclasses import replace

import torch

from mfca_tutorial.codec import Codec
from mfca_tutorial.config import TINY
from mfca_tutorial.learning.recipe import Recipe


def lively_codec():
    """An untrained tiny codec, frozen, whose latents span a few steps instead of being all zero."""
    torch.manual_seed(0)
    codec = Codec(TINY)
    with torch.no_grad():
        codec.g_a.down3.weight.mul_(60)
    return codec.freeze()


def recipe(out, **changes):
    """A training of a few steps on the CPU, written to the folder `out`."""
    small = Recipe(
        "-",
        out=str(out),
        preset="tiny",
        steps=20,
        batch=1,
        crop=192,
        warmup=5,
        head_steps=1,
        held_out=2,
        device="cpu",
    )
    return replace(small, **changes)
