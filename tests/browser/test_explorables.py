"""Every explorable under every hand: mouse, finger and keyboard, wide and narrow, light and dark.

What the page shows is compared with what Python says: with the values that `render` returned while
the book was built, or with the same numbers computed here.
"""

import base64
import json
import re
from fractions import Fraction

import numpy as np
import pytest
from conftest import SITE
from scipy.interpolate import PchipInterpolator
from scripts import SHIFT, WATCH

from mfca_tutorial.blocks import dct
from mfca_tutorial.show.html import typeset

FILES = sorted(SITE.glob("book/*.html"))
MOVING = [f"book/{f.name}" for f in FILES if 'class="explorable"' in f.read_text("utf-8")]
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}
ANSWER = 100  # milliseconds from a moved control to the new picture, where it is computed

# move all controls to indices: what the page says then, and how long it took
MOVE = """(box, at) => {
    const inputs = [...box.querySelectorAll(".explorable-input")];
    const start = performance.now();
    inputs.forEach((input, i) => { input.value = at[i]; });
    inputs.at(-1).dispatchEvent(new Event("input", {bubbles: true}));
    const time = performance.now() - start;
    const said = box.querySelector(".explorable-said");
    const text = (side) => (box.querySelector(".tag." + side) || {}).textContent;
    const picture = box.querySelector("img");
    return {note: said ? said.textContent : "", left: text("left"), right: text("right"),
            pictures: [...box.querySelectorAll("img")].map((img) => img.getAttribute("src")), time};
}"""
# all that a hand can change in an explorable
STATE = """box => JSON.stringify([
    [...box.querySelectorAll("input, select")].map((input) => input.value),
    [...box.querySelectorAll(".explorable-said, .tag")].map((part) => part.textContent),
    [...box.querySelectorAll(".on, .chosen")].map((part) => part.outerHTML),
])"""
INPUTS = """box => Object.fromEntries([...box.querySelectorAll(".explorable-input")]
    .map((input) => [input.dataset.key, Number(input.value)]))"""
# whether the page comes to stand beyond a place, within three seconds, and then rests there
SCROLLED = """async (least) => {
    const rest = (ms) => new Promise((done) => setTimeout(done, ms));
    for (let turn = 0; turn < 30 && scrollY <= least; turn++) await rest(100);
    await rest(100);
    return scrollY > least;
}"""


def data_of(box):
    return json.loads(box.locator(".explorable-data").text_content())


def said(box):
    """The line below; '' where there is none."""
    return "".join(box.locator(".explorable-said").all_text_contents())


def counts_of(box):
    return [len(texts) for texts in data_of(box)["texts"]]


class Hand:
    """A mouse or a finger that touches places (x, y), in 0..1 of an element."""

    def __init__(self, page, kind):
        self.page = page
        self.kind = kind
        self.session = page.context.new_cdp_session(page) if kind == "finger" else None

    def drag(self, element, *places):
        """Down at the first place, over the others, and up."""
        # to the middle of the window, away from the bar at its top
        element.evaluate("e => e.scrollIntoView({block: 'center', behavior: 'instant'})")
        self.page.wait_for_timeout(50)
        frame = element.bounding_box()
        points = [
            (frame["x"] + x * frame["width"], frame["y"] + y * frame["height"]) for x, y in places
        ]
        if self.kind == "mouse":
            self.page.mouse.move(*points[0])
            self.page.mouse.down()
            for point in points[1:]:
                self.page.mouse.move(*point, steps=3)
            self.page.mouse.up()
            return
        for number, (x, y) in enumerate(points):
            kind = "touchMove" if number else "touchStart"
            self._touch(kind, [{"x": x, "y": y}])
        self._touch("touchEnd", [])

    def swipe_up(self, x, y, length=160):
        """A finger at (x, y) of the window, 160 pixels upwards: what scrolls a page."""
        self._touch("touchStart", [{"x": x, "y": y}])
        for step in range(1, 17):
            # not quite straight, as thumbs move
            self._touch("touchMove", [{"x": x + step / 4, "y": y - length * step / 16}])
            self.page.wait_for_timeout(16)
        self._touch("touchEnd", [])

    def _touch(self, kind, points):
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


# ---- what a hand does to each kind, and what must come of it


def frames(box, hand):
    """A picture without a curtain: dragging moves the slider, or touching picks a cell."""
    data = data_of(box)
    stage = box.locator(".explorable-stage")
    if data["beside"]:
        return curtain(box, hand)
    if data["touch"] and isinstance(data["touch"][0], str):
        # each picture exchanges what its control says
        for place, key in enumerate(data["touch"]):
            before = box.evaluate(INPUTS)[key]
            hand.drag(stage, ((place + 0.5) / len(data["touch"]), 0.5))
            count = data["counts"][list(box.evaluate(INPUTS)).index(key)]
            assert box.evaluate(INPUTS)[key] == (before + 1) % count
    elif data["touch"]:
        rows, columns = data["touch"]
        hand.drag(stage, (0.9, 0.6))
        cell = int(0.6 * rows) * columns + int(0.9 * columns) + 1
        assert box.evaluate(INPUTS)["place"] == cell
    elif stage.evaluate("e => e.classList.contains('grabbed')"):
        hand.drag(stage, (0.3, 0.5), (0.86, 0.5))
        slider = box.locator("input[type=range]").first
        assert int(slider.input_value()) == round(0.86 * int(slider.get_attribute("max")))
    at = int(np.ravel_multi_index(list(box.evaluate(INPUTS).values()), data["counts"]))
    assert said(box) == data["notes"][at]
    assert box.locator(".explorable-panels > span").all_text_contents() == data["panels"][at]
    source = box.locator("img").first.get_attribute("src")
    assert source == data["frames"][data["index"][at]]


def curtain(box, hand, stage=None):
    """The border follows the hand; the pixels beside it are those of the two pictures."""
    stage = stage or box.locator(".curtain").first
    for x in (0.8, 0.25):
        hand.drag(stage, (0.5, 0.4), (x, 0.4))
        value = int(stage.locator(".curtain-border").input_value())
        assert abs(value - 100 * x) <= 1.5
        clip = stage.locator(".over").evaluate("e => getComputedStyle(e).clipPath")
        assert f"{value}%" in clip


def frequencies(box, hand):
    hand.drag(box.locator(".dct-pad"), (0.1, 0.1), (0.7, 0.4))
    assert box.evaluate(INPUTS) == {"u": 3, "v": 5}
    assert said(box).endswith("up to it: 24 of 64 patterns")
    assert "all patterns up to it" in box.text_content()


def keep(box, hand):
    curtain(box, hand)
    hand.drag(box.locator(".dct-pad"), (0.3, 0.45))
    k = dct.zigzag().index((3, 2)) + 1
    assert box.evaluate(INPUTS)["k"] == k - 1
    assert said(box).startswith(f"{k} of 64 kept")

    # what the pad does is said of the order that is chosen
    order = box.locator("select")
    for choice, words in (("0", "the fewer blocks keep it"), ("1", "zig-zag")):
        order.select_option(choice)
        assert words in box.locator(".caption").text_content()


def rounding(box, hand):
    curtain(box, hand)
    hand.drag(box.locator(".ladder"), (0.25, 0.5), (0.375, 0.5))  # the second line, to 96
    assert "step²/12 = 192.0" in said(box)


def intervals(box, hand):
    """Touch two symbols, then pull a border: Python narrows the same interval."""
    middle = (190 + 27) / 314  # of the drawing: the bar that is cut
    start = box.evaluate(INPUTS)
    message = list(data_of(box)["given"]["messages"].values())[start["message"]][: start["step"]]
    svg = box.locator(".interval")
    for x, symbol in ((0.5, 0), (0.1, -1)):
        hand.drag(svg, (x, middle))
        message = [*message, symbol]
    first, last = start["first"] + 1, start["last"] + 1
    hand.drag(svg, (first / 16, middle), ((first + 2) / 16 + 0.01, middle))
    assert box.evaluate(INPUTS)["first"] + 1 == first + 2
    first += 2

    parts = {-1: (0, first), 0: (first, 16 - first - last), 1: (16 - last, last)}
    low, width = Fraction(0), Fraction(1)
    for symbol in message:
        begin, count = parts[symbol]
        low, width = low + width * Fraction(begin, 16), width * Fraction(count, 16)
    price = -np.log2(float(width))
    shown = f"interval [{float(low):.6f}, {float(low + width):.6f}): ideal price {price:.2f} bits"
    assert said(box).startswith(typeset(shown))

    # it is the list's last entry now, and the slider shows another part of it
    list_ = box.locator("select")
    assert list_.evaluate("e => e.selectedOptions[0].textContent") == "yours"
    steps = box.locator('[data-key="step"]')
    assert int(steps.input_value()) == len(message)
    steps.press("ArrowLeft")
    assert not said(box).startswith(typeset(shown))
    steps.press("ArrowRight")
    assert said(box).startswith(typeset(shown))

    # the buttons do the same for the keyboard, and a ninth symbol has no place
    box.get_by_role("button", name="take the last symbol away").press("Enter")
    assert not said(box).startswith(typeset(shown))
    for _ in range(9):
        box.get_by_role("button", name="add 0").press("Enter")
    assert box.evaluate(INPUTS)["step"] == 8
    assert "no more than eight" in box.locator(".interval").text_content()

    # a slider cannot say more than the bar shows
    box.locator('[data-key="last"]').press("End")
    rest = box.evaluate(INPUTS)
    assert rest["first"] + 1 + rest["last"] + 1 == 15
    output = box.locator("output").last
    assert output.text_content() == str(rest["last"] + 1)


def bytes_(box, hand):
    """The byte under the pointer names its field."""
    fields = data_of(box)["given"]["fields"]
    for at in (4, 6, 20):
        hand.drag(box.locator(f'.hex-byte[data-at="{at}"]'), (0.5, 0.5))
        name, start, size, _ = next(one for one in fields if one[1] <= at < one[1] + one[2])
        place = f"byte {start}" if size == 1 else f"bytes {start} to {start + size - 1}"
        assert said(box).startswith(f"{name}: {place};")


def race(box, hand):
    """An edge is pulled: SciPy integrates over the same range."""
    svg = box.locator(".plot")
    knob = box.locator(".edge-knob").first
    knob.scroll_into_view_if_needed()
    outer, inner = svg.bounding_box(), knob.bounding_box()
    x = (inner["x"] + inner["width"] / 2 - outer["x"]) / outer["width"]
    y = (inner["y"] + inner["height"] / 2 - outer["y"]) / outer["height"]
    hand.drag(svg, (x, y), (x, y - 0.15))
    values = box.evaluate(INPUTS)
    assert values["start"] >= 5  # the whole pull, not only its first step

    given = data_of(box)["given"]
    names = data_of(box)["texts"]
    rival, metric = names[0][values["rival"]], names[1][values["metric"]]
    pair = [given["curves"][name][metric] for name in (rival, given["ours"])]
    least = max(quality[0] for _, quality in pair)
    most = min(quality[-1] for _, quality in pair)
    low, high = (least + (most - least) * values[key] / 20 for key in ("start", "end"))
    areas = [PchipInterpolator(q, np.log(r)).integrate(low, high) for r, q in pair]
    gain = 100 * np.expm1((areas[1] - areas[0]) / (high - low))
    verdict = f"{abs(gain):.1f} % {'more' if gain > 0 else 'fewer'} bits"
    assert typeset(verdict) in said(box)
    assert typeset(f"over {low:.1f} to {high:.1f} dB") in said(box)


def wave(box, hand):
    hand.drag(box.locator(".waves"), (0.6, 0.5), (0.3, 0.5))  # 3 + 0.3 * 40
    assert said(box).startswith("frequency 15 of 28: factor −0.")


def gates(box, hand):
    """The cell that is marked at first, and another one, are dragged to the right."""
    given = data_of(box)["given"]
    weights = {}
    for name, packed in given["weights"].items():
        weights[name] = unpacked(packed)
    s = unpacked(given["energies"]).astype(float)
    asked = [tuple(frequency) for frequency in given["frequencies"]]
    before = gates_by_hand(s, weights, given["told"])

    u, v = asked[-1]
    pad = box.locator(".gate-pad").bounding_box()["width"]
    for frequency in ((0, 0), (u, v)):
        place = (frequency[1] + 0.5) / 8, (frequency[0] + 0.5) / 8
        hand.drag(box.locator(".gate-pad"), place, (place[0] + 25 / pad, place[1]))
        assert box.evaluate(INPUTS)["louder"] == 6  # two steps

        own = np.array([one == frequency for one in asked])
        after = gates_by_hand(s + np.log(2) * own, weights, given["told"])
        change = np.abs(after / before - 1)
        name = f"{frequency[0]}, {frequency[1]}"
        line = f"energy of ({name}): 4 times; quality: {given['told']}; the gates of its channels "
        line += f"move by {change[own].mean():.1%} on average, "
        assert said(box) == typeset(f"{line}all others by {change[~own].mean():.1%}")

    # the lines stay where the gates stood at first, whatever the quality
    lines = box.locator(".before").get_attribute("d")
    box.locator('[data-key="quality"]').press("Home")
    assert box.locator(".before").get_attribute("d").count("h") == lines.count("h") == len(s)
    told = gates_by_hand(s + np.log(2) * own, weights, 0)
    change = np.abs(told / before - 1)[~own].mean()
    assert said(box).endswith(typeset(f"all others by {change:.1%}"))


def unpacked(packed):
    """What `html.packed` has written into a page."""
    if isinstance(packed, list):
        return np.array(packed)
    return np.frombuffer(base64.b64decode(packed["base64"]), packed["type"])


def gates_by_hand(s, weights, quality):
    """Energies (C,) and a quality 0..100 -> gates (C,)."""
    t = 2 * quality / 100 - 1
    hidden = weights["W1"].reshape(-1, len(s)) @ s
    hidden += weights["Wq"].reshape(-1, 2) @ [t, t**2] + weights["b1"]
    logits = weights["W2"].reshape(len(s), -1) @ np.maximum(hidden, 0) + weights["b2"]
    return 2 / (1 + np.exp(-logits))


def kernels(box, hand):
    svg = box.locator(".kernels")
    hand.drag(svg, (3 / 24, 8 / 226), (6 / 24, 8 / 226))
    hand.drag(svg, (4 / 24, 21 / 226), (3.4 / 24, 21 / 226))
    assert box.evaluate(INPUTS) == {"kernel": 4, "stride": 1}  # 6 and 3
    assert said(box) == "a pixel is covered 2 times; in both directions together, 4 times"


def painting(box, hand):
    """Two blocks are painted: their bytes and errors come from the brush's level."""
    given = data_of(box)["given"]
    values = box.evaluate(INPUTS)
    levels = list(list(given["presets"].values())[values["map"]])
    for block in (0, 3):
        hand.drag(box.locator(".paint-frame"), ((block + 0.5) / 4, 0.1))
        levels[block] = values["brush"]
    cost = sum(given["bytes"][level][block] for block, level in enumerate(levels))
    mse = np.mean([given["errors"][level][block] for block, level in enumerate(levels)])
    line = f"{cost:,.0f} bytes, {10 * np.log10(255**2 / mse):.2f} dB;"
    assert said(box).startswith(typeset(line))

    # and by keyboard
    block = box.locator(".paint-grid button").nth(5)
    before = said(box)
    block.focus()
    hand.page.keyboard.press("Enter")
    assert said(box) != before
    assert f"{given['offsets'][values['brush']]:+d}".replace("-", "−") == block.inner_text()

    # the list says whose map it is, and any other entry leads back
    maps = box.locator('[data-key="map"]')
    assert maps.evaluate("e => e.selectedOptions[0].textContent") == "yours"
    maps.select_option(str(values["map"]))
    assert said(box) == next(p["note"] for p in data_of(box)["proofs"])
    maps.select_option(label="yours")
    assert said(box) != before


def passes(box, hand):
    place = box.locator('[data-place="1,1,2"]')
    hand.drag(place, (0.5, 0.5))
    assert said(box).startswith(f"Pass {place.inner_text()}:")
    assert "chosen" in place.get_attribute("class")


def replay(box, hand):
    """The picture is pulled from end to end, a chart at the epoch under the hand."""
    given = data_of(box)["given"]
    hand.drag(box.locator("img"), (0.2, 0.5), (0.5, 0.5))
    middle = box.evaluate(INPUTS)["epoch"]
    assert middle == round(0.5 * (len(given["epochs"]) - 1))
    assert box.locator("img").get_attribute("src") == given["pictures"][middle]
    line = f"this picture {given['decibels'][middle]:.2f} dB;"
    assert said(box).startswith(typeset(line))

    hand.drag(box.locator("svg"), (0.5, 0.5), (0.999, 0.5))
    assert box.evaluate(INPUTS)["epoch"] == len(given["epochs"]) - 1


KINDS = {
    "frames": frames,
    "curtain": curtain,
    "frequencies": frequencies,
    "keep": keep,
    "rounding": rounding,
    "intervals": intervals,
    "bytes": bytes_,
    "race": race,
    "wave": wave,
    "gates": gates,
    "kernels": kernels,
    "painting": painting,
    "passes": passes,
    "replay": replay,
}


# ---- the tests


# all controls as they were when the page arrived
RESET = """box => box.querySelectorAll(".explorable-input").forEach((input) => {
    if (input.options) input.value = [...input.options].find((one) => one.defaultSelected).value;
    else input.value = input.defaultValue;
    input.dispatchEvent(new Event("input", {bubbles: true}));
    input.dispatchEvent(new Event("change", {bubbles: true}));
})"""


def keys(box, page):
    """By keyboard alone to the first values of all controls, then to the last ones."""
    data = data_of(box)
    for border in box.locator(".curtain-border").all():
        for key, percent in (("Home", "0%"), ("End", "100%")):
            border.press(key)
            over = box.locator(".over").first
            assert percent in over.evaluate("e => getComputedStyle(e).clipPath")

    every = counts_of(box)
    ends = {"Home": [0] * len(every), "End": [count - 1 for count in every]}
    for key, at in ends.items():
        for control in box.locator(".explorable-input").all():
            control.press(key)
            # the last entry may be what a hand has made before
            if control.evaluate("e => e.options && e.selectedOptions[0].text === 'yours'"):
                control.press("ArrowUp")
        reached = list(box.evaluate(INPUTS).values())
        if box.get_attribute("data-kind") == "intervals" and key == "End":
            assert reached == [*at[:3], 0]  # what p(-1) leaves for p(+1)
        else:
            assert reached == at
        if "counts" in data:
            frame = int(np.ravel_multi_index(at, data["counts"]))
            if any(data["notes"]):
                assert said(box) == data["notes"][frame]
            shown = box.locator("img").first.get_attribute("src")
            assert shown == data["frames"][data["index"][frame]]
        elif data.get("proofs"):
            note = next(proof["note"] for proof in data["proofs"] if proof["at"] == at)
            assert said(box) == note


def is_full(box):
    """The picture and the controls share their edges, and no part of the box is empty."""
    inner = box.locator(".explorable-stage").first.bounding_box()
    outer = box.bounding_box()
    assert inner["width"] > 0.93 * outer["width"]
    for slider in box.locator(".explorable-control input").all():
        frame = slider.bounding_box()
        assert abs(frame["x"] - inner["x"]) <= 2
        assert abs(frame["width"] - inner["width"]) <= 4


def python_says(box):
    """What the page shows at places all over the controls is what Python computed there."""
    data = data_of(box)
    slowest = 0
    for proof in data.get("proofs", []):
        shown = box.evaluate(MOVE, proof["at"])
        assert shown["note"] == proof["note"]
        slowest = max(slowest, shown["time"])
    assert slowest <= ANSWER, box.get_attribute("id")

    # frames: the first, the last and some between
    if "counts" not in data:
        return
    for at in np.linspace(0, len(data["index"]) - 1, 5).astype(int):
        places = [int(place) for place in np.unravel_index(at, data["counts"])]
        shown = box.evaluate(MOVE, places)
        assert shown["note"] == data["notes"][at]
        assert shown["pictures"][0] == data["frames"][data["index"][at]]
        if data["beside"]:
            assert shown["left"] == data["labels"][at]
            assert shown["right"] == data["besideLabels"][at]
            assert shown["pictures"][1] == data["frames"][data["beside"][at]]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", MOVING)
def test_hands_take_hold(visit, name, theme, size):
    """Mouse, finger and keyboard, one after the other; nothing jumps meanwhile."""
    width, height = SIZES[size]
    view = {"viewport": {"width": width, "height": height}, "color_scheme": theme}
    page = visit(name, has_touch=True, is_mobile=False, **view)
    assert page.evaluate(SHIFT) < 0.05
    page.evaluate(WATCH)
    for box in page.locator(".explorable").all():
        page.evaluate("window.shifted = 0")
        tall = box.bounding_box()["height"]
        for kind in ("mouse", "finger"):
            KINDS[box.get_attribute("data-kind")](box, Hand(page, kind))
            box.evaluate(RESET)
        keys(box, page)
        assert box.bounding_box()["height"] == pytest.approx(tall, abs=1)

        # what does not depend on the theme
        if theme == "light":
            python_says(box)
            if size == "wide":
                is_full(box)
        # what the reader moves counts, too
        assert page.evaluate("window.shifted") < 0.05, box.get_attribute("id")
    assert page.problems == []


# what a finger may land on
HELD = ".grabbed, .curtain, .explorable-stage, input[type=range].explorable-input"


@pytest.mark.parametrize("name", MOVING)
def test_a_finger_that_scrolls_changes_nothing(visit, name):
    """On a phone, a vertical swipe over an explorable moves the page and nothing else."""
    page = visit(name, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    hand = Hand(page, "finger")
    for box in page.locator(".explorable").all():
        for part in box.locator(HELD).all():
            if not part.is_visible():
                continue
            part.evaluate("e => e.scrollIntoView({block: 'center', behavior: 'instant'})")
            page.wait_for_timeout(50)
            frame = part.bounding_box()
            before = box.evaluate(STATE), page.evaluate("scrollY")
            hand.swipe_up(frame["x"] + 0.3 * frame["width"], frame["y"] + 0.5 * frame["height"])
            what = f"{box.get_attribute('id')}: {part.get_attribute('class')}"
            assert page.evaluate(SCROLLED, before[1] + 80), what
            assert box.evaluate(STATE) == before[0], what
    assert page.problems == []


def test_pages_work_from_a_file(browser):
    page = browser.new_page()
    for name in MOVING[:3]:
        page.goto((SITE / name).as_uri())
        ready = page.locator(".explorable[data-ready=yes]").count()
        assert ready == page.locator(".explorable").count() > 0
    page.close()


def test_without_javascript_the_first_picture_stands(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for name in MOVING:
        page.goto(f"{address}/{name}")
        for box in page.locator(".explorable").all():
            assert box.locator("img").first.is_visible(), box.get_attribute("id")
    context.close()


def test_every_explorable_asks_and_answers():
    text = "".join((SITE / name).read_text("utf-8") for name in MOVING)
    tasks = re.findall(r'class="explorable-task">(.*?)</p>', text)
    answers = text.count('<details class="explorable-answer">')
    assert len(tasks) >= 18
    assert answers >= 0.8 * len(tasks)
