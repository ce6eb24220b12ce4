"""What the tests of the page 'Try it' do with it: give it files, wait, look at what it shows."""

import base64
import io
import re

import numpy as np
from PIL import Image

NAME = "book/try_it.html"

# nothing is being done, and what was asked for is there
DONE = """() => document.querySelector("#try-cancel").hidden
    && document.querySelectorAll("#try-files tr").length === 4
    && !document.querySelector("#try-files").textContent.includes("…")"""
# `hasBegun` is true as soon as the page is busy again
NOTICE = """() => {
    window.hasBegun = false;
    const work = document.getElementById("try-work");
    new MutationObserver((records, observer) => {
        if (work.getAttribute("aria-busy") !== "true") return;
        window.hasBegun = true;
        observer.disconnect();
    }).observe(work, { attributeFilter: ["aria-busy"] });
}"""
# a canvas of the curtain: its sides, and its pixels as text
PIXELS = """(id) => {
    const canvas = document.getElementById(id);
    const image = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const letters = Array.from(image.data, (byte) => String.fromCharCode(byte));
    return [canvas.width, canvas.height, btoa(letters.join(""))];
}"""


def file_of(content, name, kind=""):
    return {"name": name, "mimeType": kind, "buffer": content}


def png(picture):
    """uint8 (H, W, 3) as a file that a reader would choose."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file_of(file.getvalue(), "mine.png", "image/png")


def give(page, file):
    """Choose a file, and wait until the page has begun with it: what it showed before is past."""
    page.evaluate(NOTICE)
    page.set_input_files("#try-file", file)
    page.wait_for_function("window.hasBegun", timeout=60_000)


def wait(page):
    """Until the picture is coded, and compared with others."""
    page.wait_for_function(DONE, timeout=120_000)
    assert page.locator("#try-error").inner_text() == ""


def wait_for_file(page):
    """Until a .mfca file is shown."""
    page.wait_for_function(
        """() => document.querySelector("#try-it").dataset.state === "file"
            && document.querySelector("#try-cancel").hidden
            && !document.querySelector("#try-save-png").hidden""",
        timeout=120_000,
    )


def error_of(page):
    """What the page says went wrong."""
    page.wait_for_function("document.querySelector('#try-error').textContent", timeout=60_000)
    return page.locator("#try-error").inner_text()


def set_quality(page, value):
    """As a hand does it: move, then let go; the page is busy at once."""
    page.locator("#try-quality").evaluate(
        """(slider, value) => {
            slider.value = value;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            slider.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        value,
    )
    wait(page)


def downloaded(page, tmp_path, link="#try-save-file"):
    with page.expect_download() as download:
        page.locator(link).click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    return file


def unpacked(width, height, text):
    """Pixels as text in base64, RGBA -> uint8 (H, W, 3)."""
    raw = np.frombuffer(base64.b64decode(text), np.uint8)
    return raw.reshape(height, width, 4)[:, :, :3]


def pixels(page, side="over"):
    """What one side of the curtain shows: 'under' is the left one, 'over' the right one."""
    return unpacked(*page.evaluate(PIXELS, f"try-{side}"))


def bytes_of(page):
    """The size of the file, as the page says it."""
    return int(re.sub(r"\D", "", page.locator("#try-size").inner_text()))
