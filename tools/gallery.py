"""The gallery: every figure and diagram of the book on one page, for whoever makes slides.

`Gallery` collects them from the chapters when the book is built, and writes them as files that can
be downloaded: plots and diagrams as SVG with plain colours, photographs as PNG. From an SVG file
the page makes a PNG itself (_assets/gallery.js). `book/gallery.md` is the page without them.
"""

import base64
import html
import io
import re

from diagrams.catalogue import DIAGRAMS
from PIL import Image
from set_repo import address

PLACE = "<!-- gallery -->"  # in book/gallery.md
FOLDER = "_assets/figures"  # the files, in the folder of the build
DOWNLOADS = "../_static/figures"  # the same, as the page finds them

DIAGRAM = re.compile(r"!\[([^\]]*)\]\(\.\./_assets/diagrams/([\w-]+)\.svg\)\n([^\n]+)")
VARIANT = r'<div class="{}">(<svg .*?</svg>)</div>'
VARIABLE = re.compile(r"var\(--[\w-]+, ([^()]+)\)")
WEBP = re.compile(r'"data:image/webp;base64,([^"]+)"')
MARKUP = re.compile(r"\{[\w:]+\}`([^`<]+)(?: <[^>]+>)?`|\[([^\]]+)\]\([^)]+\)|[*$`]")

POWER = re.compile(r"\^\{(-?)(\w+)\}")  # of a formula in a caption
COMMAND = re.compile(r"\\([A-Za-z]+)")
SIGNS = {"alpha": "α", "beta": "β", "lambda": "λ", "sigma": "σ", "cdot": "·", "times": "×"}


def _raised(power):
    minus = "\u2212" if power[1] else ""
    return f"<sup>{minus}{power[2]}</sup>"


def plain(caption):
    """The first sentence of a caption, without markup."""
    sentence = re.split(r"(?<=[.?!:]) (?=[A-Z])", caption.strip())[0]
    words = MARKUP.sub(lambda match: match[1] or match[2] or "", sentence).rstrip(":")

    # a card sets no formulas: a command of TeX becomes its sign, and one without a sign is refused
    return COMMAND.sub(lambda match: SIGNS[match[1]], words)


def standalone(svg):
    """An SVG element as a file for any program: plain colours and fonts, pictures as PNG."""

    def as_png(match):
        buffer = io.BytesIO()
        Image.open(io.BytesIO(base64.b64decode(match[1]))).save(buffer, "PNG")
        return f'"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"'

    while VARIABLE.search(svg):
        svg = VARIABLE.sub(r"\1", svg)
    return WEBP.sub(as_png, svg) + "\n"


class Gallery:
    """Cards of all figures and diagrams, in the order of the chapters."""

    def __init__(self, folder):
        """folder: the source folder of the build, in which the files are written."""
        self.folder = folder
        self.target = folder / FOLDER
        self.target.mkdir(parents=True, exist_ok=True)
        self.titles = {}  # of the chapters, by the names of their files
        self.cards = {}  # a list for each chapter

    def add(self, notebook, chapter):
        """Add what a chapter shows. It must be dressed; pictures that no page shows are removed.

        chapter: the name of its file without the suffix, such as '07_entropy_coding'.
        """
        self.titles[chapter] = notebook.cells[0].source.splitlines()[0].removeprefix("# ")
        self.cards[chapter] = []
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                for alt, name, caption in DIAGRAM.findall(cell.source):
                    self.add_diagram(chapter, name, alt, caption)
                continue
            options = cell.metadata.get("mystnb", {}).get("figure")
            for output in cell.outputs if options else []:
                self.add_figure(chapter, options, output.get("data", {}))

    def add_diagram(self, chapter, name, alt, caption):
        """Add a diagram, in its variant for phones, which fits a card."""
        files = self.folder / "_assets" / "diagrams"
        narrow = (files / f"{name}-phone.svg").read_text("utf-8")
        self.save(f"{name}.svg", (files / f"{name}.svg").read_text("utf-8"))

        draw = DIAGRAMS[name][0]
        module = getattr(draw, "func", draw).__module__.replace(".", "/")
        source = f"tools/{module}.py"
        shown = f'<div class="plots">{narrow}</div>'
        self.card(chapter, f"diagram-{name}", shown, caption, source, f"{name}.svg")

    def add_figure(self, chapter, options, data):
        """Add a figure of a cell."""
        shown = data.get("text/html", "").replace("<img ", '<img loading="lazy" ')
        name = options["name"]
        source = f"book/{chapter}.ipynb"
        narrow = re.search(VARIANT.format("for-phones"), shown, re.S)
        if narrow:
            wide = re.search(VARIANT.format("for-desks"), shown, re.S)
            self.save(f"{name}.svg", wide[1])
            shown = f'<div class="plots">{narrow[1]}</div>'
            self.card(chapter, name, shown, options["caption"], source, f"{name}.svg")
        elif "image/png" in data:
            picture = base64.b64decode(data.pop("image/png"))
            (self.target / f"{name}.png").write_bytes(picture)
            self.card(chapter, name, shown, options["caption"], source, f"{name}.png")

    def save(self, file, svg):
        (self.target / file).write_text(standalone(svg), "utf-8")

    def card(self, chapter, name, shown, caption, source, file):
        """Add a card: the picture, what it shows, and the links."""
        kind = file.rsplit(".", 1)[1]
        here = f"{DOWNLOADS}/{file}"
        words = POWER.sub(_raised, html.escape(plain(caption)))
        links = [
            f'<a href="{chapter}.html#{name}">Chapter {int(chapter[:2])}</a>',
            f'<a href="{address()}/blob/main/{source}">source</a>',
            f'<a href="{here}" download>{kind.upper()}</a>',
        ]
        if kind == "svg":
            links.append(f'<button type="button" data-svg="{here}">PNG</button>')
        self.cards[chapter].append(
            f'<section class="gallery-card"><div>{shown}</div>'
            f"<p>{words}</p>"
            f'<p class="gallery-links">{" ".join(links)}</p></section>'
        )

    def write(self):
        """Put all cards into the page, each chapter's below its title."""
        page = self.folder / "book" / "gallery.md"
        parts = []
        for chapter, cards in self.cards.items():
            grid = f'<div class="gallery">{"".join(cards)}</div>'
            # an empty line would end the HTML
            grid = re.sub(r"\n\s*\n", "\n", grid)
            parts.append(f"## {self.titles[chapter]}\n\n```{{raw}} html\n{grid}\n```")
        parts.append('<script defer src="../_static/gallery.js"></script>')
        text = page.read_text("utf-8").replace(PLACE, "\n\n".join(parts))
        page.write_text(text, "utf-8")
