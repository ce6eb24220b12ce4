"""Each number in the prose of a built chapter is shown, and each page takes corrections."""

import nbformat
import pytest
from conftest import ROOT, SITE, absent
from prose_numbers import EXECUTED, quotes_of, unproven

CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda file: file.stem)
def test_every_number_in_prose_is_shown(chapter):
    file = EXECUTED / chapter.name
    if not file.exists():
        absent("the chapter has not been executed; run `make book` first")
    notebook = nbformat.read(file, as_version=4)
    assert [str(one) for one in unproven(notebook, quotes=quotes_of())] == []


def test_every_page_of_the_book_ends_with_a_link_for_corrections():
    pages = sorted((SITE / "book").glob("*.html"))
    if not pages:
        absent("no book in _build/html; run `make book` first")
    for page in pages:
        assert page.read_text("utf-8").count('class="report-mistake"') == 1, page.name
