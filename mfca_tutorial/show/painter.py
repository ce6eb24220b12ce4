"""A grid of numbers that the reader changes in Jupyter and Colab; a variable of theirs follows.

But: it computes nothing. A chapter passes a function that draws what its variable says.

Taught in chapter 5.
"""

import os
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from mfca_tutorial.pixels import Pixels
from mfca_tutorial.show.html import data_uri, image_html, png, typeset
from mfca_tutorial.show.pictures import enlarge

if TYPE_CHECKING:
    import ipywidgets


class Painter:
    """An array (rows, columns) with a drop-down list for each of its numbers, and a picture.

    Example: Painter(mine, (-12, 0, 12), draw, alt="A portrait.")
    """

    def __init__(
        self,
        grid: np.ndarray,
        levels: Sequence[int],
        draw: Callable[[], tuple[Pixels, str]],
        *,
        alt: str,
        scale: int = 1,
    ) -> None:
        """Put an array and a function together.

        Args:
            grid: the array, which is changed in place.
            levels: the numbers that it may hold.
            draw: returns the picture uint8 (H, W, 3) of what the array says, and a line of text.
            alt: the alternative text of the picture.
            scale: how many times each pixel is repeated.
        """
        self.grid = grid
        self.levels = levels
        self.draw = draw
        self.alt = alt
        self.scale = scale

    def html(self) -> str:
        """Return the picture of the array as it is, with its line of text."""
        picture, note = self.draw()
        height, width = picture.shape[:2]
        size = (height * self.scale, width * self.scale)
        image = image_html("explorable-exact", data_uri(picture, True), self.alt, *size)
        return f'<div class="painter">{image}<p>{escape(typeset(note))}</p></div>'

    def live(self) -> "ipywidgets.VBox":
        """Return the lists and the picture; a list that changes writes into the array."""
        import ipywidgets  # from the extra `book`; the rest of the package runs without it

        picture = ipywidgets.Image(format="png")
        note = ipywidgets.HTML()

        def show() -> None:
            image, text = self.draw()
            picture.value = png(enlarge(image, self.scale))
            note.value = escape(typeset(text))

        # one list for each place, row by row
        lists = []
        for place in np.ndindex(*self.grid.shape):
            level = ipywidgets.Dropdown(
                options=[(typeset(f"{level:+d}"), level) for level in self.levels],
                value=int(self.grid[place]),
                layout=ipywidgets.Layout(width="5em"),
            )

            # the place is that of this list, not of the last one
            def write(change: dict[str, int], place: tuple[int, ...] = place) -> None:
                self.grid[place] = change["new"]
                show()

            level.observe(write, names="value")
            lists.append(level)

        columns = f"repeat({self.grid.shape[1]}, max-content)"
        box = ipywidgets.GridBox(lists, layout=ipywidgets.Layout(grid_template_columns=columns))
        show()
        return ipywidgets.VBox([box, picture, note])

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        # Jupyter calls this method to display the last value of a cell
        if os.environ.get("MFCA_PUBLISHED"):
            display(HTML(self.html()))
        else:
            display(self.live())
