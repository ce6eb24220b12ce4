"""The classical codecs run at their honest best, on any size, and their settings move the rate."""

import io

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from mfca_tutorial import data
from mfca_tutorial.evaluation import classical, metrics

PHOTO = data.photograph("astronaut")[:256, :256]
MAGIC = {"jpeg": "JPEG", "jpeg2000": "JPEG2000", "webp": "WEBP", "avif": "AVIF"}


@pytest.mark.parametrize("name", classical.CODECS)
def test_settings_run_from_coarse_to_fine(name):
    encode = classical.CODECS[name]
    settings = classical.SETTINGS[name]
    coarse = encode(PHOTO, settings[0])
    fine = encode(PHOTO, settings[-1])
    assert Image.open(io.BytesIO(coarse)).format == MAGIC[name]
    assert 4 * len(coarse) < len(fine)

    low = metrics.psnr(PHOTO, classical.decode(coarse))
    high = metrics.psnr(PHOTO, classical.decode(fine))
    assert low + 5 < high
    assert high < 50


@pytest.mark.parametrize("name", classical.CODECS)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 37, 3), (50, 2, 3), (17, 33, 3)])
def test_any_size(name, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    stream = classical.CODECS[name](image, classical.SETTINGS[name][-1])
    decoded = classical.decode(stream)
    assert decoded.shape == shape
    assert decoded.dtype == np.uint8


def test_jpeg_is_420_and_optimised():
    stream = classical.jpeg(PHOTO, 75)
    sampling = JpegImagePlugin.get_sampling(Image.open(io.BytesIO(stream)))
    assert sampling == 2  # Pillow's number of 4:2:0

    # the same pixels as without optimised tables, in fewer bytes
    plain = io.BytesIO()
    Image.fromarray(PHOTO).save(plain, format="JPEG", quality=75)
    np.testing.assert_array_equal(classical.decode(stream), classical.decode(plain.getvalue()))
    assert len(stream) < 0.99 * plain.tell()


def test_jpeg2000_keeps_its_rate_and_has_a_colour_transform():
    stream = classical.jpeg2000(PHOTO, 24)  # 24 bits per pixel / 24 = 1 bpp
    height, width = PHOTO.shape[:2]
    assert 8 * len(stream) / (height * width) == pytest.approx(1, abs=0.03)

    # without a colour transform the same rate buys less
    plain = io.BytesIO()
    Image.fromarray(PHOTO).save(plain, format="JPEG2000", quality_mode="rates", quality_layers=[24])
    ours = metrics.psnr(PHOTO, classical.decode(stream))
    without = metrics.psnr(PHOTO, classical.decode(plain.getvalue()))
    assert ours > without + 1


@pytest.mark.parametrize("name", classical.CODECS)
@pytest.mark.parametrize("setting", [-1, 20_000, float("nan")])
def test_settings_outside_the_range_are_refused(name, setting):
    with pytest.raises(ValueError, match="is not in"):
        classical.CODECS[name](PHOTO, setting)
