"""The report's loss, data set, metrics tracker and its two training loops (its sections III.6, IV and V).

Made to reproduce the report, so it keeps the report's shortcuts: resized images, and a 'rate' that is the mean of the
importance map. The shipped model is trained by `learning/trainer.py`. Taught in chapters 11 and 13.
"""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.utils.data import Dataset

from mfca_tutorial import data
from mfca_tutorial.evaluation import metrics
from mfca_tutorial.report.model import entropy_bits

LOSSES = ("total", "reconstruction", "rate", "quantization")
METRICS = ("psnr", "ssim", "bit_rate")


def enhanced_loss(x, out):
    """Report, section IV.1: "Total Loss = L1 Loss + 0.1 x MSE Loss + 0.01 x Rate Loss + 0.1 x Quantization Loss".

    x: (B, 3, H, W) in 0..1; out: `ReportOutput`. Returns {"total", "reconstruction" (the L1 term), "perceptual" (MSE),
    "rate" (mean of the importance map), "quantization" (mean squared quantisation error)}, scalars.
    Taught in chapter 13."""
    parts = {
        "reconstruction": F.l1_loss(out.x_hat, x),
        "perceptual": F.mse_loss(out.x_hat, x),
        "rate": out.importance.mean(),
        "quantization": F.mse_loss(out.quantized, out.weighted),
    }
    total = (
        parts["reconstruction"]
        + 0.1 * parts["perceptual"]
        + 0.01 * parts["rate"]
        + 0.1 * parts["quantization"]
    )
    return {"total": total, **parts}


def resized(image, size):
    """uint8 (H, W, 3) -> uint8 (size, size, 3), bicubic; the aspect ratio is lost, as in the report."""
    return np.array(Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC))


class KodakDataset(Dataset):
    """Report, section III.6: "loading images from the disk, resizing them, and normalizing them".

    source: a folder, or a list of uint8 (H, W, 3) arrays. Items are float32 (3, size, size) in 0..1; all are kept in
    memory. The name is the report's; train it on anything but Kodak. Raises ImageError. Taught in chapter 13."""

    def __init__(self, source, size=256):
        images = (
            source
            if isinstance(source, list | tuple)
            else [data.read_image(file)[0] for file in data.image_files(source)]
        )
        self.items = [
            data.to_tensor(resized(image, size))[0] for image in images
        ]  # (3, size, size) each

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


class MetricsTracker:
    """Report, section IV.4: "store and update key metrics (PSNR, SSIM, bit rate) after each batch".

    `update` per batch, then `means() -> {"psnr", "ssim", "bit_rate"}`; `reset` per epoch. Taught in chapter 13."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.values = {key: [] for key in METRICS}

    @staticmethod
    def calculate_metrics(original, reconstructed):
        """Report, section V.2 -> (PSNR in dB, SSIM): "first converting the original and reconstructed images into NumPy
        arrays", "scaling pixel values to the range [0, 255]", "SSIM using a window size of 3 for smaller images".

        Either image: float tensor (3, H, W) or (1, 3, H, W) in 0..1, or uint8 (H, W, 3). Small: below 7 pixels a side.
        Taught in chapter 13."""
        a, b = (
            data.to_image(image.reshape(1, *image.shape[-3:])) if torch.is_tensor(image) else image
            for image in (original, reconstructed)
        )  # (H, W, 3) each
        return metrics.psnr(a, b), metrics.ssim(a, b, window=7 if min(a.shape[:2]) >= 7 else 3)

    def update(self, x, out):
        """x (B, 3, H, W), out `ReportOutput`. The bit rate is that of the simulated coder: the map alone, in bpp."""
        pixels = x.shape[2] * x.shape[3]
        for original, reconstructed, coded in zip(x, out.x_hat, out.coded_map, strict=True):
            values = (
                *self.calculate_metrics(original, reconstructed),
                entropy_bits(coded.cpu()) / pixels,
            )
            for key, value in zip(METRICS, values, strict=True):
                self.values[key].append(value)

    def means(self):
        return {key: float(np.mean(values)) for key, values in self.values.items()}


def _epoch(model, loader, optimizer, clip, device, tracker=None):
    """One pass over the data -> mean of each loss over images; feeds the tracker, if there is one."""
    model.train()
    totals, count = dict.fromkeys(LOSSES, 0.0), 0
    for x in loader:
        x = x.to(device)  # (B, 3, size, size)
        out = model(x)
        losses = enhanced_loss(x, out)
        optimizer.zero_grad()
        losses["total"].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        for key in LOSSES:
            totals[key] += losses[key].item() * len(x)
        count += len(x)
        if tracker:
            tracker.update(x, out)
    return {key: value / count for key, value in totals.items()}


def _plot(history, file):
    """Losses and metrics so far, one panel each, to a picture file."""
    from matplotlib.figure import Figure

    keys = [key for key in history[0] if key != "epoch"]
    figure = Figure(figsize=(12, 6), layout="constrained")
    for axes, key in zip(figure.subplots(2, 4).flat, keys, strict=False):
        axes.plot([row["epoch"] for row in history], [row[key] for row in history])
        axes.set(title=key.replace("_", " "), xlabel="epoch")
    figure.savefig(file, dpi=100)


def enhanced_train_model(
    model, loader, epochs, best, plots=None, learning_rate=2e-3, clip=1.0, track=True
):
    """Report, sections IV.2-IV.4: Adam, "a learning rate of 0.002, and the betas parameter is set to (0.5, 0.999)";
    ReduceLROnPlateau "if the total loss does not improve over 5 consecutive epochs"; gradient clipping; the model with
    the lowest total loss saved with its metrics; "Every 5 epochs, training results (losses and metrics) are plotted".

    loader gives float32 (B, 3, H, W) in 0..1. best: the .safetensors file of the best weights, its metrics in the
    metadata; the model holds them at the end. plots: a folder for epoch_005.png, ...; None for no pictures. Returns the
    history, one dict an epoch: epoch, losses, psnr, ssim, bit_rate (bpp of the map), learning_rate. Moves the model to
    the GPU if there is one. RuntimeError when the loss is no longer a number. Taught in chapters 11 and 13."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, betas=(0.5, 0.999))
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=5)
    tracker, history, lowest = MetricsTracker() if track else None, [], float("inf")
    for epoch in range(1, epochs + 1):
        row = {"epoch": epoch, **_epoch(model, loader, optimizer, clip, device, tracker)}
        if not np.isfinite(row["total"]):
            raise RuntimeError(
                f"epoch {epoch}: the loss is {row['total']}; try a lower learning rate"
            )
        if tracker:
            row |= tracker.means()
            tracker.reset()
        row["learning_rate"] = optimizer.param_groups[0]["lr"]
        scheduler.step(row["total"])
        history.append(row)
        if row["total"] < lowest:
            lowest = row["total"]
            save_file(
                model.state_dict(), best, metadata={key: repr(value) for key, value in row.items()}
            )
        if plots and epoch % 5 == 0:
            _plot(history, f"{plots}/epoch_{epoch:03d}.png")
    model.load_state_dict(load_file(best, device=str(device)))
    return history


def train_model(model, loader, epochs, best, learning_rate=2e-3, clip=1.0):
    """Report, section IV.3: the same loop without the tracker and the plots; the best model by total loss is kept.

    Returns the history, one dict of epoch, losses and learning rate an epoch. Taught in chapter 13."""
    return enhanced_train_model(
        model, loader, epochs, best, learning_rate=learning_rate, clip=clip, track=False
    )
