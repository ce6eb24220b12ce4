"""How the golden files were made. Kept to read; running it again makes other files.

Two small models, trained for a minute each, and for each of them a few pictures in the format of
the day. They must decode for ever, so nothing here is ever replaced: a new form of the format or of
the model gets a new folder beside the old ones.

`python tests/golden/make.py FOLDER` writes FOLDER/energy and FOLDER/quality, each with
    model.safetensors   the frozen model
    NAME.mfca           a file that it wrote
    NAME.png            what the file decoded to
    hashes.json         for each file what `portability.hashes_of` says
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mfca_tutorial import data
from mfca_tutorial.blocks.importance import map_to_bytes
from mfca_tutorial.checkpoint import save_checkpoint
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import CodecConfig
from mfca_tutorial.container import Header, Tile, pack, tile_grid
from mfca_tutorial.entropy.latents import encode_latents
from mfca_tutorial.learning.crops import random_offsets
from mfca_tutorial.learning.losses import RateDistortionLoss

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from portability import hashes_of  # noqa: E402

SMALL = {
    "encoder_widths": (8, 12, 16),
    "encoder_depths": (1, 1, 1),
    "decoder_widths": (16, 12, 8),
    "latents": 16,
    "hyper": 8,
    "hyper_width": 12,
    "context_width": 16,
    "pqf_width": 8,
    "anchors": 4,
}
STEPS = 700
BATCH = 6
CROP = 128  # pixels


# ---- a model


def train(codec: Codec) -> None:
    """Long enough that its pictures can be recognised."""
    names = ["astronaut", "chelsea", "coffee", "rocket"]
    pictures = [data.to_tensor(data.photograph(name))[0] for name in names]
    criterion = RateDistortionLoss()
    optimizer = torch.optim.Adam(codec.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)

    for step in range(STEPS):
        # crops of any place, at half size: more of a picture in each
        crops = []
        for _ in range(BATCH):
            picture = pictures[int(torch.randint(len(pictures), ()))]
            top = int(torch.randint(picture.shape[1] - 2 * CROP, ()))
            left = int(torch.randint(picture.shape[2] - 2 * CROP, ()))
            crop = picture[None, :, top : top + 2 * CROP, left : left + 2 * CROP]
            crops.append(F.avg_pool2d(crop, 2))
        x = torch.cat(crops)

        # any quality, any map
        quality = 100 * torch.rand(BATCH)
        offsets = random_offsets(BATCH, CROP // 64, CROP // 64, "cpu")
        out = codec(x, quality, offsets)
        loss = criterion(out, x, quality, offsets)
        optimizer.zero_grad()
        loss["loss"].backward()
        torch.nn.utils.clip_grad_norm_(codec.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(step, {key: round(float(value), 5) for key, value in loss.items()}, flush=True)

    # a head that asks for something
    torch.nn.init.normal_(codec.importance.map.weight)


# ---- its files


def in_small_tiles(codec: Codec, x: Tensor, quality: float, side: int, mask: Tensor) -> bytes:
    """With tiles of another size than this encoder chooses.

    The first tile's map stream is empty, which does not mean a flat map (level 8): behind the flag,
    an empty stream is that of level 0 everywhere (`container.py`).
    """
    height, width = x.shape[2:]
    header = Header(codec.model_id, width, height, quality, has_map=True, tile=side)
    tiles = []
    for top, left, h, w in tile_grid(width, height, side):
        pixels = x[:, :, top : top + h, left : left + w]
        here = mask[top : top + h, left : left + w] if tiles else None
        encoded = codec.encode_tile(pixels, quality, here)
        map_bytes = map_to_bytes(encoded.offsets) if tiles else b""
        tiles.append(Tile(map_bytes, encoded.coded.z_bytes, encoded.coded.y_bytes))
    return pack(header, tiles)


def with_escapes(codec: Codec, x: Tensor, quality: float) -> bytes:
    """Latents three hundred times as large as their tables expect: a picture of nothing."""
    height, width = x.shape[2:]
    tile = codec.encode_tile(x, quality)
    z = codec.hyperprior.h_a(tile.v)
    coded = encode_latents(codec.exact, codec.tables, 300 * tile.v, 5 * z)
    header = Header(codec.model_id, width, height, quality)
    return pack(header, [Tile(b"", coded.z_bytes, coded.y_bytes)])


@torch.no_grad()
def files_of(codec: Codec) -> dict[str, bytes]:
    """Every flag, odd sizes, both ends of the quality, and latents that escape their tables."""
    cat = data.photograph("chelsea")[40:168, 110:302]  # (128, 192, 3)
    grey = np.repeat(cat[:, :, 1:2], 3, 2)
    long = np.tile(data.photograph("rocket")[200:260, 100:400], (1, 4, 1))[:, :1100]  # (60, 1100)
    noise = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    ramp = torch.linspace(-1, 1, cat.shape[1]).expand(cat.shape[:2])
    extreme = np.where(np.arange(192) < 96, -1.0, 1.0) * np.ones((128, 1))
    return {
        "colour": codec.compress(cat, 50),
        "grey": codec.compress(grey, 60),
        "quality_0": codec.compress(cat, 0),
        "quality_100": codec.compress(cat, 100),
        "half_step": codec.compress(cat[:64, :64], 37.5),
        "pixel": codec.compress(cat[:1, :1], 50),
        "row": codec.compress(cat[:1, :131], 50),
        "odd": codec.compress(cat[:65, :67], 50),
        "map": codec.compress(cat, 50, importance=ramp),
        "map_auto": codec.compress(cat, 30, importance="auto"),
        "map_extreme": codec.compress(cat[:64], 50, importance=extreme),
        "map_grey": codec.compress(grey, 50, importance=ramp),
        "effort": codec.compress(cat[:100, :100], 50, effort=4),
        "escapes": with_escapes(codec, data.to_tensor(cat), 50),
        "noise": codec.compress(noise, 100),
        "tiled": codec.compress(long, 50),
        "tiled_grey": codec.compress(np.repeat(long[:30, :, 1:2], 3, 2), 20),
        "tiled_map": in_small_tiles(codec, data.to_tensor(cat), 70, 128, ramp),
    }


def main(folder: Path) -> None:
    for gates in ("energy", "quality"):
        out = folder / gates
        out.mkdir(parents=True)
        torch.manual_seed(1)
        codec = Codec(CodecConfig(name=f"golden-{gates}", gates=gates, **SMALL))
        train(codec)
        save_checkpoint(codec.freeze(), out / "model.safetensors")

        codec = Codec.from_pretrained(out / "model.safetensors")
        hashes = {}
        for name, file in files_of(codec).items():
            (out / f"{name}.mfca").write_bytes(file)
            data.write_image(data.to_image(codec.decompress(file)), out / f"{name}.png")
            hashes[name] = hashes_of(codec, file)
            print(gates, name, len(file), "bytes")
        (out / "hashes.json").write_text(json.dumps(hashes, indent=1) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
