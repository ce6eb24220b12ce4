"""Does a file hold more than the 8 bits per colour that Pillow gives us of it?

Pillow has 16-bit grey pictures, but no 16-bit colours: it drops the lower bits while it reads, and
does not say so. What it is about to do can be seen only between opening and reading.

Taught in chapter 0.
"""

import re

from PIL import Image, ImageFile

DEPTH_AT_RISK = ("L", "LA", "RGB", "RGBA", "CMYK")  # Pillow's modes with 8 bits per channel
RAW_16_BITS = re.compile(";16[LBN]")  # in Pillow's name of a layout: little, big, native endian
HEAD = 4096  # bytes in which the formats below say how many bits they hold

JPEG2000_START = b"\xff\x4f\xff\x51"  # start of the code stream, and its first segment
JPEG2000_DEPTH = 42  # bytes from there to the depth of the first channel, less 1
AVIF_CONFIG = b"av1C"  # the box with the settings of the AV1 stream inside an AVIF file
AVIF_FLAGS = 6  # bytes from its name to the byte with the flag
AVIF_HIGH_DEPTH = 0x40  # the flag: 10 or 12 bits


def is_cut_to_8_bits(image: Image.Image) -> bool:
    """Whether reading this image, which has been opened and no more, loses bits in silence."""
    if not isinstance(image, ImageFile.ImageFile) or image.mode not in DEPTH_AT_RISK:
        return False

    # how each part of the picture will be read: by which decoder, from which layout
    for decoder, _, _, options in image.tile:
        if decoder == "SGI16" or RAW_16_BITS.search(str(options)):
            return True

        # PPM gives the largest value instead
        if decoder.startswith("ppm") and isinstance(options, tuple) and options[-1] > 255:
            return True

    # where the layout is only known inside the format's own decoder
    if image.format == "JPEG2000":
        depth = _byte_after(image, JPEG2000_START, JPEG2000_DEPTH) & 0x7F  # the top bit is a sign
        return depth + 1 > 8
    if image.format == "AVIF":
        flags = _byte_after(image, AVIF_CONFIG, AVIF_FLAGS)
        return flags & AVIF_HIGH_DEPTH > 0
    return False


def _byte_after(image: ImageFile.ImageFile, mark: bytes, distance: int) -> int:
    """The byte that stands so many bytes behind the start of a mark in the file's head; else 0."""
    if image.fp is None:
        return 0

    # Pillow reads on from where it was
    position = image.fp.tell()
    image.fp.seek(0)
    head = image.fp.read(HEAD)
    image.fp.seek(position)

    at = head.find(mark)
    if at < 0 or at + distance >= len(head):
        return 0
    return head[at + distance]
