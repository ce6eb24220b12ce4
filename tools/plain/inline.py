"""Inline syntax: roles become text and links, links to chapters lead to the published pages.

Code spans and mathematics are left as they are.
"""

import re

from plain import works
from plain.labels import page_of, term_address

TOKEN = re.compile(
    r"""
    (?P<role>\{(?P<name>[a-z][a-z:]*)\}`(?P<content>[^`]+)`) |
    (?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)) |
    (?P<display>\$\$.+?\$\$(?:[ \t]*\((?P<label>[\w-]+)\))?) |
    (?P<math>(?<![\\$])\$(?![\s$])[^$]+?(?<![\s\\])\$) |
    (?P<image>!\[(?P<alt>[^]]*)\]\((?P<source>[^)\s]+)\)(?:\{[^}]*\})?) |
    (?P<link>\]\((?P<target>(?!https?:|mailto:|data:)[^)\s]+)\))
    """,
    re.X | re.S,
)
WITH_TARGET = re.compile(r"(?P<text>.+?)\s*<(?P<target>[^<>]+)>", re.S)
ASSETS = re.compile(r"(?:\.\./)+_assets/(.+)")


class Unknown(ValueError):
    """A construct that this tool cannot write for readers without MyST."""


def split(content):
    """'text <target>' -> (text, target); without a target, it is the text."""
    match = WITH_TARGET.fullmatch(content)
    return (match["text"], match["target"]) if match else (content, content)


class Inline:
    """Rewrites the inline syntax of one chapter.

    file: the chapter, such as '02_mfca.ipynb'.
    pages: the address of the published book, without '/' at its end.
    labels: {label: Label} of the whole book.

    `keys` collects the works that were cited.
    """

    def __init__(self, file, pages, labels):
        self.file = file
        self.pages = pages
        self.labels = labels
        self.keys = set()

    def __call__(self, text):
        return TOKEN.sub(self.replaced, text)

    def replaced(self, match):
        if match["role"]:
            return self.role(match["name"], match["content"])
        if match["display"]:
            return self.display(match["display"], match["label"])
        if match["image"]:
            return f"![{match['alt']}]({self.asset(match['source'])})"
        if match["link"]:
            return f"]({self.page(match['target'])})"
        return match[0]  # code and mathematics

    def label(self, name):
        if name not in self.labels:
            raise Unknown(f"{self.file}: nothing is labelled {name!r}")
        return self.labels[name]

    def role(self, name, content):
        text, target = split(content)
        if name == "index":
            return text
        if name == "term":
            return f"[{text}]({term_address(target, self.pages)})"
        if name in {"cite:p", "cite:t", "cite"}:
            self.keys |= set(works.keys_of(content))
            return works.cited(content, self.file, self.pages, in_sentence=name == "cite:t")
        if name in {"numref", "ref", "eq"}:
            label = self.label(target)
            words = label.text if text == target else text.replace("%s", label.number)
            return f"[{words}]({label.address})"
        if name == "doc":
            return f"[{text}]({self.page(target)})"
        raise Unknown(f"{self.file}: the role {name!r} has no plain form yet: {content}")

    def display(self, display, label):
        if label is None:
            return display
        tex = display[2 : display.rindex("$$")].strip()
        return f"$${tex} \\tag{{{self.label(label).number}}}$$"

    def asset(self, source):
        """The published address of a picture of the repository."""
        if re.match(r"https?:|data:", source):
            return source
        inside = ASSETS.fullmatch(source)
        if inside is None:
            raise Unknown(f"{self.file}: the picture {source} is not in _assets, so not published")
        return f"{self.pages}/_static/{inside[1]}"

    def page(self, target):
        """The published address of a link to another page of the book."""
        if target.startswith("#"):
            return f"{page_of(self.file, self.pages)}{target}"
        name, hash_mark, anchor = target.partition("#")
        if not name.endswith((".ipynb", ".md")) and "." in name:
            raise Unknown(f"{self.file}: a link to {target}, which is no page of the book")
        return f"{page_of(name, self.pages)}{hash_mark}{anchor}"
