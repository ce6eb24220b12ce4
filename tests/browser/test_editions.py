"""The built student edition holds no solution and no guide: in no page, index or download."""

import html
import json
import re

import pytest
import secrets_of_the_book as secrets
import shown_cells
from conftest import ROOT, SITE
from secrets_of_the_book import squeeze

FILES = sorted((ROOT / "book").glob("*.ipynb"))
TEXT = (".html", ".js", ".json", ".ipynb", ".txt", ".md", ".xml", ".inv")


def plain(file):
    """A file's text without markup, blanks and escapes."""
    text = file.read_text("utf-8")
    if file.suffix == ".html":
        frames = r'<script type="application/json".*?</script>'  # of explorables
        text = re.sub(frames, "", text, flags=re.S)
        text = html.unescape(re.sub(r"<[^>]+>", "", text))
    if file.suffix == ".ipynb":
        text = "".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return squeeze(text)


@pytest.fixture(scope="module")
def published():
    if not (SITE / "index.html").exists():
        pytest.skip("no book in _build/html; run `make book` first")
    files = [f for f in SITE.rglob("*") if f.suffix in TEXT and "mathjax" not in f.parts]
    return {f.relative_to(SITE).as_posix(): plain(f) for f in files}


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


def test_the_reading_of_files_would_find_one(tmp_path):
    (tmp_path / "a.html").write_text(
        "<pre><span>def</span> <span>f</span>(x):\n  return x &lt; 3</pre>", "utf-8"
    )
    assert squeeze("def f(x): return x < 3") in plain(tmp_path / "a.html")


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
