"""Live explorables use only widgets that Colab has: its ipywidgets is 7.7.1.

That they work there is tried before a release, with that version (CONTRIBUTING.md).
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHOW = ROOT / "mfca_tutorial" / "show"

# What ipywidgets 7.7.1 has of what an explorable may need. Version 8 added Stack, TagsInput, ...
OF_7_7_1 = {
    "Button",
    "Checkbox",
    "Dropdown",
    "FloatSlider",
    "GridBox",
    "HBox",
    "HTML",
    "Image",
    "IntSlider",
    "Label",
    "Layout",
    "RadioButtons",
    "SelectionSlider",
    "Text",
    "ToggleButtons",
    "VBox",
    "jslink",
}


def names(source):
    """The names that a source takes from ipywidgets, by `ipywidgets.X` or `from ipywidgets`."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "ipywidgets":
            found.add(node.attr)
        if isinstance(node, ast.ImportFrom) and node.module == "ipywidgets":
            found |= {alias.name for alias in node.names}
    return found


def test_the_reader_of_names_sees_both_forms():
    source = "from ipywidgets import Stack\nimport ipywidgets\nipywidgets.TagsInput()"
    assert names(source) == {"Stack", "TagsInput"}


@pytest.mark.parametrize("file", sorted(SHOW.glob("*.py")), ids=lambda file: file.stem)
def test_only_widgets_that_colab_has(file):
    assert names(file.read_text("utf-8")) - OF_7_7_1 == set()


def test_explorables_are_made_of_widgets():
    used = set().union(*(names(file.read_text("utf-8")) for file in SHOW.glob("*.py")))
    assert {"Image", "SelectionSlider", "VBox"} <= used
