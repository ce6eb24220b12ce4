"""The form of an explorable in Jupyter and Colab, made of ipywidgets: it computes what you ask for.

But: what a page can compute by itself has the same form everywhere (`show/explorables.py`), and
needs no ipywidgets.

Taught in chapter 0.
"""

from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING

from mfca_tutorial.data import ImageError, read_image
from mfca_tutorial.pixels import Pixels
from mfca_tutorial.show.controls import Control, widget_look
from mfca_tutorial.show.frames import Shown
from mfca_tutorial.show.html import png
from mfca_tutorial.show.pictures import enlarge, middle

if TYPE_CHECKING:
    import ipywidgets


def live_form(
    show: Callable[..., Shown],
    controls: Mapping[str, Control],
    *,
    title: str,
    task: str,
    answer: str,
    scale: int,
    has_curtain: bool,
    take_image: Callable[[Pixels], None] | None,
) -> "ipywidgets.VBox":
    """Return a box of widgets that shows a frame, and another one when a control moves.

    Args:
        show: `show(**values)` computes a frame.
        controls: the controls, by the names of the values.
        title, task, answer: the texts above and below.
        scale: how many times each pixel is repeated.
        has_curtain: whether frames have a second picture behind a curtain.
        take_image: called with a photograph uint8 (H, W, 3) that the reader names; None where the
            explorable shows none.
    """
    import ipywidgets  # from the extra `book`; the rest of the package runs without it

    # the contents of the box
    heading = ipywidgets.HTML(f"<b>{escape(title)}</b><br>{escape(task)}")
    fields = {key: control.widget() for key, control in controls.items()}
    picture = ipywidgets.Image(format="png")
    note = ipywidgets.HTML()
    rows = [heading, *fields.values()]

    # the curtain is one more slider, which needs no new frame
    border = None
    if has_curtain:
        border = ipywidgets.IntSlider(value=50, description="curtain, %", **widget_look())
        rows.append(border)
    last: list[Shown] = []

    def draw(_: object = None) -> None:
        shown = last[-1]
        at = 100 if border is None else border.value
        picture.value = png(enlarge(divided(shown, at), scale))
        note.value = "<br>".join(escape(text) for text in texts_of_frame(shown) if text)

    # ipywidgets passes the change, but it is simpler to read every field again
    def update(_: object = None) -> None:
        values = {key: field.value for key, field in fields.items()}
        last[:] = [show(**values)]
        draw()

    # every control updates the picture
    for field in fields.values():
        field.observe(update, names="value")
    if border is not None:
        border.observe(draw, names="value")

    # if a photograph is shown, the reader may name another one
    if take_image is not None:
        rows.append(_path_field(take_image, note, update))

    # show the first frame before anything moves
    update()
    rows += [picture, note]
    if answer:
        fold = "<details><summary>What is there to see? Answer after looking</summary>"
        rows.append(ipywidgets.HTML(f"{fold}{escape(answer)}</details>"))
    return ipywidgets.VBox(rows)


def divided(shown: Shown, percent: float) -> Pixels:
    """Return the picture up to `percent` of the width, then what lies behind the curtain."""
    if shown.beside is None or percent >= 100:
        return shown.picture
    at = round(shown.picture.shape[1] * percent / 100)
    both = shown.beside.copy()  # (H, W, 3)
    both[:, :at] = shown.picture[:, :at]

    # a white line at the border
    both[:, max(at - 1, 0) : at + 1] = 255
    return both


def texts_of_frame(shown: Shown) -> list[str]:
    """Return what the panels, the corners and the line below the picture say."""
    corners = [text for text in (shown.label, shown.beside_label) if text]
    return [" | ".join(shown.panels), " | ".join(corners), shown.note]


def _path_field(
    take_image: Callable[[Pixels], None], note: "ipywidgets.HTML", update: Callable[[], None]
) -> "ipywidgets.Text":
    import ipywidgets

    path = ipywidgets.Text(
        placeholder="path of an image",
        description="your own image",
        continuous_update=False,
        **widget_look(),
    )

    # a file that cannot be read leaves the picture unchanged
    def load(change: Mapping[str, str]) -> None:
        try:
            image, _ = read_image(change["new"])
        except ImageError as error:
            note.value = escape(str(error))
        else:
            take_image(middle(image))
            update()

    path.observe(load, names="value")
    return path
