"""Sphinx extension of this book: what each page says at its end.

When its code was last run, with which versions; how to cite the page; and a link for
reporting a mistake, which already names the page.
"""

import json
import re
from html import escape
from pathlib import Path
from urllib.parse import quote, urlencode

RUNS = "runs.json"  # beside index.md, written by tools/build_book.py


def new_issue(repository, title, page, book_version):
    """The address of a new issue that already names the page and the book's version."""
    body = (
        f"Page: {page}, version {book_version}\n\n"
        "What the page says (a sentence, a number, an output):\n\n\n"
        "What you found instead, and how:\n"
    )
    fields = urlencode({"title": f"{title}: ", "body": body}, quote_via=quote)
    return f"{repository.rstrip('/')}/issues/new?{fields}"


def bibtex(config, title, page, home):
    """A page as an entry for a bibliography.

    The address is that of the edition: it stays what it is when a later one comes out.
    """
    year, month, _ = (config.book_date or "0000-00-00").split("-")
    key = re.sub(r"[^a-z0-9]", "", page.split("/")[-1])
    fields = {
        "author": "{{" + config.author + "}}",
        "title": "{{" + title + "}}",
        "howpublished": "{A page of \u201c" + config.html_title + "\u201d}",
        "note": "{Version " + config.book_version + "}",
        "year": "{" + year + "}",
        "month": str(int(month)),
        "url": "{" + f"{home}/{page}.html" + "}",
    }
    lines = [f"  {name} = {value}" for name, value in fields.items()]
    return f"@misc{{mfca{key}{year},\n" + ",\n".join(lines) + "\n}"


def last_run(app, page):
    """One sentence on the last run of a chapter, or '' for a page without code."""
    file = Path(app.srcdir) / RUNS
    run = json.loads(file.read_text("utf-8")).get(page) if file.exists() else None
    if run is None:
        return ""
    when = f"on {run['date']}, in {run['seconds']:.0f} seconds"
    return f"All the code on this page was run {when}, with {run['versions']}."


def end(app, page, template, context, doctree):
    """Add these parts to the end of each page that has a text."""
    if doctree is None or app.builder.name != "html":
        return
    from published import home_of

    home = home_of(app)
    title = re.sub(r"<[^>]+>", "", context.get("title", ""))
    repository = app.config.html_theme_options["repository_url"]
    issue = new_issue(repository, title, page, app.config.book_version)
    entry = bibtex(app.config, title, page, home)

    parts = ['<div class="page-foot">']
    ran = last_run(app, page)
    if ran:
        parts.append(f'<p class="page-run">{escape(ran)}</p>')
    editions = f"{home.rsplit('/', 1)[0]}/editions.html"
    parts += [
        '<p class="report-mistake">'
        f'<a href="{escape(issue)}">Report a mistake on this page</a></p>',
        f'<p class="page-editions"><a href="{escape(editions)}">Other editions</a></p>',
        '<details class="page-cite"><summary>Cite this page</summary>',
        f'<div class="highlight"><pre>{escape(entry)}</pre></div></details>',
        "</div>\n",
    ]
    context["body"] += "\n".join(parts)


def setup(app):
    """What Sphinx calls first."""
    app.connect("html-page-context", end)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
