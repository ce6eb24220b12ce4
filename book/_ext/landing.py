"""Sphinx extension of this book: the first page, `{landing}` in index.md.

`tools/build_book.py` makes the page's HTML and its pictures with `tools/landing.py`,
because they need the codec and its results. Without them, in a plain
`jupyter-book build .`, the page shows the text inside the directive.
"""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

HTML = "landing.html"  # beside index.md, written by tools/landing.py
STYLE, SCRIPT = "landing.css", "landing.js"


def is_made(app):
    """Whether there is such HTML; the print edition, on one page, does without it."""
    return app.builder.name == "html" and (Path(app.srcdir) / HTML).exists()


class Landing(SphinxDirective):
    """The first page as HTML if it was made, else the directive's own text."""

    has_content = True

    def run(self):
        if not is_made(self.env.app):
            return self.parse_content_to_nodes()
        file = Path(self.env.srcdir) / HTML
        self.env.note_dependency(str(file))
        return [nodes.raw("", file.read_text("utf-8"), format="html")]


def load_style(app, page, template, context, doctree):
    """Load the page's style and script there, and nowhere else."""
    if page == app.config.root_doc and is_made(app):
        app.add_css_file(STYLE, priority=950)
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app):
    """What Sphinx calls first."""
    app.add_directive("landing", Landing)
    app.connect("html-page-context", load_style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
