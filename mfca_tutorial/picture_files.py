"""Whole pictures to files and back, tile by tile.

Small pictures are one tile. Larger ones are cut into tiles that overlap, so that the memory which
the networks need stays bounded.

But: it knows a codec only as something that codes one tile.

Taught in chapter 9.
"""

from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from mfca_tutorial.blocks.importance import MapRequest, map_to_bytes
from mfca_tutorial.config import MAX_QUALITY
from mfca_tutorial.container import TILE, BitstreamError, Header, Tile, pack, tile_grid, unpack
from mfca_tutorial.entropy.latents import Coded
from mfca_tutorial.inputs import as_picture
from mfca_tutorial.search import Progress
from mfca_tutorial.tiling import blend


class EncodedTile(Protocol):
    """What a file needs of an encoded tile; `codec.EncodedTile` is one."""

    @property
    def offsets(self) -> Tensor: ...  # the importance map, as quality offsets

    @property
    def coded(self) -> Coded: ...  # the streams of z and y


class TileCodec(Protocol):
    """What codes one tile; `Codec` is one."""

    model_id: bytes

    def encode_tile(
        self, x: Tensor, quality: float, importance: Any, effort: int, progress: Progress
    ) -> EncodedTile: ...

    def decode_tile(self, header: Header, tile: Tile, height: int, width: int) -> Tensor: ...


def picture_to_file(
    codec: TileCodec,
    x: Tensor | np.ndarray,
    quality: float,
    importance: Any,
    effort: int,
    progress: Progress,
) -> bytes:
    """A picture -> the bytes of a `.mfca` file; the arguments are those of `Codec.compress`."""
    if not 0 <= quality <= MAX_QUALITY:
        raise ValueError(f"quality must be in 0..{MAX_QUALITY}, not {quality}")
    if effort < 0:
        raise ValueError(f"effort must be >= 0, not {effort}")
    x = as_picture(x)
    height, width = x.shape[2:]
    wanted = MapRequest.of(importance, height, width)

    # what the file will say about itself
    is_grey = (x == x[:, :1]).all()  # three channels alike
    is_large = max(height, width) > TILE
    header = Header(
        model_id=codec.model_id,
        width=width,
        height=height,
        quality=round(quality * 2) / 2,  # half steps
        grey=bool(is_grey),
        has_map=not wanted.flat,
        tile=TILE if is_large else 0,  # 0: not cut
    )

    # encode tile by tile
    tiles = []
    grid = tile_grid(width, height, header.tile)
    for top, left, h, w in progress(grid):
        # its pixels, and its part of what was asked for as the importance map
        pixels = x[:, :, top : top + h, left : left + w]
        wanted_here = wanted.window(top, left, h, w)
        encoded = codec.encode_tile(pixels, header.quality, wanted_here, effort, progress)

        # its three streams; that of a flat map is empty
        map_bytes = map_to_bytes(encoded.offsets) if header.has_map else b""
        tiles.append(Tile(map_bytes, encoded.coded.z_bytes, encoded.coded.y_bytes))
    return pack(header, tiles)


def file_to_picture(codec: TileCodec, file: bytes, progress: Progress) -> Tensor:
    """The bytes of a `.mfca` file -> a picture (1, 3, H, W); as `Codec.decompress`."""
    header, tiles = unpack(file)
    if header.model_id != codec.model_id:
        raise BitstreamError(
            f"this file was made by model {header.model_id.hex()}, "
            f"this is {codec.model_id.hex()}: load the checkpoint that made it"
        )

    # decode tile by tile, each when it is asked for, and fade it into its neighbours
    grid = tile_grid(header.width, header.height, header.tile)
    work = progress(list(zip(tiles, grid, strict=True)))
    pieces = (codec.decode_tile(header, tile, h, w) for tile, (_, _, h, w) in work)
    x_hat = blend(pieces, grid, header.height, header.width)  # (1, 3, H, W)

    # a grey picture comes back grey
    if header.grey:
        grey = x_hat.mean(1, keepdim=True)  # (1, 1, H, W)
        x_hat = grey.expand(-1, 3, -1, -1)

    # the 256 values of an 8-bit picture
    levels = torch.round(x_hat.clamp(0, 1) * 255)
    return levels / 255
