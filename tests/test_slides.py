"""Slides come from the chapters: pictures, tables and formulas on them, prose in the notes."""

import base64
import re
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat.v4 as nb
import pytest

from mfca_tutorial.show import svg

pytest.importorskip("sphinx", reason="the book's tools are not installed")

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tools"), str(ROOT / "tests")]

import secrets_of_the_book as secrets  # noqa: E402
import slides  # noqa: E402
from plain.notebook import labels_of_book  # noqa: E402
from shown_cells import CHAPTERS, read  # noqa: E402

PAGES = "https://example.org/latest"
FILE = Path("book/03_x.ipynb")
FIGURE = {"mystnb": {"figure": {"name": "fig-03-a", "caption": "A *line*."}, "image": {"alt": "A"}}}


def shown(kind, text):
    return nb.new_output("display_data", {kind: text})


def plot():
    """A figure as a published chapter holds it."""
    figure, axis = plt.subplots()
    axis.plot([0, 1])
    return svg.figure_html(figure)


PLOTTED = {"mystnb": {"figure": {"name": "fig-03-b", "caption": "B."}, "image": {"alt": "A curve"}}}
CELLS = [
    nb.new_markdown_cell("# 3. Look\n\n**You will** look."),
    nb.new_markdown_cell("## Waves\n\nFirst words.\n\nIt holds:\n\n```{math}\na < b\n```\n\nMore."),
    nb.new_code_cell(
        "plot()", metadata=FIGURE, outputs=[shown("image/png", base64.b64encode(b"PNG").decode())]
    ),
    nb.new_code_cell("q()", metadata=PLOTTED, outputs=[shown("text/html", plot())]),
    nb.new_code_cell("t()", outputs=[shown("text/markdown", "| a |\n|:--|\n| 1 |")]),
    nb.new_code_cell("e()", outputs=[shown("text/html", '<div class="explorable">move</div>')]),
    nb.new_code_cell("p()", outputs=[nb.new_output("stream", text="printed")]),
    nb.new_markdown_cell("**Key idea.** Look twice."),
    nb.new_markdown_cell("## Exercises\n\n> Not here."),
    nb.new_markdown_cell("## Recap\n\n- One.\n- Two."),
]


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    labels = labels_of_book({FILE.name: CELLS}, {}, PAGES)
    notebook = nb.new_notebook(cells=CELLS)
    return slides.slides_of(FILE, notebook, labels, PAGES, tmp_path_factory.mktemp("pictures"))


def test_sections_are_stacks_and_exercises_are_not(stacks):
    assert [stack.title for stack in stacks] == ["3. Look", "Waves", "Recap"]


def test_what_is_shown_is_on_slides_in_its_order(stacks):
    equation, figure, curve, table, explorable, idea = [slide.body for slide in stacks[1].slides]
    assert re.search(r"It holds:.*\\\[a &lt; b\\\]", equation, re.S)
    assert '<img data-src="pictures/03-00.png" alt="A">' in figure
    assert "<strong>Figure 3.1.</strong> A <em>line</em>." in figure
    assert '<svg class="plot" role="img" aria-label="A curve"' in curve
    assert "<strong>Figure 3.2.</strong> B." in curve
    assert "<td>1</td>" in table.replace(' style="text-align:left"', "")
    assert "move" in explorable
    assert "Look twice." in idea
    assert stacks[2].slides[0].body.count("<li>") == 2


def test_prose_is_in_the_notes(stacks):
    first, second = stacks[1].slides[:2]
    assert "First words." in first.notes
    assert "First words." not in first.body
    assert "More." in second.notes


def test_no_chapter_shows_a_solution(tmp_path):
    chapters = {file: read(file, "student", []) for file in CHAPTERS}
    labels = labels_of_book({f.name: n.cells for f, n in chapters.items()}, {}, PAGES)
    hidden = secrets.of_solutions()
    for file, notebook in chapters.items():
        made = slides.slides_of(file, notebook, labels, PAGES, tmp_path)
        assert made[-1].title == "Recap"
        text = "".join(slide.body + slide.notes for stack in made for slide in stack.slides)
        squeezed = secrets.squeeze(re.sub("<[^>]+>", "", text))
        assert [line for line in hidden if line in squeezed] == []


def test_all_that_slides_load_lies_beside_them(tmp_path, stacks):
    slides.copy_assets(tmp_path)
    html = slides.page("3. Look", stacks)
    loaded = re.findall(r'(?:src|href)="(assets/[^"]+)"', html)
    programs = ("assets/reveal/", "assets/mathjax/")  # of the extra `publish`, and of the book
    own = [name for name in loaded if not name.startswith(programs)]
    assert [name for name in own if not (tmp_path / name).exists()] == []
    assert {"assets/explorables/explorable.js", "assets/figures.css"} <= set(own)
