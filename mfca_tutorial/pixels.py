"""Every kind of picture as 8-bit RGB, and what is lost on the way.

It converts pixels that are already in memory; files are read in `data.py`.

Taught in chapter 0.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Pixels = NDArray[np.uint8]  # (H, W, 3), where nothing else is said

SIXTEEN_BIT_MODES = ("I;16", "I;16B", "I;16L", "I")  # Pillow's names


def as_rgb(array: ArrayLike) -> Pixels:
    """uint8 (H, W[, 3]), or float (H, W[, 3]) in 0..1, -> uint8 (H, W, 3).

    Floats are clipped and rounded, a grey picture is repeated three times, and of four channels
    the fourth, alpha, is dropped.
    """
    pixels = np.asarray(array)

    # floats become whole numbers
    if pixels.dtype != np.uint8:
        scaled = 255 * np.clip(pixels, 0, 1)
        pixels = (scaled + 0.5).astype(np.uint8)

    # grey becomes three equal colours
    if pixels.ndim == 2:
        pixels = pixels[..., None]  # (H, W, 1)
        pixels = np.repeat(pixels, 3, axis=2)  # (H, W, 3)
    return pixels[..., :3]


def pillow_to_rgb(image: Image.Image) -> tuple[Pixels, list[str]]:
    """A Pillow image of any mode -> (uint8 (H, W, 3), notices of what was lost on the way)."""
    # more than 8 bits per pixel
    if image.mode in SIXTEEN_BIT_MODES:
        grey = _eight_of_sixteen_bits(image)  # (H, W)
        return as_rgb(grey), ["16-bit grey rounded to 8 bits"]
    if image.mode == "F":
        grey, scale = _eight_bits_of_float(image)
        return as_rgb(grey), [f"floating point times {scale:g} rounded to 8 bits"]

    # an alpha channel, or a colour of the palette that is transparent
    if image.has_transparency_data:
        rgb, was_transparent = _over_white(image)
        if was_transparent:
            return rgb, ["transparent pixels composited over white"]
        return rgb, []

    # everything else is 8 bits already, and Pillow knows how to convert it
    return np.array(image.convert("RGB")), []


def _eight_of_sixteen_bits(image: Image.Image) -> Pixels:
    """A grey image of integers 0..65535 -> uint8 (H, W), rounded; values outside are clipped."""
    grey = np.asarray(image).astype(np.int64)
    grey = np.clip(grey, 0, 65535)

    # 65535 / 255 = 257, and half of it is added to round to the nearest
    rounded = (grey + 128) // 257
    return rounded.astype(np.uint8)


def _eight_bits_of_float(image: Image.Image) -> tuple[Pixels, float]:
    """A grey image of floats -> (uint8 (H, W), the factor), by the range that it seems to have."""
    grey = np.asarray(image, dtype=np.float64)
    grey = np.nan_to_num(grey)

    # if nothing exceeds 1, the range is taken to be 0..1, otherwise 0..255
    if grey.max() <= 1:
        scale = 255.0
    else:
        scale = 1.0

    rounded = np.rint(grey * scale)
    rounded = np.clip(rounded, 0, 255)
    return rounded.astype(np.uint8), scale


def _over_white(image: Image.Image) -> tuple[Pixels, bool]:
    """A picture with an alpha channel -> (uint8 (H, W, 3) over white, was any transparent?)."""
    rgba = np.asarray(image.convert("RGBA"))  # (H, W, 4)
    rgba = rgba.astype(np.uint32)  # room for products
    rgb = rgba[..., :3]  # (H, W, 3)
    alpha = rgba[..., 3:]  # (H, W, 1), 255 = opaque

    # the mean of colour and white, weighted by alpha; + 127 rounds to the nearest
    white = 255 * (255 - alpha)
    flat = (rgb * alpha + white + 127) // 255

    was_transparent = bool((alpha < 255).any())
    return flat.astype(np.uint8), was_transparent
