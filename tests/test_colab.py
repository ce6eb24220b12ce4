"""The copies for Colab, Kaggle and Jupyter: whole, and nothing in them is raw MyST.

Every Markdown cell is rendered with a CommonMark renderer that knows tables and `$` mathematics,
which is what these programs have in common. Whether the links lead somewhere is tested with the
built pages, in `tests/browser/test_colab_links.py`.
"""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the book's tools are not installed")

from markdown_it import MarkdownIt  # noqa: E402
from mdit_py_plugins.dollarmath import dollarmath_plugin  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tools"))

import colab  # noqa: E402
import nbformat  # noqa: E402
from plain import blocks, inline, labels, notebook  # noqa: E402
from shown_cells import CHAPTERS, read  # noqa: E402

PAGES = "https://example.org/book/latest"
RENDERER = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
SHOWN = {"student": [], "instructor": []}
COPIES = {edition: colab.copies(edition, PAGES, shown) for edition, shown in SHOWN.items()}
CASES = [(edition, file) for edition in COPIES for file in COPIES[edition]]
EVERY_COPY = pytest.mark.parametrize("edition, file", CASES)

# What has no place in rendered text: braces, fences, targets, options, a `$` without a partner.
RAW = re.compile(r"[{}$]|`|:::|^\([\w-]+\)=|^:[\w-]+:", re.M)
HTML = re.compile(r"</?details>|</?summary>")


def markdown(cells):
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def tokens(text):
    """All tokens of a text, those inside lines, too."""
    for token in RENDERER.parse(text):
        yield token
        yield from token.children or []


def raw(text):
    """What a renderer of CommonMark and `$` mathematics would show as source."""
    found = []
    for token in tokens(text):
        if token.type == "text" and RAW.search(token.content):
            found.append(token.content)
        if token.type == "fence" and not re.fullmatch(r"|python|text|sh|console", token.info):
            found.append(f"```{token.info}")
        if token.type in {"html_block", "html_inline"}:
            rest = HTML.sub("", token.content)
            found += [token.content] if RAW.search(rest) or "<" in rest else []
    return found


@EVERY_COPY
def test_nothing_is_raw(edition, file):
    found = [line for text in markdown(COPIES[edition][file].cells) for line in raw(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "see {term}`gain`",
        "```{math}\nx\n```",
        ":::{note}\nx\n:::",
        "(target)=\n## x",
        "it costs $5, nothing more",
        "![x](y.png){width=50%}",
        "<div>{x}</div>",
    ],
)
def test_the_search_for_raw_source_would_find_it(text):
    assert raw(text)


@EVERY_COPY
def test_every_address_is_complete(edition, file):
    for text in markdown(COPIES[edition][file].cells):
        for token in tokens(text):
            address = token.attrs.get("href") or token.attrs.get("src")
            assert address is None or re.match("https?://", address), address


@EVERY_COPY
def test_displayed_formulas_are_whole(edition, file):
    for text in markdown(COPIES[edition][file].cells):
        for token in tokens(text):
            if token.type != "math_block":
                continue
            begun = re.findall(r"\\begin\{(\w+)\}", token.content)
            ended = re.findall(r"\\end\{(\w+)\}", token.content)
            assert sorted(begun) == sorted(ended)
            assert token.content.count("{") == token.content.count("}")


def words(text):
    """The words of a text and of its formulas, without addresses and HTML."""
    text = re.sub(r"\]\([^)\s]+\)", "]", text)
    text = re.sub(r"</?\w+>|\\(?:tag|begin|end)\{[^}]*\}", " ", text)
    return Counter(re.findall(r"\w+", text.lower()))


def said(cells):
    """What the Markdown cells and the captions of a chapter say, without MyST's markup."""
    texts = markdown(cells)
    for cell in cells:
        options = cell.metadata.get("mystnb", {})
        texts.append(options.get("figure", {}).get("caption", ""))
        texts.append(options.get("image", {}).get("alt", ""))
    text = "\n".join(texts)
    text = re.sub(r"^[`:]{3,}\{solution.*$", "", text, flags=re.M)
    text = re.sub(r"^[`:]{3,}\{[\w-]+\}", "", text, flags=re.M)
    text = re.sub(r"^:[\w-]+:.*$|^\([\w-]+\)=$", "", text, flags=re.M)
    text = re.sub(r"\{(?:eq|numref|ref|cite:[pt])\}`[^`<]*`", "", text)
    return re.sub(r"\{[a-z:]+\}`([^`<]+?)(?:\s*<[^>]*>)?`", r"\1", text)


@EVERY_COPY
def test_nothing_is_lost(edition, file):
    chapter = read(ROOT / "book" / file, edition, [])
    copied = "\n".join(markdown(COPIES[edition][file].cells))
    assert words(said(chapter.cells)) - words(copied) == Counter()


@EVERY_COPY
def test_cells_of_code_are_the_same(edition, file):
    before = [c for c in read(ROOT / "book" / file, edition, []).cells if c.cell_type == "code"]
    after = [c.source for c in COPIES[edition][file].cells if c.cell_type == "code"]
    solved = {c.source for c in before if "solution" in c.metadata.get("tags", [])}
    assert after == [c.source for c in before if c.source not in solved]

    # a solution is in a part that opens on a click
    text = "\n".join(markdown(COPIES[edition][file].cells))
    for source in solved:
        assert f"```python\n{source.strip()}\n```" in text


@EVERY_COPY
def test_it_is_a_valid_notebook_that_colab_titles(edition, file):
    nbformat.validate(COPIES[edition][file])
    assert COPIES[edition][file].metadata.colab.name == file
    identifiers = [cell.id for cell in COPIES[edition][file].cells]
    assert len(identifiers) == len(set(identifiers))


@EVERY_COPY
def test_parts_that_open_on_a_click_are_closed_again(edition, file):
    text = "\n".join(markdown(COPIES[edition][file].cells))
    for name in ("details", "summary"):
        assert text.count(f"<{name}>") == text.count(f"</{name}>")
    solutions = text.count(f"<summary>{blocks.SOLUTION}")
    assert bool(solutions) == (edition == "instructor")


def test_every_label_of_the_book_has_one_meaning():
    chapters = {file.name: read(file, "instructor", []).cells for file in CHAPTERS}
    single = [labels.labels_of(name, cells, PAGES) for name, cells in chapters.items()]
    total = notebook.labels_of_book(chapters, colab.pages_of_text(), PAGES)
    assert sum(map(len, single)) <= len(total)
    assert len({label.address for label in total.values()}) == len(total)


LABELS = {
    "eq-x": labels.Label("(3.1)", "3.1", f"{PAGES}/book/03_x.html#equation-eq-x"),
    "fig-x": labels.Label("Figure 3.2", "3.2", f"{PAGES}/book/03_x.html#fig-x"),
    "ex-x": labels.Label("Exercise 3.1", "3.1", f"{PAGES}/book/03_x.html#ex-x", "Count"),
    "diagram-mfca": labels.Label("Figure 3.3", "3.3", f"{PAGES}/book/03_x.html#diagram-mfca"),
}


def plain(text):
    return blocks.Blocks(inline.Inline("03_x.ipynb", PAGES, LABELS))(text)


@pytest.mark.parametrize(
    "myst, common",
    [
        ("```{math}\n:label: eq-x\na = b\n```", "$$\na = b \\tag{3.1}\n$$"),
        ("```{math}\na \\\\ b\n```", "$$\n\\begin{aligned}\na \\\\ b\n\\end{aligned}\n$$"),
        ("{eq}`eq-x` holds", f"[(3.1)]({PAGES}/book/03_x.html#equation-eq-x) holds"),
        ("{numref}`fig-x`", f"[Figure 3.2]({PAGES}/book/03_x.html#fig-x)"),
        ("{ref}`that one <ex-x>`", f"[that one]({PAGES}/book/03_x.html#ex-x)"),
        ("{term}`gains <gain>`", f"[gains]({PAGES}/book/notation.html#term-gain)"),
        ("the {index}`counts <frequency table>`", "the counts"),
        ("[chapter 2](02_mfca.ipynb)", f"[chapter 2]({PAGES}/book/02_mfca.html)"),
        ("**In practice** nobody does.", "> **In practice** nobody does."),
        ("```{note}\nMind.\n\nTwice.\n```", "> **Note**\n>\n> Mind.\n>\n> Twice."),
        ("(sec-x)=\n## Title", "## Title"),
        (
            "```{exercise-start} Count $n$\n:label: ex-x\n```\nHow?",
            "### Exercise 3.1. Count $n$\nHow?",
        ),
        ("`{term}` and $\\{x\\}$", "`{term}` and $\\{x\\}$"),
        (
            "![A block](../_assets/diagrams/mfca.svg)\nThe block.",
            f"![A block]({PAGES}/_static/diagrams/mfca.svg)\n\n**Figure 3.3.** The block.",
        ),
    ],
)
def test_constructs(myst, common):
    assert plain(myst) == common
    assert raw(plain(myst)) == []


@pytest.mark.parametrize(
    "myst",
    [
        "{sup}`2`",
        "```{video} x.mp4\n```",
        "{numref}`fig-unknown`",
        "![x](picture.png)",
        "```{note}\nwithout an end",
        "[x](../tools/pdf.py)",
    ],
)
def test_what_has_no_plain_form_is_an_error(myst):
    with pytest.raises(inline.Unknown, match="03_x"):
        plain(myst)


def test_citations_name_authors_and_year():
    text = plain("{cite:t}`hu2018squeeze` did; others too {cite:p}`qin2021fcanet,wallace1992jpeg`.")
    assert text.startswith(f"Hu et al. ([2018]({PAGES}/book/03_x.html#cite-hu2018squeeze)) did;")
    assert "([Qin et al., 2021](" in text
    assert "; [Wallace, 1992](" in text
    with pytest.raises(KeyError):
        plain("{cite:p}`nobody2020`")
