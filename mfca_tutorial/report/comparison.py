"""The report's visual comparison with JPEG and JPEG 2000 (its section VII).

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

ERROR_LIMIT = 64  # grey levels that an error map shows in its brightest colour


Metrics = dict[str, float | None]


class Shown(NamedTuple):
    """What one codec made of the image."""

    picture: Pixels  # uint8 (H, W, 3)
    size: int | None  # bytes of the file; None: there is no file


@torch.no_grad()
def compare_with_jpeg(
    model: CompressionAutoencoder,
    image: Pixels,
    size: int = 256,
    jpeg_quality: int = 50,
    jpeg2000_ratio: float = 20,
) -> tuple[dict[str, Metrics], Figure]:
    """Compare the report's model with JPEG and JPEG 2000. Report, section VII.

    Original, reconstruction, JPEG and JPEG 2000 stand side by side with PSNR and SSIM in the
    titles, the importance map and the error maps below; "The function returns the computed
    metrics". JPEG is saved "with a predefined quality setting", JPEG 2000 "using the JP2 format":
    the text names no other options, so both run with Pillow's defaults; chapter 12 shows what that
    hides.

    Args:
        model: the report's.
        image: uint8 (H, W, 3).
        size: the image is resized to size x size for the model, and the result is "resized to match
            the original dimensions".
        jpeg_quality: 1..95.
        jpeg2000_ratio: the compression ratio.

    Returns (metrics, figure): metrics[name] = {"psnr", "ssim", "bytes"} for "report", "jpeg" and
    "jpeg2000"; bytes is None for the report's model, which makes no file.
    """
    # what the three codecs make of the image
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

    # first column: the original, and the map below it
    figure = Figure(figsize=(8.6, 4.6), dpi=110, layout="constrained")
    upper, lower = figure.subplots(2, 4)
    upper[0].imshow(image)
    upper[0].set_title("original\n", fontsize=9)

    # the map is small: stretch it to the size of the image
    height, width = image.shape[:2]
    stretched = (0, width, height, 0)
    lower[0].imshow(importance, vmin=0, vmax=1, extent=stretched)
    lower[0].set_title("importance map, 0..1", fontsize=9)

    # the other columns: a codec's picture, and its error below it
    found: dict[str, Metrics] = {}
    for column, (name, shown) in enumerate(pictures.items(), 1):
        psnr, ssim = MetricsTracker.calculate_metrics(image, shown.picture)
        found[name] = {
            "psnr": psnr,
            "ssim": ssim,
            "bytes": shown.size,
        }

        # sizes and metrics go into the title
        file = "no file" if shown.size is None else f"{shown.size} bytes"
        title = f"{name}, {file}\n{psnr:.2f} dB, SSIM {ssim:.3f}"
        upper[column].imshow(shown.picture)
        upper[column].set_title(title, fontsize=9)

        # absolute difference, mean over the colours
        difference = shown.picture.astype(int) - image  # (H, W, 3)
        difference = np.abs(difference)
        error = difference.mean(2)  # (H, W)
        lower[column].imshow(error, cmap="magma", vmin=0, vmax=ERROR_LIMIT)
        lower[column].set_title(f"error, 0..{ERROR_LIMIT}", fontsize=9)

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

    # run it where its weights are
    model.eval()
    weight = next(model.parameters())
    out = model(x.to(weight.device))

    # back to the image's own shape
    height, width = image.shape[:2]
    reconstruction = data.to_image(out.x_hat)  # (size, size, 3)
    square = Image.fromarray(reconstruction)
    picture = square.resize((width, height), Image.Resampling.BICUBIC)

    # the map as it is
    importance = out.importance[0, 0]  # (size/8, size/8)
    importance = importance.cpu()
    return np.asarray(picture), importance.numpy()


def _through_pillow(image: Pixels, kind: str, **options: object) -> Shown:
    """Encode and decode uint8 (H, W, 3) by Pillow."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **options)
    size = file.tell()

    # read what was written
    decoded = Image.open(file).convert("RGB")
    return Shown(np.array(decoded), size)
