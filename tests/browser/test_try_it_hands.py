"""The page 'Try it' under many hands: drop, paste, phones, 'Cancel', odd pictures, large files."""

import base64
import io

import numpy as np
import pytest
from conftest import SITE
from PIL import Image, ImageCms
from scripts import SHIFT
from test_weight_and_paper import KB, sent
from try_it_page import (
    NAME,
    bytes_of,
    downloaded,
    file_of,
    give,
    pixels,
    png,
    set_quality,
    unpacked,
    wait,
    wait_for_file,
)

from mfca_tutorial import data
from mfca_tutorial.codec import Codec

DOWNLOAD = 16  # MB as gzip sends them, with the first picture

# a file as the system hands it over when it is dropped or pasted
HAND_OVER = """([how, name, text]) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const handed = new DataTransfer();
    handed.items.add(new File([bytes], name));
    const options = { bubbles: true, cancelable: true };
    if (how === "paste") {
        document.body.dispatchEvent(new ClipboardEvent(how, { ...options, clipboardData: handed }));
        return;
    }
    for (const event of ["dragover", "drop"]) {
        document.body.dispatchEvent(new DragEvent(event, { ...options, dataTransfer: handed }));
    }
}"""
# what the page makes of a picture's file before anything is coded
READ = """async ([address, text, maxSide]) => {
    const { readPicture } = await import(address);
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const { pixels, width, height } = await readPicture(new Blob([bytes]), maxSide);
    return [width, height, btoa(Array.from(pixels, (b) => String.fromCharCode(b)).join(""))];
}"""


def in_base64(content):
    return base64.b64encode(content).decode()


@pytest.fixture(scope="module")
def cat():
    """96 x 64 pixels: coded in a moment."""
    return data.photograph("chelsea")[100:164, 150:246]


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_pictures_are_dropped_and_pasted(try_it, cat, how):
    content = png(cat)["buffer"]
    try_it.evaluate(HAND_OVER, [how, "mine.png", in_base64(content)])
    wait(try_it)
    assert try_it.locator("#try-save-file").get_attribute("download") == "mine.mfca"
    try_it.select_option("#try-left", "original")
    assert np.array_equal(pixels(try_it, "under"), cat)
    assert "is-over" not in try_it.locator("#try-it").get_attribute("class")


def test_a_file_that_is_dropped_is_decoded_even_under_another_name(try_it, cat):
    codec = Codec.from_pretrained()
    file = codec.compress(cat, 60)
    try_it.evaluate(HAND_OVER, ["drop", "picture.jpg", in_base64(file)])
    wait_for_file(try_it)
    assert np.abs(codec.decode_pixels(file).astype(int) - pixels(try_it)).max() <= 1


def test_phones_code_smaller_pictures(visit):
    screen = {"width": 390, "height": 844}
    page = visit(NAME, viewport=screen, screen=screen, is_mobile=True, has_touch=True)
    give(page, png(np.tile(np.uint8([40, 90, 200]), (100, 500, 1))))
    wait(page)
    assert "at most 384 per side" in page.locator("#try-notice").inner_text()
    assert pixels(page).shape == (77, 384, 3)

    # nothing is wider than the screen
    assert page.evaluate("document.documentElement.scrollWidth") == screen["width"]


def test_tall_and_wide_pictures_leave_the_controls_in_sight(try_it):
    for height, width in ((768, 40), (20, 768)):
        give(try_it, png(np.tile(np.uint8([200, 90, 40]), (height, width, 1))))
        wait(try_it)
        box = try_it.locator("#try-stage").bounding_box()
        assert box["height"] <= 0.86 * 900  # of the window
        assert box["width"] / box["height"] == pytest.approx(width / height, rel=0.05)
        assert not try_it.locator("#try-stage .knob").is_visible()


def test_nothing_jumps(try_it, cat):
    """Neither while the page loads, nor when a picture is coded again."""
    assert try_it.evaluate(SHIFT) < 0.1
    give(try_it, png(cat))
    wait(try_it)
    before = try_it.evaluate(SHIFT)
    set_quality(try_it, 80)
    assert try_it.evaluate(SHIFT) - before < 0.02


def test_a_large_file_is_decoded_tile_by_tile_and_saved_as_png(try_it, tmp_path):
    wide = np.tile(data.photograph("rocket")[200:270, 100:400], (1, 4, 1))[:, :1100]
    codec = Codec.from_pretrained()
    file = codec.compress(wide, 40)
    give(try_it, file_of(file, "wide.mfca"))
    wait_for_file(try_it)
    assert bytes_of(try_it) == len(file)
    shown = pixels(try_it)
    assert np.abs(codec.decode_pixels(file).astype(int) - shown).max() <= 1

    saved = downloaded(try_it, tmp_path, "#try-save-png")
    assert saved.name == "wide.png"
    assert np.array_equal(data.read_image(saved)[0], shown)


def test_cancelling_ends_one_run_and_not_the_next(try_it, cat):
    """A new picture right after 'Cancel', while a network still works on the old one."""
    give(try_it, png(cat))
    wait(try_it)
    give(try_it, png(np.tile(cat, (8, 8, 1))))
    try_it.get_by_text("Analysing the picture").wait_for()
    try_it.locator("#try-cancel").click()
    assert try_it.locator("#try-status").inner_text() == "Cancelled."
    give(try_it, png(cat[::-1]))
    wait(try_it)
    assert pixels(try_it).shape == cat.shape
    assert "dB" in try_it.locator("#try-psnr").inner_text()


def test_an_erased_map_is_flat_again(try_it, cat, tmp_path):
    give(try_it, png(cat))
    wait(try_it)
    flat = downloaded(try_it, tmp_path).read_bytes()
    try_it.select_option("#try-brush", "2")
    try_it.locator("#try-paint").focus()
    try_it.keyboard.press("Enter")
    try_it.locator("#try-erase").click()
    assert try_it.locator("#try-map").input_value() == "flat"
    wait(try_it)
    assert downloaded(try_it, tmp_path).read_bytes() == flat


# ---- pictures that are not as plain as they look


def swapped_profile():
    """A colour profile that is sRGB with red and blue exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")


def odd_pictures(cat):
    """{name: (file, what the page must see, how far it may be off)}."""
    files = {}

    def add(name, picture, wanted, kind, off, **options):
        file = io.BytesIO()
        picture.save(file, kind, **options)
        files[name] = file.getvalue(), wanted(file), off

    def read(file):
        return data.read_image(io.BytesIO(file.getvalue()))[0]

    photograph = Image.fromarray(cat)
    turned = photograph.getexif()
    turned[0x0112] = 6  # a quarter turn
    add("turned", photograph, read, "JPEG", 3, quality=95, exif=turned)

    glass = photograph.copy()
    glass.putalpha(Image.linear_gradient("L").resize(photograph.size))
    add("transparent", glass, read, "PNG", 1)
    add("palette", photograph.quantize(16), read, "PNG", 0)
    add("grey", photograph.convert("L"), read, "PNG", 0)
    add("grey, 16 bits", Image.fromarray(257 * cat[:, :, 0].astype(np.uint16)), read, "PNG", 1)
    add(
        "profile",
        photograph,
        lambda file: cat[:, :, ::-1],
        "PNG",
        2,
        icc_profile=swapped_profile(),
    )
    return files


def test_odd_pictures_are_seen_as_the_package_sees_them(try_it, cat):
    """Except for colour profiles, which the browser applies."""
    address = "/_static/try_it/pictures.mjs"
    for name, (content, wanted, off) in odd_pictures(cat).items():
        found = unpacked(*try_it.evaluate(READ, [address, in_base64(content), 768]))
        assert found.shape == wanted.shape, name
        assert np.abs(found.astype(int) - wanted).max() <= off, name


def test_pictures_are_reduced_without_skipping_pixels(try_it):
    """A chequer of single pixels becomes even grey, as with any good filter."""
    rows, columns = np.indices((1200, 1600))
    chequer = np.repeat(np.uint8(255 * ((rows + columns) % 2))[:, :, None], 3, 2)
    address = "/_static/try_it/pictures.mjs"
    content = in_base64(png(chequer)["buffer"])
    small = unpacked(*try_it.evaluate(READ, [address, content, 200]))
    assert small.shape == (150, 200, 3)
    assert np.abs(small.astype(int) - 127).max() <= 2


def test_the_whole_download_is_bounded(try_it):
    """All that the page may ever load of the codec, as gzip sends it."""
    files = [*(SITE / "web").iterdir(), *(SITE / "_static" / "try_it").glob("*.*")]
    total = sum(sent(str(file.relative_to(SITE))) for file in files) / (1000 * KB)
    print(f"{total:.1f} MB of codec to download")
    assert total <= DOWNLOAD
