"""The controls that a reader moves: sliders and drop-down lists, each as HTML and as a widget.

But: a control knows only its values, not what they do. That is for the explorable
(`show/explorables.py`).

Taught in chapter 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from mfca_tutorial.show.html import typeset

if TYPE_CHECKING:
    import ipywidgets


@dataclass(frozen=True)
class Slider:
    """A slider over `values` in order (numbers or text), starting at `start` or in the middle."""

    label: str  # the text beside it
    values: Sequence[object]
    start: object = None

    def first(self) -> int:
        """Return the index of the value that is shown first."""
        # by default, the value in the middle
        if self.start is None:
            return len(self.values) // 2
        return list(self.values).index(self.start)

    def html(self, name: str, key: str) -> str:
        """Return a labelled range input; its values are indices.

        name: the id of the explorable. key: the name of render's argument.
        """
        texts = _texts(self)
        first = self.first()
        last = len(texts) - 1

        # let a screen reader speak the text of the value, not its index
        field = f'<input type="range" {_attributes(name, key)} min="0" max="{last}" step="1"'
        field += f' value="{first}" aria-valuetext="{texts[first]}">'
        output = f'<output for="{name}-{key}">{texts[first]}</output>'
        return _box(_label(self, name, key) + field + output)

    def widget(self) -> "ipywidgets.SelectionSlider":
        """Return the ipywidget, which reports a value when the reader lets go of it."""
        import ipywidgets  # from the extra `book`; the rest of the package runs without it

        # a frame may take longer than the movement: compute only where the slider comes to rest
        return ipywidgets.SelectionSlider(
            options=_options(self),
            index=self.first(),
            description=self.label,
            continuous_update=False,
            **widget_look(),
        )


@dataclass(frozen=True)
class Choice:
    """A drop-down list of `values` (text or numbers), starting at `start` or at the first."""

    label: str  # the text beside it
    values: Sequence[object]
    start: object = None

    def first(self) -> int:
        """Return the index of the value that is shown first."""
        # by default, the top of the list
        if self.start is None:
            return 0
        return list(self.values).index(self.start)

    def html(self, name: str, key: str) -> str:
        """Return a labelled drop-down list; its values are indices.

        name: the id of the explorable. key: the name of render's argument.
        """
        # one option per value
        first = self.first()
        options = ""
        for index, text in enumerate(_texts(self)):
            selected = " selected" if index == first else ""
            options += f'<option value="{index}"{selected}>{text}</option>'

        field = f"<select {_attributes(name, key)}>{options}</select>"
        return _box(_label(self, name, key) + field)

    def widget(self) -> "ipywidgets.Dropdown":
        """Return the ipywidget."""
        import ipywidgets  # from the extra `book`; the rest of the package runs without it

        return ipywidgets.Dropdown(
            options=_options(self),
            index=self.first(),
            description=self.label,
            **widget_look(),
        )


Control = Slider | Choice


def fields_html(name: str, controls: Mapping[str, Control]) -> str:
    """Return the input fields of the explorable with the id `name`, one after another."""
    fields = [control.html(name, key) for key, control in controls.items()]
    return "".join(fields)


def texts_of(controls: Mapping[str, Control]) -> list[list[str]]:
    """Return the text of every value, by control; the script shows it beside a moved slider."""
    texts = []
    for control in controls.values():
        texts.append([typeset(str(value)) for value in control.values])
    return texts


def widget_look() -> dict[str, object]:
    """Return the look of every input field in Jupyter and Colab: wide, with room for its label."""
    import ipywidgets

    # in units of the font size, so that the fields grow with the reader's font
    return {
        "layout": ipywidgets.Layout(width="30em"),
        "style": {"description_width": "11em"},
    }


# ---- what both kinds share


def _texts(control: Control) -> list[str]:
    # a value is shown as its text, escaped for HTML
    return [escape(typeset(str(value))) for value in control.values]


def _options(control: Control) -> list[tuple[str, object]]:
    # for ipywidgets, pairs of the text shown and the value meant
    return [(typeset(str(value)), value) for value in control.values]


def _label(control: Control, name: str, key: str) -> str:
    # a screen reader speaks the label together with the field
    return f'<label for="{name}-{key}">{escape(control.label)}</label>'


def _box(parts: str) -> str:
    # what belongs to one control stays together, however narrow the page
    return f'<div class="explorable-control">{parts}</div>'


def _attributes(name: str, key: str) -> str:
    # the script uses the class to find the field, and the key to find what it moves
    return f'id="{name}-{key}" class="explorable-input" data-key="{key}"'
