"""What people pass to the codec, converted to the form it works with, or rejected.

A picture is accepted where its meaning is certain. Otherwise it is rejected, with its type and its
range in the message: nothing is guessed.

But: it reads no files; `data.py` does.

Taught in chapter 9.
"""

import operator
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from mfca_tutorial import data
from mfca_tutorial.config import MAX_QUALITY
from mfca_tutorial.container import BitstreamError, Header
from mfca_tutorial.pixels import described, pillow_to_rgb, value_range

AnyPicture = Tensor | np.ndarray | Image.Image  # what `as_picture` takes

WANTED = (
    "a picture is an array (H, W, 3) or (H, W) of uint8 or of floats in 0..1, "
    "a tensor (1, 3, H, W) likewise, or a Pillow image"
)
SLACK = 0.5 / 255  # half an 8-bit level: as far as rounding errors may lead out of 0..1


# ---- pictures


@dataclass(frozen=True)
class Picture:
    """A checked picture. Its pixels become floats one window at a time, which saves memory."""

    pixels: np.ndarray | Tensor  # (H, W, 3) or (1, 3, H, W); uint8, or floats in 0..1
    height: int
    width: int

    @property
    def grey(self) -> bool:
        """Whether the three channels are alike."""
        if isinstance(self.pixels, Tensor):
            red, green, blue = self.pixels[0].detach()  # (H, W) each
            return torch.equal(red, green) and torch.equal(red, blue)
        red, green, blue = np.moveaxis(self.pixels, 2, 0)  # (H, W) each
        return np.array_equal(red, green) and np.array_equal(red, blue)

    def window(self, top: int, left: int, height: int, width: int) -> Tensor:
        """A part of the picture, float32 (1, 3, height, width) in 0..1; all in pixels."""
        rows = slice(top, top + height)
        columns = slice(left, left + width)

        # a tensor: whole numbers are 0..255
        if isinstance(self.pixels, Tensor):
            x = self.pixels[..., rows, columns].detach()
            is_whole = x.dtype == torch.uint8
            return x.float() / 255 if is_whole else x.float()

        # an array
        part = self.pixels[rows, columns]  # (height, width, 3)
        if part.dtype == np.uint8:
            return data.to_tensor(part)
        x = torch.from_numpy(part.astype(np.float32))
        return x.permute(2, 0, 1)[None]  # (1, 3, height, width)


def as_picture(x: AnyPicture) -> Picture:
    """Check a picture of any kind that `WANTED` names; (H, W) and (H, W, 1) are grey.

    Of a Pillow image the orientation in its EXIF data is applied, and what is lost on the way to
    8-bit RGB (transparency, 16 bits) is a UserWarning.
    Raises ValueError on everything else, with its type, shape and range: other shapes, empty
    pictures, other whole numbers than uint8, floats outside 0..1, NaN, bool, lists, file names.
    """
    # a Pillow image says itself what its numbers mean
    if isinstance(x, Image.Image):
        upright = ImageOps.exif_transpose(x)
        x, losses = pillow_to_rgb(upright)  # (H, W, 3)
        for loss in losses:
            warnings.warn(loss, stacklevel=6)  # the caller of `Codec.compress`

    if isinstance(x, Tensor):
        # the networks' own order of axes, and one picture at a time
        fits = x.ndim == 4 and x.shape[:2] == (1, 3)
        _check_values(x, fits)
        return Picture(x, *x.shape[2:])

    # a masked array would lose its mask
    if isinstance(x, np.ndarray) and not isinstance(x, np.ma.MaskedArray):
        is_grey = x.ndim == 2 or (x.ndim == 3 and x.shape[2] == 1)
        fits = is_grey or (x.ndim == 3 and x.shape[2] == 3)
        _check_values(x, fits)
        height, width = x.shape[:2]
        if is_grey:
            # three channels that share their memory
            one_channel = x.reshape(height, width, 1)
            x = np.broadcast_to(one_channel, (height, width, 3))
        return Picture(x, height, width)

    raise ValueError(f"{WANTED}; not a {type(x).__name__}")


def _check_values(x: Tensor | np.ndarray, shape_fits: bool) -> None:
    """Raises ValueError unless shape, type and range are those of a picture."""
    if isinstance(x, Tensor):
        is_bytes = x.dtype == torch.uint8
        is_float = x.is_floating_point()
    else:
        is_bytes = x.dtype == np.uint8
        is_float = x.dtype.kind == "f"

    # floats say by their range what they mean; no comparison with NaN is true
    fits = is_bytes
    if is_float:
        lowest, highest = value_range(x)
        fits = lowest >= -SLACK and highest <= 1 + SLACK
    if not (fits and shape_fits and 0 not in x.shape):
        raise ValueError(f"{WANTED}; not {described(x)}")


# ---- everything else


def as_quality(quality: Any) -> float:
    """A quality, rounded to half steps. Raises ValueError unless it is a number in 0..100."""
    try:
        number = float(quality)
    except (TypeError, ValueError):
        number = float("nan")
    if not 0 <= number <= MAX_QUALITY:
        raise ValueError(f"quality must be in 0..{MAX_QUALITY}, not {quality}")
    return round(number * 2) / 2


def as_effort(effort: Any) -> int:
    """A number of moves. Raises ValueError unless it is a whole number >= 0."""
    try:
        moves = operator.index(effort)
    except TypeError:
        moves = -1
    if moves < 0:
        raise ValueError(f"effort must be >= 0 and whole, not {effort}")
    return moves


def as_bytes(file: Any) -> bytes:
    """The bytes of a file. Raises ValueError for anything else, such as a file's name."""
    if isinstance(file, (bytes, bytearray, memoryview)):
        return bytes(file)
    raise ValueError(
        f"the bytes of a .mfca file are wanted, not a {type(file).__name__}; "
        "Path(name).read_bytes() reads them"
    )


def check_size(header: Header, max_pixels: int | None) -> None:
    """Decide, before anything is allocated, whether a file may ask for so large a picture.

    530 bytes can be a valid file of 134 million pixels, which take minutes to decode.

    max_pixels: the most pixels to decode. None for `Image.MAX_IMAGE_PIXELS` (89 million), which is
    where Pillow begins to warn of decompression bombs; there is no limit if that is None, too.
    Pillow goes on up to twice as many. No .mfca file has so many pixels, so that rule would stop
    none of them.
    Raises BitstreamError for a picture that is too large, ValueError for a `max_pixels` below 1.
    """
    if max_pixels is not None and not max_pixels >= 1:
        raise ValueError(f"max_pixels must be at least 1, not {max_pixels}")

    # what Pillow's user may have changed
    limit = Image.MAX_IMAGE_PIXELS if max_pixels is None else max_pixels
    if limit is None:
        return

    pixels = header.width * header.height
    if pixels > limit:
        raise BitstreamError(
            f"the picture has {header.width} x {header.height} = {pixels} pixels, more than the "
            f"limit of {limit}: if you trust the file, raise it (max_pixels, --max-pixels)"
        )
