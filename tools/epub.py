"""Make the whole book an EPUB: `make epub`, in `_build/mfca-tutorial.epub`.

It is made from the same single page as the print edition. Formulas become MathML, which readers can
enlarge and read aloud; explorables show their first picture, hints and solutions are open, and code
that only plots is left out. Pandoc does the conversion.
"""

import argparse
import base64
import io
import re
import sys
import time
from pathlib import Path

import edition as this_edition
import yaml
from bs4 import BeautifulSoup
from pdf import single_page
from PIL import Image
from shared import ROOT
from shown_cells import HIDDEN

# What only works, or only makes sense, in a browser.
DROPPED = (
    "script, noscript, button, .try-it, .headerlink, .explorable-controls, .explorable-pad, "
    ".explorable-task, .for-phones, .cell details.hide, .page-foot, .toctree-wrapper > p.caption, "
    "img[hidden], article > section > style"
)
CHAPTERS_ARE = 2  # the level of the chapters' headings on that page: each becomes a file
SVG = re.compile(r"<svg\b.*?</svg>", re.S)
WEBP = "data:image/webp;base64,"
STYLE = """
body { line-height: 1.5; }
figcaption, caption { font-size: 0.9em; }
img { max-width: 100%; height: auto; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.85em; }
table { border-collapse: collapse; font-size: 0.9em; }
td, th { padding: 0.15em 0.5em; border-bottom: 1px solid; text-align: left; vertical-align: top; }
blockquote, .admonition { margin: 1em 0; padding-left: 1em; border-left: 3px solid; }
"""


def as_png(uri):
    """A WebP data URI as one of PNG, which older readers know, too."""
    picture = Image.open(io.BytesIO(base64.b64decode(uri.removeprefix(WEBP))))
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def chapters(body):
    """The elements of the page, each with the name of the page of the book it comes from."""
    name = ""
    for element in body.find_all(True):
        if element.get("id", "").startswith("document-"):
            name = element["id"]
        yield name, element


def distinct(body):
    """Give each id one meaning: Sphinx repeats those of all its pages on the single one."""
    places = {}
    for name, element in chapters(body):
        if element.get("id"):
            places.setdefault(element["id"], []).append(name)
    repeated = {identifier for identifier, names in places.items() if len(names) > 1}
    number = {}
    for name, _ in chapters(body):
        number.setdefault(name, len(number))
    taken = set()
    for name, element in chapters(body):
        prefix = f"c{number[name]}-"
        identifier = element.get("id")
        if identifier in repeated:
            element["id"] = prefix + identifier
            if element["id"] in taken:
                del element["id"]
            taken.add(prefix + identifier)
        target = element.get("href", "").removeprefix("index.html")
        if target.startswith("#") and target[1:] in repeated:
            homes = places[target[1:]]  # its own chapter, else the first that has such an id
            home = name if name in homes else homes[0]
            element["href"] = f"#c{number[home]}-{target[1:]}"
        elif target.startswith("#"):
            element["href"] = target


def keep_targets(soup, body):
    """Put ids where Pandoc keeps them, and let links to a chapter lead to its heading."""
    for element in body.select("p[id], dt[id], dd[id], li[id], td[id]"):
        element.insert(0, soup.new_tag("span", id=element.attrs.pop("id")))
    for start in body.select('span[id^="document-"]'):  # it would end the chapter before
        heading = start.find_next(re.compile("^h[1-6]$"))
        if heading is not None and heading.get("id"):
            for link in body.select(f'a[href="#{start["id"]}"]'):
                link["href"] = f"#{heading['id']}"
            start.decompose()


def dead_links(body):
    """The links inside the book that have no target."""
    targets = {element["id"] for element in body.select("[id]")}
    links = [link["href"] for link in body.select('a[href^="#"]')]
    return sorted({link for link in links if link[1:] not in targets})


def article(text):
    """The book's text as HTML that stands still.

    text: the single page. Returns the HTML of its article, without what needs a browser.
    """
    text = SVG.sub(drawing, text)  # the parser would write viewBox in small letters
    soup = BeautifulSoup(text, "html.parser")
    body = soup.select_one("article.bd-article")
    for element in body.select(DROPPED):
        element.decompose()

    # what opens on a click is open, its summary in bold
    for summary in body.select("summary"):
        summary.name = "p"
        strong = soup.new_tag("strong")
        strong.extend(list(summary.contents))
        summary.append(strong)
    for details in body.select("details"):
        details.name = "div"
        details.attrs.pop("open", None)

    # Pandoc makes files of chapters whose headings stand in no other element
    for section in body.select("section"):
        heading = section.find(re.compile("^h[1-6]$"))
        if heading is not None and section.get("id"):
            heading["id"] = section["id"]
        section.unwrap()
    for wrapper in body.select(".toctree-wrapper"):
        wrapper.unwrap()
    distinct(body)
    keep_targets(soup, body)
    for element in body.find_all(True):  # meant for web pages; some are not allowed here
        for attribute in ("role", "aria-labelledby", "aria-live"):
            element.attrs.pop(attribute, None)

    for picture in body.select(f'img[src^="{WEBP}"]'):
        picture["src"] = as_png(picture["src"])
    for number in body.select("span.eqno"):  # after its formula, not before
        number.parent.append(number.extract())
    dead = dead_links(body)
    if dead:
        print(f"links that lead nowhere: {', '.join(dead)}", file=sys.stderr)
    return body.decode_contents()


def drawing(match):
    """An SVG drawing in the page as an image, with its label as the alternative text."""
    svg = match[0]
    label = re.search(r'\baria-label="([^"]*)"', svg[: svg.index(">")])
    uri = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{uri}" alt="{label[1] if label else ""}">'


def split_as_aligned(text):
    r"""Formulas in which Sphinx put rows into `split`, with `aligned`, which Pandoc knows."""
    return re.sub(r"\\(begin|end)\{split\}", r"\\\1{aligned}", text)


def metadata():
    """What the EPUB says of itself."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    return {
        "title": config["title"],
        "author": config["author"],
        "lang": "en-GB",
        "date": this_edition.commit()[0],
        "rights": "BSD-3-Clause; photographs and fonts as their page in the book says",
        "identifier": f"{this_edition.pages()}/",
        "description": f"{this_edition.name()}, version {this_edition.package_version()}",
    }


def convert(page_file, target):
    """Write the EPUB of a single page."""
    import pypandoc  # of the extra `publish`; nothing else here needs it

    html = split_as_aligned(article(page_file.read_text("utf-8")))
    style = page_file.with_name("epub.css")
    style.write_text(STYLE, "utf-8")
    arguments = [
        "--mathml",
        "--toc",
        "--toc-depth=3",
        f"--split-level={CHAPTERS_ARE}",
        f"--css={style}",
        f"--resource-path={page_file.parent}",
    ]
    arguments += [f"--metadata={key}:{value}" for key, value in metadata().items()]
    pypandoc.convert_text(
        html,
        to="epub3",
        format="html+tex_math_single_backslash",
        outputfile=str(target),
        extra_args=arguments,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edition", choices=list(HIDDEN), default="student")
    parser.add_argument("--page", type=Path, help="a single page that has been built already")
    options = parser.parse_args()
    page_file = options.page or single_page(options.edition)

    start = time.perf_counter()
    suffix = "" if options.edition == "student" else "-instructor"
    target = ROOT / "_build" / f"mfca-tutorial{suffix}.epub"
    convert(page_file.resolve(), target)
    seconds = time.perf_counter() - start
    size = target.stat().st_size / 1e6
    print(f"{target.relative_to(ROOT)}: {size:.1f} MB, in {seconds:.0f} s after the page")


if __name__ == "__main__":
    main()
