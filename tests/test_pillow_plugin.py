"""Pillow opens and saves .mfca files with the packaged model."""

import copy
import gc
import io
import os
import pickle
import warnings

import numpy as np
import pytest
from PIL import Image

from mfca_tutorial import Codec, container, data, pillow_plugin

PHOTO = data.photograph("coffee")[100:170, 200:290]  # (70, 90, 3)


@pytest.fixture
def file(tmp_path):
    """A small .mfca file in colour."""
    Image.fromarray(PHOTO).save(tmp_path / "a.mfca", quality=10)
    return tmp_path / "a.mfca"


def test_saving_writes_what_the_codec_makes(tmp_path):
    file = tmp_path / "a.mfca"
    Image.fromarray(PHOTO).save(file, quality=60)
    assert file.read_bytes() == Codec.from_pretrained().compress(PHOTO, 60)


def test_opening_shows_what_the_codec_decodes(tmp_path):
    codec = Codec.from_pretrained()
    stream = codec.compress(PHOTO, 60)
    (tmp_path / "a.mfca").write_bytes(stream)
    with Image.open(tmp_path / "a.mfca") as image:
        assert image.format == "MFCA"
        assert image.mode == "RGB"
        assert image.size == (90, 70)
        assert image.info["quality"] == 60
        np.testing.assert_array_equal(np.array(image), data.to_image(codec.decompress(stream)))


def test_grey_alpha_and_default_quality():
    buffer = io.BytesIO()
    Image.fromarray(PHOTO[..., 0]).convert("LA").save(buffer, format="MFCA")
    assert container.read_header(buffer.getvalue()).quality == 50
    image = Image.open(buffer)
    assert image.mode == "L"
    assert image.resize((9, 7)).size == (9, 7)


def test_the_options_of_compress_can_be_given():
    mask = np.float32([[-1, 1]])
    buffer = io.BytesIO()
    Image.fromarray(PHOTO).save(buffer, format="MFCA", quality=30, importance=mask, effort=1)
    expected = Codec.from_pretrained().compress(PHOTO, 30, importance=mask, effort=1)
    assert buffer.getvalue() == expected


def test_damaged_file_is_a_bitstream_error():
    buffer = io.BytesIO()
    Image.fromarray(PHOTO).save(buffer, format="MFCA", quality=0)
    damaged = buffer.getvalue()[:-1]
    with pytest.raises(container.BitstreamError, match="damaged"):
        Image.open(io.BytesIO(damaged)).load()


def test_other_files_are_not_ours():
    with pytest.raises(Image.UnidentifiedImageError):
        Image.open(io.BytesIO(b"not a picture"))


# ---- what a file by its name does that one in memory does not


@pytest.mark.parametrize("channels", [1, 3])
def test_compressed_bytes_are_never_taken_for_pixels(tmp_path, channels):
    """With as many bytes as pixels, Pillow's raw decoder would map the file itself."""
    picture = np.random.default_rng(0).integers(0, 256, (16, 24, channels), np.uint8).squeeze()
    stream = Codec.from_pretrained().compress(picture, 100)
    assert len(stream) >= picture.shape[0] * picture.shape[1]
    (tmp_path / "a.mfca").write_bytes(stream)
    decoded = Codec.from_pretrained().decode_pixels(stream)
    with Image.open(tmp_path / "a.mfca") as image:
        np.testing.assert_array_equal(image.convert("RGB"), decoded)
    np.testing.assert_array_equal(data.read_image(tmp_path / "a.mfca")[0], decoded)


def open_files():
    return len(os.listdir("/proc/self/fd"))


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no /proc")


@needs_proc
@pytest.mark.parametrize("load", [False, True])
def test_as_many_files_are_open_as_with_png(tmp_path, file, load):
    Image.fromarray(PHOTO).save(tmp_path / "a.png")
    more = {}
    for name in ("a.png", "a.mfca"):
        before = open_files()
        images = [Image.open(tmp_path / name) for _ in range(5)]
        if load:
            images = [image for image in images if image.load()]
        more[name] = open_files() - before
        for image in images:
            image.close()
        assert open_files() == before
    assert more["a.mfca"] == more["a.png"]


def test_no_file_is_left_unclosed_after_loading(file):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = Image.open(file)
        stream = image.fp
        image.load()
        assert stream.closed
        del image, stream
        gc.collect()


def test_a_file_of_the_caller_stays_open(file):
    with file.open("rb") as stream:
        Image.open(stream).load()
        assert not stream.closed


def test_a_file_within_a_file(file):
    stream = io.BytesIO(b"before" + file.read_bytes())
    stream.seek(6)
    image = pillow_plugin.MfcaImageFile(stream)
    np.testing.assert_array_equal(image, Image.open(file))


# ---- what Pillow promises of every format


def test_verify_finds_damage(file):
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)
    image = Image.open(file)
    with pytest.raises(container.BitstreamError, match="damaged"):
        image.verify()
    assert image.fp is None


def test_verify_passes_a_whole_file_and_closes_it(file):
    image = Image.open(file)
    stream = image.fp
    image.verify()
    assert stream.closed
    with pytest.raises(ValueError, match="closed"):
        image.load()


@pytest.mark.parametrize("loaded", [False, True])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, Image.Image.copy])
def test_copies(file, loaded, duplicate):
    image = Image.open(file)
    if loaded:
        image.load()
    np.testing.assert_array_equal(duplicate(image), Image.open(file))


def test_pickle(file):
    image = pickle.loads(pickle.dumps(Image.open(file)))
    np.testing.assert_array_equal(image, Image.open(file))


def test_pixels_can_be_changed(file):
    image = Image.open(file)
    image.load()[0, 0] = (1, 2, 3)
    assert image.getpixel((0, 0)) == (1, 2, 3)


def test_a_damaged_file_fails_every_time(file):
    damaged = bytearray(file.read_bytes())
    damaged[-1] ^= 1
    image = Image.open(io.BytesIO(damaged))
    for _ in range(2):
        with pytest.raises(container.BitstreamError):
            image.load()


def test_the_limit_for_decompression_bombs_is_that_of_pillow(file, monkeypatch):
    pixels = PHOTO.shape[0] * PHOTO.shape[1]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pixels // 2)
    with pytest.warns(Image.DecompressionBombWarning) as caught:
        Image.open(file).load()
    assert len(caught) == 1

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", pixels // 2 - 1)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(file)
    with pytest.raises(container.BitstreamError, match="6300 pixels, more than the limit"):
        pillow_plugin.MfcaImageFile(file).load()

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    Image.open(file).load()


# ---- saving


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_saved_upright_as_on_the_command_line(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(PHOTO).save(tmp_path / "a.jpg", exif=exif)
    upright, _ = data.read_image(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as image:
        image.save(tmp_path / "a.mfca", quality=10)
    expected = Codec.from_pretrained().compress(upright, 10)
    assert (tmp_path / "a.mfca").read_bytes() == expected


class Broken:
    """In place of the codec: no picture can be encoded."""

    def __init__(self, error):
        self.error = error

    def compress(self, *_, **__):
        raise self.error


@pytest.mark.parametrize("error", [ValueError("no"), MemoryError(), KeyboardInterrupt()])
@pytest.mark.parametrize("kind", [str, os.fsencode, lambda name: name])
def test_a_failed_save_leaves_the_old_file(file, monkeypatch, error, kind):
    old = file.read_bytes()
    monkeypatch.setattr(pillow_plugin, "_codec", lambda: Broken(error))
    with pytest.raises(type(error)):
        Image.fromarray(PHOTO).save(kind(file))
    assert file.read_bytes() == old
    assert os.listdir(file.parent) == ["a.mfca"]


@pytest.mark.parametrize("options", [{"quality": 101}, {"quality": "high"}, {"effort": -1}])
def test_bad_options_leave_the_old_file(file, options):
    old = file.read_bytes()
    with pytest.raises(ValueError):
        Image.fromarray(PHOTO).save(file, **options)
    assert file.read_bytes() == old


def test_a_format_that_is_given_counts_more_than_the_suffix(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "a.bin", format="mfca", quality=0)
    Image.fromarray(PHOTO).save(tmp_path / "b.mfca", format="PNG")
    assert Image.open(tmp_path / "a.bin").format == "MFCA"
    assert Image.open(tmp_path / "b.mfca").format == "PNG"


def test_a_picture_can_be_saved_over_itself(file):
    decoded = np.array(Image.open(file))
    Image.open(file).save(file, quality=20)
    assert file.read_bytes() == Codec.from_pretrained().compress(decoded, 20)
