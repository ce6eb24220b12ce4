"""Every kind of picture becomes upright 8-bit RGB or one ImageError.

Files are written whole or not at all.
"""

import functools
import hashlib
import http.server
import io
import os
import stat
import struct
import subprocess
import sys
import threading
import zlib

import numpy as np
import pytest
from PIL import Image

from mfca_tutorial import bit_depth, data, whole_files
from mfca_tutorial.pixels import as_rgb

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (11, 7, 3), dtype=np.uint8)


def saved(tmp_path, image, name, **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
def test_lossless_formats_come_back_unchanged(tmp_path, name):
    data.write_image(PICTURE, tmp_path / name)
    image, notices = data.read_image(tmp_path / name)
    assert image.dtype == np.uint8
    assert notices == []
    np.testing.assert_array_equal(image, PICTURE)


# EXIF orientation -> what a camera stored, given the upright picture (EXIF 2.3, table of tag 274)
STORED = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: np.rot90,
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", STORED)
def test_exif_orientation_is_applied(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](PICTURE)))
    file = saved(tmp_path, stored, "a.png", exif=exif)
    np.testing.assert_array_equal(data.read_image(file)[0], PICTURE)


GREY = PICTURE[..., 0]
BITS = GREY > 127


@pytest.mark.parametrize(
    "image, expected",
    [
        (Image.fromarray(GREY), GREY),
        (Image.fromarray(BITS), BITS * 255),
        (Image.fromarray(GREY).convert("P"), GREY),
    ],
    ids=["grey", "one bit", "palette"],
)
def test_grey_palette_and_one_bit(tmp_path, image, expected):
    got, notices = data.read_image(saved(tmp_path, image, "a.png"))
    np.testing.assert_array_equal(got, np.repeat(expected[..., None], 3, 2))
    assert notices == []


def test_cmyk(tmp_path):
    ink = Image.new("CMYK", (5, 4), (255, 0, 0, 0))  # all cyan: no red
    image, _ = data.read_image(saved(tmp_path, ink, "a.tif"))
    np.testing.assert_array_equal(image, np.broadcast_to(np.uint8([0, 255, 255]), (4, 5, 3)))


def test_sixteen_bits_are_rounded_not_clipped(tmp_path):
    grey = np.array([[0, 128, 129, 257, 32896, 65535]], dtype=np.uint16)
    image, notices = data.read_image(saved(tmp_path, Image.fromarray(grey), "a.png"))
    np.testing.assert_array_equal(image[0, :, 0], np.rint(grey[0] / 257))
    assert notices == ["16-bit grey rounded to 8 bits"]


def png_of_16_bits(colour_type, channels):
    """A PNG by hand: Pillow writes none with 16-bit colours."""
    rows = RNG.integers(0, 65536, (4, 5, channels)).astype(">u2")
    pixels = b"".join(b"\0" + row.tobytes() for row in rows)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 5, 4, 16, colour_type, 0, 0, 0)),
        (b"IDAT", zlib.compress(pixels)),
        (b"IEND", b""),
    ]
    file = b"\x89PNG\r\n\x1a\n"
    for name, content in chunks:
        checksum = zlib.crc32(name + content)
        file += struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)
    return file


def tiff_of_16_bits():
    """A TIFF by hand: one strip, no compression."""
    pixels = bytes(4 * 5 * 3 * 2)
    entries = [(256, 5), (257, 4), (258, None), (259, 1), (262, 2), (277, 3), (278, 4), (279, 120)]
    entries = sorted([*entries, (273, None)])
    directory = 8 + 2 + 12 * len(entries) + 4
    file = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries))
    for tag, value in entries:
        if tag == 258:  # bits: three numbers, which stand behind the directory
            file += struct.pack("<HHII", tag, 3, 3, directory)
        else:
            value = directory + 6 if tag == 273 else value
            file += struct.pack("<HHII", tag, 4, 1, value)
    return file + bytes(4) + struct.pack("<HHH", 16, 16, 16) + pixels


def saved_in(kind, image, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


COLOUR = Image.fromarray(PICTURE)


@pytest.mark.parametrize(
    ("file", "is_cut"),
    [
        (png_of_16_bits(2, 3), True),
        (png_of_16_bits(4, 2), True),
        (png_of_16_bits(6, 4), True),
        (tiff_of_16_bits(), True),
        (b"P6 2 1 65535\n" + bytes(12), True),
        (b"P3 2 1 1023\n1 2 3 4 5 6\n", True),
        (saved_in("SGI", COLOUR, bpc=2), True),
        # 8 bits, or grey, which has a notice of its own
        (png_of_16_bits(0, 1), False),
        (saved_in("PNG", COLOUR), False),
        (saved_in("SGI", COLOUR), False),
        (saved_in("JPEG2000", COLOUR), False),
        (saved_in("JPEG2000", Image.fromarray(np.zeros((9, 9), np.uint16))), False),
        (b"P6 2 1 255\n" + bytes(6), False),
        (saved_in("AVIF", COLOUR), False),
    ],
)
def test_colours_of_more_than_8_bits_get_a_notice(file, is_cut):
    with Image.open(io.BytesIO(file)) as image:
        assert bit_depth.is_cut_to_8_bits(image) == is_cut


def test_the_notice_of_16_bit_colours_reaches_the_reader():
    file = io.BytesIO(png_of_16_bits(2, 3))
    assert data.read_image(file)[1] == ["more than 8 bits per colour cut to 8 bits"]


@pytest.mark.parametrize(
    ("kind", "mark", "distance", "as_it_is", "deeper"),
    [
        ("JPEG2000", b"\xff\x4f\xff\x51", 42, 7, 11),  # the depth of the first component, less 1
        ("AVIF", b"av1C", 6, 0x0C, 0x4C),  # 4:2:0; the same with high_bitdepth
    ],
)
def test_the_depth_is_read_where_it_stands(kind, mark, distance, as_it_is, deeper):
    """Pillow writes neither with more than 8 bits, so the byte is changed once the file is open."""
    file = bytearray(saved_in(kind, COLOUR))
    at = file.find(mark) + distance
    assert file[at] == as_it_is
    file[at] = deeper
    with Image.open(io.BytesIO(saved_in(kind, COLOUR))) as image:
        image.fp = io.BytesIO(file)
        assert bit_depth.is_cut_to_8_bits(image)


@pytest.mark.parametrize(
    "grey, expected, factor",
    [
        ([[0, 0.25, 0.5, 1, np.nan, -3]], [0, 64, 128, 255, 0, 0], "255"),
        ([[0, 0.6, 99.4, 255, 300, 2.5]], [0, 1, 99, 255, 255, 2], "1"),
    ],
)
def test_floating_point_is_scaled_by_its_range(tmp_path, grey, expected, factor):
    file = saved(tmp_path, Image.fromarray(np.float32(grey)), "a.tif")
    image, notices = data.read_image(file)
    np.testing.assert_array_equal(image[0], np.repeat(np.array(expected)[:, None], 3, 1))
    assert notices == [f"floating point times {factor} rounded to 8 bits"]


def test_transparency_goes_over_white_with_a_notice(tmp_path):
    rgba = np.dstack([PICTURE, RNG.integers(0, 256, (11, 7), dtype=np.uint8)])
    image, notices = data.read_image(saved(tmp_path, Image.fromarray(rgba), "a.png"))
    alpha = rgba[..., 3:] / 255
    assert np.abs(image - (PICTURE * alpha + 255 * (1 - alpha))).max() <= 0.5 + 1e-9
    assert notices == ["transparent pixels composited over white"]


def test_an_opaque_alpha_channel_needs_no_notice(tmp_path):
    rgba = np.dstack([PICTURE, np.full((11, 7), 255, np.uint8)])
    image, notices = data.read_image(saved(tmp_path, Image.fromarray(rgba), "a.png"))
    np.testing.assert_array_equal(image, PICTURE)
    assert notices == []


def test_a_transparent_colour_of_a_palette(tmp_path):
    palette = Image.fromarray(np.zeros((3, 3), np.uint8)).convert("P")
    image, notices = data.read_image(saved(tmp_path, palette, "p.png", transparency=0))
    assert image.min() == 255
    assert len(notices) == 1


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (6, 4), colour) for colour in ("red", "blue", "lime")]
    file = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    image, notices = data.read_image(file)
    assert (image == np.uint8([255, 0, 0])).all()
    assert notices == ["first of 3 frames taken"]


def test_foreign_colour_profile_is_noticed(tmp_path):
    file = saved(tmp_path, Image.fromarray(PICTURE), "a.png", icc_profile=b"Display P3")
    assert data.read_image(file)[1] == ["colour profile ignored"]


@pytest.mark.parametrize("name", ["empty.png", "text.png", "cut.jpg", "absent.png", "folder"])
def test_unreadable_files_are_one_line_that_names_them(tmp_path, name):
    whole = saved(tmp_path, Image.fromarray(np.tile(PICTURE, (9, 9, 1))), "whole.jpg").read_bytes()
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.png").write_bytes(b"hello\nworld")
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) * 6 // 10])
    (tmp_path / "folder").mkdir()
    with pytest.raises(data.ImageError) as caught:
        data.read_image(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(b"old")
    with pytest.raises(data.ImageError):
        data.write_image(np.zeros((1, 70000, 3), np.uint8), file)  # JPEG ends at 65,535 pixels
    with pytest.raises(TypeError):
        data.write_atomic(file, "not bytes")
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.jpg"]


def test_a_write_replaces_the_old_file_and_leaves_nothing_else(tmp_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(b"old")
    data.write_atomic(file, b"new")
    assert file.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_a_file_that_is_replaced_passes_on_its_permissions(tmp_path, mode):
    """A private file must not become public."""
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(mode)
    data.write_atomic(file, b"new")
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_read_only_file_is_not_replaced(tmp_path, monkeypatch):
    file = tmp_path / "a"
    file.write_bytes(b"old")
    file.chmod(0o444)
    monkeypatch.setattr(os, "access", lambda *_: False)  # as for everybody but root
    with pytest.raises(PermissionError, match="read-only"):
        data.write_atomic(file, b"new")
    assert file.read_bytes() == b"old"


def test_nothing_is_written_through_a_link_that_somebody_else_has_laid(tmp_path, monkeypatch):
    """In a folder like /tmp, the temporary file's name must not lead to a file of the user's."""
    (tmp_path / "mine").write_bytes(b"old")
    monkeypatch.setattr(whole_files, "temporary_name", lambda _: tmp_path / "guessed")
    (tmp_path / "guessed").symlink_to(tmp_path / "mine")
    with pytest.raises(FileExistsError):
        data.write_atomic(tmp_path / "a", b"new")
    assert (tmp_path / "mine").read_bytes() == b"old"


@pytest.mark.parametrize("name", ["x" * 255, "\u00e4" * 127, "[1].mfca", "a b"])
def test_every_name_that_the_system_allows(tmp_path, name):
    data.write_atomic(tmp_path / name, b"new")
    assert (tmp_path / name).read_bytes() == b"new"
    assert os.listdir(tmp_path) == [name]


def test_an_error_of_writing_names_the_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        data.write_atomic(tmp_path / "no" / "a", b"new")
    assert caught.value.filename == str(tmp_path / "no" / "a")


def test_a_folder_that_is_read_only(tmp_path):
    """As a user who is not root, to whom everything is allowed."""
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(PermissionError) as caught:
        data.write_atomic(folder / "a", b"new")
    assert caught.value.filename == str(folder / "a")


def test_a_kind_of_file_that_nobody_can_write(tmp_path):
    with pytest.raises(data.ImageError, match="use .png"):
        data.write_image(PICTURE, tmp_path / "a.xyz")


def test_write_follows_a_link_and_keeps_it(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    data.write_atomic(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    """As /dev/null and /dev/stdout would be, by a user who may do everything."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        data.write_atomic(pipe, b"new")
        assert reader.stdout.read() == b"new"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_pipe_that_nobody_reads_any_more(tmp_path):
    """It stays a BrokenPipeError, which the command line does not report as an error of a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["head", "-c", "1", pipe], stdout=subprocess.DEVNULL):
        with pytest.raises(BrokenPipeError):
            data.write_atomic(pipe, bytes(1 << 20))  # more than a pipe holds


def test_path_finds_data_and_names_both_places_when_it_does_not():
    assert data.path("kodak_sha256.txt").is_file()
    with pytest.raises(FileNotFoundError, match=r"_data.*data"):
        data.path("nothing.bin")


@pytest.mark.parametrize("name", data.PHOTOGRAPHS)
def test_photographs_are_offline_and_in_colour(name):
    image = data.photograph(name)
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert min(image.shape[:2]) >= 300
    assert np.ptp(image.astype(int), axis=2).mean() > 3  # the channels differ: not grey


def test_photograph_of_another_name():
    with pytest.raises(KeyError, match="astronaut"):
        data.photograph("lena")


def test_kodak_files_are_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("MFCA_KODAK", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="kodim01"):
        data.kodak()
    data.write_image(PICTURE, tmp_path / "kodim01.png")
    with pytest.raises(ValueError, match="sha256"):
        data.kodak()


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder whose files can be downloaded in the place of Kodak's."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(data, "KODAK_URL", f"http://127.0.0.1:{server.server_port}/")
    yield folder
    server.shutdown()
    server.server_close()


def test_a_download_is_checked_every_time(served, tmp_path, monkeypatch):
    monkeypatch.delenv("MFCA_KODAK", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(data, "path", lambda name: tmp_path / name)
    (served / "a.png").write_bytes(b"one")
    digests = tmp_path / "kodak_sha256.txt"
    digests.write_text(f"{hashlib.sha256(b'one').hexdigest()}  a.png\n")

    # kept; what is damaged in the cache is fetched again
    (file,) = data.kodak()
    file.write_bytes(b"damaged")
    assert data.kodak() == [file]
    assert file.read_bytes() == b"one"

    # another file than the one that is meant is no download, and is not kept
    digests.write_text(f"{hashlib.sha256(b'two').hexdigest()}  b.png\n")
    (served / "b.png").write_bytes(b"not two")
    with pytest.raises(data.ImageError, match="b.png: no download .*hash.*MFCA_KODAK"):
        data.kodak()
    assert [path.name for path in file.parent.iterdir()] == ["a.png"]

    # a folder of the user's own is checked, too
    monkeypatch.setenv("MFCA_KODAK", str(served))
    with pytest.raises(ValueError, match="b.png: not the Kodak image"):
        data.kodak()


def test_a_folder_without_images(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(data.ImageError, match="no image"):
        data.image_files(tmp_path)


def test_image_files(tmp_path):
    for name in ("b.PNG", "a.jpg"):
        data.write_image(PICTURE, tmp_path / name)
    (tmp_path / "notes.txt").write_text("x")
    assert [f.name for f in data.image_files(tmp_path)] == ["a.jpg", "b.PNG"]
    with pytest.raises(data.ImageError, match="not a folder"):
        data.image_files(tmp_path / "a.jpg")


def test_tensors_there_and_back():
    tensor = data.to_tensor(PICTURE)
    assert tuple(tensor.shape) == (1, 3, 11, 7)
    assert tensor.min() >= 0
    assert tensor.max() <= 1
    np.testing.assert_array_equal(data.to_image(tensor), PICTURE)


def test_tensors_out_of_range_are_clamped():
    image = data.to_image(data.to_tensor(PICTURE) * 3 - 1)
    assert image.min() == 0
    assert image.max() == 255


@pytest.mark.parametrize(
    "height, width, top, left",
    [(12, 10, 4, 3), (11, 9, 3, 2), (4, 9, 0, 2), (3, 2, 0, 0)],
)
def test_centre_crop(height, width, top, left):
    positions = np.arange(height * width * 3).reshape(height, width, 3)
    crop = data.centre_crop(positions, 4)
    assert crop.shape == (min(height, 4), min(width, 4), 3)
    assert crop[0, 0, 0] == positions[top, left, 0]


def test_as_rgb():
    np.testing.assert_array_equal(as_rgb(PICTURE), PICTURE)
    np.testing.assert_array_equal(as_rgb(GREY), np.dstack([GREY] * 3))
    np.testing.assert_array_equal(as_rgb(np.dstack([PICTURE, GREY])), PICTURE)
    np.testing.assert_array_equal(as_rgb(PICTURE / 255), PICTURE)
    np.testing.assert_array_equal(as_rgb([[-1.0, 0.5, 2.0]])[0, :, 0], [0, 128, 255])


def test_importing_the_package_does_not_import_torch():
    code = (
        "import mfca_tutorial, mfca_tutorial.data, mfca_tutorial.cli, sys; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
