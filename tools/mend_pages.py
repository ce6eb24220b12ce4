"""What is changed in the built pages: faults of the theme, weight, and help for the reader.

The theme's pages carry what this book does not use: icon fonts of 274 KB for 17 icons, scripts for
running code on a server, MathJax where there is no formula, scripts that keep the page from being
shown. `mend(site)` removes that, writes the frames of explorables as files beside the page, names
the chapter of each entry of the index, and gives links to citations and terms a note that says what
they lead to.
"""

import base64
import hashlib
import html
import json
import re
import shutil

from icons import FONTS, ICONS
from openings import with_opening
from phone_tables import prepared
from PIL import Image
from printed_lines import in_lines
from typography import held_together, with_times, with_whole_measures

from mfca_tutorial.show.html import NEEDED, SCRIPTS, SHARED

# The parts of MathJax that pages load: TeX in, HTML out, and MathML for screen readers. The theme
# loads all of them and a menu in one file, which is larger by half.
PARTS = ["core", "input/tex", "output/chtml", "a11y/assistive-mml"]
LOADED = ("startup.js", "output/chtml/", "input/tex/extensions/", "LICENSE")
LOADED += tuple(f"{part}.js" for part in PARTS)

# Faults in the theme's pages, each with its replacement. Some names differ from the visible text,
# and some roles do not fit; both confuse screen readers.
MENDED = [
    (r'(<button class="btn search-button-field[^>]*?) aria-label="Search"', r"\1"),
    (r'(<i class="theme-switch[^>]*?) title="[^"]*"', r"\1"),
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    (r'<div role="list" class="citation-list">', '<div class="citation-list">'),
    (r'(<div class="citation"[^>]*?) role="doc-biblioentry"', r"\1"),
    (r"mathjax/tex-chtml\.js", "mathjax/startup.js"),
    (r"window\.MathJax = \{", f'window.MathJax = {{"loader": {json.dumps({"load": PARTS})}, '),
    # Font Awesome's script is 1.5 MB, and its icon font draws the same icons
    (r"<script defer src=\"[^\"]*fontawesome\.js[^>]*></script>", ""),
    # Thebe runs cells on a server; this book offers Colab instead
    (r"<script>const THEBE_JS_URL[^\n]*</script>", ""),
    (r"<(?:script|link)[^>]*sphinx-thebe\.[^>]*>(?:</script>)?", ""),
    (r"(_images/[\w.-]+)\.png", r"\1.webp"),
    # dragging a picture by mistake would take a copy of it along
    (r"<img (?![^>]*\bdraggable=)", '<img draggable="false" '),
    # the reader's choice, else what the system prefers: known before the first paint
    (
        r'dataset\.theme = localStorage\.getItem\("theme"\) \|\| "auto"',
        'dataset.theme = localStorage.getItem("theme") || '
        '(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
    ),
    (r'(<html [^>]*)data-theme="auto"', r'\1data-theme="light"'),
    # scripts run when the page is read; only these options must be there before
    (r'<script src="(?![^"]*documentation_options)', '<script defer src="'),
]

WITHOUT_SCRIPTS = (
    '<noscript><p class="no-script">Without JavaScript, formulas are shown as TeX and pictures do '
    "not move; everything else can be read.</p></noscript>"
)
ARTICLE = '<article class="bd-article">'
FRAME = re.compile(r"data:image/webp;base64,([A-Za-z0-9+/=]+)")
ICON_RULE = re.compile(r"((?:\.fa-[\w-]+:before,?)+)\{content:\"[^\"]*\"\}")


def up_to(page, site):
    """The way from a page to the site's root: '' or '../'."""
    return "../" * (len(page.relative_to(site).parts) - 1)


def scripts_of(body):
    """The scripts that a page's explorables need, and the first page's curtain."""
    kinds = set(re.findall(r'class="explorable"[^>]*data-kind="(\w+)"', body))
    needed = {script for kind in kinds for script in NEEDED.get(kind, ())}
    if kinds:
        needed |= set(SHARED)
    if 'class="curtain"' in body:
        needed |= {"touch.js", "curtain.js"}
    return needed


def without_unused(text):
    """A page without what it does not use: MathJax, the design extension, explorables."""
    body = text[text.find("<body") :]
    if 'class="math' not in body:
        text = re.sub(r"<script>window\.MathJax = .*?</script>\s*", "", text, flags=re.S)
        text = re.sub(r"<script[^>]*mathjax/startup\.js[^>]*></script>\s*", "", text)
    if not re.search(r'class="[^"]*\bsd-', body):
        text = re.sub(r"<link[^>]*sphinx-design[^>]*>\s*", "", text)
        text = re.sub(r"<script[^>]*design-tabs[^>]*></script>\s*", "", text)
    for script in set(SCRIPTS) - scripts_of(body):
        text = re.sub(rf"<script[^>]*explorables/{script}[^>]*></script>\s*", "", text)
    if 'class="math' in body or 'class="explorable"' in body:
        text = text.replace(ARTICLE, ARTICLE + WITHOUT_SCRIPTS, 1)
    return text


def frames_to_files(text, page, site):
    """Write the frames of a page's explorables as files; they load when a control is touched."""
    folder = site / "_images" / "frames"

    def written(match):
        data = base64.b64decode(match.group(1))
        name = hashlib.sha256(data).hexdigest()[:16] + ".webp"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        return f"{up_to(page, site)}_images/frames/{name}"

    text = FRAME.sub(written, text)
    return re.sub(r'(<img (?=[^>]*class="explorable-picture)[^>]*?)>', r'\1 loading="lazy">', text)


# What the width of a formula is estimated from, in em; relations include the blanks around them.
WIDTHS = {"=": 1.38, "+": 1.25, "-": 1.2, ",": 0.44, ".": 0.28, "(": 0.39, ")": 0.39, "|": 0.28}
WIDTHS |= {"m": 0.88, "w": 0.72, "x": 0.6, "k": 0.56, "M": 1.0, "W": 1.1, "H": 0.95}
SILENT = r"\\(?:hat|bar|tilde|overline|mathrm|operatorname|text|left|right|sqrt|[(),!])"
RELATIONS = r"\\(?:times|cdot|le|ge|ne|to|in|approx|pm|circ|leftarrow)\b|&lt;|&gt;"
NAMES = r"\\(?:log|max|min|sum|dots|ldots|exp)\b"


def width_of(tex):
    """About how wide a formula in a sentence is, in em."""
    tex = re.sub(SILENT, "", tex)
    tex = re.sub(RELATIONS, "=", tex)
    tex = re.sub(NAMES, "mx", tex)
    tex = re.sub(r"\\[a-zA-Z]+", "x", tex)
    # an index or an exponent is smaller: as wide as a comma
    tex = re.sub(r"[_^](\{[^}]*\}|.)", lambda m: "," * len(m.group(1).strip("{}")), tex)
    letters = [c for c in tex if c not in "{} \n\\"]
    return sum(WIDTHS.get(c, 0.76 if c.isupper() else 0.53) for c in letters)


def with_room(text):
    """Formulas with about the room that they take once they are set, so that the text stays put."""

    def own(match):
        tex = match.group(2)
        rows = tex.count(r"\\") + 1
        tall = re.search(r"frac|sum|prod|underbrace|bigg|matrix", tex)
        height = 2.1 + (3.4 if tall else 1.75) * rows
        return f'{match.group(1)} style="--room: {height:g}rem">{tex}</div>'

    def inside(match):
        tex = match.group(2)
        return f'{match.group(1)} style="--room: {width_of(tex):.2f}em">{tex}</span>'

    text = re.sub(r'(<div class="math[^">]*"[^>]*?)>(.*?)</div>', own, text, flags=re.S)
    return re.sub(r'(<span class="math[^">]*")>(.*?)</span>', inside, text, flags=re.S)


def words_of(fragment, limit=280):
    """The text of a piece of HTML, cut after a word."""
    text = html.unescape(re.sub(r"<[^>]+>", "", fragment))
    text = " ".join(re.sub(r"\\[()]", "", text).split())
    if len(text) > limit:
        text = text[:limit].rsplit(" ", 1)[0] + " ..."
    return text


def notes(site):
    """What links to citations and terms lead to: {page: {id: text}}."""
    found = {}
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        own = found.setdefault(page.name, {})
        citation = r'<div class="citation"[^>]*id="([^"]+)".*?</span>\s*<p>(.*?)</p>'
        for identifier, body in re.findall(citation, text, re.S):
            own[identifier] = words_of(body)
        term = r'<dt id="(term-[^"]+)">.*?</dt>\s*<dd>(.*?)</dd>'
        for identifier, body in re.findall(term, text, re.S):
            own[identifier] = words_of(body)
    return found


def with_notes(text, page, known):
    """Links to citations and terms, each with a note that shows what it leads to."""

    def noted(match):
        target, identifier = match.group(2).rsplit("/", 1)[-1], match.group(3)
        note = known.get(target or page.name, {}).get(identifier)
        if not note:
            return match.group()
        return f'{match.group(1)} data-note="{html.escape(note)}">'

    link = r'(<a class="reference internal" href="([^"#]*)#([^"]+)")(?: title="[^"]*")?>'
    return re.sub(link, noted, text)


def with_chapters(text):
    """The index, with the chapter of each entry's place behind it, and no chapter twice."""

    def where(address):
        chapter = re.search(r"book/(\d\d)_", address)
        if chapter:
            return f"chapter {int(chapter.group(1))}"
        return "glossary" if "notation" in address else ""

    def named(match):
        address, words = match.group(1), match.group(2)
        place = where(address)
        if not place:
            return match.group()
        if re.fullmatch(r"(?:<strong>)?\[\d+\](?:</strong>)?", words):  # a further place
            return f'<a class="index-chapter" href="{address}">{place}</a>'
        return f'<a href="{address}">{words}</a> <span class="index-chapter">{place}</span>'

    text = re.sub(r'<a href="(book/[^"]+)">(.*?)</a>', named, text)
    again = r'(>(chapter \d+|glossary)</(?:a|span)>)(?:, <a class="index-chapter"[^>]*>\2</a>)+'
    return re.sub(again, r"\1", text)


def lighten_fonts(site):
    """Replace the theme's icon fonts by those cut to its icons, and drop all other rules."""
    folder = site / "_static" / "vendor" / "fontawesome" / "webfonts"
    for file in folder.iterdir():
        own = FONTS / f"{file.stem}.woff2"
        if file.suffix == ".woff2" and own.exists():
            shutil.copy(own, file)
        elif file.stem != "fa-regular-400" or file.suffix == ".ttf":
            file.unlink()

    css = site / "_static" / "styles" / "pydata-sphinx-theme.css"
    kept = {f".fa-{name}:before" for names in ICONS.values() for name in names}

    def rule(match):
        return match.group() if kept & set(match.group(1).split(",")) else ""

    text = ICON_RULE.sub(rule, css.read_text("utf-8"))
    text = re.sub(r',url\([^)]*\.ttf\) format\("truetype"\)', "", text)
    css.write_text(text, "utf-8")


def drop_unused(site):
    """Remove files that no page loads any more."""
    mathjax = site / "_static" / "mathjax"
    for file in list(mathjax.rglob("*")):
        if file.is_file() and not file.relative_to(mathjax).as_posix().startswith(LOADED):
            file.unlink()
    for pattern in ("scripts/fontawesome.js*", "sphinx-thebe.*", "sbt-webpack-macros.html"):
        for file in (site / "_static").glob(pattern):
            file.unlink()
    for name in (".buildinfo", "objects.inv"):
        (site / name).unlink(missing_ok=True)


def figures_to_webp(site):
    for file in (site / "_images").glob("*.png"):
        options = {"lossless": True, "quality": 60, "method": 4, "exact": True}
        Image.open(file).save(file.with_suffix(".webp"), **options)
        file.unlink()


def mend(site):
    """Change the pages of a built site in place."""
    drop_unused(site)
    figures_to_webp(site)
    lighten_fonts(site)
    known = notes(site)
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        for wrong, right in MENDED:
            text = re.sub(wrong, right, text)
        text = without_unused(text)
        text = with_room(text)
        text = with_whole_measures(held_together(with_times(text)))
        text = in_lines(prepared(with_opening(text)))
        text = frames_to_files(text, page, site)
        text = with_notes(text, page, known)
        if page.name == "genindex.html":
            text = with_chapters(text)
        page.write_text(text, "utf-8")
