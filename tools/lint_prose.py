"""Lint the book's English: `python tools/lint_prose.py [FILES]`.

Reads the Markdown cells, captions and alternative texts of the chapters, and the Markdown files of
the repository. proselint looks for clichés, archaisms, redundancies and the like; `STYLE` below
lists what this book has had to correct more than once. Prints one line per finding and exits with
1 if there is any. Mathematics, code and quotations are not looked at.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_markdown_cell, new_notebook
from prose_numbers import passages, plain
from proselint.checks import __register__ as ALL_CHECKS
from proselint.config import DEFAULT
from proselint.registry import CheckRegistry
from proselint.tools import LintFile

ROOT = Path(__file__).resolve().parent.parent
FILES = [*ROOT.glob("*.md"), *ROOT.glob("book/*.md"), *ROOT.glob("book/*.ipynb")]

QUOTATION = re.compile("\u201c[^\u201d]*\u201d")
CONTEXT = 30  # characters shown on both sides of a finding

# Checks of proselint that do not fit a technical book written in ASCII.
LEFT_OUT = (
    "weasel_words.very",
    "misc.but",  # a paragraph may begin with it
    "misc.phrasal_adjectives",  # takes 'multiply' for an adverb
    "dates_times",  # takes 0/0 for a date
    "annotations",  # 'Note' and 'TODO' stand in code spans
    "lexical_illusions",  # '0 0' in rows of numbers
    "typography",  # curly quotes, ellipses and multiplication signs
)
OFF = dict.fromkeys(LEFT_OUT, False)  # first, since the first name that fits decides
CONFIG = {**DEFAULT, "checks": OFF | DEFAULT["checks"] | OFF}

COUNTED = r"(?:bits?|bytes?|numbers?|values?|tables?|gains?|cosines?|frequency|dB|words?|calls?)"
THINGS = (
    r"(?:symbol|value|channel|number|pixel|pass|second|block|latent|picture|image|file|step|group"
    r"|stage|level|row|column|position|weight|photograph|chapter|page|side|byte|bit)"
)

# What this book has had to correct more than once, and what to write instead.
STYLE = {
    rf"\b(?:[Oo]ne|[Oo]ne \w+|{COUNTED}) an? {THINGS}\b": "'per', not 'a': bits per symbol",
    r"\b[Uu]pright and lying\b|\blying stripes?\b|\bupright stripes?\b": "vertical, horizontal",
    r"\bfor ever\b": "forever, or without end",
    r"\b[Tt]hrice\b": "three times",
    r"\b[Tt]elephones?\b": "phone",
    r"\bdear(?:er|est)?\b": "expensive",
    r"\bper cents\b": "per cent",
    r"\b[Ww]hole numbers? of bits per\b": "an integer number of bits per",
    r"\b[Nn]owadays\b": "today",
    r"\bin the following\b": "below",
    r"\b[Ii]t is (?:easy to see|clear|obvious) that\b": "show it, or leave it out",
    r"\b(?:obviously|of course|needless to say)\b": "leave it out: it helps nobody who is stuck",
    r"\butili[sz]e": "use",
    r"\b[Nn]ormaliz|\b[Oo]ptimiz|\b[Rr]ecogniz|\b[Mm]inimiz": "British spelling: -ise",
    r"\bcolor|\bgray\b|\bneighbor|\bbehavior": "British spelling",
}


def notebook_of(file):
    """A notebook; a Markdown file becomes one with a single cell."""
    if file.suffix == ".ipynb":
        return nbformat.read(file, as_version=4)
    return new_notebook(cells=[new_markdown_cell(file.read_text("utf-8"))])


def spoken(file):
    """Every paragraph of a file, without code, mathematics and quotations."""
    for _, paragraph in passages(notebook_of(file)):
        text = QUOTATION.sub("_", " ".join(plain(paragraph).split()))
        if text:
            yield text


def complaints(paragraph):
    """What is wrong with a paragraph: pairs of the words and the advice."""
    found = []
    for pattern, advice in STYLE.items():
        for match in re.finditer(pattern, paragraph):
            found.append((around(paragraph, *match.span()), advice))

    text = LintFile("paragraph", paragraph)
    for result in text.lint(CONFIG):
        start, end = result.check_result.span
        found.append((around(text.content, start, end), result.check_result.message))
    return found


def around(text, start, end):
    """A place in a text with a few words on both sides."""
    return text[max(0, start - CONTEXT) : end + CONTEXT].strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, help="default: the book and the README")
    options = parser.parse_args()

    CheckRegistry().register_many(ALL_CHECKS)
    count = 0
    for file in options.files or sorted(FILES):
        for paragraph in spoken(file):
            for words, advice in complaints(paragraph):
                print(f"{file.name}: ...{words}...: {advice}")
                count += 1
    print(f"{count} complaints about the prose")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
