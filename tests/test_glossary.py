"""Each term has one definition, one spelling and one home chapter, which uses it."""

import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).resolve().parent.parent / "book"
PAGE = (BOOK / "notation.md").read_text("utf-8")
GLOSSARY = re.search(r"```\{glossary\}\n(.*?)```", PAGE, re.S)[1]
ENTRIES = re.findall(r"^(\S.*)\n  (.*)$", GLOSSARY, re.M)
TERMS = [term for term, _ in ENTRIES]

REPORT = {"13_the_report.ipynb", "report_statements.md", "notation.md"}  # these quote the report

# Spellings that this book has settled against.
UNUSED = {
    "quantization": "quantisation",
    "post-quantization filter": "post-quantisation filter",
    "hyper-prior": "hyperprior",
    "latent representation": "latents",
    "bitrate": "bit rate",
    "data set": "dataset",
}


def prose(file):
    """A page's text without code, mathematics and quotations."""
    if file.suffix == ".ipynb":
        cells = nbformat.read(file, as_version=4).cells
        text = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    else:
        text = file.read_text("utf-8")
    text = re.sub(r"\{term\}`(?:[^`<]*<)?([^`>]*)>?`", r"\1", text)
    text = re.sub(r"```(?:python|text)\n.*?```", "", text, flags=re.S)
    return re.sub("`[^`]*`|\u201c[^\u201d]*\u201d|'[^'\n]*'|\\*[^*\n]*\\*", "", text)


def test_every_term_is_defined_once_and_in_order():
    assert len(ENTRIES) == len(re.findall(r"^\S", GLOSSARY, re.M))
    assert len({term.lower() for term in TERMS}) == len(TERMS)
    assert [term.lower() for term in TERMS] == sorted(term.lower() for term in TERMS)


@pytest.mark.parametrize("term, definition", ENTRIES, ids=TERMS)
def test_its_home_chapter_uses_it(term, definition):
    link = re.search(r" \(\[Chapter (\d+)\]\((\w+\.ipynb)\)\.\)$", definition)
    assert link
    assert int(link[1]) == int(link[2][:2])

    text = "\n".join(c.source for c in nbformat.read(BOOK / link[2], as_version=4).cells)
    names = [term, *re.findall(r"short: ([\w-]+)", definition)]
    assert any(re.search(rf"\b{re.escape(name)}", text, re.I) for name in names)


def test_every_term_that_a_page_names_is_defined():
    defined = {term.lower() for term in TERMS}
    for file in [*BOOK.glob("*.ipynb"), *BOOK.glob("*.md")]:
        for named in re.findall(r"\{term\}`(?:[^`<]*<)?([^`<>]*)>?`", file.read_text("utf-8")):
            assert named.lower() in defined, (file.name, named)


@pytest.mark.parametrize("spelling", UNUSED)
def test_one_spelling(spelling):
    pages = [p for p in [*BOOK.glob("*.ipynb"), *BOOK.glob("*.md")] if p.name not in REPORT]
    found = [p.name for p in pages if re.search(rf"\b{spelling}\b", prose(p), re.I)]
    assert found == [], UNUSED[spelling]
