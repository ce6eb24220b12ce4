"""Integer frequency tables and the range coder that the codec uses.

A table is a list of whole numbers that sum to 2**16; both sides read their probabilities from these integers and from
nothing else, so no floating-point difference between two machines can derail the decoder. The coding itself is done by
`constriction` (Rust). But:
- It does not say which table a symbol uses: `hyperprior.py` and `exact.py` do.
- It does not show how a range coder works: `range_coder.py` does.

Taught in chapter 7 (tables in chapter 8).

How a stream is made (normative, version 1). Groups are coded one after the other by `constriction`'s range coder
(32-bit words, 64-bit state, 24-bit probabilities: count * 256). A group is n symbols of one table, then the group's
escapes in order: all prefixes (the number of bits b after the leading one of r + 1, `PREFIX` table), then bit 1 of every
escape with b >= 1, bit 2 of every escape with b >= 2, ... (most significant first, one bit each), where r = 2 * (distance
past the last symbol - 1) above the support and 2 * (distance before the first symbol - 1) + 1 below it. The stream is the shortest byte
string, most significant byte first, whose continuation with zeros lies in the final interval; it ends in no zero byte.
"""

import math
from dataclasses import dataclass
from functools import cache, cached_property

import constriction
import numpy as np

from ..container import BitstreamError

PRECISION = 16  # counts of a table sum to 2**PRECISION
TOTAL = 1 << PRECISION
LEVELS = 64  # number of Gaussian scales
SCALE_MIN, SCALE_MAX = 0.11, 256
# 64 log-spaced standard deviations, in latent steps; whole multiples of 2**-16, so that they are the same everywhere
SCALES = np.round(np.geomspace(SCALE_MIN, SCALE_MAX, LEVELS) * 2.0**16) / 2.0**16
TAIL = 2.0**-14  # Gaussian mass beyond a table's support; a wider support costs more than the rare escape
MIN_REACH = 2  # each Gaussian table holds at least -2..2
_BIT = constriction.stream.model.Uniform(2)


@dataclass(frozen=True, eq=False)
class Table:
    """Counts of the symbols offset, offset + 1, ...; the last count is the escape: 'some other integer'.

    counts: int64 (n + 1,), each >= 1, sum 2**16; offset: value of the first symbol.
    Raises ValueError for counts that are no such table. Taught in chapter 7.
    """

    counts: np.ndarray
    offset: int

    def __post_init__(self):
        if self.counts.ndim != 1 or len(self.counts) < 2 or self.counts.min() < 1 or self.counts.sum() != TOTAL:
            raise ValueError(f"a table needs two or more counts >= 1 that sum to {TOTAL}")

    @cached_property
    def model(self):
        """The `constriction` model of the counts (the symbol n is the escape). Taught in chapter 7."""
        return exact_model(self.counts)

    @cached_property
    def bits(self) -> np.ndarray:
        """float64 (n + 1,): price of each symbol in bits; the last is the escape without its value. Taught in chapter 7."""
        return PRECISION - np.log2(self.counts)


def exact_model(counts: np.ndarray):
    """The `constriction` model whose 24-bit probabilities are exactly 256 * counts (int, sum 2**16).

    `Categorical(perfect=False)` gives symbol i the share trunc(scale * cumulated p) of 2**24 - n, plus one. With
    p = 256 * counts - 1 the scale is exactly 1 and nothing is left to rounding. Taught in chapter 9.
    """
    p = np.asarray(counts, dtype=np.float64) * (1 << (24 - PRECISION)) - 1.0
    return constriction.stream.model.Categorical(p, perfect=False, lazy=False)


def _floor_counts(pmf: np.ndarray) -> tuple[np.ndarray, int]:
    """pmf (n,) -> int64 counts (n + 1,) >= 1 rounded down, escape last, and how many counts are still to give (<= n)."""
    pmf = np.maximum(pmf, 0.0)
    escape = max(0.0, 1.0 - pmf.sum())
    counts = 1 + np.floor((TOTAL - len(pmf) - 1) * np.append(pmf, escape)).astype(np.int64)  # (n + 1,)
    return counts, TOTAL - int(counts.sum())


def table_from_pmf(pmf: np.ndarray, offset: int) -> Table:
    """Probabilities (n,), n < 2**15, of the integers offset, offset + 1, ... -> `Table`; mass missing to 1 is the escape's.

    table_from_pmf([0.25, 0.5, 0.25], -1).counts -> [16383, 32767, 16385, 1] or so. Raises ValueError. Taught in chapter 7.
    """
    pmf = np.asarray(pmf, dtype=np.float64)
    if pmf.ndim != 1 or not 0 < len(pmf) < TOTAL // 2 or not np.isfinite(pmf).all() or pmf.sum() <= 0:
        raise ValueError("pmf must be a list of 1 to 32767 probabilities")
    counts, rest = _floor_counts(pmf / max(1.0, pmf.sum()))
    largest = np.argsort(-counts, kind="stable")
    np.add.at(counts, largest[np.arange(rest) % len(counts)], 1)
    return Table(counts, int(offset))


@cache
def gaussian_tables() -> list[Table]:
    """The 64 tables of N(0, SCALES[i]**2) on the integers, symmetric, each with its own support (LEVELS tables).

    Computed, not stored: every product that is rounded down stays 1e-7 or more from an integer, ten thousand times what
    two `erfc` can differ by, and a test holds that margin and the sha256 of the result. Taught in chapter 8.
    """
    return [_gaussian(float(scale)) for scale in SCALES]


def _upper(x: float, scale: float) -> float:
    """P(N(0, scale**2) > x)."""
    return 0.5 * math.erfc(x / (scale * math.sqrt(2.0)))


def _half_pmf(scale: float) -> np.ndarray:
    """P(k), k = 0..K, of the rounded Gaussian; K is the smallest reach whose tails hold less than TAIL."""
    reach = MIN_REACH
    while 2.0 * _upper(reach + 0.5, scale) > TAIL:
        reach += 1
    edge = [_upper(k + 0.5, scale) for k in range(reach + 1)]
    return np.array([1.0 - 2.0 * edge[0]] + [a - b for a, b in zip(edge, edge[1:], strict=False)])  # (K + 1,)


def _gaussian(scale: float) -> Table:
    half = _half_pmf(scale)  # (K + 1,)
    reach = len(half) - 1
    counts, rest = _floor_counts(np.concatenate([half[:0:-1], half]))  # (2K + 2,), centre at K
    for k in range(1, min(rest // 2, reach) + 1):  # one more for the likeliest pairs, what is left for the centre
        counts[reach - k] += 1
        counts[reach + k] += 1
        rest -= 2
    counts[reach] += rest
    return Table(counts, -reach)


def tables_to_array(tables: list[Table]) -> np.ndarray:
    """Tables -> one int32 vector [number, then offset, length, counts of each], for the checkpoint. Taught in chapter 9."""
    parts = [np.array([len(tables)])] + [np.append([t.offset, len(t.counts)], t.counts) for t in tables]
    return np.concatenate(parts).astype(np.int32)


def tables_from_array(array: np.ndarray) -> list[Table]:
    """The inverse of `tables_to_array`. Raises ValueError when the vector is not one of its. Taught in chapter 9."""
    values, tables, at = np.asarray(array).astype(np.int64), [], 1
    for _ in range(int(values[0])):
        offset, length = values[at : at + 2]
        tables.append(Table(values[at + 2 : at + 2 + int(length)], int(offset)))
        at += 2 + int(length)
    if at != len(values):
        raise ValueError("the vector of tables has the wrong length")
    return tables


# ---------------------------------------------------------------------------------------------------- the streams


class Decoder:
    """A stream being read. It codes what it reads once more, so that `check_finished` can compare byte for byte.

    Made by `new_decoder`. Taught in chapter 7.
    """

    def __init__(self, data: bytes):
        words = np.frombuffer(data + b"\0" * (8 + -len(data) % 4), dtype=">u4").astype(np.uint32)
        self.data, self.stream, self.mirror = data, constriction.stream.queue.RangeDecoder(words), new_encoder()

    def read(self, model, n: int) -> np.ndarray:
        """The next n symbols, int32 (n,). Raises BitstreamError. Taught in chapter 7."""
        if n == 0:
            return np.zeros(0, np.int32)
        try:
            symbols = self.stream.decode(model, n)  # (n,)
        except AssertionError:
            raise BitstreamError("the coded data is damaged: no symbols fit it") from None
        self.mirror.encode(symbols, model)
        return symbols


def new_encoder():
    """An empty `constriction` range encoder. Taught in chapter 7."""
    return constriction.stream.queue.RangeEncoder()


def new_decoder(data: bytes) -> Decoder:
    """A decoder at the start of the bytes that `finish` returned. Taught in chapter 7."""
    return Decoder(data)


def finish(encoder) -> bytes:
    """The shortest bytes (most significant first) that, continued with zeros, name a number in the final interval.

    `constriction` ends on a whole 32-bit word; one or two bytes of it usually do. Nothing coded -> b"". Taught in chapter 7.
    """
    if encoder.is_empty():
        return b""
    data = encoder.get_compressed().astype(">u4").tobytes()
    position, (low, span) = encoder.pos()  # the final word starts at byte 4 * position
    carry = (low + (1 << 32) - 1) >> 64  # did the ending chosen by constriction carry into the words before it?
    for size in range(5):
        unit = 1 << (64 - 8 * size)
        point = -(-low // unit) * unit
        if point < low + span and point >> 64 == carry:
            tail = (point % (1 << 64)).to_bytes(8, "big")[:size]
            return (data[: 4 * position] + tail).rstrip(b"\0")
    raise AssertionError("a final interval holds a whole word")  # pragma: no cover


def check_finished(decoder: Decoder) -> None:
    """Raises BitstreamError unless the symbols read are exactly what the bytes hold, no more and no less. Taught in chapter 7."""
    if finish(decoder.mirror) != decoder.data:
        raise BitstreamError("the coded data does not end where its symbols end: the file is damaged")


# ------------------------------------------------------------------------------------------------ symbols, escapes

MAX_PREFIX = 33  # any int32 from any int32 offset: r + 1 < 2**34
_prefix_counts = np.array([1 << (15 - n) for n in range(11)] + [10] + [1] * 22, dtype=np.int64)  # P(n) ~ 2**-(n + 1)
PREFIX = Table(_prefix_counts, 0)


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

    Raises ValueError for symbols that are not integers or exceed int32. Taught in chapter 7.
    """
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
    """Appends integers of any shape; index, same shape, names each one's table. Raises ValueError. Taught in chapter 8."""
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
    """What `encode_indexed` will spend, in bits, escapes included: the sum of -log2(count / 2**16). Taught in chapter 7."""
    order, ends = _groups(index, tables)
    total = 0.0
    for group, table in zip(np.split(symbols.ravel()[order], ends[:-1]), tables, strict=True):
        codes, rest = _split(group, table)
        prefix = _bit_lengths(rest + 1)
        total += table.bits[codes].sum() + PREFIX.bits[prefix].sum() + prefix.sum()
    return float(total)
