"""The book's diagrams: the files are what the scripts draw, and everybody can read them.

How they look is for eyes: `make book`, then `python tools/shots.py`.
"""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "book" / "_ext"))

import draw_diagrams  # noqa: E402
from diagrams import catalogue, shapes  # noqa: E402
from inline_diagrams import inlined  # noqa: E402

DRAWN = catalogue.all_files()
each_diagram = pytest.mark.parametrize("file", DRAWN)

SMALLEST = 9  # pixels
VARIABLE = r"var\(--[\w-]+, [^()]+\)"
COLOUR = r"(?:fill|stroke|background|color)[:=]\s*\"?([^;\"}]+)"
NO_COLOUR = {"none", "transparent", "currentColor"}


def text_sizes(svg):
    """The sizes of all texts in a diagram, in units of its view box."""
    sizes = []
    for element in ElementTree.fromstring(svg).iter():
        if element.tag.endswith(("}text", "}tspan")) and element.get("class"):
            sizes.append(shapes.SIZES[element.get("class")])
    return sizes


def test_files_are_what_the_scripts_draw():
    files = {file.name: file.read_text("utf-8") for file in draw_diagrams.FOLDER.glob("*.svg")}
    assert files == DRAWN, "run `make diagrams`"


def test_drawing_twice_gives_the_same_bytes(tmp_path):
    for folder in ("a", "b"):
        draw_diagrams.write(tmp_path / folder)
    for file in DRAWN:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_writing_removes_what_is_no_diagram_any_more(tmp_path):
    (tmp_path / "old.svg").write_text("<svg/>")
    (tmp_path / "note.txt").write_text("kept")
    draw_diagrams.write(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {*DRAWN, "note.txt"}


@each_diagram
def test_a_diagram_says_what_it_shows(file):
    root = ElementTree.fromstring(DRAWN[file])
    assert root.get("role") == "img"
    assert len(root.get("aria-label")) >= shapes.LEAST_NAME


def test_no_two_diagrams_have_one_name():
    names = [draw_diagrams.name_of(svg) for file, svg in DRAWN.items() if "-phone" not in file]
    assert len(set(names)) == len(names)


@each_diagram
def test_labels_are_large_enough(file):
    # a column is WIDE on a screen that is 1280 wide, and PHONE on one that is 390 wide
    column = shapes.PHONE if file.endswith("-phone.svg") else shapes.WIDE
    width = float(ElementTree.fromstring(DRAWN[file]).get("width"))
    assert width == column
    sizes = text_sizes(DRAWN[file])
    assert len(sizes) >= 3
    assert min(sizes) >= SMALLEST


def test_the_wide_variant_is_left_before_its_labels_are_too_small():
    style = (ROOT / "_assets" / "diagrams.css").read_text("utf-8")
    narrowest = int(re.search(r"@container \(max-width: (\d+)px\)", style)[1]) + 1
    assert min(shapes.SIZES.values()) * narrowest / shapes.WIDE >= SMALLEST
    assert narrowest > shapes.PHONE


@each_diagram
def test_every_text_has_a_size(file):
    root = ElementTree.fromstring(DRAWN[file])
    texts = [element for element in root.iter() if element.tag.endswith("}text")]
    assert all(text.get("class") in shapes.SIZES for text in texts)


@each_diagram
def test_colours_are_variables_with_fallbacks(file):
    svg = DRAWN[file]
    svg = svg.replace(" !important", "")
    colours = {found.strip() for found in re.findall(COLOUR, svg)} - NO_COLOUR
    assert len(colours) > 3
    assert not [colour for colour in colours if not re.fullmatch(VARIABLE, colour)]
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", re.sub(VARIABLE, "", svg).replace("&#", ""))


def test_fallbacks_are_the_light_tokens():
    tokens = ROOT / "_assets" / "tokens.css"
    if not tokens.exists():
        pytest.skip("there are no tokens")
    light = tokens.read_text("utf-8").split("html[data-theme")[0]
    known = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    used = dict(re.findall(r"var\(--([\w-]+), (#[0-9a-f]{6})\)", "".join(DRAWN.values())))
    assert used
    assert used.items() <= known.items()


def test_a_page_gets_both_variants():
    page = inlined(draw_diagrams.FOLDER / "codec.svg")
    assert page.count("<svg") == 2
    assert page.count("<div") == page.count("</div>") == 3
    assert 'id="' not in page  # two diagrams on a page must not share one


def test_every_chapter_has_an_overview():
    chapters = {file.stem[:2] for file in (ROOT / "book").glob("[0-9]*.ipynb")}
    assert {f"codec-{chapter}.svg" for chapter in chapters} <= set(DRAWN)


def test_chapters_show_diagrams_that_exist():
    for chapter in (ROOT / "book").glob("*.ipynb"):
        for file in re.findall(r"_assets/diagrams/([\w.-]+)\)", chapter.read_text("utf-8")):
            assert file in DRAWN, f"{chapter.name}: {file}"


def test_labels_of_a_diagram_are_no_words_of_the_search(tmp_path):
    """The overview is on most pages, so each of its labels would find them all."""
    application = pytest.importorskip("sphinx.application", reason="the book's tools are missing")
    folder = tmp_path / "_assets" / "diagrams"
    folder.mkdir(parents=True)
    for name in ("mfca.svg", "mfca-phone.svg"):
        (folder / name).write_text(DRAWN[name], "utf-8")
    (tmp_path / "index.md").write_text("# Page\n\n![words](_assets/diagrams/mfca.svg)\n\nprose\n")

    site = tmp_path / "site"
    extensions = ["myst_parser", "inline_diagrams"]
    settings = {"extensions": extensions, "html_theme": "basic", "project": "p"}
    app = application.Sphinx(
        tmp_path, None, site, tmp_path / "doctrees", "html", settings, status=None
    )
    app.build()

    assert ">channels 0&#8211;5<" in (site / "index.html").read_text("utf-8")
    index = (site / "searchindex.js").read_text("utf-8")
    assert '"prose":' in index
    assert '"channel":' not in index
