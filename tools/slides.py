"""Make slides of every chapter: `make slides`, in `_build/slides`.

A slide is a figure, an explorable, a table of results, an equation with the paragraph before it, a
key idea or the recap of a chapter, as its page shows it; the prose between them is in the speaker's
notes (key S). Nothing is written twice. The slides run in a browser (reveal.js) and need no
network. With `--pdf`, Chromium prints them, too. They hold no solution.
"""

import argparse
import base64
import re
import shutil
import time
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import edition as this_edition
from build_book import EXECUTED, execute_all
from chromium import TYPESET, started
from colab import pages_of_text
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from plain.blocks import Blocks
from plain.inline import Inline
from plain.notebook import START, labels_of_book
from published_cells import name_figures
from shared import ROOT, render
from shown_cells import CHAPTERS, read

from mfca_tutorial.show.html import ASSETS as EXPLORABLES
from mfca_tutorial.show.html import SCRIPTS, STYLE

OUT = ROOT / "_build" / "slides"
OF_THE_BOOK = ("tokens.css", "book.css", "figures.css", "diagrams.css")
OF_THE_BOOK += ("diagrams", "fonts", "favicon.svg")
LEFT_OUT = {"References", "Exercises", "Self-check"}  # sections that are no slides


def tex(content, options):
    """A formula for MathJax, which finds it by its delimiters."""
    escaped = content.strip().replace("&", "&amp;").replace("<", "&lt;")
    return rf"\[{escaped}\]" if options["display_mode"] else rf"\({escaped}\)"


MARKDOWN = (
    MarkdownIt("commonmark")
    .enable("table")
    .use(dollarmath_plugin, renderer=tex, allow_labels=False)
)


@dataclass
class Slide:
    """One slide: its HTML, and what the speaker's notes say, in HTML."""

    body: str
    notes: str = ""


@dataclass
class Stack:
    """The slides of one section of a chapter."""

    title: str
    slides: list = field(default_factory=list)


def shown(tokens):
    """The HTML of Markdown tokens."""
    return MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})


def blocks_of(text):
    """The blocks of a Markdown text: [(kind, tokens), ...], kind as the first token names it."""
    found = []
    depth = 0
    for token in MARKDOWN.parse(text):
        if depth == 0:
            found.append((token.type, []))
        found[-1][1].append(token)
        depth += token.nesting
    return found


class Chapter:
    """Collects the slides of one chapter, in the order of its page."""

    def __init__(self, name, blocks, pictures):
        self.name = name
        self.blocks = blocks
        self.pictures = pictures
        self.stacks = []
        self.notes = ""

    def add(self, body):
        """A slide with all prose since the last one as its notes."""
        self.stacks[-1].slides.append(Slide(body, self.notes))
        self.notes = ""

    def text(self, source):
        for kind, tokens in blocks_of(self.blocks(source)):
            html = shown(tokens)
            if kind == "heading_open" and tokens[0].tag in ("h1", "h2"):
                self.notes = ""
                self.stacks.append(Stack(tokens[1].content))
            elif kind.startswith("math_block"):
                before = re.search(r"<p>(?:(?!<p>).)*</p>\s*$", self.notes, re.S)
                self.add((before[0] if before else "") + html)
            elif kind == "blockquote_open":
                self.add(html)
            elif kind == "bullet_list_open" and self.stacks[-1].title == "Recap":
                self.add(html)
            elif len(self.stacks) == 1:  # what a reader will do, learn and need; the overview
                self.stacks[0].slides.append(Slide(html))
            else:
                self.notes += html

    def picture(self, data, alternative):
        """Write a picture; return its HTML."""
        name = f"{self.name[:2]}-{len(list(self.pictures.glob(self.name[:2] + '-*'))):02}.png"
        (self.pictures / name).write_bytes(base64.b64decode(data))
        words = alternative.replace("&", "&amp;").replace('"', "&quot;")
        return f'<img data-src="pictures/{name}" alt="{words}">'

    def output(self, cell):
        """A cell's picture, explorable or table, if it has one that is a slide."""
        name_figures(cell)
        options = cell.metadata.get("mystnb", {})
        figure = options.get("figure")
        for output in cell.outputs:
            data = output.get("data", {})
            drawing = data.get("text/html", "")
            if figure and ("image/png" in data or 'class="plots"' in drawing):
                caption = f"**{self.blocks.inline.label(figure['name']).text}.** "
                caption = MARKDOWN.renderInline(caption + self.blocks.inline(figure["caption"]))
                if "image/png" in data:  # photographs
                    alternative = options.get("image", {}).get("alt", "")
                    drawing = self.picture(data["image/png"], alternative)
                self.add(f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>")
            elif 'class="explorable"' in data.get("text/html", ""):
                self.add(data["text/html"])
            elif data.get("text/markdown", "").lstrip().startswith(("|", "**")):
                self.add(MARKDOWN.render(data["text/markdown"]))


def slides_of(file, notebook, labels, pages, pictures):
    """The stacks of slides of one chapter."""
    blocks = Blocks(Inline(file.name, pages, labels))
    chapter = Chapter(file.stem, blocks, pictures)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            chapter.output(cell)
        elif not START.search(cell.source):
            chapter.text(cell.source)
    return [stack for stack in chapter.stacks if stack.slides and stack.title not in LEFT_OUT]


def copy(source, target):
    """Copy a file or a folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


def copy_assets(out):
    """Put the book's styles, scripts, fonts and drawings beside the slides."""
    for name in OF_THE_BOOK:
        copy(ROOT / "_assets" / name, out / "assets" / name)
    copy(EXPLORABLES, out / "assets" / "explorables")


def copy_programs(out):
    """Put reveal.js, of the extra `publish`, and MathJax beside the slides."""
    reveal = Path(str(files("sphinx_revealjs"))) / "_static" / "revealjs"
    for part in ("dist/reveal.js", "dist/reveal.css", "dist/reset.css", "plugin/notes", "LICENSE"):
        copy(reveal / part, out / "assets" / "reveal" / part)
    mathjax = next(Path(str(files("sphinx-mathjax-offline"))).rglob("tex-chtml.js")).parent
    for part in ("tex-chtml.js", "output/chtml"):
        copy(mathjax / part, out / "assets" / "mathjax" / part)


def page(title, stacks):
    """The HTML of a chapter's slides."""
    return render("slides.html.j2", title=title, stacks=stacks, style=STYLE, scripts=SCRIPTS)


def write(out):
    """Write the slides of all chapters, and a page that lists them."""
    pages = this_edition.pages()
    chapters = {file: read(EXECUTED / file.name, "student", []) for file in CHAPTERS}
    cells = {file.name: notebook.cells for file, notebook in chapters.items()}
    labels = labels_of_book(cells, pages_of_text(), pages)
    copy_assets(out)
    copy_programs(out)
    (out / "pictures").mkdir()
    listed = []
    for file, notebook in chapters.items():
        stacks = slides_of(file, notebook, labels, pages, out / "pictures")
        title = re.sub(r"^\d+\. ", "", stacks[0].title)
        html = page(stacks[0].title, stacks)
        html = html.replace(f'src="{pages}/_static/', 'src="assets/')
        (out / f"{file.stem}.html").write_text(html, "utf-8")
        count = sum(len(stack.slides) for stack in stacks)
        listed.append((f"{file.stem}.html", title, count))
    text = render("slides_list.html.j2", listed=listed)
    (out / "index.html").write_text(text, "utf-8")
    return listed


def print_all(out):
    """Print the slides of each chapter to a PDF beside them."""
    with started() as browser:
        for file in sorted(out.glob("[0-9]*.html")):
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.goto(f"{file.as_uri()}?print-pdf", wait_until="load")
            page.wait_for_function(TYPESET, timeout=120_000)
            page.wait_for_timeout(1000)
            page.pdf(
                path=str(file.with_suffix(".pdf")),
                prefer_css_page_size=True,
                print_background=True,
            )
            page.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pdf", action="store_true", help="print them, too (needs Chromium)")
    options = parser.parse_args()
    execute_all()

    start = time.perf_counter()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    listed = write(OUT)
    if options.pdf:
        print_all(OUT)
    size = sum(file.stat().st_size for file in OUT.rglob("*") if file.is_file())
    count = sum(slides for _, _, slides in listed)
    seconds = time.perf_counter() - start
    print(
        f"{OUT.relative_to(ROOT)}/index.html: {count} slides, {size / 1e6:.0f} MB, {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
