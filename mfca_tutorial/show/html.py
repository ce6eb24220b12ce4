"""How an explorable gets onto a page: all its pictures, and one block of HTML around them.

But: nothing moves here. The scripts that move it, and its look, are in
`show/assets/explorables/`; in Jupyter and Colab they travel with the block.

Taught in chapter 0.
"""

import base64
import io
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from mfca_tutorial.pixels import Pixels

ASSETS = Path(__file__).with_name("assets") / "explorables"

# in the order in which they must run: what others use, then the explorables, then the start
SCRIPTS = (
    "touch.js",
    "curtain.js",
    "dct.js",
    "rounding.js",
    "intervals.js",
    "rates.js",
    "gates.js",
    "kernels.js",
    "painting.js",
    "passes.js",
    "bytes.js",
    "replay.js",
    "explorable.js",
)
# of these, what every explorable needs, and what each kind that is computed needs besides
SHARED = ("touch.js", "curtain.js", "explorable.js")
NEEDED = {
    "frequencies": ("dct.js",),
    "keep": ("dct.js",),
    "rounding": ("rounding.js",),
    "intervals": ("intervals.js",),
    "race": ("rates.js",),
    "wave": ("dct.js", "gates.js"),
    "gates": ("gates.js",),
    "kernels": ("kernels.js",),
    "painting": ("painting.js",),
    "passes": ("passes.js",),
    "bytes": ("bytes.js",),
    "replay": ("replay.js",),
}
STYLE = "explorable.css"
COLOURS = "colours.css"  # the book's colours, for pages that are not the book's


def data_uri(picture: Pixels, lossless: bool) -> str:
    """Encode uint8 (H, W, 3 or 4) as a WebP data URI: exactly if `lossless`, else at quality 86."""
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


class Picture:
    """A picture that a script shows as it is; it is stored exactly."""

    def __init__(self, pixels: Pixels) -> None:
        """Keep pixels uint8 (H, W, 3)."""
        self.pixels = pixels


def png(picture: Pixels) -> bytes:
    """Encode uint8 (H, W, 3 or 4) as a PNG file."""
    # ipywidgets expects the bytes of a file
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def image_html(kind: str, uri: str, alt: str, height: int, width: int) -> str:
    """Return an image of a fixed size in the page's pixels; `kind` is its CSS class."""
    size = f'width="{width}" height="{height}"'
    return f'<img class="{kind}" src="{uri}" alt="{escape(alt)}" {size}>'


def with_minus(text: str) -> str:
    """Return a line with a true minus sign before each negative number."""
    return re.sub(r"(?<![\w-])-(?=[\d.])", "−", text)


def typeset(text: str) -> str:
    """Return a line as it is shown: true minus signs, and no line break before a unit.

    Example: typeset("-3 dB, 2%") == "−3\u00a0dB, 2\u00a0%"
    """
    text = with_minus(text)
    text = re.sub(r"(?<=\d) ?%", "\u00a0%", text)
    return re.sub(r"(?<=\d) (?=(?:dB|bytes?|bits?|bpp|pixels?)\b)", "\u00a0", text)


def tag_html(side: str, text: str) -> str:
    """Return a label in a lower corner of a picture; `side` is 'left' or 'right'."""
    return f'<span class="tag {side}">{escape(text)}</span>'


def panels_html(names: Sequence[str]) -> str:
    """Return a line of text below each of the pictures in a row, or '' without any."""
    if not names:
        return ""
    spans = "".join(f"<span>{escape(name)}</span>" for name in names)
    return f'<div class="explorable-panels" aria-live="polite">{spans}</div>'


def curtain_html(name: str, pictures: str, left: str, right: str) -> str:
    """Return two pictures in one place, with the border that the reader drags.

    Args:
        name: the explorable's id.
        pictures: HTML of the left picture, then of the right one, which is drawn over it.
        left, right: the labels in the lower corners.
    """
    # the range input is what the keyboard moves; screen readers speak its value
    border = f'<input type="range" id="{name}-border" class="curtain-border" min="0" max="100"'
    border += f' value="50" aria-label="border between {escape(left)} and {escape(right)}">'
    bar = '<span class="bar"><span class="knob" aria-hidden="true">⟷</span></span>'
    tags = tag_html("left", left) + tag_html("right", right)
    return f'<div class="explorable-stage curtain">{pictures}{tags}{bar}{border}</div>'


def slug(title: str) -> str:
    """Turn a title into an HTML id. Example: slug("A title!") == "explorable-a-title"."""
    # every run of characters that are neither letters nor digits becomes a hyphen
    words = re.sub(r"[^a-z0-9]+", "-", title.lower())
    return "explorable-" + words.strip("-")


def packed(value: object) -> object:
    """Return what a script can read as JSON: arrays become {shape, type, base64}, pictures URIs.

    Whole numbers of 8 bits keep their 8 bits. All other arrays are stored as 32-bit floats.
    """
    if isinstance(value, Mapping):
        return {str(key): packed(part) for key, part in value.items()}
    if isinstance(value, Picture):
        return data_uri(value.pixels, lossless=True)
    if isinstance(value, np.ndarray) and value.size > 64:
        kind = "u1" if value.dtype == np.uint8 else "<f4"
        raw = np.ascontiguousarray(value, dtype=kind)
        text = base64.b64encode(raw.tobytes()).decode()
        return {"shape": list(value.shape), "type": kind, "base64": text}

    # short arrays can be read by people, too
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [packed(part) for part in value]
    return value


def block(
    kind: str,
    *,
    title: str,
    task: str,
    answer: str,
    controls: str,
    stage: str,
    note: str,
    room: str,
    width: int,
    data: Mapping[str, object],
) -> str:
    """Return the published block of an explorable.

    Args:
        kind: what the script makes of it: 'frames', 'curtain', or something that is computed.
        title: a title that is unique in the book; the id is made from it.
        task: what to move, and the question that this answers.
        answer: what is found, behind a click; '' for none.
        controls: HTML of the input fields.
        stage: HTML of what moves.
        note: the line of text below it at first.
        room: the longest line of text that will stand there, so that nothing jumps.
        width: of the stage, in the page's pixels.
        data: what the script needs; it is stored as JSON.
    """
    name = slug(title)

    # the JSON must not close the script element that holds it
    payload = json.dumps(packed(data), ensure_ascii=False)
    payload = payload.replace("</", "<\\/")

    # a line of text in the room of the longest; screen readers speak it when it changes
    said = f'<span class="explorable-said" aria-live="polite">{escape(note)}</span>'
    kept = f'<span class="explorable-room" aria-hidden="true">{escape(room)}</span>'
    folded = ""
    if answer:
        summary = "<summary>What is there to see? Answer after looking</summary>"
        folded = f'<details class="explorable-answer">{summary}<p>{escape(answer)}</p></details>'

    # the parts in reading order
    attributes = f'class="explorable" id="{name}" data-kind="{kind}" style="--width: {width}px"'
    lines = [
        f'<div {attributes} role="group" aria-labelledby="{name}-title">',
        f'<p class="explorable-title" id="{name}-title">{escape(title)}</p>',
        f'<p class="explorable-task">{escape(task)}</p>',
        f'<div class="explorable-controls">{controls}</div>' if controls else "",
        stage,
        f'<p class="explorable-note">{kept}{said}</p>' if room else "",
        folded,
        f'<script type="application/json" class="explorable-data">{payload}</script>',
        "</div>",
    ]
    return "\n".join(line for line in lines if line)


@cache
def companions() -> str:
    """Return the styles and scripts that a block needs outside the book, as HTML.

    In Jupyter and Colab no page has loaded them, and an output may stand in a frame of its own.
    """
    styles = [(ASSETS / name).read_text("utf-8") for name in (COLOURS, STYLE)]
    scripts = [(ASSETS / name).read_text("utf-8") for name in SCRIPTS]
    return "\n".join(["<style>", *styles, "</style>", "<script>", *scripts, "</script>"])
