"""Sphinx extension of this book: tells chapters that they are being published, completes the head of each page."""

import os
import re

DESCRIPTION = (
    "A tutorial: build a learned image codec piece by piece, from one cosine to a file format. "
    "Every size is that of a real file."
)


def describe(app, page, template, context, doctree):
    """Description and social preview of a page; the preview's address is absolute, as its readers demand."""
    owner, name = re.search(
        r"([\w.-]+)/([\w.-]+)/?$", app.config.html_theme_options["repository_url"]
    ).groups()
    home = f"https://{owner.lower()}.github.io/{name}"
    title = re.sub(r"<[^>]+>", "", context.get("title") or app.config.html_title)
    tags = {
        "og:title": title,
        "og:type": "article",
        "og:description": DESCRIPTION,
        "og:url": f"{home}/{page}.html",
        "og:image": f"{home}/_static/social.png",
    }
    head = "".join(
        f'<meta property="{key}" content="{value}">\n' for key, value in tags.items()
    )
    head += f'<meta name="description" content="{DESCRIPTION}">\n'
    head += '<meta name="twitter:card" content="summary_large_image">\n'
    context["metatags"] = context.get("metatags", "") + head


def one_page(app):
    """The print edition's builder draws every node as the pages do (Sphinx forgets those once one node names it)."""
    drawn = app.registry.translation_handlers
    drawn["singlehtml"] = {**drawn["html"], **drawn.get("singlehtml", {})}


def setup(app):
    """With MFCA_PUBLISHED in the kernel's environment, explorables write their published face (show/explorables.py)."""
    os.environ["MFCA_PUBLISHED"] = "1"
    os.environ.pop("MPLBACKEND", None)  # figures must reach the notebook's own backend
    app.add_css_file("book.css")
    app.add_js_file("explorable.js")
    app.connect("builder-inited", one_page)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
