"""Figures and diagrams on pages: native in the dark, legible on a phone, named for everybody."""

import re

import pytest
from conftest import ROOT, SITE

CHAPTERS = sorted(f"book/{file.stem}.html" for file in (ROOT / "book").glob("[0-9]*.ipynb"))
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
SMALLEST = 9  # pixels
LEAST_NAME = 40  # characters

# What has another ground than the page, as a list of sentences: elements around drawings, shapes
# that fill a drawing, and pictures that are no photographs.
GROUNDS = """() => {
    const page = getComputedStyle(document.body).backgroundColor;
    const clear = "rgba(0, 0, 0, 0)";
    const faults = [];
    for (const drawing of document.querySelectorAll(".plots, .photographs, .diagrams")) {
        for (let e = drawing; e !== document.body; e = e.parentElement) {
            const { backgroundColor, filter } = getComputedStyle(e);
            if (![clear, page].includes(backgroundColor))
                faults.push(`${e.className}: ${backgroundColor}`);
            if (filter !== "none") faults.push(`${e.className}: ${filter}`);
        }
        for (const svg of drawing.querySelectorAll("svg")) {
            const all = svg.getBoundingClientRect();
            for (const shape of svg.querySelectorAll("path, rect")) {
                const box = shape.getBoundingClientRect();
                const { fill, fillOpacity } = getComputedStyle(shape);
                const across = Math.min(box.right, all.right) - Math.max(box.left, all.left);
                const down = Math.min(box.bottom, all.bottom) - Math.max(box.top, all.top);
                const large = across > 0.7 * all.width && down > 0.7 * all.height;
                if (all.width && large && ![`none`, page].includes(fill) && fillOpacity > 0)
                    faults.push(`a shape of ${fill}`);
            }
        }
    }
    for (const image of document.querySelectorAll("figure img"))
        if (!image.closest(".photographs, .explorable")) faults.push(`an image: ${image.src}`);
    return faults;
}"""

# The sizes of all visible texts in figures: [[pixels, text], ...], the smallest first.
SIZES = """() => {
    const sizes = [];
    const shown = (e) => e.checkVisibility() && e.textContent.trim();
    const drawings = [...document.querySelectorAll(".plots, .photographs, .diagrams")];
    for (const drawing of drawings.filter((e) => e.checkVisibility())) {
        for (const text of drawing.querySelectorAll("svg text")) {
            if (!shown(text)) continue;
            const scale = text.getScreenCTM();
            const size = parseFloat(getComputedStyle(text).fontSize);
            sizes.push([size * Math.hypot(scale.a, scale.b), text.textContent]);
        }
        for (const text of drawing.querySelectorAll("p, span"))
            if (shown(text))
                sizes.push([parseFloat(getComputedStyle(text).fontSize), text.textContent]);
    }
    return sizes.sort((a, b) => a[0] - b[0]);
}"""

# [name, caption] of each drawing that is shown
NAMES = """() => [...document.querySelectorAll("figure")]
    .filter((figure) => figure.querySelector(".plots, .photographs, .diagrams"))
    .map((figure) => {
        const named = [...figure.querySelectorAll("[role=img], [role=group]")];
        const shown = named.filter((e) => e.checkVisibility());
        const caption = figure.querySelector("figcaption .caption-text");
        return [shown.map((e) => e.getAttribute("aria-label")), caption.textContent];
    })"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_in_the_dark_no_figure_is_a_slab(visit, name):
    page = visit(name, color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate(GROUNDS) == []


def test_the_check_of_grounds_sees_a_slab(visit):
    page = visit(CHAPTERS[6], color_scheme="dark")
    page.evaluate("document.querySelector('.plots').style.background = '#fff'")
    assert page.evaluate(GROUNDS) == ["plots: rgb(255, 255, 255)"]


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("name", CHAPTERS)
def test_texts_in_figures_are_large_enough(visit, name, viewport):
    sizes = visit(name, viewport=viewport).evaluate(SIZES)
    assert sizes
    assert sizes[0][0] >= SMALLEST


@pytest.mark.parametrize("name", CHAPTERS)
def test_figures_have_names_of_their_own(visit, name):
    figures = visit(name).evaluate(NAMES)
    assert figures
    for names, caption in figures:
        assert len(names) == 1, caption
        assert len(names[0]) >= LEAST_NAME, caption
        assert names[0].strip() != caption.strip()


def test_identifiers_occur_once(visit):
    """A second copy would let one figure clip another."""
    for name in CHAPTERS:
        found = re.findall(
            r'<(?:clipPath|path|g|use)\b[^>]* id="([^"]+)"', (SITE / name).read_text()
        )
        assert len(found) == len(set(found)), name


def test_the_gallery_shows_all_figures(visit):
    page = visit("book/gallery.html")
    cards = page.locator(".gallery-card")
    captions = 0
    for name in CHAPTERS:
        captions += len(re.findall(r'<figure[^>]* id="(?:fig|diagram)-', (SITE / name).read_text()))
    assert cards.count() == captions
    for link in page.locator(".gallery-card a[download]").all():
        file = SITE / "book" / link.get_attribute("href")
        assert file.stat().st_size > 1000
    for link in page.locator(".gallery-links a:first-child").all():
        chapter, place = link.get_attribute("href").split("#")
        assert f'id="{place}"' in (SITE / "book" / chapter).read_text()


@pytest.mark.parametrize("kind", ["fig-07-price", "diagram-mfca"])
def test_the_gallery_makes_png_files(visit, kind, tmp_path):
    from PIL import Image

    page = visit("book/gallery.html")
    name = kind.removeprefix("diagram-")
    with page.expect_download() as download:
        page.locator(f'button[data-svg$="/{name}.svg"]').click()
    download.value.save_as(tmp_path / "a.png")
    picture = Image.open(tmp_path / "a.png")
    assert picture.format == "PNG"
    assert picture.width > 1300
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 10
    assert not page.problems
