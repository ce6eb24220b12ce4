"""The appendix on the report and chapter 13 keep in step.

The report itself is not part of the repository. That the quotations are literal, and that they
cover the report from top to bottom, was checked against its text when they were written.
"""

import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).resolve().parent.parent / "book"
PAGE = (BOOK / "report_statements.md").read_text("utf-8")
CHAPTER = BOOK / "13_the_report.ipynb"

QUOTATION = re.compile("\u201c([^\u201d]+)\u201d")
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(?:#[^)]*)?\)")
UNTESTABLE = "not testable"


def rows_of(page):
    """The rows of all tables: lists of three cells."""
    rows = []
    for line in page.splitlines():
        if line.startswith("| \u201c"):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


ROWS = rows_of(PAGE)
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][1:40])


def quotations():
    """What chapter 13 quotes, in its text and in its code."""
    cells = nbformat.read(CHAPTER, as_version=4).cells
    text = "\n".join(cell.source for cell in cells)
    return [" ".join(quotation.split()) for quotation in QUOTATION.findall(text)]


@each_row
def test_each_statement_has_its_place(row):
    assert len(row) == 3
    quotation, place, answer = row
    assert QUOTATION.fullmatch(quotation)
    if place == UNTESTABLE:
        assert len(answer.split()) >= 3, "why is it not testable?"
    else:
        files = LINK.findall(place)
        assert files
        assert LINK.sub("", place).strip(", ") == ""
        assert [file for file in files if not (BOOK / file).exists()] == []
        assert answer


def test_no_statement_stands_there_twice():
    said = [row[0] for row in ROWS]
    assert sorted(said) == sorted(set(said))


def test_all_sections_of_the_report_are_there_in_order():
    titles = re.findall(r"^## (\S+)", PAGE, re.M)
    numerals = [title.split(".")[0] for title in titles if title[0] in "IV"]
    assert list(dict.fromkeys(numerals)) == ["I", "II", "III", "IV", "V", "VI", "VII", "VIII"]
    assert titles[0] == "Abstract"
    assert titles[-1] == "References"


@pytest.mark.parametrize("quotation", dict.fromkeys(quotations()))
def test_what_chapter_13_quotes_is_a_statement_that_names_it(quotation):
    rows = [row for row in ROWS if quotation in row[0]]
    assert rows, "not in the appendix: is it literal?"
    assert any(CHAPTER.name in row[1] for row in rows)


def test_chapter_13_quotes_enough_to_be_in_step():
    assert len(set(quotations())) > 32
    assert "report_statements.md" in CHAPTER.read_text("utf-8")
