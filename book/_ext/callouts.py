"""Sphinx extension of this book: some paragraphs become callouts.

There are three kinds of callouts: the key idea, practice, and exercises.
In a notebook the first two are plain paragraphs that begin with '**Key idea.**' or
'**In practice**', so that they read well in Jupyter and Colab, too. On the page they
get a box of their own, with these words as its title.
"""

import re

from docutils import nodes
from sphinx.transforms import SphinxTransform

# The first words of a paragraph, and the class of its callout (_assets/book.css).
KINDS = {"key idea": "key", "in practice": "practice"}


def kind_of(paragraph):
    """The class of the callout that a paragraph begins, or None."""
    first = opening(paragraph)
    if not isinstance(first, nodes.strong):
        return None
    words = first.astext().rstrip(".: ").lower()
    return KINDS.get(words)


def opening(paragraph):
    """What a paragraph begins with; the parser may put an empty text before it."""
    while paragraph.children and not paragraph.children[0].astext():
        if not isinstance(paragraph.children[0], nodes.Text):
            break
        paragraph.pop(0)
    return paragraph.children[0] if paragraph.children else None


class Callouts(SphinxTransform):
    """Turn these paragraphs into admonitions, with their first words as the title."""

    default_priority = 300

    def apply(self):
        for paragraph in list(self.document.findall(nodes.paragraph)):
            kind = kind_of(paragraph)
            inside = isinstance(paragraph.parent, (nodes.section, nodes.document))
            if kind is None or not inside:
                continue

            # the first words become the title, without the full stop behind them
            title = paragraph.pop(0).astext().rstrip(".: ")
            box = nodes.admonition("", classes=["admonition", kind])
            box += nodes.title("", title)
            paragraph.replace_self(box)
            box += paragraph
            self.begin_sentence(paragraph)

    @staticmethod
    def begin_sentence(paragraph):
        """Let what is left of the paragraph begin with a capital letter."""
        first = paragraph.children[0] if paragraph.children else None
        if isinstance(first, nodes.Text):
            text = re.sub(r"^[\s.:,]+", "", first.astext())
            paragraph.replace(first, nodes.Text(text[:1].upper() + text[1:]))


def setup(app):
    """What Sphinx calls first."""
    app.add_transform(Callouts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
