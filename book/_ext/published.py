"""Sphinx extension of this book.

It tells chapters that they are being published, and completes the head of each page.
"""

import os
import re

from mfca_tutorial.show.html import ASSETS, SCRIPTS, STYLE

DESCRIPTION = (
    "A tutorial: build a learned image codec piece by piece, from one cosine "
    "to a file format. Every size is that of a real file."
)
FONTS = ("inter.woff2", "source-serif-4.woff2")
ITALICS = "source-serif-4-italic.woff2"


def home_of(app):
    """The address of this edition's pages."""
    repository = app.config.html_theme_options["repository_url"]
    owner, name = repository.rstrip("/").split("/")[-2:]
    return f"https://{owner.lower()}.github.io/{name}/{app.config.book_folder}"


def describe(app, page, template, context, doctree):
    """Add the description and the social preview of a page to its head.

    The addresses in the preview are absolute, as those who read it demand.
    """
    home = home_of(app)
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

    # the fonts come with the style sheets and not after them;
    # half of the list of works is in italics
    fonts = [*FONTS, ITALICS] if page.endswith("bibliography") else FONTS
    for font in fonts:
        address = context["pathto"](f"_static/fonts/{font}", resource=True)
        kind = 'as="font" type="font/woff2" crossorigin'
        head += f'<link rel="preload" href="{address}" {kind}>\n'
    context["metatags"] = head


def find_explorables(app, config):
    """Copy the explorables' scripts from the package; Jupyter needs them there."""
    config.html_static_path.append(str(ASSETS.parent))


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

    # build_book.py knows these
    app.add_config_value("book_version", "unknown", "html")
    app.add_config_value("book_date", "", "html")
    app.add_config_value("book_folder", "latest", "html")

    # after the style sheets of the theme and of other extensions
    app.add_css_file("tokens.css", priority=900)
    app.add_css_file("book.css", priority=901)
    app.add_css_file(f"explorables/{STYLE}", priority=902)
    for script in SCRIPTS:
        app.add_js_file(f"explorables/{script}", loading_method="defer")
    app.add_js_file("book.js")
    app.setup_extension("chapter_numbers")
    app.setup_extension("callouts")
    app.setup_extension("landing")
    app.setup_extension("author_year")
    app.setup_extension("page_foot")
    app.setup_extension("launch")
    app.connect("config-inited", find_explorables)
    app.connect("builder-inited", draw_all_nodes_on_one_page)
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
