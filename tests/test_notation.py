"""No symbol is used before the chapter that the notation table names, or before it is explained."""

import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).resolve().parent.parent / "book"
NOTATION = (BOOK / "notation.md").read_text("utf-8")

DISPLAY = re.compile(r"```\{math\}\n(.*?)```|\$\$(.*?)\$\$", re.S)
INLINE = re.compile(r"(?<![\$\\])\$([^$]+)\$(?!\$)")
WORDS = re.compile(
    r":label:.*|\\(?:text|operatorname|mathrm|mathbb|textstyle|begin|end)\*?\{[^}]*\}"
)
SYMBOL = re.compile(
    r"\\hat\s*\{?\s*(?P<hat>[A-Za-z])\}?"
    r"|(?P<greek>\\[A-Za-z]+)"
    r"|(?P<letter>[A-Za-z])(?P<index>_(?:\{[^}]*\}|[A-Za-z0-9]))?"
)


def symbols(formula):
    r"""The symbols of a formula, as 'y', '\hat y', 'g_a' or '\lambda'."""
    found = set()
    for match in SYMBOL.finditer(WORDS.sub(" ", formula)):
        if match["hat"]:
            found.add(rf"\hat {match['hat']}")
        else:
            found.add(match["greek"] or match["letter"] + (match["index"] or ""))
    return found


def table(head):
    """The rows of the table of notation.md whose first column has this head, as lists of cells."""
    start = NOTATION.index(f"| {head} |")
    lines = NOTATION[start:].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def numbers(text):
    """'1, 2' or '1 to 3' -> a set of whole numbers."""
    first_last = re.fullmatch(r"(\d+) to (\d+)", text)
    if first_last:
        return set(range(int(first_last[1]), int(first_last[2]) + 1))
    return {int(number) for number in text.split(", ")}


def other_meanings():
    """For each letter, the chapters in which it means something else."""
    chapters = {}
    for letters, where, _ in table("letter"):
        for letter in INLINE.findall(letters):
            chapters.setdefault(letter, set()).update(numbers(where))
    return chapters


def fixed_meanings():
    """Pairs of a symbol and the chapter that introduces it."""
    pairs = []
    for row in table("symbol"):
        for symbol in INLINE.findall(row[0]):
            if "+" not in symbol:
                pairs.append((symbol.replace("(q)", ""), int(row[-1])))
    return pairs


def chapter(number):
    """The Markdown cells of a chapter, without solutions."""
    (file,) = BOOK.glob(f"{number:02}_*.ipynb")
    cells = nbformat.read(file, as_version=4).cells
    return [
        cell.source
        for cell in cells
        if cell.cell_type == "markdown" and "solution" not in cell.metadata.get("tags", [])
    ]


CHAPTERS = [chapter(number) for number in range(14)]
OTHER = other_meanings()


def used_in(cell):
    """The symbols of a cell's formulas, and those that stand in its sentences."""
    displayed = [first or second for first, second in DISPLAY.findall(cell)]
    inline = INLINE.findall(DISPLAY.sub(" ", cell))
    in_sentences = set().union(*(symbols(formula) for formula in inline))
    return in_sentences.union(*(symbols(formula) for formula in displayed)), in_sentences


@pytest.mark.parametrize("symbol, home", fixed_meanings(), ids=lambda value: str(value))
def test_is_not_used_before_its_chapter(symbol, home):
    for number, cells in enumerate(CHAPTERS[:home]):
        if number not in OTHER.get(symbol, set()):
            assert not any(symbol in used_in(cell)[0] for cell in cells), number


@pytest.mark.parametrize("symbol, home", fixed_meanings(), ids=lambda value: str(value))
def test_is_explained_where_it_first_stands(symbol, home):
    """The cell that uses it first also names it in a sentence, not only in a displayed formula."""
    for cell in CHAPTERS[home]:
        everywhere, in_sentences = used_in(cell)
        if symbol in everywhere:
            assert symbol in in_sentences
            return
    pytest.fail("its chapter does not use it")


def test_symbols_are_found():
    formula = r"\hat{y} = \hat v / g, \quad g_a(x), B_{u,v}, \text{bits} \lambda(q)"
    wanted = {r"\hat y", r"\hat v", "g", r"\quad", "g_a", "x", "B_{u,v}", r"\lambda", "q"}
    assert symbols(formula) == wanted
