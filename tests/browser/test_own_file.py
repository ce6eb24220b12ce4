"""Chapter 9: readers open files of their own, and hover a byte to see its field."""

import pytest
from conftest import SITE
from test_explorables import MOVE, Hand, data_of, said

from mfca_tutorial import data
from mfca_tutorial.codec import Codec

NAME = "book/09_files.html"
TITLE = "#explorable-read-a-file-byte-by-byte"


@pytest.fixture(scope="module")
def file():
    """A file of another size than the chapter's, with a map."""
    picture = data.photograph("rocket")[:70, :130]
    return Codec.from_pretrained().compress(picture, 30.5, importance="auto")


def give(box, content, name="mine.mfca"):
    given = {"name": name, "mimeType": "", "buffer": content}
    box.locator("input[type=file]").set_input_files(given)


@pytest.mark.parametrize("kind", ["mouse", "finger"])
def test_a_byte_names_its_field(visit, file, kind):
    page = visit(NAME, has_touch=kind == "finger")
    box = page.locator(TITLE)
    give(box, file)
    status = box.locator("[role=status]")
    page.wait_for_function("(e) => e.textContent.includes('mine')", arg=status.element_handle())
    assert status.inner_text() == f"mine.mfca: {len(file):,} bytes"
    assert said(box) == "magic: bytes 0 to 3; 'MFCA'"

    # the bytes are those of the file
    cells = box.locator(".hex-byte").all_inner_texts()
    assert bytes.fromhex("".join(cells)) == file[:64] + file[-16:]

    # hover the first byte of the model, the quality, the checksum; then move the slider
    hand = Hand(page, kind)
    for at, words in (
        (5, f"model id: bytes 5 to 12; {file[5:13].hex()}"),
        (17, "quality: byte 17; 30.5 (in half steps)"),
        (len(file) - 1, f"checksum: bytes {len(file) - 4} to {len(file) - 1}; of all bytes before"),
    ):
        hand.drag(box.locator(f'.hex-byte[data-at="{at}"]'), (0.5, 0.5))
        assert said(box).startswith(words)
    box.evaluate(MOVE, [4])
    assert said(box) == "width: bytes 14 to 15; 130\u00a0pixels"
    assert box.locator("output").inner_text() == "width"
    assert page.problems == []


def test_a_damaged_file_is_refused_and_the_old_one_stays(visit, file):
    page = visit(NAME)
    box = page.locator(TITLE)
    before = box.locator(".hex").inner_text()
    give(box, file[:-1])
    status = box.locator("[role=status]")
    page.wait_for_function("(e) => e.textContent.includes('damaged')", arg=status.element_handle())
    assert box.locator(".hex").inner_text() == before


def test_the_reader_is_loaded_only_when_it_is_needed(visit):
    page = visit(NAME)
    assert not any(name.endswith(".mjs") for name in page.weight)


def test_from_a_file_the_page_says_what_to_do(browser):
    page = browser.new_page()
    page.goto((SITE / NAME).as_uri())
    box = page.locator(TITLE)
    assert "python -m http.server" in box.locator("[role=status]").inner_text()
    assert box.locator("input[type=file]").count() == 0

    # the bytes of the chapter's own file are there all the same
    box.evaluate(MOVE, [0])
    assert said(box) == data_of(box)["proofs"][1]["note"]
    page.close()
