"""Sphinx extension of this book.

It tells chapters that they are being published, completes the head of each page, and
ends each page with a link for reporting a mistake.
"""

import os
import re
from html import escape
from urllib.parse import quote, urlencode

DESCRIPTION = (
    "A tutorial: build a learned image codec piece by piece, from one cosine "
    "to a file format. Every size is that of a real file."
)
FONTS = ("inter.woff2", "source-serif-4.woff2")


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

    # the two fonts of every page come with the style sheets and not after them
    for font in FONTS:
        address = context["pathto"](f"_static/fonts/{font}", resource=True)
        kind = 'as="font" type="font/woff2" crossorigin'
        head += f'<link rel="preload" href="{address}" {kind}>\n'
    context["metatags"] = head


def new_issue(repository, title, page, book_version):
    """The address of a new issue that already names the page and the book's version."""
    body = (
        f"Page: {page}, version {book_version}\n\n"
        "What the page says (a sentence, a number, an output):\n\n\n"
        "What you found instead, and how:\n"
    )
    fields = urlencode({"title": f"{title}: ", "body": body}, quote_via=quote)
    return f"{repository.rstrip('/')}/issues/new?{fields}"


def invite_corrections(app, page, template, context, doctree):
    """Add a link for reporting a mistake to the end of each page that has a text."""
    if doctree is None or app.builder.name != "html":
        return
    title = re.sub(r"<[^>]+>", "", context.get("title", ""))
    repository = app.config.html_theme_options["repository_url"]
    address = new_issue(repository, title, page, app.config.book_version)
    context["body"] += (
        f'<p class="report-mistake"><a href="{escape(address)}">'
        "Report a mistake on this page</a></p>\n"
    )


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

    app.add_config_value("book_version", "unknown", "html")  # build_book.py knows it
    # after the style sheets of the theme and of other extensions
    app.add_css_file("tokens.css", priority=900)
    app.add_css_file("book.css", priority=901)
    app.add_js_file("explorable.js")
    app.add_js_file("book.js")
    app.setup_extension("chapter_numbers")
    app.setup_extension("callouts")
    app.setup_extension("landing")
    app.setup_extension("author_year")
    app.connect("builder-inited", draw_all_nodes_on_one_page)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", invite_corrections)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
