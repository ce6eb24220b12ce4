"""Pictures that the reader moves: one definition, two faces.

An explorable is a pure function `render(**values)` and its controls. In Jupyter and Colab it is ipywidgets, computed as
you move. In the published book (environment variable MFCA_PUBLISHED, set by the book's Sphinx extension) every frame is
computed once and written as one block of HTML with range inputs: it moves without a kernel, by keyboard, offline, and
prints as its first picture. The script and style of that face are `_assets/explorable.js` and `book.css`. Does not use
ipywidgets' Output: notebooks with it hang when they are executed in batch.
"""

import itertools
import os
from dataclasses import dataclass
from html import escape

import numpy as np

from mfca_tutorial.show.figures import as_rgb, enlarge
from mfca_tutorial.show.html import control_html, data_uri, frame, png, slug, to_picture

MAX_FRAMES = 256
OWN_SIDE = 512  # a reader's own image is cut to at most this many pixels a side, in its middle


@dataclass(frozen=True)
class Slider:
    """A slider over `values` in order (numbers or text), starting at `start` (default: the middle one).

    Taught in chapter 0."""

    label: str
    values: tuple
    start: object = None
    kind = "slider"

    def first(self):
        """Index of the value that is shown first."""
        return (
            list(self.values).index(self.start) if self.start is not None else len(self.values) // 2
        )


@dataclass(frozen=True)
class Choice:
    """A drop-down list of `values` (text or numbers), starting at `start` (default: the first). Taught in chapter 0."""

    label: str
    values: tuple
    start: object = None
    kind = "choice"

    def first(self):
        """Index of the value that is shown first."""
        return list(self.values).index(self.start) if self.start is not None else 0


class Explorable:
    """A picture that moves. The last line of a cell shows it.

    `render(**values)` returns an image (uint8 (H, W[, 3]), or float in 0..1) or a matplotlib figure, always of one
    size, or a pair of that and one line of text that is shown below it. `controls`: `Slider`s and `Choice`s by the name
    of render's argument; at most 256 combinations. `title` (unique in the book), `task`: one sentence, move this, see
    that. `alt`: text, or a function of the values. `lossless`: frames are exact (use it where a reconstruction or a
    codec's artefacts are shown). `scale` repeats pixels. `pad=(x, y)`: names of two sliders that may also be picked on
    a grid with the mouse. `own_image`: a uint8 (H, W, 3) photograph that is passed to `render` as its first argument;
    in Jupyter and Colab the reader may type the path of another one. Raises ValueError on too many frames or frames
    that differ in size.

        Explorable(decoded, q=Slider("quality", range(0, 101, 10)), title="...", task="...", alt="...", lossless=True)

    Taught in chapter 0."""

    def __init__(
        self,
        render,
        *,
        title,
        task,
        alt,
        lossless=False,
        scale=1,
        pad=None,
        own_image=None,
        **controls,
    ):
        self.render, self.controls, self.title, self.task, self.alt = (
            render,
            controls,
            title,
            task,
            alt,
        )
        self.lossless, self.scale, self.pad, self.own_image = lossless, scale, pad, own_image

    def show(self, **values):
        """One frame: (uint8 (H, W, 3), line of text). Taught in chapter 0."""
        photograph = () if self.own_image is None else (self.own_image,)
        drawn = self.render(*photograph, **values)
        picture, text = drawn if isinstance(drawn, tuple) else (drawn, "")
        return to_picture(picture), str(text)

    def describe(self, **values):
        """Alternative text of one frame. Taught in chapter 0."""
        return self.alt(**values) if callable(self.alt) else self.alt

    def html(self):
        """The published face: every combination of values as one self-contained block. Taught in chapter 0."""
        counts = [len(c.values) for c in self.controls.values()]
        if np.prod(counts) > MAX_FRAMES:
            raise ValueError(
                f"{self.title}: {np.prod(counts)} frames, at most {MAX_FRAMES}; give the controls fewer values"
            )
        uris, index, notes, alts, shape = {}, [], [], [], None
        for combination in itertools.product(*(c.values for c in self.controls.values())):
            values = dict(zip(self.controls, combination))
            picture, text = self.show(**values)
            if shape not in (None, picture.shape):
                raise ValueError(
                    f"{self.title}: frames differ in size, {shape[:2]} and {picture.shape[:2]}"
                )
            shape = picture.shape
            index.append(uris.setdefault(data_uri(picture, self.lossless), len(uris)))
            notes.append(text)
            alts.append(self.describe(**values))
        first = int(np.ravel_multi_index([c.first() for c in self.controls.values()], counts))
        data = {
            "frames": list(uris),
            "index": index,
            "notes": notes,
            "alts": alts,
            "counts": counts,
            "first": first,
            "pad": self.pad,
            "texts": [[str(v) for v in c.values] for c in self.controls.values()],
        }
        name, kind = (
            slug(self.title),
            " explorable-exact" if self.lossless or self.scale > 1 else "",
        )
        controls = "".join(
            control_html(name, key, control) for key, control in self.controls.items()
        )
        size = f'width="{shape[1] * self.scale}" height="{shape[0] * self.scale}"'
        source = f'src="{data["frames"][index[first]]}" alt="{escape(alts[first])}"'
        picture = f'<img class="explorable-picture{kind}" {source} {size}>'
        return frame("frames", self.title, self.task, controls, picture, data)

    def live(self):
        """The face in Jupyter and Colab: an ipywidgets box that computes a frame when a control moves.

        Taught in chapter 0."""
        import ipywidgets

        wide = {"layout": ipywidgets.Layout(width="30em"), "style": {"description_width": "11em"}}
        fields = {}
        for key, control in self.controls.items():
            options = [(str(v), v) for v in control.values]
            make = ipywidgets.Dropdown if control.kind == "choice" else ipywidgets.SelectionSlider
            more = {} if control.kind == "choice" else {"continuous_update": False}
            fields[key] = make(
                options=options, index=control.first(), description=control.label, **more, **wide
            )
        picture, note = ipywidgets.Image(format="png"), ipywidgets.HTML()

        def update(_=None):
            values = {key: field.value for key, field in fields.items()}
            image, text = self.show(**values)
            picture.value, note.value = png(enlarge(image, self.scale)), escape(text)

        rows = [
            ipywidgets.HTML(f"<b>{escape(self.title)}</b><br>{escape(self.task)}"),
            *fields.values(),
        ]
        if self.own_image is not None:
            path = ipywidgets.Text(
                placeholder="path of an image",
                description="your own image",
                continuous_update=False,
                **wide,
            )
            rows.append(path)

            def load(change):
                from mfca_tutorial.data import ImageError, read_image

                try:
                    self.own_image = middle(read_image(change["new"])[0])
                except ImageError as error:
                    note.value = escape(str(error))
                else:
                    update()

            path.observe(load, names="value")
        for field in fields.values():
            field.observe(update, names="value")
        update()
        return ipywidgets.VBox([*rows, picture, note])

    def _ipython_display_(self):
        from IPython.display import HTML, display

        display(HTML(self.html()) if os.environ.get("MFCA_PUBLISHED") else self.live())


def middle(image):
    """The middle of an image, at most OWN_SIDE pixels a side, sides multiples of 64 where it is that large.

    Taught in chapter 0."""
    cut = [min(n, OWN_SIDE) // 64 * 64 or n for n in image.shape[:2]]
    top, left = ((n - c) // 2 for n, c in zip(image.shape[:2], cut))
    return image[top : top + cut[0], left : left + cut[1]]


class Curtain(Explorable):
    """Two pictures in one place, with a border that moves: what is left of it shows the one, what is right of it the
    other.

    `images`: {label: uint8 (H, W, 3)}, all of one size, labels with their bytes (drop-down lists pick two of them).
    `left`, `right`: labels shown first (default the first two). Frames are always lossless. Taught in chapter 12."""

    def __init__(self, images, *, title, task, alt, left=None, right=None, scale=1):
        labels = list(images)
        left, right = left or labels[0], right or labels[1]
        self.images = {label: as_rgb(image) for label, image in images.items()}
        controls = {
            "left": Choice("left", labels, left),
            "right": Choice("right", labels, right),
            "border": Slider("border", range(0, 101, 5), 50),
        }
        super().__init__(
            self.compose, title=title, task=task, alt=alt, lossless=True, scale=scale, **controls
        )

    def compose(self, left, right, border):
        """`left` up to `border` percent of the width, then a white line, then `right`: uint8 (H, W, 3).

        Taught in chapter 12."""
        picture = self.images[right].copy()
        at = round(picture.shape[1] * border / 100)
        picture[:, :at] = self.images[left][:, :at]
        picture[:, max(at - 1, 0) : at + 1] = 255
        return picture

    def html(self):
        """The published face: each picture once; the script moves the border. Taught in chapter 12."""
        labels, name = list(self.images), slug(self.title)
        uris = [data_uri(image, True) for image in self.images.values()]
        height, width = (n * self.scale for n in self.images[labels[0]].shape[:2])
        picks = [self.controls[side].first() for side in ("left", "right")]
        controls = "".join(
            control_html(name, key, control) for key, control in self.controls.items()
        )
        layers = "".join(
            f'<img class="explorable-picture explorable-exact explorable-{side}" src="{uris[pick]}" '
            f'alt="{escape(self.describe())} {side}: {escape(labels[pick])}" width="{width}" height="{height}">'
            for side, pick in zip(("left", "right"), picks)
        )
        data = {
            "frames": uris,
            "notes": [""],
            "first": 0,
            "labels": labels,
            "alt": self.describe(),
            "texts": [[str(v) for v in c.values] for c in self.controls.values()],
        }
        return frame(
            "curtain",
            self.title,
            self.task,
            controls,
            f'<div class="explorable-curtain">{layers}</div>',
            data,
        )
