"""Numbers and addresses of all that a chapter can refer to, as on the published pages.

Figures, equations and exercises are numbered by chapter, in the order in which they occur: figure
8.2 is the second figure of the chapter whose file begins with 08. That is what
`book/_ext/chapter_numbers.py` does on the pages; a browser test compares the two.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from docutils.nodes import make_id
from sphinx.util.nodes import _make_id as make_term_id

FENCE = re.compile(r"^(?P<marks>`{3,}|:{3,})\{(?P<name>[\w:-]+)\}[ \t]*(?P<title>.*)$")
LABEL = re.compile(r"^:label:[ \t]*(\S+)[ \t]*$", re.M)
TARGET = re.compile(r"^\((?P<name>[\w-]+)\)=\n+(?:#+[ \t]*(?P<title>.+))?", re.M)
DIAGRAM = re.compile(
    r"^!\[[^]]*\]\([^)\s]*/_assets/diagrams/(?P<stem>[\w-]+)\.svg\)(?:\{[^}]*\})?"
    r"[ \t]*\n?(?P<caption>.*)",
    re.M,
)


@dataclass(frozen=True)
class Label:
    """What a reference says and where it leads.

    text: 'Figure 8.2', '(8.2)', 'Exercise 8.2', or the heading of a section.
    number: '8.2'; '' for a section.
    address: an address on the published pages.
    title: the title of an exercise, else ''.
    """

    text: str
    number: str
    address: str
    title: str = ""


def page_of(file, pages):
    """The published page of a file of the book, such as .../book/02_mfca.html"""
    return f"{pages}/book/{Path(file).stem}.html"


def term_address(term, pages):
    """The address of a term's definition in the glossary."""
    anchor = make_term_id(f"term-{term}")
    return f"{pages}/book/notation.html#{anchor}"


def citation_address(key, file, pages):
    """The address of a work in a chapter's list of references (`bibtex_cite_id`)."""
    return f"{page_of(file, pages)}#{make_id(f'cite-{key}')}"


def fences(text):
    """The directives of a text, in order: [(name, title, body), ...]; inner ones come later."""
    found = []
    lines = text.split("\n")
    for start, line in enumerate(lines):
        opening = FENCE.match(line)
        if opening is None:
            continue
        body = []
        for inner in lines[start + 1 :]:
            if inner.rstrip() == opening["marks"]:
                break
            body.append(inner)
        found.append((opening["name"], opening["title"].strip(), "\n".join(body)))
    return found


def numbered(cells):
    """What is numbered in a chapter: [(kind, label, title), ...] in the order of the page.

    kind: 'Figure', 'Equation' or 'Exercise'.
    """
    found = []
    for cell in cells:
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if "caption" in figure:
            found.append(("Figure", figure.get("name", ""), ""))
        if cell.cell_type != "markdown":
            continue
        for diagram in DIAGRAM.finditer(cell.source):
            if diagram["caption"].strip():
                found.append(("Figure", f"diagram-{diagram['stem']}", ""))
        for name, title, body in fences(cell.source):
            label = LABEL.search(body)
            if name == "math" and label:
                found.append(("Equation", label[1], ""))
            if name in {"exercise-start", "exercise"}:
                found.append(("Exercise", label[1], title))
    return found


def anchor_of(kind, label):
    return f"equation-{label}" if kind == "Equation" else label


def labels_of(file, cells, pages):
    """{label: Label} of one chapter."""
    chapter = int(Path(file).stem[:2])
    page = page_of(file, pages)
    counts = {}
    labels = {}
    for kind, label, title in numbered(cells):
        counts[kind] = counts.get(kind, 0) + 1
        number = f"{chapter}.{counts[kind]}"
        text = f"({number})" if kind == "Equation" else f"{kind} {number}"
        labels[label] = Label(text, number, f"{page}#{anchor_of(kind, label)}", title)

    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return labels | sections_of(file, prose, pages)


def sections_of(file, text, pages):
    """{label: Label} of the sections of a page that have a target, `(name)=`."""
    page = page_of(file, pages)
    found = {}
    for target in TARGET.finditer(text):
        title = (target["title"] or "here").strip()
        found[target["name"]] = Label(title, "", f"{page}#{make_id(target['name'])}")
    return found
