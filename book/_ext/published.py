"""Sphinx extension of this book.

It tells chapters that they are being published, and completes the head of each page.
"""

import os
import re

DESCRIPTION = (
    "A tutorial: build a learned image codec piece by piece, from one cosine "
    "to a file format. Every size is that of a real file."
)


def describe(app, page, template, context, doctree):
    """Add the description and the social preview of a page to its head.

    The addresses in the preview are absolute, as those who read it demand.
    """
    repository = app.config.html_theme_options["repository_url"]
    owner, name = repository.rstrip("/").split("/")[-2:]
    home = f"https://{owner.lower()}.github.io/{name}"
    title = re.sub(r"<[^>]+>", "", context.get("title") or app.config.html_title)
    properties = {
        "og:title": title,
        "og:type": "article",
        "og:description": DESCRIPTION,
        "og:url": f"{home}/{page}.html",
        "og:image": f"{home}/_static/social.png",
    }

    head = context.get("metatags", "")
    for key, value in properties.items():
        head += f'<meta property="{key}" content="{value}">\n'
    head += f'<meta name="description" content="{DESCRIPTION}">\n'
    head += '<meta name="twitter:card" content="summary_large_image">\n'
    context["metatags"] = head


def draw_all_nodes_on_one_page(app):
    """Let the builder of the print edition draw every node as the pages do.

    Sphinx forgets how to once a single node names that builder.
    """
    drawn = app.registry.translation_handlers
    drawn["singlehtml"] = {**drawn["html"], **drawn.get("singlehtml", {})}


def setup(app):
    """What Sphinx calls first."""
    # explorables (show/explorables.py) write their published form when they see this
    os.environ["MFCA_PUBLISHED"] = "1"

    # figures must reach the notebook's own backend
    os.environ.pop("MPLBACKEND", None)

    app.add_css_file("book.css")
    app.add_js_file("explorable.js")
    app.connect("builder-inited", draw_all_nodes_on_one_page)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
