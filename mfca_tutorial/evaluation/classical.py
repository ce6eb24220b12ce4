"""JPEG, JPEG 2000, WebP and AVIF through Pillow, each at its honest best: one call, real bytes.

The settings matter: Pillow's JPEG 2000 has no colour transform unless `mct=1`, and JPEG loses 12 % of its bytes
without `optimize`. Taught in chapter 12.
"""

import io

import numpy as np
from PIL import Image


def _checked(setting, low, high):
    if not low <= setting <= high:
        raise ValueError(f"setting {setting:g} is not in {low}..{high}")
    return setting


def _save(array, **options):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, **options)
    return buffer.getvalue()


def jpeg(array, quality):
    """uint8 (H, W, 3), quality 1..95 -> bytes: 4:2:0, Huffman tables optimised. Taught in chapter 12."""
    return _save(array, format="JPEG", quality=int(_checked(quality, 1, 95)), optimize=True, subsampling="4:2:0")


def jpeg2000(array, rate):
    """uint8 (H, W, 3), compression ratio (24 / bpp) -> bytes: 9/7 wavelet, colour transform. Taught in chapter 12."""
    levels = min(6, min(array.shape[:2]).bit_length())  # fewer wavelet levels for images below 32 pixels a side
    return _save(array, format="JPEG2000", irreversible=True, mct=1, quality_mode="rates",
                 quality_layers=[_checked(rate, 1, 10_000)], num_resolutions=levels)


def webp(array, quality):
    """uint8 (H, W, 3), quality 0..100 -> bytes: lossy, slowest method. Taught in chapter 12."""
    return _save(array, format="WEBP", quality=int(_checked(quality, 0, 100)), method=6)


def avif(array, quality):
    """uint8 (H, W, 3), quality 0..100 -> bytes: AV1 intra, 4:2:0, speed 6. Taught in chapter 12."""
    return _save(array, format="AVIF", quality=int(_checked(quality, 0, 100)), speed=6)


CODECS = {"jpeg": jpeg, "jpeg2000": jpeg2000, "webp": webp, "avif": avif}
SETTINGS = {  # about 0.1 to 1.5 bpp on Kodak
    "jpeg": (5, 10, 15, 20, 30, 40, 50, 60, 70, 80),
    "jpeg2000": (192, 128, 96, 64, 48, 32, 24, 20, 16),
    "webp": (0, 1, 5, 10, 20, 30, 40, 50, 60, 70, 80),
    "avif": (10, 15, 20, 30, 40, 50, 60, 65, 70),
}


def decode(data):
    """Bytes of any of these codecs -> uint8 (H, W, 3). Taught in chapter 12."""
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))
