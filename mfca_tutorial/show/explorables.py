"""Pictures that the reader takes hold of: one definition, two forms.

An explorable is a pure function `render(**values)` with controls for its values. There are two
kinds. What needs a network is *replayed*: in the published book (environment variable
MFCA_PUBLISHED, set by the book's Sphinx extension) every frame is computed once and stored; in
Jupyter and Colab ipywidgets compute a frame when you move a control. What is small is *computed* on
the page itself by a script: `computed` names it, and `render` is what the script is tested against.
Both kinds work without a kernel, by mouse, touch and keyboard, offline, and print.

But: it does not use ipywidgets' Output, because notebooks with it hang when executed in batch.

Taught in chapters 0 and 12.
"""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mfca_tutorial.pixels import Pixels
from mfca_tutorial.show.computed import computed_html
from mfca_tutorial.show.controls import Choice, Control, Slider, fields_html, texts_of
from mfca_tutorial.show.curtains import Curtain
from mfca_tutorial.show.frames import Frames, Shown, compute_frames
from mfca_tutorial.show.html import (
    Picture,
    block,
    companions,
    curtain_html,
    image_html,
    panels_html,
    slug,
    tag_html,
    typeset,
)
from mfca_tutorial.show.live import live_form
from mfca_tutorial.show.pictures import to_picture

if TYPE_CHECKING:
    import ipywidgets

__all__ = ["Choice", "Curtain", "Explorable", "Picture", "Slider"]

Drawn = ArrayLike | Figure  # a picture as `render` may return it
Beside = tuple[str, ArrayLike]  # what lies behind the curtain: its label, and the picture


class Explorable:
    """A picture that moves. It is shown when it is the last value of a cell.

    Example: Explorable(decode, q=Slider("quality", (0, 50)), title="...", task="...", alt="...")
    """

    def __init__(
        self,
        render: Callable[..., Drawn | tuple[Drawn, str] | tuple[Drawn, str, str]],
        *,
        title: str,
        task: str,
        alt: str | Callable[..., str],
        answer: str = "",
        lossless: bool = False,
        scale: int = 1,
        against: Beside | Callable[..., Beside] | None = None,
        touch: tuple[int, int] | tuple[str, ...] | None = None,
        panels: tuple[str, ...] | Callable[..., tuple[str, ...]] = (),
        own_image: Pixels | None = None,
        computed: str | None = None,
        given: Mapping[str, object] | None = None,
        room: str = "",
        **controls: Control,
    ) -> None:
        """Put a function and its controls together.

        Args:
            render: `render(**values)` returns an image (uint8 (H, W[, 3]), or float in 0..1) or a
                Matplotlib figure, always of the same size; or a tuple of that, a line of text for
                below the picture, and perhaps a label for its lower left corner.
            title: a title that is unique in the book.
            task: what to move, and the question that this answers.
            alt: the alternative text, or a function of the values that returns it.
            answer: what is found; it folds out below.
            lossless: whether frames are stored exactly; needed to show a codec's artefacts.
            scale: how many times each pixel is repeated, across and down.
            against: a label and a picture behind a curtain that the reader drags, or a function
                of render's arguments that returns them.
            touch: (rows, columns) of a grid over the picture; touching cell n picks value n + 1 of
                the first control. Or a control's name for each picture in a row; touching a
                picture gives its control the next value.
            panels: what stands below each of the pictures in a row, or a function of render's
                arguments that returns that.
            own_image: a photograph uint8 (H, W, 3), which becomes render's first argument; in
                Jupyter and Colab the reader may type the path of another one.
            computed: the script's name for what it computes; without it, frames are replayed.
            given: what the script computes from, as numbers, lists and arrays.
            room: the longest line of text that the script will write; by default render's longest.
            **controls: by the name of render's argument; at most 256 combinations in the book
                unless `computed`.
        """
        # what moves, and what moves it
        self.render = render
        self.controls = controls
        self.own_image = own_image
        self.against = against
        self.touch = touch
        self.panels = panels

        # what is said about it
        self.title = title
        self.task = task
        self.answer = answer
        self.alt = alt
        self.room = room

        # how it is shown
        self.lossless = lossless
        self.scale = scale
        self.computed = computed
        self.given = given or {}

    def show(self, **values: object) -> Shown:
        """Compute one frame."""
        drawn = self._call(self.render, values)

        # the line of text and the label are optional
        parts = drawn if isinstance(drawn, tuple) else (drawn,)
        picture = to_picture(parts[0])
        texts = [typeset(str(text)) for text in parts[1:]] + ["", ""]

        # what lies behind the curtain may depend on the values, and so may the panels' names
        panels = self._call(self.panels, values) if callable(self.panels) else self.panels
        against = self._call(self.against, values) if callable(self.against) else self.against
        shown = Shown(picture, texts[0], texts[1], panels=tuple(map(typeset, panels)))
        if against is None:
            return shown
        label, beside = against
        return shown._replace(beside=to_picture(beside), beside_label=typeset(label))

    def _call(self, function: Callable[..., Any], values: Mapping[str, object]) -> Any:
        # a photograph, whether the book's or the reader's, comes before the values
        if self.own_image is None:
            return function(**values)
        return function(self.own_image, **values)

    def describe(self, **values: object) -> str:
        """Return the alternative text of one frame."""
        # one text for all frames, or one for each
        if callable(self.alt):
            return self.alt(**values)
        return self.alt

    def html(self) -> str:
        """Return the published form: one block that needs nothing but the book's scripts.

        Raises ValueError for too many frames, or for frames that differ in size.
        """
        if self.computed:
            starts = {
                key: control.values[control.first()] for key, control in self.controls.items()
            }
            return computed_html(
                self.computed,
                self.controls,
                show=self.show,
                alt=self.describe(**starts),
                given=self.given,
                title=self.title,
                task=self.task,
                answer=self.answer,
                scale=self.scale,
                room=self.room,
            )

        # draw every combination of values
        frames = compute_frames(
            self.title,
            self.controls,
            show=self.show,
            describe=self.describe,
            lossless=self.lossless,
        )
        first = self._first()

        return block(
            "frames",
            title=self.title,
            task=self.task,
            answer=self.answer,
            controls=fields_html(slug(self.title), self.controls),
            stage=self._stage(frames, first),
            note=frames.notes[first],
            room=max(frames.notes, key=len),
            width=frames.width * self.scale,
            # under the names that the script uses
            data={
                "frames": frames.uris,
                "index": frames.index,  # by frame: the number of its picture
                "notes": frames.notes,  # by frame
                "labels": frames.labels,  # by frame
                "alts": frames.alts,  # by frame
                "beside": frames.beside,  # by frame, or empty
                "besideLabels": frames.beside_labels,
                "panels": frames.panels,  # by frame
                "counts": self._counts(),  # of values, by control
                "first": first,  # frame
                "touch": self.touch,
                "texts": texts_of(self.controls),
            },
        )

    def _counts(self) -> list[int]:
        return [len(control.values) for control in self.controls.values()]

    def _first(self) -> int:
        # the frame that is shown first, and that is printed
        starts = [control.first() for control in self.controls.values()]
        return int(np.ravel_multi_index(starts, self._counts()))

    def _stage(self, frames: Frames, first: int) -> str:
        # if single pixels matter, the browser must not smooth them
        kind = "explorable-picture"
        if self.lossless or self.scale > 1:
            kind += " explorable-exact"
        size = (frames.height * self.scale, frames.width * self.scale)
        uri = frames.uris[frames.index[first]]
        picture = image_html(kind, uri, frames.alts[first], *size)

        # without a curtain, a picture with a label in its corner
        if not frames.beside:
            label = frames.labels[first]
            tag = tag_html("left", label) if any(frames.labels) else ""
            names = panels_html(frames.panels[first])
            return f'<div class="explorable-stage">{picture}{tag}</div>{names}'

        # with one, a second picture over the first
        label = frames.beside_labels[first]
        uri = frames.uris[frames.beside[first]]
        over = image_html(f"{kind} over", uri, f"Behind the curtain: {label}.", *size)
        left = frames.labels[first] if any(frames.labels) else frames.notes[first]
        return curtain_html(slug(self.title), picture + over, left, label)

    def live(self) -> "ipywidgets.VBox":
        """Return the form for Jupyter and Colab, which computes a frame when a control moves."""

        # the reader's own photograph takes the place of the book's
        def take_image(image: Pixels) -> None:
            self.own_image = image

        return live_form(
            self.show,
            self.controls,
            title=self.title,
            task=self.task,
            answer=self.answer,
            scale=self.scale,
            has_curtain=self.against is not None,
            take_image=None if self.own_image is None else take_image,
        )

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        # Jupyter calls this method to display the last value of a cell
        if os.environ.get("MFCA_PUBLISHED"):
            display(HTML(self.html()))
        elif self.computed and self.own_image is None:
            display(HTML(self.html() + companions()))
        else:
            display(self.live())
