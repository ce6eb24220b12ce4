"""Training photographs, resident on the device: random crops without a loader process.

Taught in chapter 11.
"""

import io
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from mfca_tutorial.config import MAP_STEP
from mfca_tutorial.data import ImageError, read_image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif", ".bmp", ".tif", ".tiff")


def read_photographs(source, limit: int | None = None) -> list[np.ndarray]:
    """Every image of a folder (and below) or a tar file, in order of name, as uint8 (H, W, 3).

    Raises ImageError where there is none, or one cannot be read. Taught in chapter 11.
    """
    source = Path(source)
    if source.is_dir():
        files = sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES)[:limit]
    elif source.is_file() and tarfile.is_tarfile(source):
        with tarfile.open(source) as tar:
            members = sorted((m for m in tar if m.isfile() and m.name.lower().endswith(SUFFIXES)), key=lambda m: m.name)
            files = [io.BytesIO(tar.extractfile(m).read()) for m in members[:limit]]
    else:
        raise ImageError(f"{source} is neither a folder nor a tar file of images")
    if not files:
        raise ImageError(f"no images in {source}")
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda file: read_image(file)[0], files))


class Crops:
    """Draws batches of square crops, flipped and transposed at random, from pixels that stay on the device.

    Each pixel of the set is about equally likely to be drawn. Images with a side below `size` are left out; ValueError
    if none is left. Taught in chapter 11.
    """

    def __init__(self, photographs: list[np.ndarray], size: int, device: torch.device | str = "cpu"):
        usable = [p for p in photographs if min(p.shape[:2]) >= size]
        if not usable:
            raise ValueError(f"no training image has both sides >= {size}")
        shapes = torch.tensor([p.shape[:2] for p in usable])  # (N, 2)
        areas = shapes.prod(1)
        self.size, self.device = size, torch.device(device)
        self.pixels = torch.cat([torch.from_numpy(p).reshape(-1, 3) for p in usable]).to(device)  # (all pixels, 3)
        self.start = (areas.cumsum(0) - areas).to(device)  # (N,)
        self.height, self.width = shapes.to(device).unbind(1)
        self.share = (areas / areas.sum()).float().to(device)

    def draw(self, batch: int) -> torch.Tensor:
        """(batch, 3, size, size) float32 in 0..1, in channels_last order. Taught in chapter 11."""
        def rand() -> torch.Tensor:
            return torch.rand(batch, device=self.device)

        which = torch.multinomial(self.share, batch, replacement=True)  # (batch,)
        start, height, width = self.start[which], self.height[which], self.width[which]
        top = (rand() * (height - self.size + 1)).long()
        left = (rand() * (width - self.size + 1)).long()
        step = torch.arange(self.size, device=self.device)
        columns = torch.where(rand()[:, None] < 0.5, self.size - 1 - step, step)  # (batch, size), mirrored or not
        rows = top[:, None] + step  # (batch, size)
        index = (start[:, None] + rows * width[:, None])[:, :, None] + (left[:, None] + columns)[:, None]
        index = torch.where(rand()[:, None, None] < 0.5, index.mT, index)  # (batch, size, size)
        return self.pixels[index].permute(0, 3, 1, 2).float().div_(255)


def random_offsets(batch: int, rows: int, columns: int, device, share: float = 0.25) -> torch.Tensor:
    """Smooth random importance maps as quality offsets (batch, 1, rows, columns); flat but for `share` of them.

    Multiples of 4 in -32..28, so that any map a user draws was seen in training. Taught in chapter 11.
    """
    coarse = torch.rand(batch, 1, 2, 2, device=device) * 2 - 1
    smooth = F.interpolate(coarse, (rows, columns), mode="bilinear", align_corners=True)  # (batch, 1, rows, columns)
    contrast = 32 * torch.rand(batch, 1, 1, 1, device=device)
    offsets = (contrast * smooth / MAP_STEP).round().clamp(-8, 7) * MAP_STEP
    return offsets * (torch.rand(batch, 1, 1, 1, device=device) < share)
