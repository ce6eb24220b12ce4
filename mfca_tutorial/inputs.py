"""The pictures that people pass to the codec, converted to the form it works with, or rejected.

But: it reads no files; `data.py` does.

Taught in chapter 9.
"""

import numpy as np
from torch import Tensor

from mfca_tutorial import data


def as_picture(x: Tensor | np.ndarray) -> Tensor:
    """float (1, 3, H, W) in 0..1 or uint8 (H, W, 3) -> float (1, 3, H, W).

    Raises ValueError for other shapes, empty pictures, NaN and infinities.
    """
    if isinstance(x, np.ndarray):
        x = data.to_tensor(x)
    usable = x.ndim == 4 and x.shape[:2] == (1, 3) and x.numel() > 0
    if not usable or not x.isfinite().all():
        raise ValueError(
            f"an image must be finite, and (1, 3, H, W) or uint8 (H, W, 3), not {tuple(x.shape)}"
        )
    return x
