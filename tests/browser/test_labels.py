"""The book's diagrams as a browser draws them: no label leaves its frame or covers another one.

They are drawn with the browser's own fonts, as in Jupyter; the page's fonts are narrower.
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from diagrams import catalogue  # noqa: E402

DRAWN = catalogue.all_files()

# What is wrong with the labels of the page's only diagram, as a list of sentences.
FAULTS = """() => {
    const faults = [];
    const frame = document.querySelector("svg").getBoundingClientRect();
    const texts = [...document.querySelectorAll("text")];
    const labels = texts.map(text => [text.textContent, text.getBoundingClientRect()]);
    const boxes = [...document.querySelectorAll("rect.box")].map(b => b.getBoundingClientRect());
    for (const [words, label] of labels) {
        if (label.left < frame.left - 1 || label.right > frame.right + 1 ||
            label.top < frame.top - 1 || label.bottom > frame.bottom + 1)
            faults.push(`'${words}' leaves the diagram`);
        for (const box of boxes) {
            const x = (label.left + label.right) / 2, y = (label.top + label.bottom) / 2;
            const inside = box.left < x && x < box.right && box.top < y && y < box.bottom;
            if (inside && (label.left < box.left || label.right > box.right))
                faults.push(`'${words}' is wider than its box`);
        }
    }
    labels.forEach(([one, a], index) => {
        for (const [other, b] of labels.slice(index + 1)) {
            const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
            const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
            if (across > 1 && down > 4) faults.push(`'${one}' and '${other}' overlap`);
        }
    });
    return faults;
}"""


@pytest.fixture(scope="module")
def blank(browser):
    page = browser.new_page(viewport={"width": 800, "height": 900})
    yield page
    page.close()


def faults(page, svg):
    page.set_content(f"<body style='margin:20px'>{svg}</body>")
    return page.evaluate(FAULTS)


@pytest.mark.parametrize("file", DRAWN)
def test_labels_have_room(file, blank):
    assert faults(blank, DRAWN[file]) == []


def test_the_check_sees_what_is_wrong(blank):
    size = "width='100' height='40'"
    words = "<text x='10' y='20'>one</text><text x='12' y='20'>two</text>"
    assert len(faults(blank, f"<svg {size}>{words}</svg>")) == 1
    assert len(faults(blank, f"<svg {size}><text x='90' y='20'>too far</text></svg>")) == 1
    box = (
        "<rect class='box' x='5' y='5' width='40' height='20'/><text x='6' y='20'>wide text</text>"
    )
    assert len(faults(blank, f"<svg {size}>{box}</svg>")) == 1
