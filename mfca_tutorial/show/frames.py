"""Every frame of an explorable, drawn in advance: what a page without a kernel can show.

But: it draws no HTML. `show/explorables.py` puts the frames into a block.

Taught in chapter 0.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from mfca_tutorial.pixels import Pixels
from mfca_tutorial.show.controls import Control
from mfca_tutorial.show.html import data_uri

MAX_FRAMES = 256  # per explorable: a page with more would take long to load


class Shown(NamedTuple):
    """One frame: its picture, and what is said about it."""

    picture: Pixels  # uint8 (H, W, 3)
    note: str = ""  # the line of text below it
    label: str = ""  # in its lower left corner
    beside: Pixels | None = None  # what lies behind the curtain, if there is one
    beside_label: str = ""  # in the lower right corner
    panels: tuple[str, ...] = ()  # below each of the pictures in a row, if it is a row


@dataclass
class Frames:
    """All frames, in the order of the controls' values; the last control varies fastest."""

    height: int = 0  # pixels, the same for every picture
    width: int = 0
    uris: list[str] = field(default_factory=list)  # the pictures, each stored once
    index: list[int] = field(default_factory=list)  # by frame: the number of its picture
    notes: list[str] = field(default_factory=list)  # by frame
    labels: list[str] = field(default_factory=list)  # by frame
    alts: list[str] = field(default_factory=list)  # by frame: the alternative text
    beside: list[int] = field(default_factory=list)  # by frame: the picture behind the curtain
    beside_labels: list[str] = field(default_factory=list)  # by frame
    panels: list[tuple[str, ...]] = field(default_factory=list)  # by frame


def combinations(controls: Mapping[str, Control]) -> Iterable[dict[str, object]]:
    """Yield every combination of the controls' values, as the arguments of `render`."""
    all_values = [control.values for control in controls.values()]
    for combination in itertools.product(*all_values):
        yield dict(zip(controls, combination))


def compute_frames(
    title: str,
    controls: Mapping[str, Control],
    *,
    show: Callable[..., Shown],
    describe: Callable[..., str],
    lossless: bool,
) -> Frames:
    """Draw every combination of the controls' values.

    Args:
        title: the explorable's title, for error messages.
        controls: the controls, by the names of the values.
        show: `show(**values)` returns a frame.
        describe: `describe(**values)` returns its alternative text.
        lossless: whether the pictures are stored exactly.

    Raises ValueError for more than MAX_FRAMES frames, or for frames that differ in size.
    """
    # check the number before drawing the first frame, because each frame may take seconds
    total = math.prod(len(control.values) for control in controls.values())
    if total > MAX_FRAMES:
        hint = "give the controls fewer values"
        raise ValueError(f"{title}: {total} frames, at most {MAX_FRAMES}; {hint}")

    frames = Frames()
    numbers: dict[str, int] = {}  # a picture's number by its data URI

    # a picture that has already occurred keeps its number
    def number_of(picture: Pixels) -> int:
        size = (frames.height, frames.width)
        if frames.height and picture.shape[:2] != size:
            raise ValueError(f"{title}: frames differ in size, {size} and {picture.shape[:2]}")
        frames.height, frames.width = picture.shape[:2]
        return numbers.setdefault(data_uri(picture, lossless), len(numbers))

    for values in combinations(controls):
        shown = show(**values)
        frames.index.append(number_of(shown.picture))
        frames.notes.append(shown.note)
        frames.labels.append(shown.label)
        frames.alts.append(describe(**values))
        frames.panels.append(shown.panels)

        # what lies behind the curtain
        if shown.beside is not None:
            frames.beside.append(number_of(shown.beside))
            frames.beside_labels.append(shown.beside_label)

    # dictionaries keep their order, so the pictures are in the order of their numbers
    frames.uris = list(numbers)
    return frames
