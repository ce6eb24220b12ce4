"""The built student edition holds no solution and no guide: in no page, index or download."""

import html
import re

import pytest
import secrets_of_the_book as secrets
import shown_cells
from conftest import ROOT, SITE

FILES = sorted((ROOT / "book").glob("*.ipynb"))


@pytest.fixture(scope="module")
def published():
    if not (SITE / "index.html").exists():
        pytest.skip("no book in _build/html; run `make book` first")
    files = [f for f in SITE.rglob("*") if f.is_file() and "mathjax" not in f.parts]
    return {f.relative_to(SITE).as_posix(): secrets.said(f.name, f.read_bytes()) for f in files}


def test_no_solution_text_in_any_file(published):
    hidden = secrets.of_solutions(shown_cells.released())
    assert len(hidden) > len(FILES)
    leaks = {(name, line) for name, text in published.items() for line in hidden if line in text}
    assert not leaks


def test_no_guide_in_any_file(published):
    assert not [name for name in published if "instructors_guide" in name]
    hidden = secrets.of_the_guide()
    assert len(hidden) > 50
    leaks = {(name, line) for name, text in published.items() for line in hidden if line in text}
    assert not leaks


def test_no_trace_of_solutions(published):
    for name, text in published.items():
        if name.startswith("_static"):
            continue
        assert "solution-start" not in text, name
        if not shown_cells.released():
            assert "Solutionto" not in text, name


def test_buttons_open_the_notebooks_of_the_student_branch():
    pages = [SITE / "book" / f"{file.stem}.html" for file in FILES]
    built = [page for page in pages if page.exists()]
    assert built
    for page in built:
        text = html.unescape(page.read_text("utf-8"))
        for button in (
            rf"colab[^\"]*/blob/student/book/{page.stem}\.ipynb",
            rf"kaggle[^\"]*%2Fblob%2Fstudent%2Fbook%2F{page.stem}\.ipynb",
            rf"mybinder[^\"]*/student\?urlpath=lab/tree/book/{page.stem}\.ipynb",
        ):
            assert re.search(button, text), (page.name, button)
