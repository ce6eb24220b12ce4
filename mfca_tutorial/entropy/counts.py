"""Integer frequency tables: whole numbers that sum to 2**16, one table a Gaussian scale or a channel of z.

Encoder and decoder take their probabilities from these integers and from nothing else, so no floating-point difference
between two machines can derail the decoder. But: nothing is coded here; `tables.py` does that.

Taught in chapters 7 and 8.
"""

import math
from dataclasses import dataclass
from functools import cache, cached_property

import constriction
import numpy as np

PRECISION = 16  # counts of a table sum to 2**PRECISION
TOTAL = 1 << PRECISION
LEVELS = 64  # number of Gaussian scales
SCALE_MIN, SCALE_MAX = 0.11, 256
# 64 log-spaced standard deviations, in latent steps; whole multiples of 2**-16, so that they are the same everywhere
SCALES = np.round(np.geomspace(SCALE_MIN, SCALE_MAX, LEVELS) * 2.0**16) / 2.0**16
TAIL = 2.0**-14  # Gaussian mass beyond a table's support; a wider support costs more than the rare escape
MIN_REACH = 2  # each Gaussian table holds at least -2..2


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
        """float64 (n + 1,): price of each symbol in bits; the escape's without its value. Taught in chapter 7."""
        return PRECISION - np.log2(self.counts)


def exact_model(counts: np.ndarray):
    """The `constriction` model whose 24-bit probabilities are exactly 256 * counts (int, sum 2**16).

    `Categorical(perfect=False)` gives symbol i the share trunc(scale * cumulated p) of 2**24 - n, plus one. With
    p = 256 * counts - 1 the scale is exactly 1 and nothing is left to rounding. Taught in chapter 9.
    """
    p = np.asarray(counts, dtype=np.float64) * (1 << (24 - PRECISION)) - 1.0
    return constriction.stream.model.Categorical(p, perfect=False, lazy=False)


def _floor_counts(pmf: np.ndarray) -> tuple[np.ndarray, int]:
    """pmf (n,) -> int64 counts (n + 1,) >= 1 rounded down, escape last, and how many counts are still to give."""
    pmf = np.maximum(pmf, 0.0)
    escape = max(0.0, 1.0 - pmf.sum())
    counts = 1 + np.floor((TOTAL - len(pmf) - 1) * np.append(pmf, escape)).astype(np.int64)  # (n + 1,)
    return counts, TOTAL - int(counts.sum())


def table_from_pmf(pmf: np.ndarray, offset: int) -> Table:
    """Probabilities (n,), n < 2**15, of the integers offset, offset + 1, ... -> `Table`; the rest to 1 is the escape's.

    table_from_pmf([0.25, 0.5, 0.25], -1).counts -> [16384, 32767, 16384, 1]. Raises ValueError. Taught in chapter 7.
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


def tables_to_array(tables: list[Table]) -> dict[str, np.ndarray]:
    """Tables -> int32 vectors 'offset' (T,), 'length' (T,) and 'counts' (sum of the lengths,), for the checkpoint.

    Taught in chapter 9.
    """
    vectors = {
        "offset": np.array([t.offset for t in tables]),
        "length": np.array([len(t.counts) for t in tables]),
        "counts": np.concatenate([t.counts for t in tables]),
    }
    return {name: vector.astype(np.int32) for name, vector in vectors.items()}


def tables_from_array(vectors: dict[str, np.ndarray]) -> list[Table]:
    """The inverse of `tables_to_array`. Raises ValueError where the vectors are not its. Taught in chapter 9."""
    counts = np.split(vectors["counts"].astype(np.int64), np.cumsum(vectors["length"].astype(np.int64)))
    if len(counts.pop()) or len(counts) != len(vectors["offset"]):
        raise ValueError("the vectors of the coding tables do not fit together")
    return [Table(c, int(offset)) for c, offset in zip(counts, vectors["offset"], strict=True)]
