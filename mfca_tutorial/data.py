"""Files in and out: the package's own data, photographs, Kodak, and every kind of image as 8-bit RGB.

Importing this module does not import torch. It does not resize, and it does not convert colour profiles: a picture
with a profile other than sRGB gets a notice. Taught in chapter 0.
"""

import hashlib
import importlib.util
import io
import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "motorcycle_left", "hubble_deep_field", "retina")
KODAK_URL = "https://r0k.us/graphics/kodak/kodak/"
SAVE_OPTIONS = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}


class ImageError(ValueError):
    """An image cannot be read or written; the message is one line and names the file."""


def path(name):
    """`path("mfca.safetensors")`: a run-time file, from the wheel's `_data`, else from the clone's `data/`.

    Raises FileNotFoundError that names both places. Taught in chapter 9.
    """
    package = Path(__file__).resolve().parent
    places = [package / "_data" / name, package.parent / "data" / name]
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError(f"data file {name!r} is neither {places[0]} nor {places[1]}")


def image_files(folder):
    """All files directly in `folder` whose suffix Pillow can open, sorted by name; ImageError if there are none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ImageError(f"{folder}: not a folder")
    known = {suffix for suffix, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    files = sorted(f for f in folder.iterdir() if f.is_file() and f.suffix.lower() in known)
    if not files:
        raise ImageError(f"{folder}: no image in this folder")
    return files


def _over_white(image):
    """RGBA of any kind -> (uint8 (H, W, 3) composited over white, True if any pixel was not opaque)."""
    rgba = np.asarray(image.convert("RGBA"))  # (H, W, 4)
    rgb, alpha = rgba[..., :3].astype(np.uint32), rgba[..., 3:].astype(np.uint32)  # (H, W, 3), (H, W, 1)
    flat = (rgb * alpha + 255 * (255 - alpha) + 127) // 255
    return flat.astype(np.uint8), bool((alpha < 255).any())


def as_rgb(image):
    """Pillow image of any mode -> (uint8 (H, W, 3), list of notices). Taught in chapter 0."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):  # 0..65535 -> 0..255, 257 = 65535 / 255
        grey = (np.clip(np.asarray(image).astype(np.int64), 0, 65535) + 128) // 257
        return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2), ["16-bit grey rounded to 8 bits"]
    if image.mode == "F":
        grey = np.nan_to_num(np.asarray(image, dtype=np.float64))
        scale = 255.0 if grey.max() <= 1 else 1.0
        grey = np.clip(np.rint(grey * scale), 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2), [f"floating point times {scale:g} rounded to 8 bits"]
    if image.has_transparency_data:
        rgb, seen = _over_white(image)
        return rgb, ["transparent pixels composited over white"] if seen else []
    return np.array(image.convert("RGB")), []


def read_image(file):
    """Read any image as 8-bit RGB.

    `read_image("photo.jpg") -> (array, [])`; `array` is uint8 (H, W, 3). EXIF orientation is applied; grey, palette,
    1-bit, CMYK and 16-bit become 8-bit RGB; transparency goes over white; of an animation the first frame is taken.
    What the reader should be told (transparency, frames, bits, colour profile) comes back as a list of short notices.
    `file` is a path or an open binary file. Raises ImageError with one line on anything unreadable.
    Taught in chapter 0.
    """
    name = file if isinstance(file, (str, os.PathLike)) else getattr(file, "name", "image")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns on large pictures; the hard limit still raises
            with Image.open(file) as image:
                notices = []
                if getattr(image, "n_frames", 1) > 1:
                    notices.append(f"first of {image.n_frames} frames taken")
                profile = image.info.get("icc_profile") or b""
                if profile and b"sRGB" not in profile:
                    notices.append("colour profile ignored")
                image.load()
                rgb, more = as_rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file") from None
    except Exception as error:  # Pillow's parsers raise whatever a damaged file makes them trip over
        reason = "not an image that Pillow can read" if isinstance(error, Image.UnidentifiedImageError) else str(error)
        raise ImageError(f"{name}: {' '.join(reason.split()) or type(error).__name__}") from error
    return rgb, notices + more


def write_atomic(path, data):
    """Write bytes whole or not at all: a temporary file in the same folder, then `os.replace`. Raises OSError."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():  # a pipe or a device: nothing to replace
        target.write_bytes(data)
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def output_format(file):
    """`output_format("a.png") -> "PNG"`: Pillow's name for the suffix; ImageError if Pillow cannot write it."""
    kind = Image.registered_extensions().get(Path(file).suffix.lower())
    if kind not in Image.SAVE:
        raise ImageError(f"{file}: cannot write this kind of file; use .png")
    return kind


def write_image(array, file):
    """Write uint8 (H, W, 3) or (H, W), whole or not at all; the suffix chooses the format. ImageError if it cannot."""
    kind = output_format(file)
    buffer = io.BytesIO()
    try:
        Image.fromarray(array).save(buffer, format=kind, **SAVE_OPTIONS.get(kind, {}))
    except (OSError, ValueError) as error:
        raise ImageError(f"{file}: {error}") from error
    write_atomic(file, buffer.getvalue())


def photograph(name):
    """`photograph("astronaut") -> uint8 (512, 512, 3)`: one of `PHOTOGRAPHS`, out of scikit-image's wheel, no network.

    Raises KeyError for another name. Taught in chapter 0.
    """
    if name not in PHOTOGRAPHS:
        raise KeyError(f"no photograph {name!r}; there are {', '.join(PHOTOGRAPHS)}")
    folder = Path(importlib.util.find_spec("skimage").submodule_search_locations[0]) / "data"  # skimage is not imported
    return read_image(next(folder.glob(f"{name}.*")))[0]


def kodak():
    """The 24 Kodak images as paths, kodim01.png first: from the folder in MFCA_KODAK, else downloaded once.

    Each file's sha256 is checked, on every call: FileNotFoundError for a missing file, ValueError for another one.
    Kodak is never trained on. Taught in chapter 12.
    """
    rows = [line.split() for line in path("kodak_sha256.txt").read_text().splitlines() if line.strip()]
    if not os.environ.get("MFCA_KODAK"):
        import pooch
        cache = pooch.os_cache("mfca_tutorial") / "kodak"
        return [Path(pooch.retrieve(KODAK_URL + name, f"sha256:{digest}", fname=name, path=cache, progressbar=True))
                for digest, name in rows]
    files = [Path(os.environ["MFCA_KODAK"]) / name for _, name in rows]
    for (digest, _), file in zip(rows, files, strict=True):
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            raise ValueError(f"{file}: not the Kodak image (its sha256 differs)")
    return files


def to_tensor(array):
    """uint8 (H, W, 3) -> float32 tensor (1, 3, H, W) in 0..1. Taught in chapter 0."""
    import torch
    return torch.from_numpy(np.array(array)).permute(2, 0, 1)[None].float() / 255  # (1, 3, H, W)


def to_image(tensor):
    """Float tensor (1, 3, H, W), range 0..1 -> uint8 (H, W, 3), clamped and rounded. Taught in chapter 0."""
    scaled = tensor.detach().float().clamp(0, 1) * 255  # (1, 3, H, W)
    return scaled.round().byte()[0].permute(1, 2, 0).cpu().numpy()  # (H, W, 3)
