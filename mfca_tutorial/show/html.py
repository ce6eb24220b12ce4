"""How an explorable gets onto a page: all its pictures, and one block of HTML around them.

But: nothing moves here. The script that moves it is `_assets/explorable.js`, and the style is in
`_assets/book.css`.

Taught in chapter 0.
"""

import base64
import io
import itertools
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from PIL import Image

from mfca_tutorial.pixels import Pixels
from mfca_tutorial.show.controls import Control

MAX_FRAMES = 256  # per explorable: a page with more would take long to load


@dataclass
class Frames:
    """Every frame of an explorable, in the order of its controls; the last one varies fastest."""

    uris: list[str]  # the pictures, each stored once
    index: list[int]  # by frame: the number of its picture
    notes: list[str]  # by frame: the line of text below it
    alts: list[str]  # by frame: the alternative text
    height: int  # pixels, the same for every frame
    width: int


def compute_frames(
    title: str,
    controls: Mapping[str, Control],
    *,
    show: Callable[..., tuple[Pixels, str]],
    describe: Callable[..., str],
    lossless: bool,
) -> Frames:
    """Draw every combination of the controls' values.

    Args:
        title: the explorable's title, for error messages.
        controls: the controls, by the names of the values.
        show: `show(**values)` returns the picture uint8 (H, W, 3) and its line of text.
        describe: `describe(**values)` returns its alternative text.
        lossless: whether the pictures are stored exactly.

    Raises ValueError for more than MAX_FRAMES frames, or for frames that differ in size.
    """
    # check the number before drawing the first frame, because each frame may take seconds
    total = math.prod(len(control.values) for control in controls.values())
    if total > MAX_FRAMES:
        hint = "give the controls fewer values"
        raise ValueError(f"{title}: {total} frames, at most {MAX_FRAMES}; {hint}")

    numbers: dict[str, int] = {}  # a picture's number by its data URI
    index = []
    notes = []
    alts = []

    # all frames must have the size of the first
    size: tuple[int, ...] = ()
    all_values = [control.values for control in controls.values()]
    for combination in itertools.product(*all_values):
        values = dict(zip(controls, combination))
        picture, text = show(**values)

        # a page must not jump while the reader moves a control
        size = size or picture.shape[:2]
        if picture.shape[:2] != size:
            raise ValueError(f"{title}: frames differ in size, {size} and {picture.shape[:2]}")

        # a picture that has already occurred keeps its number
        uri = data_uri(picture, lossless)
        number = numbers.setdefault(uri, len(numbers))

        index.append(number)
        notes.append(text)
        alts.append(describe(**values))

    # dictionaries keep their order, so the pictures are in the order of their numbers
    height, width = size
    return Frames(list(numbers), index, notes, alts, height, width)


def data_uri(picture: Pixels, lossless: bool) -> str:
    """Encode uint8 (H, W, 3) as a WebP data URI: exactly if `lossless`, else at quality 86."""
    file = io.BytesIO()
    Image.fromarray(picture).save(
        file,
        "WEBP",
        lossless=lossless,
        quality=86,  # differences from the frame cannot be seen
        method=4,  # 0 fast, 6 small
        exact=True,  # keep the colours of transparent pixels
    )

    # a URI is text, in which base64 stores 6 bits per character
    text = base64.b64encode(file.getvalue()).decode()
    return f"data:image/webp;base64,{text}"


def png(picture: Pixels) -> bytes:
    """Encode uint8 (H, W, 3) as a PNG file."""
    # ipywidgets expects the bytes of a file
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def image_html(kind: str, uri: str, alt: str, height: int, width: int) -> str:
    """Return an image of a fixed size in the page's pixels; `kind` is its CSS class."""
    size = f'width="{width}" height="{height}"'
    return f'<img class="{kind}" src="{uri}" alt="{escape(alt)}" {size}>'


def slug(title: str) -> str:
    """Turn a title into an HTML id. Example: slug("A title!") == "explorable-a-title"."""
    # every run of characters that are neither letters nor digits becomes a hyphen
    words = re.sub(r"[^a-z0-9]+", "-", title.lower())
    return "explorable-" + words.strip("-")


def frame(
    kind: str,
    *,
    title: str,
    task: str,
    controls: str,
    picture: str,
    note: str,
    data: Mapping[str, object],
) -> str:
    """Return the published block of an explorable.

    Args:
        kind: what the script makes of it, 'frames' or 'curtain'.
        title: a title that is unique in the book; the id is made from it.
        task: one sentence that says what to move and what to look at.
        controls: HTML of the input fields.
        picture: HTML of the picture that is shown first.
        note: the line of text below that picture.
        data: what the script needs; it is stored as JSON.
    """
    name = slug(title)

    # the JSON must not close the script element that holds it
    payload = json.dumps(data, ensure_ascii=False)
    payload = payload.replace("</", "<\\/")

    # the parts in reading order; screen readers speak the note when it changes
    attributes = f'class="explorable" id="{name}" data-kind="{kind}"'
    lines = [
        f'<div {attributes} role="group" aria-labelledby="{name}-title">',
        f'<p class="explorable-title" id="{name}-title">{escape(title)}</p>',
        f'<p class="explorable-task">{escape(task)}</p>',
        f'<div class="explorable-controls">{controls}</div>',
        picture,
        f'<p class="explorable-note" aria-live="polite">{escape(note)}</p>',
        f'<script type="application/json" class="explorable-data">{payload}</script>',
        "</div>",
    ]
    return "\n".join(lines)
