"""What people hand to the codec: understood where it is certain, else refused with its range."""

import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from small import lively_codec

from mfca_tutorial import data
from mfca_tutorial.blocks.importance import MapRequest
from mfca_tutorial.container import read_header
from mfca_tutorial.inputs import as_bytes, as_effort, as_picture, as_quality

PIXELS = data.photograph("chelsea")[:40, 100:150]  # uint8 (40, 50, 3)
FLOATS = PIXELS / 255
TENSOR = data.to_tensor(PIXELS)
PICTURE = Image.fromarray(PIXELS)


@pytest.fixture(scope="module")
def tiny():
    return lively_codec()


def as_array(picture):
    """The whole of a checked picture, uint8 (H, W, 3)."""
    return data.to_image(picture.window(0, 0, picture.height, picture.width))


ONE_PICTURE = {
    "uint8": PIXELS,
    "float64": FLOATS,
    "float32": FLOATS.astype(np.float32),
    "float16": FLOATS.astype(np.float16),
    "long double": FLOATS.astype(np.longdouble),
    "the other byte order": FLOATS.astype(">f4"),
    "column by column": np.asfortranarray(PIXELS),
    "backwards in memory": PIXELS[::-1, ::-1].copy()[::-1, ::-1],
    "float32 tensor": TENSOR,
    "float64 tensor": TENSOR.double(),
    "float16 tensor": TENSOR.half(),
    "bfloat16 tensor": TENSOR.bfloat16(),
    "uint8 tensor": torch.from_numpy(PIXELS).permute(2, 0, 1)[None],
    "tensor with a gradient": TENSOR.clone().requires_grad_(),
    "rounding errors": TENSOR + 1e-4,
    "Pillow": PICTURE,
    "Pillow, another mode": PICTURE.convert("RGBA"),
}


@pytest.mark.parametrize("kind", ONE_PICTURE)
def test_all_these_are_one_picture(tiny, kind):
    x = ONE_PICTURE[kind]
    picture = as_picture(x)
    assert (picture.height, picture.width) == (40, 50)
    assert not picture.grey

    # bfloat16 holds eight binary digits, so half a level may be lost
    levels = 1 if kind == "bfloat16 tensor" else 0
    assert np.abs(as_array(picture).astype(int) - PIXELS).max() <= levels

    # a part of it is that part
    part = picture.window(3, 5, 20, 30)
    assert part.dtype == torch.float32
    assert torch.equal(part, picture.window(0, 0, 40, 50)[:, :, 3:23, 5:35])
    assert read_header(tiny.compress(x, 50)).width == 50


GREY = PIXELS[..., 0]
GREY_PICTURES = {
    "uint8": GREY,
    "one channel": GREY[..., None],
    "float": GREY / 255,
    "three channels alike": np.repeat(GREY[..., None], 3, 2),
    "tensor": data.to_tensor(np.repeat(GREY[..., None], 3, 2)),
    "Pillow": Image.fromarray(GREY),
}


@pytest.mark.parametrize("kind", GREY_PICTURES)
def test_all_these_are_one_grey_picture(tiny, kind):
    picture = as_picture(GREY_PICTURES[kind])
    assert picture.grey
    assert (as_array(picture) == GREY[..., None]).all()

    file = tiny.compress(GREY_PICTURES[kind], 50)
    assert file == tiny.compress(GREY, 50)
    assert read_header(file).grey


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "CMYK", "YCbCr", "HSV", "RGBX"])
def test_every_mode_of_pillow_is_a_picture(mode):
    image = PICTURE.convert(mode)
    wanted = np.array(image.convert("RGB"))
    np.testing.assert_array_equal(as_array(as_picture(image)), wanted)


def test_a_photograph_on_its_side_is_turned_upright(tiny):
    image = Image.fromarray(PIXELS)
    image.getexif()[0x0112] = 6  # orientation: turn clockwise
    upright = np.rot90(PIXELS, -1)
    np.testing.assert_array_equal(as_array(as_picture(image)), upright)
    assert tiny.compress(image, 50) == tiny.compress(upright, 50)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image.fromarray(GREY.astype(np.uint16) * 257), "16-bit"),
        (Image.new("RGBA", (8, 8)), "transparent"),
        (Image.fromarray(GREY.astype(np.float32)), "floating point"),
    ],
)
def test_what_is_lost_is_a_warning(tiny, image, message):
    with pytest.warns(UserWarning, match=message) as caught:
        tiny.compress(image, 50)
    assert caught[0].filename == __file__  # it points to the call


NO_PICTURES = {
    "bool": (GREY > 100, "bool"),
    "bool, three channels": (PIXELS > 100, "bool"),
    "uint16": (PIXELS.astype(np.uint16) * 257, r"uint16 .* with values \d+\.\.\d+"),
    "int64": (PIXELS.astype(int), "int64"),
    "int8": (np.zeros((8, 8), np.int8), "int8"),
    "floats in 0..255": (PIXELS.astype(np.float32), r"values \d+\.\.\d+"),
    "floats in -1..1": (2 * FLOATS - 1, r"values -0\.\d+\.\.0\.\d+"),
    "complex": (FLOATS + 0j, "complex"),
    "objects": (PIXELS.astype(object), "object"),
    "words": (PIXELS.astype(str), "U3"),
    "masked": (np.ma.masked_array(PIXELS, PIXELS > 200), "MaskedArray"),
    "alpha": (np.dstack([PIXELS, GREY]), r"\(40, 50, 4\)"),
    "channels first": (PIXELS.transpose(2, 0, 1), r"\(3, 40, 50\)"),
    "batch": (PIXELS[None], r"\(1, 40, 50, 3\)"),
    "no rows": (PIXELS[:0], r"\(0, 50, 3\)"),
    "a number": (np.array(0.5), r"\(\)"),
    "not a number": (np.where(FLOATS > 0.5, np.nan, FLOATS), "nan"),
    "infinite": (np.where(FLOATS > 0.5, np.inf, FLOATS), "inf"),
    "tensor in 0..255": (255 * TENSOR, r"values \d+\.\.\d+"),
    "tensor in -1..1": (2 * TENSOR - 1, r"values -0\.\d+"),
    "tensor of int64": ((255 * TENSOR).long(), "int64"),
    "tensor of bool": (TENSOR > 0.5, "bool"),
    "tensor without a batch": (TENSOR[0], r"\(3, 40, 50\)"),
    "two pictures": (TENSOR.repeat(2, 1, 1, 1), r"\(2, 3, 40, 50\)"),
    "tensor with a NaN": (TENSOR * float("nan"), "nan"),
    "sparse tensor": (TENSOR.to_sparse(), "nan"),
    "no memory": (TENSOR.to("meta"), "nan"),
    "list": (PIXELS.tolist(), "list"),
    "tuple": ((PIXELS, PIXELS), "tuple"),
    "nothing": (None, "NoneType"),
    "file name": ("a.png", "str"),
    "empty Pillow image": (Image.new("RGB", (0, 5)), r"\(5, 0, 3\)"),
}


@pytest.mark.parametrize("kind", NO_PICTURES)
def test_everything_else_is_refused_with_type_and_range(tiny, kind):
    x, message = NO_PICTURES[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=message) as error:
            tiny.compress(x, 50)
    assert "\n" not in str(error.value)
    assert "0..1" in str(error.value)  # it says what is wanted


RAMP = np.linspace(-1, 1, 20).reshape(4, 5)
ONE_MASK = {
    "float64": RAMP,
    "float32": RAMP.astype(np.float32),
    "lists": RAMP.tolist(),
    "tensor": torch.from_numpy(RAMP),
    "bfloat16": torch.from_numpy(RAMP).bfloat16(),
    "tensor with a gradient": torch.from_numpy(RAMP).requires_grad_(),
    "not writable": np.broadcast_to(RAMP, RAMP.shape),
}


@pytest.mark.parametrize("kind", ONE_MASK)
def test_all_these_are_one_mask(kind):
    mask = MapRequest.of(ONE_MASK[kind], 4, 5).mask
    torch.testing.assert_close(mask, torch.from_numpy(RAMP).float(), rtol=0, atol=0.004)


def test_whole_numbers_may_be_a_mask():
    signs = np.sign(RAMP)
    wanted = MapRequest.of(signs, 8, 8).mask
    for kind in (np.int8, np.int64):
        assert torch.equal(MapRequest.of(signs.astype(kind), 8, 8).mask, wanted)


NO_MASKS = {
    "0 and 255": ((RAMP > 0).astype(np.uint8) * 255, r"uint8 .* 0\.\.255"),
    "-128": (np.full((4, 5), -128, np.int8), "-128"),
    "bool": (RAMP > 0, "bool"),
    "tensor of bool": (torch.from_numpy(RAMP > 0), "bool"),
    "complex": (RAMP + 0j, "complex"),
    "objects": (RAMP.astype(object), "object"),
    "masked": (np.ma.masked_array(RAMP, RAMP > 0), "float64"),
    "a dictionary": ({}, "object"),
    "bytes": (b"mask", "S4"),
    "a number": (0.5, r"\(\)"),
    "three axes": (RAMP[None], r"\(1, 4, 5\)"),
    "nothing": (RAMP[:0], r"\(0, 5\)"),
    "not a number": (RAMP * np.nan, "nan"),
    "ragged": ([[1, 2], [3]], "shape"),
    "a picture": (PICTURE.convert("L"), "uint8"),
    "a word": ("Auto", "'Auto'"),
}


@pytest.mark.parametrize("kind", NO_MASKS)
def test_everything_else_is_no_mask(tiny, kind):
    importance, message = NO_MASKS[kind]
    with pytest.raises(ValueError, match=message):
        tiny.compress(PIXELS, 50, importance=importance)


@pytest.mark.parametrize(
    ("quality", "step"),
    [(50, 50), (50.3, 50.5), (np.float32(7), 7), (torch.tensor(7.0), 7), (0, 0), (100, 100)],
)
def test_a_quality_is_rounded_to_half_steps(quality, step):
    assert as_quality(quality) == step


@pytest.mark.parametrize("quality", ["x", None, [50], np.ones(2), -0.1, 100.1, float("nan"), 1j])
def test_what_is_no_quality(tiny, quality):
    with pytest.raises(ValueError, match="quality"):
        tiny.compress(PIXELS, quality)


@pytest.mark.parametrize("effort", ["1", None, 1.0, -1, float("nan")])
def test_what_is_no_effort(tiny, effort):
    assert as_effort(np.int64(3)) == 3
    with pytest.raises(ValueError, match="effort"):
        tiny.compress(PIXELS, 50, effort=effort)


def test_a_file_is_bytes(tiny):
    file = tiny.compress(PIXELS, 50)
    pixels = tiny.decode_pixels(file)
    for same in (bytearray(file), memoryview(file)):
        assert as_bytes(same) == file
        np.testing.assert_array_equal(tiny.decode_pixels(same), pixels)
    for other in ("a.mfca", None, 5, [file]):
        with pytest.raises(ValueError, match="bytes"):
            tiny.decompress(other)
