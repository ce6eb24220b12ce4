"""The first page: its curtain moves under every hand, and it says nothing that is not true."""

import json
import re

import pytest
from conftest import ROOT, SITE
from scripts import SHIFT

CURTAIN = ".curtain"


@pytest.fixture
def curtain(visit):
    page = visit("index.html")
    box = page.locator(CURTAIN)
    assert box.get_attribute("data-ready") == "yes"
    return page, box


def pixels(box):
    return box.screenshot(animations="disabled")


def place(box, x):
    """A point of the page, x of the way across the curtain."""
    frame = box.bounding_box()
    return frame["x"] + x * frame["width"], frame["y"] + frame["height"] / 3


def test_dragging_by_mouse(curtain):
    page, box = curtain
    before = pixels(box)
    page.mouse.move(*place(box, 0.5))
    page.mouse.down()
    page.mouse.move(*place(box, 0.2), steps=4)
    dragged = pixels(box)
    assert dragged != before
    page.mouse.up()

    # without a pressed button nothing follows
    page.mouse.move(*place(box, 0.8))
    assert pixels(box) == dragged


def test_dragging_by_finger(visit):
    page = visit("index.html", has_touch=True, viewport={"width": 390, "height": 844})
    box = page.locator(CURTAIN)
    before = pixels(box)
    session = page.context.new_cdp_session(page)
    for kind, x in (("touchStart", 0.5), ("touchMove", 0.35), ("touchMove", 0.2)):
        left, top = place(box, x)
        points = [{"x": left, "y": top}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert pixels(box) != before


def test_keyboard(curtain):
    page, box = curtain
    box.locator("input").focus()
    seen = [pixels(box)]
    for key in ("Home", "ArrowRight", "End"):
        page.keyboard.press(key)
        seen.append(pixels(box))
    assert len(set(seen)) == len(seen)
    assert "this book" in box.locator("input").get_attribute("aria-valuetext")


def test_the_original_is_a_tap_away(curtain):
    page, box = curtain
    before = pixels(box)
    button = page.get_by_role("button", name="original")
    button.click()
    page.wait_for_function("document.querySelector('.curtain .other').complete")
    assert pixels(box) != before
    assert box.locator(".tag.left").inner_text() == "the original"
    button.click()
    assert pixels(box) == before


def test_sizes_are_fair(curtain):
    _, box = curtain
    sizes = [int(s.replace(",", "")) for s in re.findall(r"([\d,]+) bytes", box.inner_text())]
    jpeg, ours = sizes
    assert 0.97 * jpeg <= ours <= jpeg


def test_pictures_are_sharp_on_fine_screens(curtain):
    _, box = curtain
    for image in box.locator("img:not([hidden])").all():
        natural, shown = image.evaluate("e => [e.naturalWidth, e.clientWidth]")
        assert natural >= 1.5 * shown


def test_the_page_has_one_title_and_no_sidebar(curtain):
    page, _ = curtain
    assert page.locator("h1:visible").count() == 1
    assert not page.locator("#pst-primary-sidebar").is_visible()
    assert page.locator(".diagrams svg[role=img]:visible").count() == 1


def test_ways_lead_somewhere(curtain):
    page, _ = curtain
    links = page.locator("article a[href]").evaluate_all("all => all.map(a => a.href)")
    home = page.url.rsplit("/", 1)[0]
    inside = {link.split("#")[0] for link in links if link.startswith(home)}
    assert len(inside) >= 14
    for link in inside:
        assert (SITE / link.removeprefix(home).lstrip("/")).exists(), link
    for word in ("notation", "about", "teach-with-it", "genindex", "LICENSE", "colab"):
        assert any(word in link for link in links), word


def test_exercises_are_counted(curtain):
    page, _ = curtain
    cells = [
        cell
        for file in (ROOT / "book").glob("*.ipynb")
        for cell in json.loads(file.read_text("utf-8"))["cells"]
    ]
    checked = sum("check" in cell["metadata"].get("tags", []) for cell in cells)
    assert f"{checked} of them check themselves" in page.locator(".landing-facts").inner_text()


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_jumps(visit, width):
    page = visit("index.html", viewport={"width": width, "height": 900})
    assert page.evaluate(SHIFT) < 0.05
