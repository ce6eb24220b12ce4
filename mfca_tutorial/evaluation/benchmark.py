"""Measure a codec on a folder of images at many settings: this is what `mfca eval` runs.

It encodes, decodes and averages.

But: it defines neither a single measurement nor how curves are stored and compared. Those are in
`evaluation/rd.py`.

Taught in chapter 12.
"""

import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from mfca_tutorial import __version__, data
from mfca_tutorial.container import MAX_PIXELS
from mfca_tutorial.data import AnyPath
from mfca_tutorial.evaluation import classical, rd
from mfca_tutorial.pixels import Pixels

if TYPE_CHECKING:  # the classical codecs can be measured without importing the model's code
    from mfca_tutorial.codec import Codec

QUALITIES = tuple(range(0, 101, 10))  # the default settings of our codec

# packages on which rates, metrics and times may depend
PACKAGES = ("torch", "numpy", "pillow", "scikit-image", "pytorch-msssim", "constriction")


def evaluate(
    codec: "Codec | str",
    files: Iterable[AnyPath],
    settings: Iterable[float],
    importance: str = "flat",
    effort: int = 0,
    progress: bool = False,
) -> rd.Results:
    """Encode and decode every file at every setting, and average over the files.

    Args:
        codec: a `Codec`, or a name in `classical.CODECS`.
        files: paths of images, of any kind that `data.read_image` reads.
        settings: qualities 0..100; for JPEG 2000, compression ratios.
        importance: the `Codec`'s importance map, 'flat' or 'auto'.
        effort: the number of steps of the `Codec`'s search.
        progress: whether to show a progress bar.

    Returns a dictionary in CompressAI's layout, {"name", "description", "results": {"bpp": [...],
    "psnr-rgb": [...], ...}}, with one value per setting. In addition it has "settings",
    "skipped-ms-ssim", "checkpoint", "versions", "images", with one row per file and setting, and
    "failed", with the reason for each file that could not be measured. Raises ValueError if there
    is no file or no setting, or if no file can be measured.
    """
    from tqdm import tqdm  # only here, since curves are read and drawn without it

    # lists, since both are iterated over more than once
    files = list(files)
    settings = list(settings)
    if not files or not settings:
        raise ValueError("nothing to evaluate: give at least one image and one setting")

    # measure every image at every setting
    encode, decode = _coder(codec, importance, effort)
    rows: list[rd.Row] = []
    images: list[dict[str, str | float | None]] = []
    failed: list[dict[str, str]] = []
    with tqdm(total=len(files), unit="file", disable=None if progress else True) as bar:
        for file in files:
            # one image that is damaged, or too large for a codec, must not cost the others
            is_first = not rows
            try:
                of_file = _measure_file(encode, decode, file, settings, is_first)
            except (ValueError, OSError) as error:
                failed.append({"file": Path(file).name, "reason": _reason(file, error)})
            else:
                # keep the rows twice: for the means, and together with the file's name
                rows += of_file
                images += [{"file": Path(file).name, **row} for row in of_file]
            bar.update()
    if not rows:
        raise ValueError(f"no image could be measured; the first: {failed[0]['reason']}")

    # a point of the curve is the mean over the images at one setting
    points = []
    for setting in settings:
        at_setting = [row for row in rows if row["setting"] == setting]
        points.append(rd.mean_of(at_setting))
    columns = {key: [point[key] for point in points] for key in rd.MEANS}

    # the size of an image does not depend on the setting, so one row per file is enough
    one_row_per_file = rows[:: len(settings)]
    too_small = [row for row in one_row_per_file if row["ms-ssim-rgb"] is None]

    # the layout is CompressAI's, so that its tools can draw our results
    means_over = f"mean over {len(one_row_per_file)} images of per-image values"
    return {
        "name": _name_of(codec, importance, effort),
        "description": f"{means_over}; whole files, 8-bit output",
        "settings": settings,
        "results": columns,
        "skipped-ms-ssim": len(too_small),
        "failed": failed,
        "checkpoint": None if isinstance(codec, str) else codec.model_id.hex(),
        "versions": versions(),
        "images": images,
    }


def _measure_file(
    encode: classical.Encode,
    decode: classical.Decode,
    file: AnyPath,
    settings: list[float],
    is_first: bool,
) -> list[rd.Row]:
    """One file at every setting. Raises ImageError, or what a codec has against the image."""
    image, _ = data.read_image(file)  # (H, W, 3)

    # code it once before timing starts: the first call loads libraries and fills caches
    if is_first:
        decode(encode(image, settings[0]))
    return [rd.measure(encode, decode, image, setting) for setting in settings]


def _reason(file: AnyPath, error: Exception) -> str:
    # on one line; an ImageError names the file itself
    message = " ".join(str(error).split())
    if isinstance(error, data.ImageError):
        return message
    return f"{file}: {message}"


def _coder(
    codec: "Codec | str", importance: str, effort: int
) -> tuple[classical.Encode, classical.Decode]:
    # the classical codecs share one decoder for all formats
    if isinstance(codec, str):
        return classical.CODECS[codec], classical.decode

    # ours is asked for the same map and the same effort at every quality
    def encode(image: Pixels, quality: float) -> bytes:
        return codec.compress(image, quality, importance=importance, effort=effort)

    def decode(file: bytes) -> Pixels:
        return codec.decode_pixels(file, max_pixels=MAX_PIXELS)  # our own file: no bomb

    return encode, decode


def _name_of(codec: "Codec | str", importance: str, effort: int) -> str:
    # such as 'jpeg', 'mfca', 'mfca-auto' or 'mfca-effort10': the name shows the encoder's options
    if isinstance(codec, str):
        return codec

    # 'mfca' alone means a flat map and no search
    name = "mfca"
    if importance == "auto":
        name += "-auto"
    if effort:
        name += f"-effort{effort}"
    return name


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python, and of the installed packages it uses."""
    # this package, and what it runs on
    found = {
        "mfca_tutorial": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }

    # the packages that it uses
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue  # not installed, so no measurement needed it
    return found
