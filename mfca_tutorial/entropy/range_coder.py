"""A range coder to read: pure Python integers, one bit at a time, nothing hidden.

The coder holds an interval [low, low + span) inside [0, 2**32). Each symbol keeps the part of the interval that its
counts give it; whenever the span is half or less, one bit is certain (but for a carry) and the interval doubles.
But:
- It is slow, one Python loop turn a bit: files are written through `tables.py`, the same idea in Rust.
- It does not know where its counts come from, and they may change from symbol to symbol (chapter 8).

Taught in chapter 7.
"""

from bisect import bisect_right
from itertools import accumulate

BITS = 32
ONE, HALF = 1 << BITS, 1 << (BITS - 1)


def cumulate(counts) -> list[int]:
    """Whole numbers (n,) >= 0 -> their running sum (n + 1,) from 0: cumulate([2, 5, 1]) -> [0, 2, 7, 8].

    Raises ValueError for a negative count or a sum outside 1..2**31. Taught in chapter 7.
    """
    counts = [int(count) for count in counts]
    if min(counts, default=-1) < 0 or not 1 <= sum(counts) <= HALF:
        raise ValueError("counts must be >= 0 and sum to 1..2**31")
    return [0, *accumulate(counts)]


def _ending(low: int, span: int) -> tuple[int, int]:
    """The shortest tail (value, bits) such that low <= it < low + span, whatever bits follow; 0 to 2 bits."""
    for bits in range(3):
        unit = ONE >> bits
        value = -(-low // unit)
        if (value + 1) * unit <= low + span:
            return value, bits
    raise AssertionError("a span of more than half holds a whole quarter")  # pragma: no cover


class Encoder:
    """put() symbols, then finish(). `bits` holds the certain ones so far. Taught in chapter 7."""

    def __init__(self):
        self.low, self.span, self.bits = 0, ONE, []

    def put(self, symbol: int, cumulative: list[int]) -> None:
        """Narrow the interval to the symbol's part of it. Raises ValueError where it is empty. Taught in chapter 7."""
        if not 0 <= symbol < len(cumulative) - 1 or cumulative[symbol] == cumulative[symbol + 1]:
            raise ValueError(f"symbol {symbol} has no count, so it cannot be coded")
        start = self.span * cumulative[symbol] // cumulative[-1]
        self.span = self.span * cumulative[symbol + 1] // cumulative[-1] - start
        self.low += start
        if self.low >= ONE:
            self._carry()
        while self.span <= HALF:
            self.bits.append(self.low >> (BITS - 1))
            self.low, self.span = (self.low << 1) % ONE, self.span << 1

    def _carry(self) -> None:
        """The sum grew a digit: add one to the number that the bits already written spell."""
        self.low -= ONE
        at = len(self.bits) - 1
        while self.bits[at]:  # 0111 + 1 = 1000
            self.bits[at] = 0
            at -= 1
        self.bits[at] = 1

    def finish(self) -> bytes:
        """The bits and the shortest unmistakable ending, filled with 0 up to a whole byte. Taught in chapter 7."""
        value, size = _ending(self.low, self.span)
        if size and value >> size:
            self._carry()
        self.bits += [value >> (size - 1 - i) & 1 for i in range(size)]
        padded = self.bits + [0] * (-len(self.bits) % 8)
        return bytes(int("".join(map(str, padded[i : i + 8])), 2) for i in range(0, len(padded), 8))


class Decoder:
    """get() symbols with the counts that the encoder used; bits past the end read as 0. Taught in chapter 7."""

    def __init__(self, data: bytes):
        self.data, self.read = data, 0
        self.low, self.span, self.above = 0, ONE, 0  # above: how far into the interval the file's number lies
        for _ in range(BITS):
            self.above = self.above << 1 | self._bit()

    def _bit(self) -> int:
        byte, bit = divmod(self.read, 8)
        self.read += 1
        return self.data[byte] >> (7 - bit) & 1 if byte < len(self.data) else 0

    def get(self, cumulative: list[int]) -> int:
        """The next symbol: the one whose part of the interval holds the file's number. Taught in chapter 7."""
        place = ((self.above + 1) * cumulative[-1] - 1) // self.span  # largest c with span * c // total <= above
        symbol = bisect_right(cumulative, place) - 1
        start = self.span * cumulative[symbol] // cumulative[-1]
        self.span = self.span * cumulative[symbol + 1] // cumulative[-1] - start
        self.above, self.low = self.above - start, (self.low + start) % ONE
        while self.span <= HALF:
            self.above, self.low, self.span = self.above << 1 | self._bit(), (self.low << 1) % ONE, self.span << 1
        return symbol

    @property
    def used(self) -> int:
        """Bits of the file that the symbols so far would need, ending included. Taught in chapter 7."""
        return self.read - BITS + _ending(self.low, self.span)[1]


def encode(symbols, counts) -> bytes:
    """Symbols 0 <= s < len(counts), all with the same counts -> bytes. Raises ValueError.

    encode([1, 1, 0, 1, 1, 1, 2, 1], [2, 5, 1]) has 2 bytes. Source: G. N. N. Martin, Range encoding, 1979.
    Taught in chapter 7.
    """
    encoder, cumulative = Encoder(), cumulate(counts)
    for symbol in symbols:
        encoder.put(int(symbol), cumulative)
    return encoder.finish()


def decode(data: bytes, counts, n: int) -> tuple[list[int], int]:
    """The n symbols that `encode` was given, and how many bits of data they took; what follows those bits is ignored.

    Taught in chapter 7.
    """
    decoder, cumulative = Decoder(data), cumulate(counts)
    return [decoder.get(cumulative) for _ in range(n)], decoder.used
