"""Pillow opens and saves .mfca files with the packaged model."""

import io

import numpy as np
import pytest
from PIL import Image

import mfca_tutorial.pillow_plugin  # noqa: F401  registers the format
from mfca_tutorial import Codec, container, data

PHOTO = data.photograph("coffee")[100:170, 200:290]  # (70, 90, 3)


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
