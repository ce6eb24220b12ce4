"""Pictures behind a curtain: two of them in one place, divided by a border that one drags.

But: it decodes nothing. A chapter brings pictures of one size, each with the bytes of its file.

Taught in chapters 0 and 12.
"""

import os
from collections.abc import Mapping

from numpy.typing import ArrayLike

from mfca_tutorial.pixels import as_rgb
from mfca_tutorial.show.controls import Choice, fields_html, texts_of
from mfca_tutorial.show.html import (
    block,
    companions,
    curtain_html,
    data_uri,
    image_html,
    slug,
    typeset,
)


class Curtain:
    """Two pictures in the same place, with a border that the reader drags.

    One picture is shown to the left of the border, the other to the right. Both are stored exactly.
    The form is the same in the book, in Jupyter and in Colab, because nothing has to be computed.
    """

    def __init__(
        self,
        images: Mapping[str, ArrayLike],
        *,
        title: str,
        task: str,
        alt: str,
        answer: str = "",
        left: str | None = None,
        right: str | None = None,
        scale: int = 1,
    ) -> None:
        """Put pictures behind a curtain; drop-down lists pick two of them.

        Args:
            images: pictures uint8 (H, W, 3) of the same size, by labels that state their bytes:
                'JPEG, 7,621 bytes'. The lists offer what stands before the first comma.
            title, task, alt, answer, scale: as for `Explorable`; `alt` is one text for every
                border.
            left: the label of the picture that is on the left at first; by default the first one.
            right: the label of the picture on the right at first; by default the second one.

        Raises ValueError for pictures of different sizes.
        """
        # the pictures by their labels, and the names that the drop-down lists offer
        self.images = {label: as_rgb(image) for label, image in images.items()}
        labels = list(images)
        names = [label.split(",")[0] for label in labels]
        sizes = {picture.shape for picture in self.images.values()}
        if len(sizes) > 1:
            raise ValueError(f"{title}: pictures differ in size, {sorted(sizes)}")

        self.controls = {
            "left": Choice("left", names, names[labels.index(left) if left else 0]),
            "right": Choice("right", names, names[labels.index(right) if right else 1]),
        }
        self.title = title
        self.task = task
        self.alt = alt
        self.answer = answer
        self.scale = scale

    def html(self) -> str:
        """Return the block: each picture once; the script moves the border."""
        labels = [typeset(label) for label in self.images]
        uris = [data_uri(image, lossless=True) for image in self.images.values()]
        height, width, _ = next(iter(self.images.values())).shape
        size = (height * self.scale, width * self.scale)

        # the right picture lies over the left one; the style cuts it off at the border
        shown = [control.first() for control in self.controls.values()]
        layers = ""
        for number, kind in zip(shown, ("", " over")):
            style = f"explorable-picture explorable-exact{kind}"
            layers += image_html(style, uris[number], f"{self.alt} {labels[number]}", *size)

        name = slug(self.title)
        return block(
            "curtain",
            title=self.title,
            task=self.task,
            answer=self.answer,
            controls=fields_html(name, self.controls),
            stage=curtain_html(name, layers, labels[shown[0]], labels[shown[1]]),
            note="",
            room="",
            width=size[1],
            # under the names that the script uses
            data={
                "frames": uris,  # by label
                "labels": labels,
                "alt": self.alt,
                "texts": texts_of(self.controls),
            },
        )

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        # Jupyter calls this method to display the last value of a cell
        published = bool(os.environ.get("MFCA_PUBLISHED"))
        display(HTML(self.html() if published else self.html() + companions()))
