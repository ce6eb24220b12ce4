"""A codec's weights as one safetensors file: float16 where rounding is harmless, integers where it is not.

What the decoder must compute exactly is stored as the fixed-point integers it is (int16 = weight * 2^12, int32 =
bias * 2^20); the coding tables are integers too. The configuration is in the file's metadata, and the first eight bytes
of the file's sha256 are the model id that every `.mfca` file names.

Taught in chapter 9.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import save_file

from mfca_tutorial.config import CodecConfig
from mfca_tutorial.entropy.exact import BIAS_UNIT, WEIGHT_UNIT
from mfca_tutorial.entropy.latents import Tables
from mfca_tutorial.entropy.tables import gaussian_tables, tables_from_array, tables_to_array

EXACT = ("hyperprior.h_s.", "hyperprior.adapters.", "hyperprior.trunk.")  # stored as integers
FULL = ("gains.", "hyperprior.prior.")  # stored as float32
Z_TABLES = "tables.z."


def model_id(path) -> bytes:
    """The eight bytes by which a `.mfca` file names its model. Taught in chapter 9."""
    return hashlib.sha256(Path(path).read_bytes()).digest()[:8]


def _pack(name: str, value: torch.Tensor) -> torch.Tensor:
    value = value.detach().cpu().contiguous()
    if name.startswith(EXACT):
        integer, unit = (torch.int16, WEIGHT_UNIT) if name.endswith("weight") else (torch.int32, BIAS_UNIT)
        return torch.round(value.double() / unit).to(integer)
    return value.float() if name.startswith(FULL) else value.half()


def _unpack(name: str, value: np.ndarray) -> torch.Tensor:
    if name.startswith(EXACT):
        value = value * (WEIGHT_UNIT if name.endswith("weight") else BIAS_UNIT)
    return torch.from_numpy(value.astype(np.float32))


def save_checkpoint(codec, path, notes: dict[str, str] | None = None) -> None:
    """Write a frozen codec. `notes` (say, data and minutes) go into the metadata beside the configuration.

    Taught in chapter 9."""
    tensors = {name: _pack(name, value) for name, value in codec.state_dict().items()}
    tensors |= {Z_TABLES + part: torch.from_numpy(vector) for part, vector in tables_to_array(codec.tables.z).items()}
    save_file(tensors, str(path), metadata={"config": codec.config.to_json(), **(notes or {})})


def read_checkpoint(path) -> tuple[CodecConfig, dict[str, torch.Tensor], Tables]:
    """Configuration, state dictionary (float32) and coding tables of a file that `save_checkpoint` wrote.

    Raises FileNotFoundError, or ValueError for a file that is no checkpoint of this package. Taught in chapter 9."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"no checkpoint at {path}")
    try:
        with safe_open(str(path), "np") as file:
            config = CodecConfig.from_json(file.metadata()["config"])
        arrays = load_arrays(str(path))
    except Exception as error:
        raise ValueError(f"{path} is not an mfca checkpoint ({error})") from error
    vectors = {name.removeprefix(Z_TABLES): arrays.pop(name) for name in list(arrays) if name.startswith(Z_TABLES)}
    tables = Tables(gaussian_tables(), tables_from_array(vectors))
    return config, {name: _unpack(name, value) for name, value in arrays.items()}, tables
