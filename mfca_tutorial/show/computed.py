"""What a page computes by itself: the block of an explorable that needs no frames.

The script gets the numbers it computes from, and the values of the Python function that it is
tested against (`tests/browser/test_explorables.py` compares them with what the page shows).

But: it computes nothing itself. The scripts are in `show/assets/explorables/`.

Taught in chapter 0.
"""

from collections.abc import Callable, Mapping

import numpy as np

from mfca_tutorial.show.controls import Control, fields_html, texts_of
from mfca_tutorial.show.frames import Shown, combinations
from mfca_tutorial.show.html import block, data_uri, image_html, slug

PROOFS = 6  # frames, spread over all combinations, that the page's script must reproduce


def proofs_of(
    controls: Mapping[str, Control], show: Callable[..., Shown]
) -> list[dict[str, object]]:
    """Return what Python says at some places: [{at: indices, note: text, label: text}].

    The first is where the reader begins.
    """
    every = list(combinations(controls))
    counts = [len(control.values) for control in controls.values()]
    start = int(np.ravel_multi_index([control.first() for control in controls.values()], counts))
    spread = np.linspace(0, len(every) - 1, PROOFS).round().astype(int)
    places = dict.fromkeys([start, *spread.tolist()])  # each once, in this order

    proofs: list[dict[str, object]] = []
    for place in places:
        shown = show(**every[place])
        at = [int(index) for index in np.unravel_index(place, counts)]
        proofs.append({"at": at, "note": shown.note, "label": shown.label})
    return proofs


def computed_html(
    kind: str,
    controls: Mapping[str, Control],
    *,
    show: Callable[..., Shown],
    alt: str,
    given: Mapping[str, object],
    title: str,
    task: str,
    answer: str,
    scale: int,
    room: str,
) -> str:
    """Return the block of an explorable that a script computes.

    Args:
        kind: the script's name for what it computes.
        controls: the controls, by the names of the values.
        show: `show(**values)` computes a frame in Python.
        alt: the alternative text of what the reader sees first.
        given: what the script computes from.
        title, task, answer: the texts above and below.
        scale: how many times each pixel of Python's frame is repeated.
        room: the longest line of text that the script will write.
    """
    # without JavaScript, Python's first frame stands in
    proofs = proofs_of(controls, show)
    shown = show(**{key: control.values[control.first()] for key, control in controls.items()})
    height, width = shown.picture.shape[:2]
    size = (height * scale, width * scale)
    still = image_html("explorable-picture", data_uri(shown.picture, True), alt, *size)

    notes = [str(proof["note"]) for proof in proofs]
    return block(
        kind,
        title=title,
        task=task,
        answer=answer,
        controls=fields_html(slug(title), controls),
        stage=f'<div class="explorable-stage"><noscript>{still}</noscript></div>',
        note=shown.note,
        room=max([room, *notes], key=len),
        width=size[1],
        data={
            "given": given,
            "proofs": proofs,
            "notes": notes,
            "labels": [proof["label"] for proof in proofs],
            "alt": alt,
            "texts": texts_of(controls),
        },
    )
