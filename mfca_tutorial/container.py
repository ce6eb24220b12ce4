"""The .mfca file (normative, version 1). Torch-free.

    magic       4   b"MFCA"
    version     1   1
    model id    8   first 8 bytes of the sha256 of the model's safetensors file
    flags       1   1 = grey picture, 2 = an importance map is present, 4 = tiled; other bits 0
    width       v   1..65535 pixels
    height      v   1..65535 pixels; width * height <= 2**27
    quality     1   0..200: quality in half steps, quality 0..100
    tile size   1   only when tiled: log2 of the largest tile side, 7..10 (128..1024 pixels)
    per tile        v v v: lengths of its streams map, z, y; then the three streams
    CRC-32      4   of all bytes before it (zlib's), big-endian; nothing follows

v is a varint: 7 bits a byte, least significant first, the high bit says that another byte follows; always the shortest
form, at most 5 bytes.
Tiles run in the order of `tile_grid`. A picture is untiled when both sides are <= 1024, or fit in the tile size given.
A map stream is empty when flag 2 is clear; with the flag set, an empty map stream means a flat map (level 8).
An untiled file has 32 bytes at most beyond its streams. No piece exceeds 1024 x 1024 pixels, so memory is bounded.
But: it does not know what is inside the streams; `entropy/` and `codec.py` do.

Taught in chapter 9.
"""

import zlib
from dataclasses import dataclass
from typing import NamedTuple

MAGIC = b"MFCA"
VERSION = 1
TILE, OVERLAP = 1024, 64  # pixels: largest piece coded at once, and what neighbours share at least
MAX_SIDE, MAX_PIXELS = 65535, 1 << 27
_TILE_CODES = range(7, 11)
_GREY, _MAP, _TILED = 1, 2, 4


class BitstreamError(ValueError):
    """The file cannot be decoded; the message says what is wrong and what to do. Taught in chapter 9."""


@dataclass(frozen=True)
class Header:
    """What a file says about itself. Raises ValueError for values that the format cannot hold. Taught in chapter 9."""

    model_id: bytes  # 8 bytes
    width: int  # pixels
    height: int  # pixels
    quality: float  # 0..100 in half steps
    grey: bool = False
    has_map: bool = False
    tile: int = 0  # side in pixels, 0 = untiled

    def __post_init__(self):
        problem = _problem(self)
        if problem:
            raise ValueError(problem)


class Tile(NamedTuple):
    """The three streams of a tile. Taught in chapter 9."""

    map: bytes
    z: bytes
    y: bytes


def _problem(h: Header) -> str:
    """Why these values are refused, or ''."""
    if len(h.model_id) != 8:
        return "a model id has 8 bytes"
    if not (1 <= h.width <= MAX_SIDE and 1 <= h.height <= MAX_SIDE and h.width * h.height <= MAX_PIXELS):
        return f"{h.width} x {h.height} pixels: sides are 1..{MAX_SIDE}, and {MAX_PIXELS} pixels are the most"
    if not (0 <= h.quality <= 100 and h.quality * 2 == int(h.quality * 2)):
        return f"quality {h.quality} is not in 0, 0.5, ... 100"
    if h.tile not in (0, *(1 << code for code in _TILE_CODES)):
        return f"tile size {h.tile} is not 0, 128, 256, 512 or 1024"
    if (max(h.width, h.height) > (h.tile or TILE)) != bool(h.tile):
        return f"{h.width} x {h.height} pixels, tile size {h.tile}: larger pictures have tiles, smaller ones none"
    return ""


def _axis(size: int, tile: int, overlap: int) -> list[tuple[int, int]]:
    """Cuts 0..size into the fewest (start, length), length <= tile; starts are multiples of overlap."""
    if size <= tile:
        return [(0, size)]
    n = -(-(size - overlap) // (tile - overlap))
    starts = [overlap * -(-i * (size - overlap) // (overlap * n)) for i in range(n)]
    ends = [start + overlap for start in starts[1:]] + [size]
    return [(start, end - start) for start, end in zip(starts, ends, strict=True)]


def tile_grid(width: int, height: int, tile: int, overlap: int = OVERLAP) -> list[tuple[int, int, int, int]]:
    """The tiles (top, left, h, w) of a picture, row by row, of near-equal sides <= tile; neighbours overlap.

    tile = 0: one tile, the picture. tile_grid(1100, 500, 1024) -> [(0, 0, 500, 640), (0, 576, 500, 524)].
    tile must be a multiple of overlap (pixels), at least twice as large. Taught in chapter 9."""
    if tile == 0:
        return [(0, 0, height, width)]
    columns = _axis(width, tile, overlap)
    return [(top, left, h, w) for top, h in _axis(height, tile, overlap) for left, w in columns]


def _varint(n: int) -> bytes:
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


class _Reader:
    """Reads forward through bytes and never past their end."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, n: int) -> bytes:
        if n > len(self.data) - self.at:
            raise BitstreamError("the file is cut short: it ends before its contents do; fetch it again")
        self.at += n
        return bytes(self.data[self.at - n : self.at])

    def varint(self) -> int:
        value = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                if byte == 0 and shift:
                    break
                return value
        raise BitstreamError("the file is damaged: a number in it is not in its shortest form")


def pack(header: Header, tiles: list[Tile]) -> bytes:
    """Header and the streams of each tile of `tile_grid` -> the bytes of a file. Raises ValueError.

    Taught in chapter 9."""
    if len(tiles) != len(tile_grid(header.width, header.height, header.tile)):
        raise ValueError(f"{len(tiles)} tiles do not cover the picture")
    if not header.has_map and any(tile.map for tile in tiles):
        raise ValueError("a map stream without the map flag")
    flags = _GREY * header.grey | _MAP * header.has_map | _TILED * bool(header.tile)
    out = bytearray(MAGIC + bytes([VERSION]) + header.model_id + bytes([flags]))
    out += _varint(header.width) + _varint(header.height) + bytes([int(header.quality * 2)])
    if header.tile:
        out.append(header.tile.bit_length() - 1)
    for tile in tiles:
        out += b"".join(_varint(len(stream)) for stream in tile) + b"".join(tile)
    return bytes(out + zlib.crc32(out).to_bytes(4, "big"))


def _header(reader: _Reader) -> Header:
    start = bytes(reader.data[: len(MAGIC)])
    if start != MAGIC[: len(start)] or not start:
        raise BitstreamError("this is not an .mfca file")
    reader.take(len(MAGIC))
    version = reader.take(1)[0]
    if version != VERSION:
        raise BitstreamError(f"the file has format version {version}, not {VERSION}: update mfca_tutorial")
    model_id, flags = reader.take(8), reader.take(1)[0]
    if flags > _GREY | _MAP | _TILED:
        raise BitstreamError(f"the file is damaged or newer than this program: unknown flags {flags:#04x}")
    width, height, half_steps = reader.varint(), reader.varint(), reader.take(1)[0]
    code = reader.take(1)[0] if flags & _TILED else 0
    if flags & _TILED and code not in _TILE_CODES:
        raise BitstreamError(f"the file is damaged: tile size code {code}")
    try:
        tile = 1 << code if code else 0
        return Header(model_id, width, height, half_steps / 2, bool(flags & _GREY), bool(flags & _MAP), tile)
    except ValueError as error:
        raise BitstreamError(f"the file is damaged: {error}") from None


def read_header(data: bytes) -> Header:
    """The header at the start of data (32 bytes are enough); nothing behind it is checked. Raises BitstreamError.

    Taught in chapter 9."""
    return _header(_Reader(data))


def unpack(data: bytes) -> tuple[Header, list[Tile]]:
    """The bytes of a file -> its header and the streams of its tiles, all checks made. Raises BitstreamError.

    Taught in chapter 9."""
    reader = _Reader(data)
    header = _header(reader)
    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "big"):
        raise BitstreamError("the file is damaged or cut short (its checksum is wrong); fetch it again")
    reader.data = data[:-4]
    tiles = []
    for _ in tile_grid(header.width, header.height, header.tile):  # at most 32,000 or so, and each must be in the file
        sizes = [reader.varint() for _ in Tile._fields]
        tiles.append(Tile(*(reader.take(size) for size in sizes)))
        if tiles[-1].map and not header.has_map:
            raise BitstreamError("the file is damaged: a map stream without the map flag")
    if reader.at != len(reader.data):
        raise BitstreamError(f"the file is damaged: {len(reader.data) - reader.at} bytes follow the last tile")
    return header, tiles
