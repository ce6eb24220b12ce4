"""Whole pictures to files and back, tile by tile.

Small pictures are one tile. Larger ones are cut into tiles that overlap, so that the memory which
the networks need stays bounded.

But: it knows a codec only as something that codes one tile.

Taught in chapter 9.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from mfca_tutorial.blocks.importance import MapRequest, map_to_bytes
from mfca_tutorial.checkpoint import EARLIER
from mfca_tutorial.container import (
    TILE,
    BitstreamError,
    Header,
    Tile,
    pack,
    read_header,
    tile_grid,
    unpack,
)
from mfca_tutorial.entropy.latents import Coded
from mfca_tutorial.inputs import (
    AnyPicture,
    as_bytes,
    as_effort,
    as_picture,
    as_quality,
    check_size,
)
from mfca_tutorial.pixels import Pixels
from mfca_tutorial.search import Progress
from mfca_tutorial.tiling import finished_parts


@dataclass(frozen=True)
class EncodedTile:
    """One tile on its way into the file, with all intermediate results; H and W include padding."""

    features: Tensor  # (1, C, H/8, W/8), the last stage of g_a
    offsets: Tensor  # (1, 1, H/64, W/64), the importance map; (1, 1, 1, 1) for a flat one
    blocks: Tensor  # the quality of each block, 0..100; the shape of offsets
    gain: Tensor  # (1, M, H/16, W/16), or (1, M, 1, 1) for a flat map
    v: Tensor  # (1, M, H/16, W/16), y times gain, not rounded; or what the search made of it
    coded: Coded  # the two streams, and v_hat, which the decoder will have

    def streams(self, has_map: bool) -> Tile:
        """The streams that go into the file; that of a flat map is empty."""
        map_bytes = map_to_bytes(self.offsets) if has_map else b""
        return Tile(map_bytes, self.coded.z_bytes, self.coded.y_bytes)


class TileCodec(Protocol):
    """What codes one tile; `Codec` is one."""

    model_id: bytes

    def encode_tile(
        self, x: Tensor, quality: float, importance: Any, effort: int, progress: Progress
    ) -> EncodedTile: ...

    def decode_tile(self, header: Header, tile: Tile, height: int, width: int) -> Tensor: ...


def picture_to_file(
    codec: TileCodec,
    x: AnyPicture,
    quality: float,
    importance: Any,
    effort: int,
    progress: Progress,
) -> bytes:
    """A picture -> the bytes of a `.mfca` file; the arguments are those of `Codec.compress`."""
    # understand the arguments, or reject them
    half_steps = as_quality(quality)
    moves = as_effort(effort)
    picture = as_picture(x)
    wanted = MapRequest.of(importance, picture.height, picture.width)

    # what the file will say about itself
    is_large = max(picture.height, picture.width) > TILE
    header = Header(
        model_id=codec.model_id,
        width=picture.width,
        height=picture.height,
        quality=half_steps,
        grey=picture.grey,
        has_map=not wanted.flat,
        tile=TILE if is_large else 0,  # 0: not cut
    )

    # encode tile by tile; only the streams of a tile are kept
    tiles = []
    grid = tile_grid(header.width, header.height, header.tile)
    for place in progress(grid):
        # its pixels, and its part of what was asked for as the importance map
        pixels = picture.window(*place)  # (1, 3, h, w)
        wanted_here = wanted.window(*place)
        encoded = codec.encode_tile(pixels, header.quality, wanted_here, moves, progress)
        tiles.append(encoded.streams(header.has_map))
        del encoded  # its memory is wanted for the next tile
    return pack(header, tiles)


def _of_another_model(made_by: str, ours: str) -> str:
    """What to say of a file of another model: who made it, and where that model may be had."""
    if made_by in EARLIER:
        advice = f"load the checkpoint that made it (--checkpoint) from {EARLIER[made_by]}"
    else:
        advice = (
            "load the checkpoint that made it (--checkpoint), "
            "or install a newer mfca-tutorial if it is of a newer model"
        )
    return f"this file was made by model {made_by}, this is {ours}: {advice}"


def file_to_pixels(
    codec: TileCodec, file: bytes, max_pixels: int | None, progress: Progress
) -> Pixels:
    """The bytes of a `.mfca` file -> a picture, uint8 (H, W, 3); as `Codec.decode_pixels`."""
    # may it be so large? And is it whole, and ours?
    file = as_bytes(file)
    check_size(read_header(file), max_pixels)
    header, tiles = unpack(file)
    if header.model_id != codec.model_id:
        raise BitstreamError(_of_another_model(header.model_id.hex(), codec.model_id.hex()))

    # decode tile by tile, each when it is asked for, and fade it into its neighbours
    grid = tile_grid(header.width, header.height, header.tile)
    work = progress(list(zip(tiles, grid, strict=True)))
    pieces = (codec.decode_tile(header, tile, h, w) for tile, (_, _, h, w) in work)

    # what is finished becomes 8-bit pixels at once
    picture = np.empty((header.height, header.width, 3), np.uint8)
    for top, left, part in finished_parts(pieces, grid):
        # a grey picture comes back grey
        if header.grey:
            part = part.mean(1, keepdim=True)  # (1, 1, h, w)

        # the 256 values of an 8-bit picture
        levels = torch.round(part.clamp(0, 1) * 255).to(torch.uint8)
        h, w = levels.shape[2:]
        picture[top : top + h, left : left + w] = levels[0].permute(1, 2, 0).numpy()
    return picture
