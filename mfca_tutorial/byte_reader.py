"""Whole numbers as varints, and a reader that never looks past the end of its bytes.

But: it does not know what the numbers mean; `container.py` does.

Taught in chapter 9.
"""

MAX_BYTES = 5  # of a varint: 35 bits


class BitstreamError(ValueError):
    """The file cannot be decoded; the message says what is wrong and what to do."""


def varint(n: int) -> bytes:
    """A whole number >= 0 as a varint. Example: varint(300) -> b"\\xac\\x02"."""
    out = bytearray()

    # seven bits at a time, for as long as more are left
    while n > 127:
        out.append(n & 127 | 128)  # the lowest 7 bits, marked to say that another byte follows
        n >>= 7

    # the last byte
    out.append(n)
    return bytes(out)


class ByteReader:
    """Reads forward through bytes and never past their end."""

    def __init__(self, data: bytes):
        self.data = data
        self.at = 0  # the next byte to read

    def take(self, n: int) -> bytes:
        """The next n bytes. Raises BitstreamError if fewer are left."""
        # n may be anything that a varint holds: compare before anything is allocated
        left = len(self.data) - self.at
        if n > left:
            raise BitstreamError(
                "the file is cut short: it ends before its contents do; fetch it again"
            )
        start = self.at
        self.at += n
        return bytes(self.data[start : self.at])

    def byte(self) -> int:
        """The next byte, 0..255."""
        return self.take(1)[0]

    def varint(self) -> int:
        """The next varint. Raises BitstreamError unless it is in its shortest form."""
        value = 0
        for shift in range(0, 7 * MAX_BYTES, 7):
            # seven more bits, each group above the one before
            byte = self.byte()
            value |= (byte & 127) << shift
            if byte == 0 and shift > 0:  # this byte adds nothing, so a shorter form exists
                break
            if byte < 128:  # the last byte
                return value
        raise BitstreamError("the file is damaged: a number in it is not in its shortest form")
