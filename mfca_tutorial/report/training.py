"""The report's loss, its data set and its two training loops (sections III and IV).

This module reproduces the report, so it keeps the report's shortcuts: resized images, and a 'rate'
that is the mean of the importance map.

But: the shipped model is not trained here; `learning/trainer.py` does that.

Taught in chapters 11 and 13.
"""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save
from torch import Tensor
from torch.utils.data import Dataset

from mfca_tutorial import data
from mfca_tutorial.data import AnyPath
from mfca_tutorial.pixels import Pixels
from mfca_tutorial.report.model import CompressionAutoencoder, ReportOutput
from mfca_tutorial.report.tracker import MetricsTracker
from mfca_tutorial.whole_files import write_atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# the report names these three parts of the total, but it adds a fourth: "perceptual"
LOSSES = ("total", "reconstruction", "rate", "quantization")
PLOT_EVERY = 5  # epochs

Row = dict[str, float]  # one epoch of the history


def enhanced_loss(x: Tensor, out: ReportOutput) -> dict[str, Tensor]:
    """Report, section IV.1.

    "Total Loss = L1 Loss + 0.1 x MSE Loss + 0.01 x Rate Loss + 0.1 x Quantization Loss".

    x: (B, 3, H, W) in 0..1. Returns the scalars "total", "reconstruction" (the L1 term),
    "perceptual" (the MSE), "rate" (the mean of the importance map) and "quantization" (the mean
    squared error of quantisation).
    """
    # the error of the picture: on average, and with large errors counted more
    reconstruction = F.l1_loss(out.x_hat, x)
    perceptual = F.mse_loss(out.x_hat, x)

    # what the report calls the rate; no bits are counted
    rate = out.importance.mean()

    # how far rounding, or the noise that stands in for it, moved the latents
    quantization = F.mse_loss(out.quantized, out.weighted)

    # the weights are the report's
    total = reconstruction + 0.1 * perceptual + 0.01 * rate + 0.1 * quantization
    return {
        "total": total,
        "reconstruction": reconstruction,
        "perceptual": perceptual,
        "rate": rate,
        "quantization": quantization,
    }


def resized(image: Pixels, size: int) -> Pixels:
    """uint8 (H, W, 3) -> uint8 (size, size, 3), bicubic.

    The aspect ratio is lost, as in the report.
    """
    # nothing is cropped: the whole image is squeezed into the square
    original = Image.fromarray(image)
    square = original.resize((size, size), Image.Resampling.BICUBIC)
    return np.array(square)


class KodakDataset(Dataset[Tensor]):
    """Report, section III.6: "loading images from the disk, resizing them, and normalizing them".

    Items are float32 (3, size, size) in 0..1, and all are kept in memory. The name is the report's.
    Use it with any images but Kodak's, which must not be trained on.
    """

    def __init__(self, source: str | Path | Sequence[Pixels], size: int = 256) -> None:
        """source: a folder, or a list of arrays uint8 (H, W, 3). Raises ImageError."""
        # read the files one by one, or use the arrays given
        images: Iterable[Pixels]
        if isinstance(source, str | Path):
            files = data.image_files(source)
            images = (data.read_image(file)[0] for file in files)
        else:
            images = source

        # resize once, not in every epoch
        self.items = []
        for image in images:
            square = resized(image, size)
            batch = data.to_tensor(square)  # (1, 3, size, size)
            self.items.append(batch[0])  # (3, size, size)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Tensor:
        return self.items[index]


def enhanced_train_model(
    model: CompressionAutoencoder,
    loader: Iterable[Tensor],
    epochs: int,
    best: AnyPath,
    plots: AnyPath | None = None,
    learning_rate: float = 2e-3,
    clip: float = 1.0,
    track: bool = True,
) -> list[Row]:
    """Train as the report does. Report, sections IV.2 to IV.4.

    Adam, "a learning rate of 0.002, and the betas parameter is set to (0.5, 0.999)";
    ReduceLROnPlateau "if the total loss does not improve over 5 consecutive epochs"; gradient
    clipping; the model with the lowest total loss saved with its metrics; "Every 5 epochs, training
    results (losses and metrics) are plotted".

    Args:
        model: the model; it is moved to the GPU if there is one, and ends with the best weights.
        loader: yields batches, float32 (B, 3, H, W) in 0..1.
        epochs: the number of passes over the data.
        best: the .safetensors file for the best weights, with their metrics in its metadata. It is
            written whole or not at all, so stopping the training leaves the best weights so far.
        plots: a folder for epoch_005.png, epoch_010.png, ...; None for no pictures.
        learning_rate: Adam's learning rate at the start.
        clip: the largest norm of the gradient.
        track: whether to compute PSNR, SSIM and bit rate.

    Returns the history, one dict per epoch: epoch, losses, psnr, ssim, bit_rate (bpp of the map)
    and learning_rate. Raises RuntimeError if the loss is not finite.
    """
    # the report's settings
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, betas=(0.5, 0.999))
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=5)
    tracker = MetricsTracker() if track else None

    history: list[Row] = []
    lowest = float("inf")
    for epoch in range(1, epochs + 1):
        # one pass over the data
        losses = _train_epoch(model, loader, optimizer, clip, device, tracker)
        row: Row = {"epoch": epoch, **losses}
        if not np.isfinite(row["total"]):
            hint = "try a lower learning rate"
            raise RuntimeError(f"epoch {epoch}: the loss is {row['total']}; {hint}")

        # record the metrics of this epoch, and start again
        if tracker:
            row |= tracker.means()
            tracker.reset()

        # a plateau lowers the learning rate of the next epoch
        row["learning_rate"] = optimizer.param_groups[0]["lr"]
        scheduler.step(row["total"])
        history.append(row)

        # keep the best weights so far, with their losses and metrics
        if row["total"] < lowest:
            lowest = row["total"]
            metadata = {key: repr(value) for key, value in row.items()}
            write_atomic(best, save(model.state_dict(), metadata))

        # the report looks at its curves every five epochs
        if plots and epoch % PLOT_EVERY == 0:
            _save_plots(history, f"{plots}/epoch_{epoch:03d}.png")

    # end with the best weights, not the last ones
    model.load_state_dict(load_file(best, device=str(device)))
    return history


def train_model(
    model: CompressionAutoencoder,
    loader: Iterable[Tensor],
    epochs: int,
    best: AnyPath,
    learning_rate: float = 2e-3,
    clip: float = 1.0,
) -> list[Row]:
    """Train in the same loop, but without the tracker and the plots. Report, section IV.3.

    The arguments are those of `enhanced_train_model`. The best model by total loss is kept. Returns
    the history, one dict per epoch: epoch, losses and learning_rate.
    """
    # without metrics an epoch is faster, and the weights come out the same
    return enhanced_train_model(
        model,
        loader,
        epochs,
        best,
        learning_rate=learning_rate,
        clip=clip,
        track=False,
    )


def _train_epoch(
    model: CompressionAutoencoder,
    loader: Iterable[Tensor],
    optimizer: torch.optim.Optimizer,
    clip: float,
    device: torch.device,
    tracker: MetricsTracker | None,
) -> Row:
    """Train on all the data once; return the mean of each loss over the images."""
    model.train()
    totals = dict.fromkeys(LOSSES, 0.0)
    count = 0
    for x in loader:
        # forward
        x = x.to(device)  # (B, 3, size, size)
        out = model(x)
        losses = enhanced_loss(x, out)

        # backward
        optimizer.zero_grad()
        losses["total"].backward()

        # clip the gradient, and step
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()

        # the last batch may be smaller, so average over images, not over batches
        for key in LOSSES:
            totals[key] += losses[key].item() * len(x)
        count += len(x)
        if tracker:
            tracker.update(x, out)

    return {key: total / count for key, total in totals.items()}


def draw_history(history: Sequence[Row]) -> "Figure":
    """Draw the losses and metrics so far, one panel each, over the epochs."""
    from matplotlib.figure import Figure

    # one panel per column of the history
    keys = [key for key in history[0] if key != "epoch"]
    epochs = [row["epoch"] for row in history]

    # there are at most eight panels: four losses, three metrics, the learning rate
    figure = Figure(figsize=(7.6, 4), layout="constrained")
    panels = figure.subplots(2, 4)
    for axes, key in zip(panels.flat, keys):
        axes.plot(epochs, [row[key] for row in history])
        axes.set(title=key.replace("_", " "), xlabel="epoch")
    return figure


def _save_plots(history: Sequence[Row], file: str) -> None:
    # the number of the epoch is in the name, so no earlier picture of this training is overwritten
    picture = io.BytesIO()
    draw_history(history).savefig(picture, format="png", dpi=150)
    write_atomic(file, picture.getvalue())
