"""From maps and figures to pictures: whatever a chapter computes becomes uint8 (H, W, 3).

Only pictures in a row are (H, W, 4), since the gaps between them are transparent.

But: it draws no axes or titles; `show/figures.py` does. Plain images are converted in `pixels.py`.

Taught in chapters 0, 1, 2 and 12.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mfca_tutorial.config import STRIDE
from mfca_tutorial.pixels import Pixels, as_rgb

OWN_SIDE = 512  # pixels: the largest side of what an explorable uses of a reader's own image
SIGNED = "RdBu_r"  # the Matplotlib colour map of maps with a sign
NO_RANGE = 1e-12  # the least range of a map: a constant map would otherwise divide by zero


def to_picture(drawn: ArrayLike | Figure) -> Pixels:
    """Turn an image (as `as_rgb` takes it) or a Matplotlib figure into a picture uint8 (H, W, 3).

    A figure is drawn at its own resolution and then closed. Pictures in a row stay (H, W, 4).
    """
    if isinstance(drawn, Figure):
        return _pixels_of(drawn)
    pixels = np.asarray(drawn)
    if pixels.dtype == np.uint8 and pixels.shape[2:] == (4,):
        return pixels
    return as_rgb(drawn)


def _pixels_of(figure: Figure) -> Pixels:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    plt.close(figure)
    rgba = np.asarray(canvas.buffer_rgba())  # (H, W, 4)
    rgb = rgba[..., :3]
    return rgb.copy()  # a copy, because the canvas and its memory will be freed


def signed(array: ArrayLike, limit: float | None = None) -> Pixels:
    """Show a signed map (H, W): blue below zero, white at zero, red above.

    `limit` is the absolute value that gets the full colour, by default the largest in the map.
    """
    values = np.asarray(array, dtype=np.float64)
    if not limit:
        largest = np.abs(values).max()
        limit = max(float(largest), NO_RANGE)

    # map -limit..limit to 0..1, with zero in the middle
    relative = np.clip(values / limit, -1, 1)
    share = 0.5 + 0.5 * relative
    return _coloured(share, SIGNED)


def is_signed(picture: Pixels) -> bool:
    """Whether a picture, (H, W, 3) or (H, W, 4), has the colours of `signed` and no others.

    Pixels that are not opaque do not count.
    """
    seen = picture[..., :3].reshape(-1, 3)
    if picture.shape[2] == 4:
        seen = seen[picture[..., 3].ravel() == 255]

    # every colour that `signed` can give, and those of Matplotlib, which rounds down
    ramp = np.linspace(0, 1, 256)
    rounded_down = plt.get_cmap(SIGNED)(ramp, bytes=True)[:, :3]
    known = np.concatenate([_coloured(ramp[None], SIGNED)[0], rounded_down])  # (512, 3)
    places = np.array([1, 256, 256**2])  # one number per colour
    return len(seen) > 0 and bool(np.isin(seen @ places, known @ places).all())


def heat(
    array: ArrayLike,
    low: float | None = None,
    high: float | None = None,
    cmap: str = "viridis",
) -> Pixels:
    """Show a map (H, W) in the colours of a Matplotlib colour map.

    Args:
        array: the map.
        low: the value that gets the first colour; by default the smallest in the map.
        high: the value that gets the last colour; by default the largest in the map.
        cmap: the name of the colour map.
    """
    values = np.asarray(array, dtype=np.float64)
    if low is None:
        low = values.min()
    if high is None:
        high = values.max()

    # map low..high to 0..1
    width = max(high - low, NO_RANGE)
    share = (values - low) / width
    share = np.clip(share, 0, 1)
    return _coloured(share, cmap)


def _coloured(share: np.ndarray, cmap: str) -> Pixels:
    colour_map = plt.get_cmap(cmap)
    rgba = colour_map(share)  # (H, W, 4) in 0..1
    return as_rgb(rgba)  # (H, W, 3)


def error_map(a: ArrayLike, b: ArrayLike, limit: float = 32) -> Pixels:
    """Show where two images differ: dark where they agree, bright where they do not.

    It shows the absolute difference in grey levels, averaged over the colours. Differences of
    `limit` grey levels or more get the brightest colour.
    """
    # differences lie in -255..255, which fits into 16 bits but not into 8 bits without a sign
    first = as_rgb(a).astype(np.int16)
    second = as_rgb(b).astype(np.int16)

    difference = first - second  # (H, W, 3)
    difference = np.abs(difference)
    over_colours = difference.mean(axis=2)  # (H, W)
    return heat(over_colours, 0, limit, "magma")


def enlarge(image: ArrayLike, times: int) -> np.ndarray:
    """Repeat every pixel `times` times down and across, so that nothing is blurred."""
    # repeat every row, then every column
    pixels = np.asarray(image)
    taller = pixels.repeat(times, axis=0)
    return taller.repeat(times, axis=1)


def in_a_row(images: Sequence[Pixels], gap: int) -> Pixels:
    """Put images (H, W, 3) of one height side by side: uint8 (H, all widths and gaps, 4).

    The gaps, `gap` pixels wide, are transparent, so that the ground of the page is seen there.
    """
    height = len(images[0])
    blank = np.zeros((height, gap, 4), np.uint8)
    parts: list[Pixels] = []
    for image in images:
        opaque = np.full((height, image.shape[1], 1), 255, np.uint8)
        parts += [np.concatenate([image, opaque], axis=2), blank]
    return np.concatenate(parts[:-1], axis=1)


def middle(image: Pixels) -> Pixels:
    """Cut out the middle of an image (H, W, 3), with sides of at most OWN_SIDE pixels.

    A side of 64 pixels or more is cut to a multiple of 64, so that the codec need not pad it.
    """
    height, width = image.shape[:2]
    rows = _middle_of(height)
    columns = _middle_of(width)
    return image[rows, columns]


def _middle_of(side: int) -> slice:
    # a side shorter than one block is kept whole
    blocks = min(side, OWN_SIDE) // STRIDE
    kept = blocks * STRIDE or side

    # cut off the same amount at both ends
    start = (side - kept) // 2
    return slice(start, start + kept)
