"""Pillow opens and saves .mfca files with the packaged model."""

import io

import numpy as np
import pytest
from PIL import Image

import mfca_tutorial.pillow_plugin  # noqa: F401  registers the format
from mfca_tutorial import Codec, container, data

PHOTO = data.photograph("coffee")[100:170, 200:290]  # (70, 90, 3)


def test_save_and_open(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "a.mfca", quality=60)
    codec = Codec.from_pretrained()
    stream = codec.compress(PHOTO, 60)
    assert (tmp_path / "a.mfca").read_bytes() == stream
    with Image.open(tmp_path / "a.mfca") as image:
        assert (image.format, image.mode, image.size, image.info["quality"]) == (
            "MFCA",
            "RGB",
            (90, 70),
            60,
        )
        np.testing.assert_array_equal(np.array(image), data.to_image(codec.decompress(stream)))


def test_grey_alpha_and_default_quality():
    buffer = io.BytesIO()
    Image.fromarray(PHOTO[..., 0]).convert("LA").save(buffer, format="MFCA")
    assert container.read_header(buffer.getvalue()).quality == 50
    image = Image.open(buffer)
    assert image.mode == "L" and image.resize((9, 7)).size == (9, 7)


def test_damaged_file_is_a_bitstream_error():
    buffer = io.BytesIO()
    Image.fromarray(PHOTO).save(buffer, format="MFCA", quality=0)
    with pytest.raises(container.BitstreamError, match="damaged"):
        Image.open(io.BytesIO(buffer.getvalue()[:-1])).load()
    with pytest.raises(Image.UnidentifiedImageError):
        Image.open(io.BytesIO(b"not a picture"))
