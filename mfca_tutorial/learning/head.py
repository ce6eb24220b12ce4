"""The learned importance map: the head is trained last, alone, for MS-SSIM.

Under plain MSE the best map is flat (chapter 5 shows why), so the codec is trained with flat and random maps, and only
then the head learns which blocks MS-SSIM would rather spend bits on. Nothing else changes any more.

Taught in chapter 5.
"""

import torch
from tqdm import trange

from mfca_tutorial.blocks.importance import map_to_offsets
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import MAX_QUALITY
from mfca_tutorial.learning.crops import Crops
from mfca_tutorial.learning.losses import RateDistortionLoss


def train_head(codec: Codec, crops: Crops, steps: int, batch: int = 16, lr: float = 1e-3) -> list[float]:
    """Train `codec.importance` in place for `steps` batches; the losses, one a step. Taught in chapter 5."""
    for p in codec.parameters():
        p.requires_grad_(False)
    codec.importance.requires_grad_(True)
    optimizer = torch.optim.Adam(codec.importance.parameters(), lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    criterion, losses = RateDistortionLoss("ms-ssim"), []
    for _ in trange(steps, desc="importance head", disable=None):
        x = crops.draw(batch)
        quality = torch.rand(batch, device=x.device) * MAX_QUALITY
        with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda):
            with torch.no_grad():
                y, features = codec.g_a(x)
            offsets = map_to_offsets(codec.importance(features.float()).float())
            out = codec.code(y, quality, offsets)
        loss = criterion(out, x, quality, torch.zeros_like(offsets))["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    for p in codec.parameters():
        p.requires_grad_(True)
    return losses
