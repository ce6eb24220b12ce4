"""Weights on their way from one run to the next: float16, and not yet rounded to fixed point.

`checkpoint.py` writes finished codecs; here a run hands on one that is still learning. Each run
leaves trunk.safetensors: its weights, not averaged, from before its learning rates began to fall.
Another run can go on from there at the full rate (--init, with a --warmup of some hundred steps,
since Adam's memory is empty). So one long schedule can be spread over many short visits to a GPU,
each of which leaves a finished model too. Begun from the finished one instead, a run spends most of
its time undoing the end of the last.

Taught in chapter 11.
"""

import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from mfca_tutorial.checkpoint import read_checkpoint
from mfca_tutorial.codec import Codec

KIND = "float16 weights of a run"  # in the file's metadata


def save_weights(codec: Codec, file: Path) -> bool:
    """Write the weights of a codec, whole or not at all; False where they are not finite.

    Half precision is enough: a float16 is within 0.05 % of a weight, a step of training moves it
    further.
    """
    halves = {}
    for name, value in codec.state_dict().items():
        # a copy: the weights themselves go on in float32
        half = value.detach().half().cpu().contiguous()
        if not half.isfinite().all():
            return False  # what was saved before is better

        halves[name] = half

    # under another name first, so that nobody reads half a file
    unfinished = file.with_suffix(".tmp")
    metadata = {"kind": KIND, "config": codec.config.to_json()}
    save_file(halves, unfinished, metadata)
    os.replace(unfinished, file)
    return True


def read_weights(file: str | Path) -> dict[str, torch.Tensor]:
    """The weights (float32) in a file of `save_weights`, or in a finished checkpoint.

    Raises FileNotFoundError where there is no file, ValueError where it is neither.
    """
    # a finished checkpoint: its exact parts are integers, its tables are not needed
    if _kind_of(file) != KIND:
        _, weights, _ = read_checkpoint(file)
        return weights

    # training goes on in float32
    halves = load_file(file)
    return {name: half.float() for name, half in halves.items()}


def _kind_of(file: str | Path) -> str:
    """What a file's metadata say that it holds; nothing if it is no safetensors file."""
    # whatever cannot be opened is for `read_checkpoint` to complain about
    try:
        with safe_open(str(file), "pt") as opened:
            metadata = opened.metadata() or {}
    except (OSError, SafetensorError):
        return ""
    return metadata.get("kind", "")
