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
    settings = classical.SETTINGS[name]
    coarse, fine = (
        classical.CODECS[name](PHOTO, setting) for setting in (settings[0], settings[-1])
    )
    assert Image.open(io.BytesIO(coarse)).format == MAGIC[name]
    assert 4 * len(coarse) < len(fine)
    low, high = (metrics.psnr(PHOTO, classical.decode(stream)) for stream in (coarse, fine))
    assert low + 5 < high < 50


@pytest.mark.parametrize("name", classical.CODECS)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 37, 3), (50, 2, 3), (17, 33, 3)])
def test_any_size(name, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    decoded = classical.decode(classical.CODECS[name](image, classical.SETTINGS[name][-1]))
    assert decoded.shape == shape and decoded.dtype == np.uint8


def test_jpeg_is_420_and_optimised():
    stream = classical.jpeg(PHOTO, 75)
    assert (
        JpegImagePlugin.get_sampling(Image.open(io.BytesIO(stream))) == 2
    )  # Pillow's number of 4:2:0
    plain = io.BytesIO()
    Image.fromarray(PHOTO).save(plain, format="JPEG", quality=75)
    np.testing.assert_array_equal(classical.decode(stream), classical.decode(plain.getvalue()))
    assert len(stream) < 0.99 * plain.tell()


def test_jpeg2000_keeps_its_rate_and_has_a_colour_transform():
    stream = classical.jpeg2000(PHOTO, 24)  # 24 bits a pixel / 24 = 1 bpp
    assert 8 * len(stream) / PHOTO[..., 0].size == pytest.approx(1, abs=0.03)
    plain = io.BytesIO()
    Image.fromarray(PHOTO).save(plain, format="JPEG2000", quality_mode="rates", quality_layers=[24])
    gain = metrics.psnr(PHOTO, classical.decode(stream)) - metrics.psnr(
        PHOTO, classical.decode(plain.getvalue())
    )
    assert gain > 1


@pytest.mark.parametrize("name", classical.CODECS)
def test_settings_outside_the_range_are_refused(name):
    for setting in (-1, 20_000, float("nan")):
        with pytest.raises(ValueError, match="is not in"):
            classical.CODECS[name](PHOTO, setting)
