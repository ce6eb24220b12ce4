"""The report's metrics tracker: PSNR, SSIM and bit rate while the model learns (sections IV and V).

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

    "store and update key metrics (PSNR, SSIM, bit rate) after each batch". Call `update` per batch,
    then `means`, and `reset` per epoch.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all images."""
        self.psnr: list[float] = []  # one value per image, in dB
        self.ssim: list[float] = []
        self.bit_rate: list[float] = []  # bits per pixel

    @staticmethod
    def calculate_metrics(original: Image, reconstructed: Image) -> tuple[float, float]:
        """Return PSNR in dB and SSIM of two images. Report, section V.2.

        "first converting the original and reconstructed images into NumPy arrays", "scaling pixel
        values to the range [0, 255]", "SSIM using a window size of 3 for smaller images": here,
        below 7 pixels per side.

        Either image: float tensor (3, H, W) or (1, 3, H, W) in 0..1, or uint8 (H, W, 3).
        """
        # either may still be a tensor of the model's
        a = _as_array(original)  # (H, W, 3)
        b = _as_array(reconstructed)

        # the window must fit into the image
        side = min(a.shape[:2])
        window = FULL_WINDOW if side >= FULL_WINDOW else SMALL_WINDOW
        psnr = metrics.psnr(a, b)
        ssim = metrics.ssim(a, b, window)
        return psnr, ssim

    def update(self, x: Tensor, out: ReportOutput) -> None:
        """Take in a batch x (B, 3, H, W) and what the model made of it.

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

    # with or without the axis of the batch
    channels, height, width = image.shape[-3:]
    batch = image.reshape(1, channels, height, width)
    return data.to_image(batch)  # (H, W, 3)
