"""The page 'Try it': from a picture to a file that Python reads, and nothing leaves the site."""

import re
import time
import zlib

import chromium
import numpy as np
import pytest
from conftest import SITE
from test_weight_and_paper import KB, sent
from try_it_page import (
    NAME,
    bytes_of,
    downloaded,
    error_of,
    file_of,
    give,
    pixels,
    png,
    set_quality,
    wait,
    wait_for_file,
)

from mfca_tutorial import data
from mfca_tutorial.codec import Codec
from mfca_tutorial.evaluation.metrics import psnr

LOAD = 450  # KB as gzip sends them, before the first action
SECONDS = 20  # from a picture of 384 x 256 pixels to its reconstruction
PEAK = 900  # MB, of the page's process


@pytest.fixture(scope="module")
def picture():
    """384 x 256 pixels."""
    return data.photograph("chelsea")[20:276, 40:424]


def test_python_reads_what_the_page_wrote(try_it, picture, tmp_path):
    start = time.perf_counter()
    give(try_it, png(picture))
    try_it.wait_for_function("document.querySelector('#try-psnr').textContent.includes('dB')")
    seconds = time.perf_counter() - start
    wait(try_it)
    print(f"from picture to picture in {seconds:.1f} s")
    assert seconds < SECONDS

    codec = Codec.from_pretrained()
    for quality in (50, 80):
        if quality != 50:
            set_quality(try_it, quality)
        file = downloaded(try_it, tmp_path)
        assert file.name == "mine.mfca"
        written = file.read_bytes()
        assert len(written) == bytes_of(try_it)
        assert abs(len(codec.compress(picture, quality)) - len(written)) <= 8

        # what Python decodes is what the curtain shows; the last network may round otherwise
        decoded = codec.decode_pixels(written)
        assert np.abs(decoded.astype(int) - pixels(try_it)).max() <= 1
        shown = float(re.search(r"[\d.]+", try_it.locator("#try-psnr").inner_text())[0])
        assert shown == pytest.approx(psnr(picture, decoded), abs=0.01)

    assert try_it.problems == []
    peak = chromium.renderer_peak()
    if peak:
        print(f"resident peak of the renderer: {peak:.0f} MB")
        assert peak < PEAK


def test_rivals_are_not_larger_and_parts_are_the_whole(try_it, picture):
    give(try_it, png(picture))
    wait(try_it)
    rows = [row.inner_text().split("\t") for row in try_it.locator("#try-files tr").all()]
    sizes = {row[0].split(",")[0]: int(row[1].replace(",", "")) for row in rows}
    ours = bytes_of(try_it)
    assert sizes["this book"] == ours
    assert 0.8 * ours < sizes["JPEG"] <= ours
    assert 0.8 * ours < sizes["WebP"] <= ours
    parts = try_it.locator("#try-parts li b").all_inner_texts()
    assert sum(int(part.replace(",", "")) for part in parts) == pytest.approx(ours, abs=3)

    # both sides of the curtain are what their lists say
    assert "JPEG" in try_it.locator("#try-curtain .tag.left").inner_text()
    try_it.select_option("#try-left", "original")
    assert np.array_equal(pixels(try_it, "under"), picture)


def test_a_painted_map_reaches_the_file(try_it, picture, tmp_path):
    give(try_it, png(picture))
    wait(try_it)
    try_it.select_option("#try-brush", "14")
    try_it.locator("#try-paint").focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        try_it.keyboard.press(key)
    assert try_it.locator("#try-map").input_value() == "painted"
    try_it.wait_for_function("() => !document.querySelector('#try-cancel').hidden")
    wait(try_it)
    file = downloaded(try_it, tmp_path)
    codec = Codec.from_pretrained()
    same = codec.compress(picture, 50, importance=painted())
    assert abs(len(same) - file.stat().st_size) <= 8

    # a file of somebody else's: no original, no slider, the same pixels
    give(try_it, str(file))
    wait_for_file(try_it)
    decoded = codec.decode_pixels(file.read_bytes())
    assert np.abs(decoded.astype(int) - pixels(try_it)).max() <= 1
    assert not try_it.locator("#try-quality").is_visible()
    assert "with an importance map" in try_it.locator("#try-notice").inner_text()


def painted():
    """The mask of the brush's stroke: block (1, 1) at level 14, the others at 8."""
    mask = np.zeros((256, 384), np.float32)
    mask[64:128, 64:128] = 2 * 14 / 16 - 1
    return mask


def test_large_pictures_are_reduced_with_a_word(try_it):
    wide = np.zeros((100, 1000, 3), np.uint8)
    wide[:, 500:] = 200
    give(try_it, png(wide))
    wait(try_it)
    assert "reduced to 768 x 77" in try_it.locator("#try-notice").inner_text()
    assert pixels(try_it).shape == (77, 768, 3)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.png", b"no picture", "not a picture"),
        ("a.mfca", b"MFCA", "cut short"),
        ("a.mfca", b"", "is empty"),
    ],
)
def test_errors_are_words(try_it, name, content, words):
    give(try_it, file_of(content, name))
    assert words in error_of(try_it)
    assert try_it.locator("#try-error").get_attribute("role") == "alert"


@pytest.mark.parametrize(("place", "words"), [(-20, "damaged"), (6, "another version")])
def test_damaged_files_and_those_of_another_model_are_refused(try_it, picture, place, words):
    file = bytearray(Codec.from_pretrained().compress(picture, 30))
    file[place] ^= 1
    if place > 0:  # in the model's id: the file itself is whole
        file[-4:] = zlib.crc32(file[:-4]).to_bytes(4, "big")
    give(try_it, file_of(bytes(file), "a.mfca"))
    assert words in error_of(try_it)


def test_after_cancelling_the_next_picture_works(try_it, picture):
    give(try_it, png(picture))
    try_it.locator("#try-cancel").click()
    assert try_it.locator("#try-status").inner_text() == "Cancelled."
    try_it.get_by_role("button", name="A tabby cat").click()
    wait(try_it)


def test_the_page_is_light_before_the_first_action(visit):
    page = visit(NAME)
    page.wait_for_timeout(500)
    total = sum(sent(name.lstrip("/")) for name in page.weight) / KB
    print(f"{total:.0f} KB before the first action")
    assert total <= LOAD
    assert not any(name.startswith("/web/") for name in page.weight)


def test_from_a_file_the_page_says_what_to_do(browser):
    page = browser.new_page()
    page.goto((SITE / NAME).as_uri())
    assert "python -m http.server" in page.locator(".try-when.local").inner_text()
    assert not page.locator(".try-source").is_visible()
    page.close()


def test_without_the_codec_a_line_says_how_to_get_it(visit):
    page = visit(NAME)
    page.evaluate("document.querySelector('#try-it').dataset.state = 'absent'")
    assert "make book" in page.locator(".try-when.absent").inner_text()
    assert not page.locator(".try-source").is_visible()
