"""List the numbers in a chapter's prose that nothing on its page shows.

`python tools/prose_numbers.py` reads the chapters that `make book` has executed; with names of
notebooks it reads those, and with `--execute` it runs a copy of each first. It prints one line for
each number, with its cell and sentence, and exits with 1 if there is any.

Prose is: Markdown cells, captions and alternative texts of figures, tasks and answers of
explorables. A number is made of digits; numbers in words are not looked at. It counts as shown if
one of these holds:

1. An output of the chapter prints it, or prints more digits that round to it. A count (a whole
   number without a unit) must be printed exactly. After 'about', 'nearly' and the like, the last
   digit that is not zero may be off by one half. A sign in prose must be the printed one.
2. A visible code cell contains it as a literal, or as a product, power or quotient of literals.
3. Its paragraph names a file in `data/results` in a code span, and that file contains it.
4. Its sentence cites literature.
5. It is quoted, word for word, from the report (`book/report_statements.md`).

Some numbers state nothing and are left out: mathematics (but a formula that is a plain number
counts as prose), code spans, names (JPEG 2000, 4:2:0, float64, 8-bit), years, references to
chapters and the like, times and difficulties at the head, exercises with their solutions, quizzes.
Outputs of exercises, solutions and the set-up cell show nothing.
"""

import argparse
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from prose_shown import results_of, shown_by

ROOT = Path(__file__).resolve().parent.parent
EXECUTED = ROOT / "_build" / "executed"
TIMEOUT = 300  # seconds per cell
STATEMENTS = ROOT / "book" / "report_statements.md"

UNIT = (
    r"(?:%|per cent|percent|dB|bpp|bits?|bytes?|KB|kB|MB|MiB|ms|GMACs?|MACs?"
    r"|seconds?|minutes?|hours?|times|thousand|million|billion)(?!\w)"
)
NUMBER = re.compile(
    r"(?P<sign>(?<![\w.)%])[-+\u2212\u00b1])?"
    r"(?P<digits>(?<![\w.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w,])(?<!\w\.)\d+(?:\.\d+)?)"
    r"(?P<word>[A-Za-z_]|-(?=[A-Za-z]))?"
    rf"(?:\s*(?P<unit>{UNIT}))?"
    # '3, 4 and 5 %': a list of numbers shares its unit
    rf"(?=(?:\s*(?:-|to|and|or|,|/)\s*[-+]?\d[\d.,]*)*\s*(?P<shared>{UNIT})|)"
)
SCALE = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
HEDGE = re.compile(
    r"\b(about|around|nearly|almost|roughly|some|over|under|above|below|more than|less than"
    r"|fewer than|close to|at least|at most|up to)\s+$",
    re.I,
)

# What is cut out of prose before numbers are looked for. Spaces stand for what was cut.
SAID = re.compile(r'<p class="explorable-task">(.*?)</p>|answer"><summary>.*?<p>(.*?)</p>', re.S)
FENCE = re.compile(
    r"^(?P<marks>`{3,}|:{3,})(?:\{(?:math|code-block|bibliography|toctree|mermaid|index)\}|\w*$)"
    r".*?^(?P=marks)\s*$",
    re.S | re.M,
)
MATH = re.compile(r"\$\$.*?\$\$|(?<!\\)\$(?P<inside>[^$]+?)(?<!\\)\$", re.S)
CODE = re.compile(r"(?<![`}])(`+)(?!`).*?(?<!`)\1(?!`)", re.S)
ROLE = re.compile(r"\{(?P<role>[\w:-]+)\}`(?P<inside>[^`]*)`")
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\([^)]*\)")
TAG = re.compile(r"<[^>]+>")
NAME = re.compile(
    r"JPEG(?: |-)?2000|\d:\d:\d|Cool-chic \d\.\d|(?:Python|PyTorch|torch|NumPy|CUDA) \d[\d.]*"
    r"|H\.26\d|BT\.\d+|\b\d+(?:st|nd|rd|th)\b|\b[A-Za-z]+[-.]?\d[\w.-]*\w|\b[A-Za-z]\d\b"
)
REFERENCE = re.compile(
    r"\b(?:chapters?|sections?|figures?|tables?|exercises?|equations?|pages?|steps?|traps?|parts?"
    r"|runs?|rows?|version|day|week|edition|form|promise|rule)\s+\d+"
    r"(?:(?:,\s*|\s*(?:-|to|and|or)\s*)(?:chapters?\s*)?\d+)*(?![\d.]*\d|\s*%)",
    re.I,
)
YEAR = re.compile(
    r"(?<=\b(?:[Ii]n|[Oo]f) )(?:19|20)\d\d\b|(?<=\b(?:[Ss]ince|until|after) )(?:19|20)\d\d\b"
    r"|\((?:19|20)\d\d\)|\b\d{1,2} [A-Z][a-z]+ (?:19|20)\d\d\b|\b(?:19|20)\d\d-\d\d-\d\d\b"
)
HEAD = re.compile(r"\*\*Time:\*\*[^\n]*|\*Difficulty[^*]*\*|^#+ \d+\.|^\s*\*{0,2}\d+\.(?= )", re.M)
EXERCISE = re.compile(
    r"`{3,}\{(exercise|solution)-start\}.*?`{3,}\{\1-end\}"
    r"|^(`{3,})\{(?:exercise|solution)\}.*?^\2\s*$"
    r"|^\*\*Quiz\b(?:(?!\n\n).)*(?:\n\n<details.*?</details>)?",
    re.S | re.M,
)

QUOTED = re.compile(r"(?<!\w)['\"\u2018\u201c]([^'\"\u2019\u201d]{3,}?)['\"\u2019\u201d](?!\w)")


@dataclass(frozen=True)
class Found:
    """A number in prose: the cell's index, its sentence and how it is written."""

    cell: int
    sentence: str
    number: str

    def __str__(self) -> str:
        return f"cell {self.cell}: {self.number:>10} | {self.sentence}"


def joined(notebook):
    """The notebook's Markdown as one text, and the offset of each cell in it."""
    text = ""
    starts = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            starts.append((len(text), index))
            text += cell.source + "\n\n"
    return text, starts


def blanked(match):
    """Blanks in place of a match, so that offsets stay."""
    return re.sub(r"\S", " ", match.group())


def passages(notebook):
    """Pairs (cell, paragraph) of all prose, without exercises."""
    text, starts = joined(notebook)
    text = EXERCISE.sub(blanked, text)
    for (start, index), (end, _) in zip(starts, [*starts[1:], (len(text), None)]):
        if "solution" in notebook.cells[index].metadata.get("tags", []):
            continue
        for paragraph in re.split(r"\n\s*\n", FENCE.sub("", text[start:end])):
            yield index, paragraph

    # what stands beside pictures
    for index, cell in enumerate(notebook.cells):
        about = cell.metadata.get("mystnb", {})
        yield index, about.get("figure", {}).get("caption", "")
        yield index, about.get("image", {}).get("alt", "")
        for output in cell.get("outputs", []):
            markup = output.get("data", {}).get("text/html", "")
            for task, answer in SAID.findall(markup):
                yield index, task or answer


def plain(paragraph):
    """A paragraph without mathematics, code and whatever else states nothing."""

    def formula(match):
        inside = (match["inside"] or "").replace("\\,", " ").replace("\\%", "%")
        return inside if re.fullmatch(r"[-+]?[\d.,]+(\s*%)?", inside.strip()) else " _ "

    def role(match):
        if match["role"].startswith("cite"):
            return " CITED "
        if match["role"] in ("term", "index", "abbr"):
            return re.sub(r"\s*<[^>]*>$", "", match["inside"])
        return " _ "

    text = ROLE.sub(role, paragraph)
    text = CODE.sub(" _ ", text)
    text = MATH.sub(formula, text)
    text = LINK.sub(lambda match: match["text"], text)
    text = TAG.sub(" ", text)
    for pattern in (HEAD, NAME, REFERENCE, YEAR):
        text = pattern.sub(" _ ", text)
    return text


def sentences(text):
    """Split where a sentence ends, or a row of a table."""
    text = re.sub(r"(?<!\|)\n(?!\|)", " ", text)
    parts = re.split(r"(?<=[.!?])(?:\s|\*|\))+(?=[A-Z_*'(\"\[])|\n", text)
    return [part.strip() for part in parts if part.strip()]


def without_quotes(paragraph, quotes):
    """Remove what a paragraph quotes from the report."""

    def checked(match):
        inside = " ".join(match[1].split())
        return " _ " if any(inside in quote for quote in quotes) else match.group()

    text = QUOTED.sub(checked, paragraph)
    lines = text.split("\n")
    return "\n".join(line for line in lines if not is_block_quote(line, quotes))


def is_block_quote(line, quotes):
    """Whether a line is a block quote of the report's words."""
    return line.startswith("> ") and any(line[2:].strip() in quote for quote in quotes)


def is_name(match):
    """Whether the number is part of a word: '3x', '8-bit', but not '2-dB'."""
    return bool(match["word"]) and (match["unit"] or "bit").startswith("bit")


def is_shown(match, before, shown):
    """Whether one of the values `shown` is the number of this match, or rounds to it."""
    digits = match["digits"].replace(",", "")
    value = float(digits)
    decimals = len(digits.partition(".")[2])
    sign = {"+": 1, "-": -1, "\u2212": -1}.get(match["sign"], 0)
    unit = match["unit"] or match["shared"] or ""

    # how far a printed value may lie from the written one
    step = 10.0**-decimals
    hedged = HEDGE.search(before) is not None
    if hedged and not decimals:
        step = 10.0 ** (len(digits) - len(digits.rstrip("0"))) if value else 1.0
    exact = not decimals and not unit and not hedged
    slack = 1e-9 if exact else step / 2 * (1 + 1e-6)

    factors = {1.0, SCALE.get(unit, 1.0)}
    for printed in shown:
        if sign and printed * sign < 0:
            continue
        size = abs(printed)
        if any(abs(size - value * factor) <= slack * factor for factor in factors):
            return True
    return False


def unproven(notebook, root=ROOT, quotes=()):
    """The numbers in the prose of an executed notebook that nothing shows, as a list of Found."""
    shown = shown_by(notebook)
    found = []
    for cell, paragraph in passages(notebook):
        values = shown | results_of(paragraph, root)
        for sentence in sentences(plain(without_quotes(paragraph, quotes))):
            if "CITED" in sentence:
                continue
            for match in NUMBER.finditer(sentence):
                if is_name(match) or is_shown(match, sentence[: match.start()], values):
                    continue
                found.append(Found(cell, sentence, match.group().strip()))
    return found


def quotes_of(file=STATEMENTS):
    """What the appendix on the report quotes from it."""
    return re.findall("\u201c([^\u201d]+)\u201d", file.read_text("utf-8"))


def executed(file):
    """A notebook, run from the top in memory; the file stays as it is."""
    os.environ |= {"MFCA_PUBLISHED": "1", "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore"}
    os.environ.pop("MPLBACKEND", None)  # figures must reach the notebook
    notebook = nbformat.read(file, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": file.parent}},
    )
    client.execute()
    return notebook


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: _build/executed/*.ipynb")
    parser.add_argument("--execute", action="store_true", help="run copies of them first")
    options = parser.parse_args()
    files = options.notebooks or sorted(EXECUTED.glob("*.ipynb"))
    if not files:
        parser.error("no executed chapters in _build/executed: run `make book` first")

    quotes = quotes_of()
    count = 0
    for file in files:
        notebook = executed(file) if options.execute else nbformat.read(file, as_version=4)
        if not any(cell.get("outputs") for cell in notebook.cells):
            parser.error(f"{file} has no outputs: use --execute")
        for one in unproven(notebook, quotes=quotes):
            print(f"{file.name} {one}")
            count += 1
    print(f"{count} numbers in prose are not shown")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
