"""Every page of the built book in a real browser: loads alone, reads well, moves by keyboard."""

import json
import re

import pytest
from conftest import AXE, SITE, absent

FILES = [p.relative_to(SITE) for p in SITE.rglob("*.html")]
PAGES = sorted(p.as_posix() for p in FILES if "_static" not in p.parts) or ["index.html"]
MOVING = (
    [page for page in PAGES if 'class="explorable"' in (SITE / page).read_text("utf-8")]
    if SITE.exists()
    else []
)
WEIGHT = 3 * 2**20  # bytes of a chapter's first load, beside MathJax
SERIOUS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .filter((v) => ["serious", "critical"].includes(v.impact))
    .map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | "))"""

# photographs in a grid share the name of the grid
ALTS = """() => [...document.images]
    .map((image) => [image.alt || image.closest("[aria-label]")?.ariaLabel || "", image.src])"""

LOADED = "box => Promise.all([...box.querySelectorAll('img')].map((image) => image.decode()))"

TOO_WIDE = """() => [...document.querySelectorAll("article *")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
    .filter((e) => !e.closest("pre, table, .math, .cell_output"))
    .slice(0, 5).map((e) => e.outerHTML.slice(0, 120))"""


def view(box):
    """What the reader sees of an explorable: pixels of its picture, pixels of the line below it."""
    box.scroll_into_view_if_needed()
    box.evaluate(LOADED)  # pictures load only when they come into view
    note = box.locator(".explorable-note")
    picture = box.locator(".explorable-stage")
    line = note.screenshot() if note.is_visible() else b""
    return picture.screenshot(animations="disabled"), line


def reacts(page, box, control):
    """Move one control by keyboard until something changes. Returns 'picture', 'line' or ''.

    Puts it back after that, so that the next control is tried from where the reader finds it.
    """
    before = view(box)
    start = control.input_value()
    changed = ""
    control.focus()
    if control.evaluate("e => e.tagName") == "SELECT":
        steps = control.locator("option").count()
        keys = ["ArrowDown"] * steps + ["ArrowUp"] * steps
    else:
        steps = int(control.get_attribute("max"))
        keys = ["End", "Home", *["ArrowRight"] * steps]
    for key in keys:
        page.keyboard.press(key)
        picture, line = view(box)
        if picture != before[0]:
            changed = "picture"
            break
        if line != before[1]:
            changed = "line"
    control.evaluate(
        "(e, value) => { e.value = value; e.dispatchEvent(new Event('input')); }", start
    )
    return changed


@pytest.mark.parametrize("name", PAGES)
def test_page(visit, name):
    page = visit(name)
    assert page.problems == []
    alts = page.evaluate(ALTS)
    assert [a for a in alts if not a[0].strip() or re.search(r"\.(png|webp|svg)$", a[0])] == []
    formulas = page.locator("span.math, div.math").count()
    assert page.locator("mjx-container").count() >= formulas
    assert page.locator("mjx-merror").count() == 0
    heavy = {path: size for path, size in page.weight.items() if "/mathjax/" not in path}
    assert sum(heavy.values()) <= WEIGHT, sorted(heavy.items(), key=lambda item: -item[1])[:5]
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, page.evaluate(TOO_WIDE)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible(visit, name):
    if not AXE.exists():
        absent("no axe-core (npm install --prefix .npm axe-core)")
    page = visit(name)
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(SERIOUS) == []
    # Without transitions, or axe would see colours on their way.
    page.add_style_tag(content="* { transition: none !important }")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate(SERIOUS) == [], "dark"


@pytest.mark.parametrize("name", MOVING)
def test_every_explorable_reacts(visit, name):
    page = visit(name)
    for box in page.locator(".explorable").all():
        assert box.get_attribute("data-ready") == "yes"
        controls = box.locator(".explorable-input").all()
        assert controls
        changes = {control.get_attribute("id"): reacts(page, box, control) for control in controls}
        assert all(changes.values()), changes
        assert "picture" in changes.values(), changes


@pytest.mark.skipif(not MOVING, reason="no explorable in the built book")
def test_a_dead_explorable_would_be_noticed(visit):
    page = visit(MOVING[0], block="explorable.js")
    box = page.locator(".explorable").first
    assert box.get_attribute("data-ready") is None
    assert not reacts(page, box, box.locator(".explorable-input").first)


def test_there_are_enough_explorables():
    pages = "".join((SITE / name).read_text("utf-8") for name in MOVING)
    titles = re.findall(r'class="explorable" id="([^"]+)"', pages)
    assert len(titles) >= 14
    assert sorted(set(titles)) == sorted(titles)


def test_search_finds_importance(visit):
    page = visit("search.html?q=importance")
    page.wait_for_selector("#search-results li a", timeout=10_000)
    assert page.problems == []


def test_requests_to_other_sites_are_noticed(visit):
    page = visit("index.html")
    page.evaluate("fetch('https://example.org/x.js').catch(() => null)")
    page.wait_for_timeout(200)
    assert any("outside: https://example.org" in problem for problem in page.problems)


def test_no_table_shows_raw_tex():
    cells = 0
    for name in PAGES:
        for cell in re.findall(r"<t[dh]\b.*?</t[dh]>", (SITE / name).read_text("utf-8"), re.S):
            cells += 1
            assert not re.search(r"\$.*\$", re.sub(r"<[^>]+>", "", cell)), (name, cell)
    assert cells > 1000


def test_sitemap_lists_the_pages():
    text = (SITE / "sitemap.xml").read_text("utf-8")
    listed = re.findall(r"<loc>https://[\w.-]+/[\w.-]+/latest/([\w./-]+\.html)</loc>", text)
    assert sorted(listed) == sorted(set(listed))
    chapters = {page for page in PAGES if page.startswith("book/")}
    assert set(listed) == chapters | {"index.html"}


def test_downloads_are_stripped_notebooks():
    for file in (SITE / "_sources" / "book").glob("*.ipynb"):
        for cell in json.loads(file.read_text("utf-8"))["cells"]:
            checked = "nbval-check-output" in cell["metadata"].get("tags", [])
            assert checked or not cell.get("outputs"), file.name
