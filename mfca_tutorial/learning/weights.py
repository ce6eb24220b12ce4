"""Weights on their way from one run to the next: float16, and not yet rounded to fixed point.

Each run leaves trunk.safetensors: its weights, not averaged, from before its learning rates began
to fall. Another run can continue from there at the full rate. (Use --init, with a --warmup of a few
hundred steps, since Adam starts without momenta.) In this way one long schedule can be spread over
many short visits to a GPU, each of which also leaves a finished model. A run that starts from the
finished model instead spends most of its time undoing the last part of the previous run.

But: finished codecs are not written here; `checkpoint.py` does that.

Taught in chapter 11.
"""

from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from mfca_tutorial.checkpoint import read_checkpoint
from mfca_tutorial.codec import Codec
from mfca_tutorial.whole_files import write_atomic

KIND = "float16 weights of a run"  # in the file's metadata


def save_weights(codec: Codec, file: Path) -> bool:
    """Write the weights of a codec, whole or not at all; return False if they are not finite.

    Half precision is enough: a float16 is within 0.05 % of a weight, and a single training step
    moves the weight further than that.
    """
    halves = {}
    for name, value in codec.state_dict().items():
        # convert a copy: the weights themselves stay in float32
        half = value.detach().half().cpu().contiguous()
        if not half.isfinite().all():
            return False  # keep what was saved before

        halves[name] = half

    metadata = {"kind": KIND, "config": codec.config.to_json()}
    write_atomic(file, save(halves, metadata))
    return True


def read_weights(file: str | Path) -> dict[str, Tensor]:
    """The weights (float32) in a file of `save_weights`, or in a finished checkpoint.

    Raises FileNotFoundError if there is no file, and ValueError if the file is neither.
    """
    # a finished checkpoint: `read_checkpoint` converts its integers; its tables are not needed
    if _kind_of(file) != KIND:
        _, weights, _ = read_checkpoint(file)
        return weights

    # training continues in float32
    halves = load_file(file)
    return {name: half.float() for name, half in halves.items()}


def _kind_of(file: str | Path) -> str:
    """The kind of content that a file's metadata name; "" if it is not a safetensors file."""
    # if the file cannot be opened, `read_checkpoint` will report it
    try:
        with safe_open(str(file), "pt") as opened:
            metadata = opened.metadata() or {}
    except (OSError, SafetensorError):
        return ""
    return metadata.get("kind", "")
