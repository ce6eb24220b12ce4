"""What people hand to the codec, made into the one form in which it works, or refused.

But: it reads no files (`data.py` does).

Taught in chapter 9.
"""

import numpy as np
from torch import Tensor

from mfca_tutorial import data


def as_picture(x: Tensor | np.ndarray) -> Tensor:
    """float (1, 3, H, W) in 0..1 or uint8 (H, W, 3) -> float (1, 3, H, W).

    Raises ValueError on other shapes, on empty pictures, on NaN and on infinities.
    """
    if isinstance(x, np.ndarray):
        x = data.to_tensor(x)
    usable = x.ndim == 4 and x.shape[:2] == (1, 3) and x.numel() > 0
    if not usable or not x.isfinite().all():
        raise ValueError(
            f"an image is finite and (1, 3, H, W) or uint8 (H, W, 3), not {tuple(x.shape)}"
        )
    return x
