"""Files of the past: what was once written is read for ever, to the same latents and pixels.

`tests/golden/` has two small models, one for each form of the gates, and files that they wrote. The
latents must be the same bit for bit; the pixels, which are computed in float32, within one level.
A file that fails here is not to be replaced: somebody may have thousands like it.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mfca_tutorial import checkpoint, data
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import MAP_FLAT, MAP_STEP
from mfca_tutorial.container import BitstreamError, read_header, unpack

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from portability import GOLDEN, hashes_of, latents_of  # noqa: E402

FORMS = ("energy", "quality")
MODEL_IDS = {"energy": "7f2ad9316242a4df", "quality": "f38a3ba299bbbde5"}
FILES = sorted(GOLDEN.glob("*/*.mfca"))
each_file = pytest.mark.parametrize(
    "file", FILES, ids=[f"{file.parent.name}-{file.stem}" for file in FILES]
)


@pytest.fixture(scope="module")
def codecs():
    return {form: Codec.from_pretrained(GOLDEN / form / "model.safetensors") for form in FORMS}


def assert_as_it_was(codec, file):
    """The latents of a golden file by their hashes, its pixels within one level."""
    hashes = json.loads((file.parent / "hashes.json").read_text())
    content = file.read_bytes()
    assert hashes_of(codec, content) == hashes[file.stem]

    pixels = data.to_image(codec.decompress(content)).astype(int)
    expected, _ = data.read_image(file.with_suffix(".png"))
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).max() <= 1


@each_file
def test_it_is_read_as_it_was(codecs, file):
    assert_as_it_was(codecs[file.parent.name], file)


@pytest.mark.gpu
@each_file
def test_it_is_read_as_it_was_on_a_gpu(file):
    codec = Codec.from_pretrained(file.parent / "model.safetensors").to("cuda")
    assert_as_it_was(codec, file)


@pytest.mark.parametrize("form", FORMS)
def test_the_models_are_the_old_ones(codecs, form):
    assert checkpoint.model_id(GOLDEN / form / "model.safetensors").hex() == MODEL_IDS[form]
    assert codecs[form].config.gates == form
    assert codecs[form].model_id.hex() == MODEL_IDS[form]


@pytest.mark.parametrize("form", FORMS)
def test_the_files_have_everything_that_the_format_has(codecs, form):
    codec = codecs[form]
    files = {file.stem: file.read_bytes() for file in FILES if file.parent.name == form}
    headers = {name: read_header(file) for name, file in files.items()}
    assert set(json.loads((GOLDEN / form / "hashes.json").read_text())) == set(files)

    # each flag, alone and with others
    flags = {(header.grey, header.has_map, header.tile > 0) for header in headers.values()}
    assert flags >= {
        (False, False, False),
        (True, False, False),
        (False, True, False),
        (True, True, False),
        (False, False, True),
        (True, False, True),
        (False, True, True),
    }

    # sizes, qualities and tiles
    sizes = {(header.width, header.height) for header in headers.values()}
    assert {(1, 1), (131, 1), (67, 65), (1100, 60)} <= sizes
    assert {0, 37.5, 100} <= {header.quality for header in headers.values()}
    assert {0, 128, 1024} == {header.tile for header in headers.values()}

    # an empty map stream behind the flag: level 0 everywhere, and not the flat map of level 8
    _, tiles = unpack(files["tiled_map"])
    assert [bool(tile.map) for tile in tiles] == [False, True]
    (_, lowest), _ = latents_of(codec, files["tiled_map"])
    assert lowest.unique().tolist() == [-MAP_FLAT * MAP_STEP]

    # both ends of the levels
    ((_, offsets),) = latents_of(codec, files["map_extreme"])
    assert offsets.min() == -MAP_FLAT * MAP_STEP
    assert offsets.max() == 28

    # latents far beyond their tables
    ((v_hat, _),) = latents_of(codec, files["escapes"])
    assert v_hat.abs().max() > 1000


# ---- what this program cannot read


@pytest.mark.parametrize("version", [0, 2, 3, 255])
def test_another_version_is_refused_with_what_to_install(codecs, version):
    content = bytearray((GOLDEN / "energy" / "colour.mfca").read_bytes())
    content[4] = version
    message = f"version {version}.*newer mfca-tutorial" if version > 1 else f"version {version}"
    with pytest.raises(BitstreamError, match=message):
        codecs["energy"].decompress(bytes(content))
    with pytest.raises(BitstreamError, match=message):
        read_header(bytes(content))


def test_a_newer_file_is_called_newer_whatever_its_checksum(codecs):
    """Its layout is unknown: nothing behind the version may be looked at."""
    with pytest.raises(BitstreamError, match="newer mfca-tutorial"):
        codecs["energy"].decompress(b"MFCA\x02")


@pytest.mark.parametrize("flag", [8, 16, 32, 64, 128])
def test_an_unknown_flag_is_refused_with_what_to_install(codecs, flag):
    content = bytearray((GOLDEN / "energy" / "colour.mfca").read_bytes())
    content[13] |= flag
    with pytest.raises(BitstreamError, match="newer mfca-tutorial"):
        codecs["energy"].decompress(bytes(content))


def test_a_file_of_another_model_is_refused_with_both_ids_and_what_to_do(codecs):
    file = (GOLDEN / "energy" / "colour.mfca").read_bytes()
    with pytest.raises(BitstreamError) as caught:
        codecs["quality"].decompress(file)
    message = str(caught.value)
    assert MODEL_IDS["energy"] in message
    assert MODEL_IDS["quality"] in message
    assert "checkpoint" in message
    assert "newer mfca-tutorial" in message
    assert "\n" not in message
