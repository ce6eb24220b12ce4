"""Citations and lists of references, in the words of the published pages.

Labels are those of `book/_ext/author_year.py`; the list is formatted by pybtex.
"""

import re
import sys
from functools import cache
from pathlib import Path

from pybtex.backends.markdown import Backend
from pybtex.database import parse_file

from plain.labels import citation_address

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "book" / "_ext"))

import author_year  # noqa: E402


class PlainMarkdown(Backend):
    """pybtex's Markdown, with only those characters escaped that could be taken for markup.

    pybtex escapes every parenthesis and full stop, too, and no renderer needs that inside a line.
    """

    def format_str(self, text):
        return re.sub(r"([\\`*_\[\]<>$])", r"\\\1", text)


@cache
def entries():
    """{key: (label, reference in Markdown)} of all works, in alphabetical order."""
    database = parse_file(str(ROOT / "references.bib"))
    style = author_year.Style()
    backend = PlainMarkdown()
    formatted = style.format_entries(database.entries.values())
    return {entry.key: (entry.label, entry.text.render(backend)) for entry in formatted}


def keys_of(content):
    """'a, b' -> ['a', 'b']"""
    return [key.strip() for key in content.split(",")]


def cited(content, file, pages, in_sentence):
    """A citation as links: 'Hu et al. (2018)' in a sentence, else '(Hu et al., 2018)'.

    Raises KeyError for a work that `references.bib` does not have.
    """
    links = []
    for key in keys_of(content):
        label, _ = entries()[key]
        authors, year = label.rsplit(", ", 1)
        address = citation_address(key, file, pages)
        links.append(f"{authors} ([{year}]({address}))" if in_sentence else f"[{label}]({address})")
    return " and ".join(links) if in_sentence else f"({'; '.join(links)})"


def references(keys):
    """The list of references of a chapter, in Markdown."""
    wanted = [(label, text) for key, (label, text) in entries().items() if key in keys]
    return "\n".join(f"- **{label}.** {text}" for label, text in wanted)
