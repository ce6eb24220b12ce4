"""Pictures that the reader moves: one definition, two forms.

An explorable is a pure function `render(**values)` with controls for its values. In Jupyter and
Colab it is made of ipywidgets, and a frame is computed when you move a control. In the published
book (environment variable MFCA_PUBLISHED, set by the book's Sphinx extension), every frame is
computed once and written into one block of HTML with range inputs. That block works without a
kernel, by keyboard and offline, and prints as its first picture.

But: it does not use ipywidgets' Output, because notebooks with it hang when executed in batch.

Taught in chapters 0 and 12.
"""

import os
from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mfca_tutorial.data import ImageError, read_image
from mfca_tutorial.pixels import Pixels, as_rgb
from mfca_tutorial.show.controls import Choice, Control, Slider, fields_html, texts_of, widget_look
from mfca_tutorial.show.html import compute_frames, data_uri, frame, image_html, png, slug
from mfca_tutorial.show.pictures import enlarge, middle, to_picture

if TYPE_CHECKING:
    import ipywidgets

Drawn = ArrayLike | Figure | tuple[ArrayLike | Figure, str]  # what `render` may return


class Explorable:
    """A picture that moves. It is shown when it is the last value of a cell.

    Example: Explorable(decode, q=Slider("quality", (0, 50)), title="...", task="...", alt="...")
    """

    def __init__(
        self,
        render: Callable[..., Drawn],
        *,
        title: str,
        task: str,
        alt: str | Callable[..., str],
        lossless: bool = False,
        scale: int = 1,
        pad: tuple[str, str] | None = None,
        own_image: Pixels | None = None,
        **controls: Control,
    ) -> None:
        """Put a function and its controls together.

        Args:
            render: `render(**values)` returns an image (uint8 (H, W[, 3]), or float in 0..1) or a
                Matplotlib figure, always of the same size; or a pair of that and a line of text.
            title: a title that is unique in the book.
            task: one sentence that says what to move and what to look at.
            alt: the alternative text, or a function of the values that returns it.
            lossless: whether frames are stored exactly; needed to show a codec's artefacts.
            scale: how many times each pixel is repeated, across and down.
            pad: the names of two sliders whose values can also be picked on a grid with the mouse.
            own_image: a photograph uint8 (H, W, 3), which becomes render's first argument; in
                Jupyter and Colab the reader may type the path of another one.
            **controls: by the name of render's argument; at most 256 combinations in the book.
        """
        # what moves, and what moves it
        self.render = render
        self.controls = controls
        self.own_image = own_image

        # what is said about it
        self.title = title
        self.task = task
        self.alt = alt

        # how it is shown
        self.lossless = lossless
        self.scale = scale
        self.pad = pad

    def show(self, **values: object) -> tuple[Pixels, str]:
        """Compute one frame: the picture uint8 (H, W, 3), and its line of text."""
        # a photograph, whether the book's or the reader's, comes before the values
        if self.own_image is None:
            drawn = self.render(**values)
        else:
            drawn = self.render(self.own_image, **values)

        # the line of text is optional
        picture, text = drawn if isinstance(drawn, tuple) else (drawn, "")
        return to_picture(picture), str(text)

    def describe(self, **values: object) -> str:
        """Return the alternative text of one frame."""
        # one text for all frames, or one for each
        if callable(self.alt):
            return self.alt(**values)
        return self.alt

    def html(self) -> str:
        """Return the published form: every combination of values in one self-contained block.

        Raises ValueError for too many frames, or for frames that differ in size.
        """
        # draw every combination of values
        counts = [len(control.values) for control in self.controls.values()]
        frames = compute_frames(
            self.title,
            self.controls,
            show=self.show,
            describe=self.describe,
            lossless=self.lossless,
        )

        # the frame that is shown first, and that is printed
        starts = [control.first() for control in self.controls.values()]
        first = int(np.ravel_multi_index(starts, counts))

        # if single pixels matter, the browser must not smooth them
        seen = self.lossless or self.scale > 1
        picture = image_html(
            "explorable-picture explorable-exact" if seen else "explorable-picture",
            frames.uris[frames.index[first]],
            frames.alts[first],
            frames.height * self.scale,
            frames.width * self.scale,
        )

        return frame(
            "frames",
            title=self.title,
            task=self.task,
            controls=fields_html(slug(self.title), self.controls),
            picture=picture,
            note=frames.notes[first],
            # under the names that the script uses
            data={
                "frames": frames.uris,
                "index": frames.index,  # by frame: the number of its picture
                "notes": frames.notes,  # by frame
                "alts": frames.alts,  # by frame
                "counts": counts,  # of values, by control
                "first": first,  # frame
                "pad": self.pad,
                "texts": texts_of(self.controls),
            },
        )

    def live(self) -> "ipywidgets.VBox":
        """Return the form for Jupyter and Colab, which computes a frame when a control moves."""
        import ipywidgets  # from the extra `book`; the rest of the package runs without it

        # the contents of the box
        heading = ipywidgets.HTML(f"<b>{escape(self.title)}</b><br>{escape(self.task)}")
        fields = {key: control.widget() for key, control in self.controls.items()}
        picture = ipywidgets.Image(format="png")
        note = ipywidgets.HTML()

        # ipywidgets passes the change, but it is simpler to read every field again
        def update(_: object = None) -> None:
            values = {key: field.value for key, field in fields.items()}
            image, text = self.show(**values)
            picture.value = png(enlarge(image, self.scale))
            note.value = escape(text)

        # every control updates the picture
        for field in fields.values():
            field.observe(update, names="value")
        rows = [heading, *fields.values()]

        # a file that cannot be read leaves the picture unchanged
        def load(change: Mapping[str, str]) -> None:
            try:
                image, _ = read_image(change["new"])
            except ImageError as error:
                note.value = escape(str(error))
            else:
                self.own_image = middle(image)
                update()

        # if a photograph is shown, the reader may name another one
        if self.own_image is not None:
            path = ipywidgets.Text(
                placeholder="path of an image",
                description="your own image",
                continuous_update=False,
                **widget_look(),
            )
            path.observe(load, names="value")
            rows.append(path)

        # show the first frame before anything moves
        update()
        return ipywidgets.VBox([*rows, picture, note])

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        # Jupyter calls this method to display the last value of a cell
        if os.environ.get("MFCA_PUBLISHED"):
            display(HTML(self.html()))
        else:
            display(self.live())


class Curtain(Explorable):
    """Two pictures in the same place, with a border that moves.

    One picture is shown to the left of the border, the other to the right. Both are stored exactly.
    """

    def __init__(
        self,
        images: Mapping[str, ArrayLike],
        *,
        title: str,
        task: str,
        alt: str,
        left: str | None = None,
        right: str | None = None,
        scale: int = 1,
    ) -> None:
        """Put pictures behind a curtain; drop-down lists pick two of them.

        Args:
            images: pictures uint8 (H, W, 3) of the same size, by labels that state their bytes.
            title, task, alt, scale: as for `Explorable`; `alt` is one text for every border.
            left: the label of the picture that is on the left at first; by default the first one.
            right: the label of the picture on the right at first; by default the second one.
        """
        # the pictures by their labels, which the drop-down lists offer
        labels = list(images)
        self.images = {label: as_rgb(image) for label, image in images.items()}
        super().__init__(
            self.compose,
            title=title,
            task=task,
            alt=alt,
            lossless=True,
            scale=scale,
            left=Choice("left", labels, left or labels[0]),
            right=Choice("right", labels, right or labels[1]),
            border=Slider("border", range(0, 101, 5), 50),  # percent of the width
        )

    def compose(self, left: str, right: str, border: float) -> Pixels:
        """Return `left` up to `border` percent of the width, then a white line, then `right`."""
        # start with the right picture, and put part of the left one over it
        picture = self.images[right].copy()  # (H, W, 3)
        width = picture.shape[1]

        # from percent to pixels
        at = round(width * border / 100)
        picture[:, :at] = self.images[left][:, :at]

        # the line is two pixels wide, one on either side of the border
        start = max(at - 1, 0)
        picture[:, start : at + 1] = 255
        return picture

    def html(self) -> str:
        """Return the published form: each picture once; the script moves the border."""
        labels = list(self.images)

        # store every picture once, however many positions the border has
        uris = [data_uri(image, lossless=True) for image in self.images.values()]

        # all pictures have the size of the first one
        height, width = self.images[labels[0]].shape[:2]

        # the two pictures are stacked; the script cuts off the upper one at the border
        layers = ""
        for side in ("left", "right"):
            shown = self.controls[side].first()
            kind = f"explorable-picture explorable-exact explorable-{side}"
            alt = f"{self.describe()} {side}: {labels[shown]}"
            layers += image_html(kind, uris[shown], alt, height * self.scale, width * self.scale)

        return frame(
            "curtain",
            title=self.title,
            task=self.task,
            controls=fields_html(slug(self.title), self.controls),
            picture=f'<div class="explorable-curtain">{layers}</div>',
            note="",
            # under the names that the script uses
            data={
                "frames": uris,  # by label
                "notes": [""],  # of the first and only frame
                "first": 0,
                "labels": labels,
                "alt": self.describe(),
                "texts": texts_of(self.controls),
            },
        )
