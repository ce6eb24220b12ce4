"""The report's visual comparison with JPEG and JPEG 2000 (section VII of the report).

But: it compares at one setting of each codec; rate-distortion curves are in `evaluation/`.

Taught in chapter 13.
"""

import io
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from mfca_tutorial import data
from mfca_tutorial.pixels import Pixels
from mfca_tutorial.report.model import CompressionAutoencoder
from mfca_tutorial.report.tracker import MetricsTracker
from mfca_tutorial.report.training import resized

ERROR_LIMIT = 64  # the grey levels of error that the brightest colour of an error map stands for
TITLES = {"report": "the model", "jpeg": "JPEG", "jpeg2000": "JPEG 2000"}


Metrics = dict[str, float | None]


class Shown(NamedTuple):
    """How one codec reproduced the image."""

    picture: Pixels  # uint8 (H, W, 3)
    size: int | None  # bytes of the file; None if there is no file


@torch.no_grad()
def compare_with_jpeg(
    model: CompressionAutoencoder,
    image: Pixels,
    size: int = 256,
    jpeg_quality: int = 50,
    jpeg2000_ratio: float = 20,
) -> tuple[dict[str, Metrics], Figure]:
    """Compare the report's model with JPEG and JPEG 2000. Report, section VII.

    Original, reconstruction, JPEG and JPEG 2000 are shown side by side, with PSNR and SSIM in the
    titles, and with the importance map and the error maps below. "The function returns the computed
    metrics". JPEG is saved "with a predefined quality setting", JPEG 2000 "using the JP2 format".
    The report names no other options, so both run with Pillow's defaults. Chapter 12 shows what
    that hides.

    Args:
        model: the report's model.
        image: uint8 (H, W, 3).
        size: the image is resized to size x size for the model, and the result is "resized to match
            the original dimensions".
        jpeg_quality: 1..95.
        jpeg2000_ratio: the compression ratio.

    Returns (metrics, figure): metrics[name] = {"psnr", "ssim", "bytes"} for "report", "jpeg" and
    "jpeg2000". "bytes" is None for the report's model, which does not make a file.
    """
    # how each of the three codecs reproduces the image
    reconstruction, importance = _through_model(model, image, size)
    pictures = {
        "report": Shown(reconstruction, None),
        "jpeg": _through_pillow(image, "JPEG", quality=jpeg_quality),
        "jpeg2000": _through_pillow(
            image,
            "JPEG2000",
            quality_mode="rates",
            quality_layers=[jpeg2000_ratio],
        ),
    }

    # first column: the original, with the map below it
    figure = Figure(figsize=(8.6, 4.6), dpi=110, layout="constrained")
    upper, lower = figure.subplots(2, 4)
    upper[0].imshow(image)
    upper[0].set_title("original\n", fontsize=9)

    # the map is small, so stretch it to the size of the image
    height, width = image.shape[:2]
    stretched = (0, width, height, 0)
    lower[0].imshow(importance, vmin=0, vmax=1, extent=stretched)
    lower[0].set_title("importance map, 0..1", fontsize=9)

    # each other column: a codec's picture, with its error below it
    found: dict[str, Metrics] = {}
    for column, (name, shown) in enumerate(pictures.items(), 1):
        psnr, ssim = MetricsTracker.calculate_metrics(image, shown.picture)
        found[name] = {
            "psnr": psnr,
            "ssim": ssim,
            "bytes": shown.size,
        }

        # put the size and the metrics into the title
        file = "no file" if shown.size is None else f"{shown.size:,} bytes"
        title = f"{TITLES[name]}, {file}\n{psnr:.2f} dB, SSIM {ssim:.3f}"
        upper[column].imshow(shown.picture)
        upper[column].set_title(title, fontsize=9)

        # the absolute difference, averaged over the colours
        difference = shown.picture.astype(int) - image  # (H, W, 3)
        difference = np.abs(difference)
        error = difference.mean(2)  # (H, W)
        lower[column].imshow(error, cmap="magma", vmin=0, vmax=ERROR_LIMIT)
        lower[column].set_title(f"{TITLES[name]}: error, 0..{ERROR_LIMIT}", fontsize=9)

    # pictures need no axes
    for axes in (*upper, *lower):
        axes.axis("off")
    return found, figure


def _through_model(
    model: CompressionAutoencoder, image: Pixels, size: int
) -> tuple[Pixels, np.ndarray]:
    """Return the reconstruction uint8 (H, W, 3) and the importance map (size/8, size/8)."""
    # the model sees a square, whatever the shape of the image
    square_image = resized(image, size)
    x = data.to_tensor(square_image)  # (1, 3, size, size)

    # run the model on the device that holds its weights
    model.eval()
    weight = next(model.parameters())
    out = model(x.to(weight.device))

    # stretch the result back to the shape of the image
    height, width = image.shape[:2]
    reconstruction = data.to_image(out.x_hat)  # (size, size, 3)
    square = Image.fromarray(reconstruction)
    picture = square.resize((width, height), Image.Resampling.BICUBIC)

    # the map at its own size
    importance = out.importance[0, 0]  # (size/8, size/8)
    importance = importance.cpu()
    return np.asarray(picture), importance.numpy()


def _through_pillow(image: Pixels, kind: str, **options: object) -> Shown:
    """Encode and decode uint8 (H, W, 3) with Pillow."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    size = file.tell()

    # decode the file just written
    decoded = Image.open(file).convert("RGB")
    return Shown(np.array(decoded), size)
