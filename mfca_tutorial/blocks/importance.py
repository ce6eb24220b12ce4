"""The importance map: where in the image the quality may rise and where it may fall.

The report multiplies the latents by a sigmoid map and sends the map. Here a map value is a *quality offset* for one
64x64 block: it picks the gains of that block, the file carries it, and the decoder divides by the same gains. This
module holds the learned head and the change between offsets, levels and masks; the gains are in entropy/quantization.

Taught in chapter 5.
"""

import torch
import torch.nn.functional as F
from torch import nn

from mfca_tutorial.config import MAP_FLAT, MAP_LEVELS, MAP_STEP


class ImportanceHead(nn.Module):
    """Convolution and sigmoid on the last encoder stage: features (B, C, H/8, W/8) -> map (B, 1, H/64, W/64) in 0..1.

    It starts at 0.5 everywhere: offset 0. Trained for MS-SSIM after the codec is done (`learning/head.py`), since under
    plain MSE the best map is flat. Source: the report, section III.3; Mentzer et al. 2018. Taught in chapter 5.
    """

    def __init__(self, channels: int, hidden: int = 48):
        super().__init__()
        self.reduce = nn.Conv2d(channels, hidden, 3, stride=2, padding=1)
        self.map = nn.Conv2d(hidden, 1, 3, padding=1)
        nn.init.zeros_(self.map.weight)
        nn.init.zeros_(self.map.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        h = F.gelu(self.reduce(features))  # (B, 48, H/16, W/16)
        h = F.avg_pool2d(h, 4)  # (B, 48, H/64, W/64)
        return torch.sigmoid(self.map(h))  # (B, 1, H/64, W/64)


def map_to_offsets(importance: torch.Tensor) -> torch.Tensor:
    """A map in 0..1 -> quality offsets -32..28 in steps of 4, rounded straight-through. Taught in chapter 5."""
    level = (importance * MAP_LEVELS).clamp(0, MAP_LEVELS - 1)
    level = level + (level.round() - level).detach()
    return (level - MAP_FLAT) * MAP_STEP


def resize_mask(mask: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """A user's mask of any size (h, w) in -1..1 -> (height, width), the image's size.

    Raises ValueError on another number of axes, on values outside -1..1 and on NaN. Taught in chapter 5.
    """
    if mask.ndim != 2 or not mask.numel() or not bool((mask.abs() <= 1).all()):
        raise ValueError("an importance mask is a two-dimensional array of values in -1..1")
    return F.interpolate(mask[None, None].float(), (height, width), mode="bilinear", align_corners=False)[0, 0]


def mask_to_offsets(mask: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """A mask (H, W) in -1..1 -> offsets (1, 1, rows, columns): the mean of each block; -1 is -32 and 1 is 28.

    Taught in chapter 5.
    """
    blocks = F.adaptive_avg_pool2d(mask[None, None].float(), (rows, columns))  # (1, 1, rows, columns)
    return map_to_offsets((blocks + 1) / 2)


def offsets_to_levels(offsets: torch.Tensor) -> torch.Tensor:
    """Offsets -32..28 -> levels 0..15 (uint8), what the file carries. Taught in chapter 5."""
    return (offsets / MAP_STEP + MAP_FLAT).round().to(torch.uint8)


def levels_to_offsets(levels: torch.Tensor) -> torch.Tensor:
    """Levels 0..15 -> offsets -32..28 (float32), the inverse of `offsets_to_levels`. Taught in chapter 5."""
    return (levels.float() - MAP_FLAT) * MAP_STEP
