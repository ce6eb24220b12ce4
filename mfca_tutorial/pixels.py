"""Every kind of picture as 8-bit RGB, and what is lost in the conversion.

But: it converts only pixels that are already in memory. Files are read in `data.py`.

Taught in chapter 0.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Pixels = NDArray[np.uint8]  # (H, W, 3), unless stated otherwise

SIXTEEN_BIT_MODES = ("I;16", "I;16B", "I;16L", "I")  # Pillow's names


def as_rgb(array: ArrayLike) -> Pixels:
    """uint8 (H, W[, 3]), or float (H, W[, 3]) in 0..1, -> uint8 (H, W, 3).

    Floats are clipped and rounded. A grey picture is repeated three times. If there is a fourth
    channel, alpha, it is dropped.
    """
    pixels = np.asarray(array)

    # floats become whole numbers
    if pixels.dtype != np.uint8:
        scaled = 255 * np.clip(pixels, 0, 1)
        pixels = (scaled + 0.5).astype(np.uint8)

    # grey becomes three equal channels
    if pixels.ndim == 2:
        pixels = pixels[..., None]  # (H, W, 1)
        pixels = np.repeat(pixels, 3, axis=2)  # (H, W, 3)
    return pixels[..., :3]


def value_range(values: Any) -> tuple[float, float]:
    """The lowest and the highest value of an array or a tensor; two NaN where there are none.

    Example: value_range(np.eye(2)) -> (0.0, 1.0). One NaN among the values makes both NaN.
    """
    try:
        return float(values.min().item()), float(values.max().item())
    except (AttributeError, RuntimeError, TypeError, ValueError):
        # there are no values, or none that can be compared
        return float("nan"), float("nan")


def described(values: Any) -> str:
    """Type, shape and range of an array or a tensor, for a message.

    Example: described(np.eye(2)) -> "float64 (2, 2) with values 0..1".
    """
    kind = str(values.dtype).removeprefix("torch.")
    found = f"{kind} {tuple(values.shape)}"
    if 0 in values.shape:
        return found
    lowest, highest = value_range(values)
    return f"{found} with values {lowest:g}..{highest:g}"


def pillow_to_rgb(image: Image.Image) -> tuple[Pixels, list[str]]:
    """A Pillow image of any mode -> (uint8 (H, W, 3), notices of what was lost)."""
    # more than 8 bits per pixel
    if image.mode in SIXTEEN_BIT_MODES:
        grey = _eight_of_sixteen_bits(image)  # (H, W)
        return as_rgb(grey), ["16-bit grey rounded to 8 bits"]
    if image.mode == "F":
        grey, scale = _eight_bits_of_float(image)
        return as_rgb(grey), [f"floating point times {scale:g} rounded to 8 bits"]

    # an alpha channel, or a palette with transparent colours
    if image.has_transparency_data:
        rgb, was_transparent = _over_white(image)
        if was_transparent:
            return rgb, ["transparent pixels composited over white"]
        return rgb, []

    # everything else is 8 bits already, and Pillow knows how to convert it
    return np.array(image.convert("RGB")), []


def _eight_of_sixteen_bits(image: Image.Image) -> Pixels:
    """A grey image of integers 0..65535 -> uint8 (H, W), rounded; other values are clipped."""
    grey = np.asarray(image).astype(np.int64)
    grey = np.clip(grey, 0, 65535)

    # 65535 / 255 = 257; half of 257 is added, so the division rounds to the nearest
    rounded = (grey + 128) // 257
    return rounded.astype(np.uint8)


def _eight_bits_of_float(image: Image.Image) -> tuple[Pixels, float]:
    """A grey image of floats -> (uint8 (H, W), the factor that the values were multiplied by)."""
    grey = np.asarray(image, dtype=np.float64)
    grey = np.nan_to_num(grey)

    # if no value exceeds 1, take the range to be 0..1, otherwise 0..255
    if grey.max() <= 1:
        scale = 255.0
    else:
        scale = 1.0

    rounded = np.rint(grey * scale)
    rounded = np.clip(rounded, 0, 255)
    return rounded.astype(np.uint8), scale


def _over_white(image: Image.Image) -> tuple[Pixels, bool]:
    """A picture with alpha -> (uint8 (H, W, 3) over white, whether any pixel was transparent)."""
    rgba = np.asarray(image.convert("RGBA"))  # (H, W, 4)
    rgba = rgba.astype(np.uint32)  # leave room for products
    rgb = rgba[..., :3]  # (H, W, 3)
    alpha = rgba[..., 3:]  # (H, W, 1), 255 = opaque

    # the mean of colour and white, weighted by alpha; adding 127 rounds to the nearest
    white = 255 * (255 - alpha)
    flat = (rgb * alpha + white + 127) // 255

    was_transparent = bool((alpha < 255).any())
    return flat.astype(np.uint8), was_transparent
