"""The report's visual comparison with JPEG and JPEG 2000 (its section VII). Taught in chapter 13."""

import io

import numpy as np
import torch
from PIL import Image

from mfca_tutorial import data
from mfca_tutorial.report.training import MetricsTracker, resized


def _pillow(image, **options):
    """Through Pillow's encoder and back -> (uint8 (H, W, 3), bytes)."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, **options)
    return np.array(Image.open(buffer).convert("RGB")), buffer.tell()


@torch.no_grad()
def compare_with_jpeg(model, image, size=256, jpeg_quality=50, jpeg2000_ratio=20):
    """Report, section VII: original, reconstruction, JPEG and JPEG 2000 side by side with PSNR and SSIM in the titles,
    the importance map and the error maps below; "The function returns the computed metrics".

    image: uint8 (H, W, 3); it is resized to size x size for the model and the result is "resized to match the original
    dimensions". JPEG is saved "with a predefined quality setting", JPEG 2000 "using the JP2 format": the text names no
    other options, so both run with Pillow's defaults; chapter 12 shows what that hides.
    Returns (metrics, figure): metrics[name] = {"psnr", "ssim", "bytes"} for "report", "jpeg", "jpeg2000"; bytes is None
    for the report's model, which makes no file. Taught in chapter 13."""
    from matplotlib.figure import Figure

    model.eval()
    height, width = image.shape[:2]
    device = next(model.parameters()).device
    out = model(data.to_tensor(resized(image, size)).to(device))
    small = Image.fromarray(data.to_image(out.x_hat))
    pictures = {
        "report": (np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)), None),
        "jpeg": _pillow(image, format="JPEG", quality=jpeg_quality),
        "jpeg2000": _pillow(
            image, format="JPEG2000", quality_mode="rates", quality_layers=[jpeg2000_ratio]
        ),
    }
    figure = Figure(figsize=(8.6, 4.6), dpi=110, layout="constrained")
    axes = figure.subplots(2, 4)
    axes[0, 0].imshow(image)
    axes[0, 0].set_title("original\n", fontsize=9)
    axes[1, 0].imshow(
        out.importance[0, 0].cpu().numpy(), vmin=0, vmax=1, extent=(0, width, height, 0)
    )
    axes[1, 0].set_title("importance map, 0..1", fontsize=9)
    found = {}
    for column, (name, (picture, count)) in enumerate(pictures.items(), 1):
        psnr, ssim = MetricsTracker.calculate_metrics(image, picture)
        found[name] = {"psnr": psnr, "ssim": ssim, "bytes": count}
        error = np.abs(picture.astype(int) - image).mean(2)  # (H, W)
        axes[0, column].imshow(picture)
        size_text = "no file" if count is None else f"{count} bytes"
        axes[0, column].set_title(
            f"{name}, {size_text}\n{psnr:.2f} dB, SSIM {ssim:.3f}", fontsize=9
        )
        axes[1, column].imshow(error, cmap="magma", vmin=0, vmax=64)
        axes[1, column].set_title("error, 0..64", fontsize=9)
    for ax in axes.flat:
        ax.axis("off")
    return found, figure
