"""What students must not find anywhere: the lines that only solutions, trials or the guide have.

Lines are compared without blanks, so that neither markup nor line breaks hide one.
"""

import html
import json
import re
from functools import cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "book").glob("*.ipynb"))
GUIDE = ROOT / "book" / "instructors_guide.md"
HIDDEN = {"solution", "trial"}
SHORTEST = 16  # characters; shorter lines say nothing of their own
SENTENCE = 40  # a sentence of the guide; its tables have phrases that chapters use as well

# Imports are no secret, and options of directives neither.
COMMON = re.compile(r"\{solution|^\s*(?:from|import) |^:[a-z]+:")


def squeeze(text):
    """A text without blanks."""
    return re.sub(r"\s+", "", text)


def strings(value):
    """All strings of a JSON value, in order: a notebook's cells, outputs and metadata."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = [part for item in value.items() for part in item]
    if isinstance(value, list):
        return [text for part in value for text in strings(part)]
    return []


PICTURE = re.compile(r"data:[\w/+.-]+;base64,[\w+/=]+")
COMMENT = re.compile(r"<!--.*?-->", re.S)


def said(name, content):
    """All that a file says, without blanks: also what no reader sees at once.

    That is comments and attributes in HTML, outputs and metadata in a notebook, and the metadata of
    weights.

    Args:
        name: the file's name, which tells its kind.
        content: its bytes. What is not UTF-8, such as a picture, says nothing.
    """
    if name.endswith(".safetensors"):  # eight bytes of length, the metadata, the numbers
        length = int.from_bytes(content[:8], "little")
        content = content[8 : 8 + length]
    try:
        text = PICTURE.sub("", content.decode("utf-8"))
    except UnicodeDecodeError:
        return ""

    if name.endswith((".ipynb", ".json")):
        text = "".join(strings(json.loads(text)))
    if name.endswith(".html"):
        comments = COMMENT.findall(text)
        text = COMMENT.sub("", text)
        attributes = re.findall(r"""=\s*"([^"]*)"|=\s*'([^']*)'""", text)
        shown = re.sub(r"<[^>]+>", "", text)
        parts = [shown, *comments, *(double or single for double, single in attributes)]
        text = html.unescape("\n".join(parts))
    return squeeze(text)


def is_hidden(cell):
    return bool(HIDDEN & set(cell.metadata.get("tags", [])))


@cache
def cells_of(file):
    return nbformat.read(file, as_version=4).cells


def public_text():
    """What everybody may read: all other cells, and the package, whose source chapters show."""
    cells = [cell.source for file in FILES for cell in cells_of(file) if not is_hidden(cell)]
    package = [file.read_text("utf-8") for file in (ROOT / "mfca_tutorial").rglob("*.py")]
    return squeeze("".join(cells + package))


def own_lines(texts, shortest=SHORTEST):
    """The lines of texts that are long enough and nowhere else."""
    public = public_text()
    lines = [line for text in texts for line in text.splitlines() if not COMMON.search(line)]
    return {line for line in map(squeeze, lines) if len(line) >= shortest and line not in public}


def of_solutions(released=()):
    """The lines of all solutions and trials, but for the chapters whose solutions are shown."""
    hidden = []
    shown = []
    for file in FILES:
        is_released = file.stem[:2] in released
        for cell in cells_of(file):
            tags = set(cell.metadata.get("tags", []))
            if "solution" in tags and is_released:
                shown.append(cell.source)
            elif tags & {"solution", "trial"}:
                hidden.append(cell.source)

    # a trial repeats the right answer, and all rubrics begin alike
    return own_lines(hidden) - own_lines(shown)


def of_the_guide():
    """The sentences of the instructor's guide, without the markup that a page would not show."""
    text = re.sub(r"\{\w+\}`([^`<]*?)\s*(?:<[^>]*>)?`|\]\([^)]*\)", "", GUIDE.read_text("utf-8"))
    text = re.sub(r"[*`|\[\]]", "\n", text)
    return own_lines([text], SENTENCE)
