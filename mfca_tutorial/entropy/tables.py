"""Symbols to bytes and back with integer tables: the range coder that the codec uses.

The coding is done by `constriction` (Rust). But:
- It does not say which table a symbol uses: `hyperprior.py` and `exact.py` do.
- It does not make the tables: `counts.py` does.
- It does not show how a range coder works: `range_coder.py` does.

Taught in chapter 7.

How a stream is made (normative, version 1). Groups are coded one after the other by `constriction`'s range coder
(32-bit words, 64-bit state, 24-bit probabilities: 256 * count). A group is n symbols of one table, then the group's
escapes in order: first every prefix (`PREFIX` table), the number b of bits after the leading one of r + 1; then bit 1
of every escape with b >= 1, bit 2 of every escape with b >= 2, ... (most significant first, one bit each). Here
r = 2 * (distance past the last symbol - 1) above the support, 2 * (distance before the first symbol - 1) + 1 below it.
The stream is the shortest byte string, most significant byte first, whose continuation with zeros lies in the final
interval; it ends in no zero byte.
"""

import constriction
import numpy as np

from mfca_tutorial.container import BitstreamError
from mfca_tutorial.entropy.counts import Table

MAX_PREFIX = 33  # any int32 from any int32 offset: r + 1 < 2**34
_geometric = [1 << (15 - n) for n in range(11)] + [10] + [1] * (MAX_PREFIX - 11)  # P(n) about 2**-(n + 1)
PREFIX = Table(np.array(_geometric), 0)
_BIT = constriction.stream.model.Uniform(2)


class Decoder:
    """The bytes that `finish` returned, being read. It codes what it reads once more, for `check_finished` to compare.

    Taught in chapter 7."""

    def __init__(self, data: bytes):
        words = np.frombuffer(data + b"\0" * (8 + -len(data) % 4), dtype=">u4").astype(np.uint32)
        self.data, self.stream, self.mirror = data, constriction.stream.queue.RangeDecoder(words), new_encoder()

    def read(self, model, n: int) -> np.ndarray:
        """The next n >= 1 symbols, int32 (n,). Raises BitstreamError. Taught in chapter 7."""
        try:
            symbols = self.stream.decode(model, n)  # (n,)
        except AssertionError:
            raise BitstreamError("the coded data is damaged: no symbols fit it") from None
        self.mirror.encode(symbols, model)
        return symbols


def new_encoder():
    """An empty `constriction` range encoder. Taught in chapter 7."""
    return constriction.stream.queue.RangeEncoder()


def finish(encoder) -> bytes:
    """The shortest bytes (most significant first) that, continued with zeros, name a number in the final interval.

    `constriction` ends on a whole 32-bit word; one or two bytes of it usually do. Nothing coded -> b"".
    Taught in chapter 7."""
    if encoder.is_empty():
        return b""
    data = encoder.get_compressed().astype(">u4").tobytes()
    position, (low, span) = encoder.pos()  # the final word starts at byte 4 * position
    carry = (low + (1 << 32) - 1) >> 64  # did the ending chosen by constriction carry into the words before it?
    for size in range(5):
        unit = 1 << (64 - 8 * size)
        point = -(-low // unit) * unit
        if point < low + span:
            head = int.from_bytes(data[: 4 * position], "big") + (point >> 64) - carry  # this ending may carry as well
            tail = (point % (1 << 64)).to_bytes(8, "big")[:size]
            return (head.to_bytes(4 * position, "big") + tail).rstrip(b"\0")
    raise AssertionError("a final interval holds a whole word")  # pragma: no cover


def check_finished(decoder: Decoder) -> None:
    """Raises BitstreamError unless the symbols read are exactly what the bytes hold, no more and no less.

    Taught in chapter 7."""
    if finish(decoder.mirror) != decoder.data:
        raise BitstreamError("the coded data does not end where its symbols end: the file is damaged")


def _split(symbols: np.ndarray, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Integers (n,) -> int32 codes (n,) of the table and the remainders r, int64 (escapes,), of those beyond it."""
    codes, n = symbols.astype(np.int64) - table.offset, len(table.counts) - 1
    beyond = codes.view(np.uint64) >= n
    rest = codes[beyond]
    codes[beyond] = n
    return codes.astype(np.int32), np.where(rest >= n, 2 * (rest - n), -2 * rest - 1)


def _bit_lengths(values: np.ndarray) -> np.ndarray:
    """floor(log2(v)) for v in 1..2**34, exact (float64 holds them all). int32 (n,)."""
    return (np.frexp(values.astype(np.float64))[1] - 1).astype(np.int32)


def encode_group(encoder, symbols: np.ndarray, table: Table) -> None:
    """Appends the integers (n,), any int32, in the given table; what the table lacks is escaped, never clipped.

    Raises ValueError for symbols that are not integers or exceed int32. Taught in chapter 7."""
    if len(symbols) == 0:
        return
    if symbols.dtype.kind not in "iu" or symbols.min() < -(2**31) or symbols.max() >= 2**31:
        raise ValueError("symbols must be integers within int32")
    codes, rest = _split(symbols, table)
    encoder.encode(codes, table.model)
    if len(rest):
        prefix = _bit_lengths(rest + 1)
        encoder.encode(prefix, PREFIX.model)
        for bit in range(1, int(prefix.max()) + 1):
            longer = prefix >= bit
            encoder.encode((((rest + 1)[longer] >> (prefix[longer] - bit)) & 1).astype(np.int32), _BIT)


def decode_group(decoder: Decoder, n: int, table: Table) -> np.ndarray:
    """The next n integers coded with the table, int32 (n,). Raises BitstreamError. Taught in chapter 7."""
    if n == 0:
        return np.zeros(0, np.int32)
    values, last = decoder.read(table.model, n).astype(np.int64), len(table.counts) - 1
    beyond = values == last
    escapes = int(beyond.sum())
    if escapes:
        prefix = decoder.read(PREFIX.model, escapes)
        value = np.ones(escapes, np.int64)  # r + 1, from its leading one on
        for bit in range(1, int(prefix.max()) + 1):
            longer = prefix >= bit
            value[longer] = 2 * value[longer] + decoder.read(_BIT, int(longer.sum()))
        rest = value - 1
        values[beyond] = np.where(rest % 2 == 0, last + rest // 2, -(rest + 1) // 2)
    values += table.offset
    if escapes and (values.min() < -(2**31) or values.max() >= 2**31):
        raise BitstreamError("the coded data is damaged: a value exceeds 32 bits")
    return values.astype(np.int32)


def _groups(index: np.ndarray, tables: list[Table]) -> tuple[np.ndarray, np.ndarray]:
    """index (n,) -> the order that sorts it (table ascending, raster inside) and where each table's group ends."""
    if index.size and not 0 <= int(index.min()) <= int(index.max()) < len(tables):
        raise ValueError("a table index is out of range")
    index = index.astype(np.uint16).ravel()  # radix sort
    return np.argsort(index, kind="stable"), np.cumsum(np.bincount(index, minlength=len(tables)))


def encode_indexed(encoder, symbols: np.ndarray, index: np.ndarray, tables: list[Table]) -> None:
    """Appends integers of any shape; index, same shape, names each one's table. Raises ValueError.

    Taught in chapter 8."""
    if symbols.shape != index.shape:
        raise ValueError("symbols and index must have one shape")
    order, ends = _groups(index, tables)
    for group, table in zip(np.split(symbols.ravel()[order], ends[:-1]), tables, strict=True):
        encode_group(encoder, group, table)


def decode_indexed(decoder: Decoder, index: np.ndarray, tables: list[Table]) -> np.ndarray:
    """The inverse of `encode_indexed`: int32, shaped like index. Raises BitstreamError. Taught in chapter 8."""
    order, ends = _groups(index, tables)
    symbols = np.empty(index.size, np.int32)
    sizes = np.diff(ends, prepend=0)
    symbols[order] = np.concatenate([decode_group(decoder, int(n), t) for n, t in zip(sizes, tables, strict=True)])
    return symbols.reshape(index.shape)


def table_bits(symbols: np.ndarray, index: np.ndarray, tables: list[Table]) -> float:
    """What `encode_indexed` will spend, in bits, escapes included: the sum of -log2(count / 2**16).

    Taught in chapter 7."""
    order, ends = _groups(index, tables)
    total = 0.0
    for group, table in zip(np.split(symbols.ravel()[order], ends[:-1]), tables, strict=True):
        if len(group):
            codes, rest = _split(group, table)
            prefix = _bit_lengths(rest + 1)
            total += table.bits[codes].sum() + PREFIX.bits[prefix].sum() + prefix.sum()
    return float(total)
