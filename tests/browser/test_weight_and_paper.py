"""What a page weighs, what it waits for, what moves while it loads, what is found and printed."""

import functools
import gzip
import http.server
import json
import re
import threading
from pathlib import Path

import pytest
from conftest import ROOT, SITE, Handler
from scripts import SHIFT

CHAPTERS = sorted(f"book/{file.stem}.html" for file in (ROOT / "book").glob("[0-9]*.ipynb"))
PICTURES = (".webp", ".png", ".svg", ".jpg", ".ico")
KB = 1000

# bars of the weights, in KB as gzip sends them
BLOCKING, CHAPTER, LANDING = 400, 700, 450

SIDEWAYS = """() => [...document.querySelectorAll(".cell_input pre")]
    .filter((pre) => pre.checkVisibility() && pre.scrollWidth > pre.clientWidth)
    .map((pre) => pre.textContent.slice(0, 60) + " " + pre.scrollWidth)"""
# outputs that are higher than their box, in pixels: they would get a scroll bar of their own
TALLER = """() => [...document.querySelectorAll(".cell_output .output")]
    .filter((box) => box.checkVisibility() && box.scrollHeight > box.clientHeight + 1)
    .map((box) => [box.scrollHeight - box.clientHeight, box.textContent.trim().slice(0, 60)])"""
# each result's excerpt arrives with its page, after the search itself has ended
SEARCHED = """() => document.querySelector(".search-summary")?.innerText
    && document.querySelector("#search-results li")
    && !document.querySelector("#search-results li:not(:has(.context))")"""
BROKEN_OFF = """() => [...document.querySelectorAll("article div.math")]
    .filter((e) => e.scrollWidth > e.clientWidth)
    .filter((e) => getComputedStyle(e).backgroundImage === "none").length"""


def sent(name):
    """The size of a file as gzip sends it; fonts and pictures are packed already."""
    data = (SITE / name).read_bytes()
    packed = name.endswith((".woff2", ".woff", *PICTURES)) and not name.endswith(".svg")
    return len(data) if packed else len(gzip.compress(data, 6))


def search(visit, term):
    """The page of a search, once every result has its excerpt."""
    page = visit(f"search.html?q={term}")
    page.wait_for_function(SEARCHED, timeout=20_000)
    return page


def loaded(page):
    """{file: bytes} of what a page has loaded, without its pictures."""
    names = {name.lstrip("/") for name in page.weight}
    return {name: sent(name) for name in names if not name.endswith(PICTURES)}


def blocking(name):
    """{file: bytes} of the page itself, style sheets and scripts that it waits for."""
    text = (SITE / name).read_text("utf-8")
    head = text[: text.index("</head>")]
    addresses = re.findall(r'<link(?=[^>]*rel="stylesheet")[^>]*href="([^"?]+)', head)
    scripts = r'<script(?![^>]*\b(?:defer|async))[^>]*src="([^"?]+)'
    addresses += re.findall(scripts, head)
    folder = (SITE / name).parent
    files = [(folder / address).resolve().relative_to(SITE).as_posix() for address in addresses]
    return {file: sent(file) for file in [name, *files]}


@pytest.mark.parametrize("name", ["index.html", *CHAPTERS])
def test_weight(visit, name):
    page = visit(name)
    bar = LANDING if name == "index.html" else CHAPTER
    files = loaded(page)
    total = sum(files.values()) / KB
    waits = sum(blocking(name).values()) / KB
    print(f"{name}: {total:.0f} KB without pictures, {waits:.0f} KB before the first paint")
    assert waits <= BLOCKING
    assert total <= bar, sorted(files.items(), key=lambda item: -item[1])[:5]


class Packed(Handler):
    """A server that sends text as gzip, as hosts do."""

    def do_GET(self):
        file = Path(self.translate_path(self.path))
        if file.suffix not in (".html", ".css", ".js", ".svg"):
            return super().do_GET()
        body = gzip.compress(file.read_bytes(), 6)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(file))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.mark.parametrize("name", ["index.html", CHAPTERS[8]])
def test_first_paint_on_a_slow_line(browser, name):
    """It is printed, not limited: seconds depend on the machine."""
    slow = {"offline": False, "latency": 150, "uploadThroughput": 94e3, "downloadThroughput": 2e5}
    handler = functools.partial(Packed, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
        page.goto(f"http://127.0.0.1:{server.server_port}/{name}", wait_until="load")
        paint = page.evaluate(
            "performance.getEntriesByName('first-contentful-paint').map((e) => e.startTime)"
        )
        page.close()
        server.shutdown()
    print(f"{name}: first paint after {paint[0] / 1000:.1f} s at 1.6 Mbit/s")
    assert len(paint) == 1


@pytest.mark.parametrize("name", CHAPTERS)
def test_nothing_scrolls_within_a_page(visit, name):
    page = visit(name)
    assert page.evaluate(SIDEWAYS) == []
    assert page.evaluate(TALLER) == []


@pytest.mark.parametrize("name", [*CHAPTERS, "book/bibliography.html", "book/notation.html"])
def test_nothing_jumps(visit, name):
    """Neither when the fonts arrive nor when the formulas are set."""
    page = visit(name)
    assert page.evaluate(SHIFT) < 0.05


def test_mathjax_loads_only_where_there_is_a_formula(visit):
    for name, wanted in (("index.html", False), (CHAPTERS[1], True)):
        assert any("mathjax" in file for file in visit(name).weight) is wanted


def test_icons_are_in_the_cut_fonts(visit):
    """Every icon of the pages is in tools/icons.py."""
    from icons import ICONS

    known = {name for names in ICONS.values() for name in names} | {"solid", "brands", "lg"}
    for file in SITE.rglob("*.html"):
        classes = re.findall(r'<i class="([^"]*)"', file.read_text("utf-8"))
        used = {c.removeprefix("fa-") for all in classes for c in all.split() if c[:3] == "fa-"}
        assert used <= known, file.name


def test_frames_are_files_and_come_when_needed(visit):
    page = visit("book/08_hyperprior_context.html")
    box = page.locator('.explorable[data-kind="frames"]').first
    data = json.loads(box.locator(".explorable-data").text_content())
    assert all(frame.startswith("../_images/frames/") for frame in data["frames"])
    before = {name for name in page.weight if "/frames/" in name}
    assert len(before) < len(data["frames"])
    with page.expect_response(lambda response: data["frames"][-1][3:] in response.url):
        box.locator("input").first.focus()


@pytest.mark.parametrize("name", CHAPTERS[::4])
def test_numbers_are_by_chapter(visit, name):
    number = int(re.search(r"(\d\d)_", name).group(1))
    page = visit(name)
    captions = page.locator("figcaption .caption-number").all_inner_texts()
    titles = page.locator(".exercise > .admonition-title").all_inner_texts()
    for place, caption in enumerate(captions, 1):
        assert caption.replace("\u00a0", " ").strip() == f"Figure {number}.{place}"
    for place, title in enumerate(titles, 1):
        assert title.startswith(f"Exercise {number}.{place} ")
    equations = page.locator(".eqno").all_text_contents()  # of folded ones, too
    assert [e.strip("()# \n¶") for e in equations] == [
        f"{number}.{place}" for place in range(1, len(equations) + 1)
    ]


@pytest.mark.parametrize("term, chapter", [("MFCA", "2."), ("hyperprior", "8."), ("PQF", "10.")])
def test_a_search_shows_the_home_chapter_first(visit, term, chapter):
    page = search(visit, term)
    assert page.locator("#search-results li a").first.inner_text().startswith(chapter)
    for excerpt in page.locator("#search-results .context").all_inner_texts():
        assert "\\" not in excerpt.replace("\\,", "")


def test_a_search_finds_prose(visit):
    """Not the labels of the overview, which is on most pages; and chapters come in their order."""
    page = search(visit, "importance map")
    excerpts = page.locator("#search-results .context").all_inner_texts()
    assert not any("predicts v" in excerpt for excerpt in excerpts)
    found = page.locator('#search-results li > a[href^="book/"]').evaluate_all(
        "all => all.map((a) => [Number(a.dataset.score), a.textContent])"
    )
    chapters = [(score, re.match(r"(\d+)\. ", title)) for score, title in found]
    chapters = [(score, int(title.group(1))) for score, title in chapters if title]
    assert chapters[0][1] == 5
    assert len(chapters) >= 5
    places = [(-round(score + number / 100), number) for score, number in chapters]
    assert places == sorted(places)


@pytest.mark.parametrize("term", ["gate", "bits"])
def test_the_places_of_index_entries_have_excerpts(visit, term):
    page = search(visit, term)  # fails where a result has none
    assert page.problems == []


def test_index_names_the_chapters(visit):
    page = visit("genindex.html")
    assert page.locator(".index-chapter").count() >= 60
    assert "[1]" not in page.locator(".genindextable").first.inner_text()


def test_a_term_shows_what_it_means(visit):
    page = visit("book/08_hyperprior_context.html")
    term = page.locator('a[href*="term-entropy"]').first
    assert "least mean number of bits" in term.get_attribute("data-note")
    citation = page.locator('a.reference.internal[href^="#"][data-note]').first
    assert re.search(r"\d{4}", citation.get_attribute("data-note"))


def test_versions_are_on_the_status_page(visit):
    assert "torch" in visit("book/status.html").locator("article").inner_text()
    text = visit(CHAPTERS[1]).locator("article").inner_text()
    foot = visit(CHAPTERS[1]).locator(".page-foot").inner_text()
    assert "mfca_tutorial 0" not in text.replace(foot, "")


def test_folded_cells_say_what_is_behind_them(visit):
    page = visit("book/08_hyperprior_context.html")
    labels = set(page.locator("details.hide > summary:visible").all_inner_texts())
    assert "How the answer is checked" in labels
    assert not any("code cell" in label for label in labels)


@pytest.mark.parametrize("name", CHAPTERS[::4])
def test_what_is_done_in_practice_is_a_callout(visit, name):
    box = visit(name).locator(".admonition.practice")
    assert box.count() == 1
    assert box.locator(".admonition-title").inner_text() == "In practice"


def test_without_javascript_a_word_says_so(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/{CHAPTERS[8]}")
    assert page.locator(".no-script").is_visible()
    assert page.locator("span.math").first.is_visible()
    context.close()


def test_long_formulas_on_phones_have_a_cue(visit):
    page = visit(CHAPTERS[8], viewport={"width": 390, "height": 844})
    page.wait_for_function(f"() => ({BROKEN_OFF})() === 0", timeout=10_000)


def test_symbols_and_their_meanings_fit_a_phone(visit):
    page = visit("book/notation.html", viewport={"width": 390, "height": 844})
    cells = page.locator("#symbols td:visible")
    right = cells.evaluate_all("all => all.map((e) => e.getBoundingClientRect().right)")
    assert len(right) > 100
    assert max(right) <= 390


# What tables hide beyond the right edge of their box: [[pixels, words of the first row], ...]
HIDDEN_COLUMNS = """() => [...document.querySelectorAll("article table")]
    .map((table) => [table.parentElement, table.rows[0].innerText])
    .map(([box, words]) => [box.scrollWidth - box.clientWidth, words])
    .filter(([pixels]) => pixels > 0)"""


# Formulas that go on beyond the screen, and the size of the smallest against that of the text
WIDE_FORMULAS = """() => [...document.querySelectorAll("article mjx-container[display]")]
    .filter((formula) => formula.scrollWidth > formula.clientWidth)
    .map((formula) => [formula.scrollWidth - formula.clientWidth, formula.textContent])"""
LEAST_FORMULA = """() => Math.min(1, ...[...document.querySelectorAll("mjx-container[display]")]
    .map((e) => [e, e.closest("div.math")].map((x) => parseFloat(getComputedStyle(x).fontSize)))
    .map(([own, around]) => own / around))"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_tables_and_formulas_fit_a_phone(visit, name):
    page = visit(name, viewport={"width": 390, "height": 844})
    page.evaluate("document.querySelectorAll('details').forEach((e) => { e.open = true; })")
    assert page.evaluate(HIDDEN_COLUMNS) == []

    # the page's script fits them after it has loaded
    page.wait_for_function(f"() => ({WIDE_FORMULAS})().length === 0", timeout=10_000)
    assert page.evaluate(LEAST_FORMULA) >= 0.85


# The gaps between the parts of exercises with a check: statement, cell, check, solution
GAPS = """() => [...document.querySelectorAll(".exercise + .tag_exercise")].flatMap((cell) => {
    const parts = [cell.previousElementSibling, cell, cell.nextElementSibling];
    const boxes = parts.map((part) => part.getBoundingClientRect());
    return [0, 1].map((k) => Math.abs(boxes[k + 1].top - boxes[k].bottom)
        + Math.abs(boxes[k + 1].left - boxes[k].left)
        + Math.abs(boxes[k + 1].right - boxes[k].right));
})"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", CHAPTERS[::4])
def test_an_exercise_is_one_frame(visit, name, width):
    page = visit(name, viewport={"width": width, "height": 844})
    gaps = page.evaluate(GAPS)
    assert len(gaps) >= 2
    assert max(gaps) <= 1


def test_on_paper_answers_are_open_and_pictures_large(visit):
    page = visit(CHAPTERS[8])
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_timeout(300)
    assert page.locator("article details:not(.hide):not([open])").count() == 0
    widths = page.locator("article img:visible").evaluate_all("all => all.map(i => i.clientWidth)")
    assert widths
    assert min(widths) >= 300
