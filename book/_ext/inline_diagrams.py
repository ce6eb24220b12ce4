"""Sphinx extension of this book: its diagrams become part of the page.

In a notebook a diagram is an image in a paragraph of its own,
`![...](../_assets/diagrams/mfca.svg)`, so that Jupyter and Colab show it. An SVG file
that is shown as an image knows nothing of the page's colours and fonts. So on the page
its text stands in place of the image, together with that of its variant for phones
(mfca-phone.svg); the style shows the one that fits the column.

Words that follow the image in its paragraph become the caption of a figure, to which
{numref}`diagram-mfca` refers.
"""

from pathlib import Path

from docutils import nodes
from sphinx.transforms import SphinxTransform

FOLDER = "_assets/diagrams"
STYLES = ("diagrams.css", "figures.css")


class Drawing(nodes.General, nodes.Element):
    """A diagram's HTML. Unlike raw HTML it adds no words to the search.

    Most chapters show the overview, so its labels would lead to nearly every page.
    """


def write_html(translator, drawing):
    """Put the HTML of a drawing into the page that is being written."""
    translator.body.append(drawing["html"])
    raise nodes.SkipNode


def inlined(file):
    """The HTML that shows a diagram: its SVG, and that of its variant for phones."""
    wide = file.read_text("utf-8")
    narrow = file.with_name(f"{file.stem}-phone.svg").read_text("utf-8")
    variants = [("for-desks", wide), ("for-phones", narrow)]
    shown = [f'<div class="{kind}">{svg}</div>' for kind, svg in variants]
    return f'<div class="diagrams">{"".join(shown)}</div>'


class InlineDiagrams(SphinxTransform):
    """Replace images of the book's diagrams by their SVG text."""

    default_priority = 100  # before Sphinx collects images and labels

    def apply(self, **kwargs):
        folder = (Path(self.env.srcdir) / FOLDER).resolve()
        here = Path(self.env.doc2path(self.env.docname)).parent
        for image in list(self.document.findall(nodes.image)):
            file = (here / image["uri"]).resolve()
            if file.parent == folder and file.suffix == ".svg":
                self.env.note_dependency(str(file))
                self.replace(image, file)

    def replace(self, image, file):
        """Put the SVG in place of an image, with the words after it as its caption."""
        svg = Drawing(html=inlined(file))
        paragraph = image.parent
        if not isinstance(paragraph, nodes.paragraph) or paragraph[0] is not image:
            image.replace_self(svg)
            return

        words = paragraph[1:]
        if not "".join(word.astext() for word in words).strip():
            paragraph.replace_self(svg)
            return

        caption = nodes.caption("", "", *words)
        caption.source, caption.line = paragraph.source, paragraph.line
        if isinstance(caption[0], nodes.Text):
            caption[0] = nodes.Text(caption[0].lstrip())
        figure = nodes.figure("", svg, caption, names=[f"diagram-{file.stem}"])
        figure.source, figure.line = paragraph.source, paragraph.line
        self.document.note_explicit_target(figure, figure)
        paragraph.replace_self(figure)


def setup(app):
    """What Sphinx calls first."""
    for style in STYLES:
        app.add_css_file(style)
    app.add_node(Drawing, html=(write_html, None))
    app.add_transform(InlineDiagrams)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
