"""The EPUB stands still: what needs a browser is gone, and every id has one meaning."""

import base64
import io
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tools"))

BeautifulSoup = pytest.importorskip("bs4").BeautifulSoup
epub = pytest.importorskip("epub")

PAGE = """<html><body><nav>menu</nav><article class="bd-article">
<section id="book"><h1>Book<a class="headerlink" href="#book">#</a></h1>
<span id="document-book/01_x"></span><section id="one"><h2>One</h2>
<section id="recap"><h3>Recap</h3><p id="p">See <a href="#recap">here</a>,
<a href="index.html#document-book/02_y">two</a> and <a href="#term-gain">gain</a>.</p></section>
<div class="cell"><details class="hide"><summary>How</summary><pre>plot()</pre></details></div>
<details><summary>Hint</summary><p>Think.</p></details>
<div class="explorable"><p>Title</p><div class="explorable-controls"><input></div>
<img src="data:image/webp;base64,WEBP" alt="A square"></div><script>alert()</script></section>
<span id="document-book/02_y"></span><section id="two"><h2>Two</h2>
<section id="recap"><h3>Recap</h3><p><a href="#recap">here</a></p></section>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" aria-label="A dot"><circle r="1"/></svg>
<dl><dt id="term-gain">gain</dt><dd>A factor.</dd></dl>
<div class="math"><span class="eqno">(2.1)</span>\\[a\\]</div></section></section>
<span id="document-book/03_z"></span><h2 id="z">Three</h2><p><a href="#recap">far</a></p>
</article></body></html>"""


@pytest.fixture(scope="module")
def soup():
    file = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(file, "WEBP", lossless=True)
    webp = base64.b64encode(file.getvalue()).decode()
    return BeautifulSoup(epub.article(PAGE.replace("WEBP", webp)), "html.parser")


@pytest.mark.parametrize("gone", ["menu", "plot()", "alert()", "#"])
def test_what_needs_a_browser_is_gone(soup, gone):
    assert gone not in soup.get_text()
    assert not soup.select("script, input, details, section")


def test_hints_are_open(soup):
    assert soup.find("strong").get_text() == "Hint"
    assert "Think." in soup.get_text()


def test_every_id_has_one_meaning_and_every_link_a_target(soup):
    ids = [element["id"] for element in soup.select("[id]")]
    assert len(ids) == len(set(ids))
    first, two, gain, second, far = [link["href"] for link in soup.select("a")]
    assert {first, second} == {"#c1-recap", "#c2-recap"}
    assert two == "#two"
    assert far == "#c1-recap"  # the first that has it
    assert soup.find(id="term-gain").parent.name == "dt"
    assert epub.dead_links(soup) == []


def test_a_dead_link_is_found():
    assert epub.dead_links(BeautifulSoup('<a href="#x">x</a>', "html.parser")) == ["#x"]


def test_pictures_are_those_that_old_readers_know(soup):
    picture = soup.find(alt="A square")
    data = base64.b64decode(picture["src"].removeprefix("data:image/png;base64,"))
    assert Image.open(io.BytesIO(data)).getpixel((0, 0)) == (255, 0, 0)


def test_drawings_keep_their_words_and_their_size(soup):
    picture = soup.find(alt="A dot")
    svg = base64.b64decode(picture["src"].removeprefix("data:image/svg+xml;base64,")).decode()
    assert 'viewBox="0 0 9 9"' in svg


def test_the_number_of_a_formula_follows_it(soup):
    assert soup.select_one(".math").get_text().strip().endswith("(2.1)")


def test_rows_are_in_an_environment_that_pandoc_knows():
    assert epub.split_as_aligned(r"\begin{split}a\end{split}") == r"\begin{aligned}a\end{aligned}"


def test_what_it_says_of_itself():
    said = epub.metadata()
    assert said["lang"] == "en-GB"
    assert all(said.values())
