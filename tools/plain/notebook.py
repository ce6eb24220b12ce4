"""A whole chapter: captions, solutions over several cells, its origin, Colab's metadata."""

import copy
import re
from pathlib import Path

import nbformat

from plain import labels, works
from plain.blocks import SOLUTION, Blocks, details
from plain.inline import Inline

START = re.compile(r"^`{3,}\{solution-start\}[ \t]*(\S+)[ \t]*$", re.M)
END = re.compile(r"^`{3,}\{solution-end\}", re.M)
CITATION = re.compile(r"\{cite(?::[pt])?\}`([^`]+)`")
GATE = re.compile(r"^`{3,}\{solution-(?:start|end)\}.*(?:\n:.*)*\n`{3,}$", re.M)


def labels_of_book(chapters, others, pages):
    """{label: Label} of the whole book.

    chapters: {file name: cells}; others: {file name: text} of the pages that are no notebooks.
    """
    found = {}
    for file, cells in chapters.items():
        found |= labels.labels_of(file, cells, pages)
    for file, text in others.items():
        found |= labels.sections_of(file, text, pages)
    return found


def caption(cell, inline):
    """The caption of a cell's figure, with its number and its description; None without one."""
    options = cell.metadata.get("mystnb", {})
    figure = options.get("figure", {})
    if "caption" not in figure:
        return None
    number = inline.label(figure["name"]).text
    text = f"**{number}.** {inline(figure['caption'])}"
    alternative = options.get("image", {}).get("alt")
    if alternative:
        text += "\n\n" + details(f"{number} in words", alternative)
    return nbformat.v4.new_markdown_cell(text, id=f"{cell.id[:40]}-caption")


def solution(cells, inline, blocks):
    """The cells of one gated solution as one cell that opens on a click."""
    name = START.search(cells[0].source)[1]
    parts = []
    for cell in cells:
        if cell.cell_type == "code":
            parts.append(f"```python\n{cell.source.strip()}\n```")
            continue
        text = GATE.sub("", cell.source)
        if text.strip():
            parts.append(blocks(text))
    summary = f"{SOLUTION} {inline.label(name).text}"
    text = details(summary, "\n\n".join(parts))
    return nbformat.v4.new_markdown_cell(text, id=cells[0].id, metadata={"tags": ["solution"]})


def introduced(text, address, edition):
    """The first cell, with a line below its title that says where the notebook comes from."""
    line = (
        f"*The notebook of [this page]({address}) of the book, {edition}. Run the cells from top "
        "to bottom; what you change stays in your copy.*"
    )
    title, _, rest = text.partition("\n")
    return f"{title}\n\n{line}\n{rest}"


def converted(file, notebook, pages, book_labels, edition):
    """A copy of a chapter in which every Markdown cell is CommonMark with `$` mathematics.

    Args:
        file: the chapter's file name.
        notebook: the chapter, with the cells that its edition shows.
        pages: the address of the published book, without '/' at its end.
        book_labels: from `labels_of_book`.
        edition: what the first cell calls the edition.
    """
    inline = Inline(file, pages, book_labels)
    blocks = Blocks(inline)
    result = copy.deepcopy(notebook)
    for cell in result.cells:  # the list of references may stand before the last citation
        for content in CITATION.findall(cell.source) if cell.cell_type == "markdown" else []:
            inline.keys |= set(works.keys_of(content))

    cells = []
    waiting = list(result.cells)
    while waiting:
        cell = waiting.pop(0)
        if cell.cell_type == "markdown" and START.search(cell.source):
            gated = [cell]
            while not END.search(gated[-1].source):
                gated.append(waiting.pop(0))
            cells.append(solution(gated, inline, blocks))
            continue
        if cell.cell_type == "markdown":
            cell.source = blocks(cell.source)
            if cell.source:
                cells.append(cell)
            continue
        text = caption(cell, inline)
        cell.metadata.pop("mystnb", None)
        cells += [cell] if text is None else [cell, text]

    cells[0].source = introduced(cells[0].source, labels.page_of(file, pages), edition)
    result.cells = cells
    result.metadata = nbformat.from_dict(
        {
            "colab": {"name": Path(file).name, "provenance": [], "toc_visible": True},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    return result
