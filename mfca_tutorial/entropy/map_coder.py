"""The importance map in the file: 16 levels, coded with the range coder from the left neighbour.

Level n means 4 * (n - 8) quality steps (-32..+28). A level is likely to be its left neighbour's (in the first column:
the upper one's; the very first: 8, no change), and each step away is 1, 2, 8 or 256 times less likely. The encoder
tries these four contrasts and sends the cheapest in two bits: a flat map costs a byte or two, noise its raw size.
But: it knows nothing about quality or images; `blocks/importance.py` does. Taught in chapter 5.
"""

from functools import cache

import constriction
import numpy as np

from mfca_tutorial.container import BitstreamError
from mfca_tutorial.entropy.tables import TOTAL, check_finished, exact_model, finish, new_decoder, new_encoder

LEVELS = 16
START = 8  # the level of offset 0
STEPS = (0, 1, 3, 8)  # contrast c: one level away is 2**STEPS[c] times less likely
_CONTRAST = constriction.stream.model.Uniform(len(STEPS))


@cache
def _model(contrast: int, left: int):
    """The model of a level whose left neighbour is `left`: integer counts (16,) that sum to 2**16."""
    weight = np.array([(1 << 48) >> min(48, STEPS[contrast] * abs(n - left)) for n in range(LEVELS)], dtype=object)
    counts = 1 + (TOTAL - LEVELS) * weight // weight.sum()  # Python integers: nothing to round
    counts[left] += TOTAL - counts.sum()
    return exact_model(counts)


def encode_map(levels: np.ndarray) -> bytes:
    """Levels (h, w), uint8 in 0..15 -> bytes; a flat 8 x 12 map of level 8 has 1 byte. Raises ValueError.

    Taught in chapter 5."""
    if levels.ndim != 2 or levels.size == 0 or levels.min() < 0 or levels.max() >= LEVELS:
        raise ValueError("a map is a 2-D array of levels 0..15")
    left = np.empty(levels.shape, np.int64)  # (h, w)
    left[:, 1:], left[1:, 0], left[0, 0] = levels[:, :-1], levels[:-1, 0], START
    streams = []
    for contrast in range(len(STEPS)):
        encoder = new_encoder()
        encoder.encode(np.array([contrast], np.int32), _CONTRAST)
        for level, neighbour in zip(levels.ravel().tolist(), left.ravel().tolist(), strict=True):
            encoder.encode(level, _model(contrast, neighbour))
        streams.append(finish(encoder))
    return min(streams, key=len)


def decode_map(data: bytes, h: int, w: int) -> np.ndarray:
    """The inverse of `encode_map`: uint8 (h, w). Raises BitstreamError unless data holds exactly that.

    Taught in chapter 5."""
    if len(data) > h * w + 1:
        raise BitstreamError("the importance map is longer than any map of its size")
    decoder = new_decoder(data)
    contrast = int(decoder.read(_CONTRAST, 1)[0])
    levels = np.empty((h, w), np.uint8)
    above = START
    for row in range(h):
        left = above
        for column in range(w):
            left = levels[row, column] = int(decoder.read(_model(contrast, left), 1)[0])
        above = int(levels[row, 0])
    check_finished(decoder)
    return levels
