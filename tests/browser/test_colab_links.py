"""Links of the copies for Colab lead to places that the built pages have, with their numbers."""

import html
import re

import colab
import edition
import pytest
from conftest import SITE, absent
from plain.labels import labels_of
from shown_cells import CHAPTERS, read

PAGES = edition.pages()
LINK = re.compile(rf"\]\({re.escape(PAGES)}/([^)#]+)(?:#([^)]+))?\)")


@pytest.fixture(scope="module")
def copies():
    if not (SITE / "index.html").exists():
        absent("no book in _build/html; run `make book` first")
    return colab.copies("student", PAGES)


def text_of(name):
    return (SITE / name).read_text("utf-8")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda file: file.stem)
def test_every_link_to_the_pages_leads_somewhere(copies, chapter):
    cells = copies[chapter.name].cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    links = set(LINK.findall(text))
    assert len(links) > 5
    for page, anchor in links:
        assert (SITE / page).exists(), page
        assert not anchor or f'id="{anchor}"' in text_of(page), f"{page}#{anchor}"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda file: file.stem)
def test_numbers_are_those_of_the_page(chapter):
    page = SITE / "book" / f"{chapter.stem}.html"
    if not page.exists():
        absent("no book in _build/html; run `make book` first")
    text = page.read_text("utf-8")
    ours = [
        label.text for label in labels_of(chapter, read(chapter, "student").cells, PAGES).values()
    ]
    captions = re.findall(r'class="caption-number">(?:<[^>]+>)?([^<]+?)\s*<', text)
    equations = re.findall(r'class="eqno">(\([\d.]+\))', text)
    # on the page, 'Figure' and its number stay on one line
    captions = [html.unescape(number).replace("\u00a0", " ") for number in captions]
    theirs = [number.strip() for number in captions] + equations
    kinds = r"(?:Figure|Exercise) [\d.]+|\([\d.]+\)"
    assert sorted(t for t in theirs if re.fullmatch(kinds, t)) == sorted(
        t for t in ours if re.fullmatch(kinds, t)
    )
