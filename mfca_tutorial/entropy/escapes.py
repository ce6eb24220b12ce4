"""Integers that a table lacks: each becomes a number r >= 0, and r becomes a few binary digits.

An escape says 'some other integer; read on'. The number r says which one (normative, version 1):
r = 2 * (distance past the last symbol - 1) above the support,
r = 2 * (distance before the first symbol - 1) + 1 below it.
r is written in an Exp-Golomb code. The prefix b, which has a table of its own, is the number of
binary digits after the leading one of r + 1. Those b digits follow it. So nothing is ever clipped,
and the integers nearest to the support cost least.

But: nothing is written here; `tables.py` does that.

Taught in chapter 7.
"""

import numpy as np

from mfca_tutorial.entropy.counts import Table

# Counts of the prefixes 0..33, which suffice for any int32 and any table, since r + 1 < 2**34. Down
# to prefix 10, each is half as likely as the one before. Prefixes 12..33 have one count each, and
# prefix 11 has what is left. (The last count is that of prefix 33: this table has no escape.)
_HALVED = [2**15 >> b for b in range(11)]
_LEAST = [1] * 22
_COUNTS = [*_HALVED, 10, *_LEAST]
PREFIX = Table(np.array(_COUNTS), offset=0)


def split(symbols: np.ndarray, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Integers (n,) -> their codes in the table, int32 (n,), and r of every escape, int64."""
    codes = symbols.astype(np.int64) - table.offset

    # Codes below the support are negative. Read as unsigned numbers they are huge, so a single
    # comparison finds the codes beyond either end.
    unsigned = codes.view(np.uint64)
    beyond = unsigned >= table.escape
    far = codes[beyond]
    codes[beyond] = table.escape

    # r is even above the support and odd below it
    past = far - table.escape
    above = 2 * past
    below = -2 * far - 1
    rest = np.where(far > 0, above, below)
    codes = codes.astype(np.int32)
    return codes, rest


def join(codes: np.ndarray, rest: np.ndarray, table: Table) -> np.ndarray:
    """The inverse of `split`: int64 (n,). Damaged data can make the values exceed int32."""
    values = codes.astype(np.int64)

    # r is even above the support and odd below it
    above = table.escape + rest // 2
    below = -(rest + 1) // 2
    is_even = rest % 2 == 0
    far = np.where(is_even, above, below)

    beyond = codes == table.escape
    values[beyond] = far
    return values + table.offset


def bit_lengths(values: np.ndarray) -> np.ndarray:
    """floor(log2(v)) for v in 1..2**34, int32 (n,)."""
    # v = mantissa * 2**exponent with a mantissa in [1/2, 1). This is exact: float64 holds every v.
    as_floats = values.astype(np.float64)
    _, exponents = np.frexp(as_floats)
    return exponents.astype(np.int32) - 1


def escape_bits(rest: np.ndarray) -> float:
    """The cost in bits of the numbers r (n,), without the codes of the escapes themselves."""
    prefix = bit_lengths(rest + 1)
    prices = PREFIX.bits[prefix] + prefix  # each prefix says how many digits follow it
    return float(prices.sum())
