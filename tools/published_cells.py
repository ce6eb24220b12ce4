"""What published pages change in the cells of a chapter: what is folded, and how it is labelled.

In Jupyter and Colab every cell is open. On a page the reader comes for the pictures and the code
that teaches; what only plots, moves or checks lies behind a line that says what it does. The
versions, which every chapter prints, are said once, on the page about the build. A figure gets the
name that its cell gives it for those who cannot see it.
"""

import html
import re

# Tags of cells. `show-input` keeps a cell open that would be folded otherwise.
FOLDED, OPEN = "hide-input", "show-input"

# The labels of folded cells.
SETUP = "Set-up: imports, the look of figures, the seed"
CHECK = "How the answer is checked"
MOVES = "How this interactive picture is made"
FIGURE = "How this figure is made"
SAYS = "A check of what the text says"
COMPUTED = "How this is computed"
OTHER = "Code that this step uses"

UNNAMED = 'aria-label=""'  # as the package writes a figure
SAYING = re.compile(r"# what .*\bsays?\b")  # the first line of a cell that only asserts
MOVING = re.compile(r"^(?:Explorable|Curtain)\(", re.M)


def label(cell):
    """The label of a code cell if it is to be folded, else None."""
    tags = set(cell.metadata.get("tags", []))
    if OPEN in tags:
        return None
    if "setup" in tags:
        return SETUP
    if "check" in tags:
        return CHECK
    if MOVING.search(cell.source):
        return MOVES
    if "figure" in cell.metadata.get("mystnb", {}):
        return FIGURE
    if FOLDED not in tags:
        return None
    if cell.outputs:
        return COMPUTED
    return SAYS if SAYING.match(cell.source) else OTHER


def fold(cell, words):
    """Put the input of a cell behind a line of words."""
    tags = cell.metadata.setdefault("tags", [])
    if FOLDED not in tags:
        tags.append(FOLDED)
    options = cell.metadata.setdefault("mystnb", {})
    options["code_prompt_show"] = options["code_prompt_hide"] = words


def printed(cell):
    """What a cell has printed."""
    streams = [output for output in cell.outputs if output.output_type == "stream"]
    return "".join(output.text for output in streams)


def joined(cells):
    """Cells, with a silent folded cell joined to the folded one that follows it.

    So the reader sees one line per picture, however many cells lead to it.
    """
    kept = []
    for cell in cells:
        before = kept[-1] if kept else None
        if before is not None and is_silent(before) and is_folded(cell):
            kept.pop()
            cell.source = f"{before.source}\n\n\n{cell.source}"
        kept.append(cell)
    return kept


def is_folded(cell):
    return cell.cell_type == "code" and FOLDED in cell.metadata.get("tags", [])


def is_silent(cell):
    return is_folded(cell) and not cell.outputs and "setup" not in cell.metadata["tags"]


def name_figures(cell):
    """Give figures that are HTML their accessible name, the alternative text of their cell."""
    alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt")
    for output in cell.outputs if alt else []:
        shown = output.get("data", {})
        if "text/html" in shown:
            name = f'aria-label="{html.escape(alt)}"'
            shown["text/html"] = shown["text/html"].replace(UNNAMED, name)


def dress(notebook):
    """Fold cells that only plot, move or check, name figures, and drop the set-up's output."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        words = label(cell)
        if words is not None:
            fold(cell, words)
        if "setup" in cell.metadata.get("tags", []):
            cell.outputs = []
        name_figures(cell)
    notebook.cells = joined(notebook.cells)
    return notebook
