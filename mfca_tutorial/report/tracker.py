"""The report's metrics tracker: PSNR, SSIM and bit rate during training (sections IV and V).

But: its bit rate is that of the report's simulated coder, which counts nothing but the map.

Taught in chapters 11 and 13.
"""

import numpy as np
from torch import Tensor

from mfca_tutorial import data
from mfca_tutorial.evaluation import metrics
from mfca_tutorial.pixels import Pixels
from mfca_tutorial.report.model import ReportOutput, entropy_bits

Image = Pixels | Tensor  # uint8 (H, W, 3), or float (3, H, W) or (1, 3, H, W) in 0..1

FULL_WINDOW = 7  # pixels: the side of SSIM's window
SMALL_WINDOW = 3  # "for smaller images"


class MetricsTracker:
    """Report, section IV.4.

    "store and update key metrics (PSNR, SSIM, bit rate) after each batch". Call `update` after each
    batch, and `means` and then `reset` after each epoch.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Discard all values."""
        self.psnr: list[float] = []  # one value per image, in dB
        self.ssim: list[float] = []
        self.bit_rate: list[float] = []  # bits per pixel

    @staticmethod
    def calculate_metrics(original: Image, reconstructed: Image) -> tuple[float, float]:
        """Return PSNR in dB and SSIM of two images. Report, section V.2.

        "first converting the original and reconstructed images into NumPy arrays", "scaling pixel
        values to the range [0, 255]", "SSIM using a window size of 3 for smaller images": here,
        those with a side below 7 pixels.

        Each image: a float tensor (3, H, W) or (1, 3, H, W) in 0..1, or uint8 (H, W, 3).
        """
        # either image may still be a tensor
        a = _as_array(original)  # (H, W, 3)
        b = _as_array(reconstructed)

        # the window must fit into the image
        side = min(a.shape[:2])
        window = FULL_WINDOW if side >= FULL_WINDOW else SMALL_WINDOW
        psnr = metrics.psnr(a, b)
        ssim = metrics.ssim(a, b, window)
        return psnr, ssim

    def update(self, x: Tensor, out: ReportOutput) -> None:
        """Add the metrics of a batch x (B, 3, H, W) and the model's output for it.

        The bit rate is that of the simulated coder: the map alone, in bits per pixel.
        """
        height, width = x.shape[2:]
        pixels = height * width

        # one value per image, whatever the size of the batch
        for original, reconstructed, coded in zip(x, out.x_hat, out.coded_map, strict=True):
            psnr, ssim = self.calculate_metrics(original, reconstructed)
            bits = entropy_bits(coded.cpu())
            self.psnr.append(psnr)
            self.ssim.append(ssim)
            self.bit_rate.append(bits / pixels)

    def means(self) -> dict[str, float]:
        """Return the means over all images since `reset`: "psnr", "ssim" and "bit_rate"."""
        return {
            "psnr": float(np.mean(self.psnr)),
            "ssim": float(np.mean(self.ssim)),
            "bit_rate": float(np.mean(self.bit_rate)),
        }


def _as_array(image: Image) -> Pixels:
    if isinstance(image, np.ndarray):
        return image

    # with or without a batch axis
    channels, height, width = image.shape[-3:]
    batch = image.reshape(1, channels, height, width)
    return data.to_image(batch)  # (H, W, 3)
