"""The page 'Try it' as the build prepares it; tests/browser/test_try_it.py uses it."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import try_it  # noqa: E402

from mfca_tutorial import data  # noqa: E402

SOURCE = (ROOT / "book" / "try_it.md").read_text("utf-8")


@pytest.fixture
def site(tmp_path):
    """A site whose page holds what its source holds."""
    (tmp_path / "book").mkdir()
    (tmp_path / try_it.PAGE).write_text(SOURCE, "utf-8")
    return tmp_path


def test_pictures_are_those_that_the_page_offers_and_credits(tmp_path):
    try_it.write(tmp_path)
    about = (ROOT / "book" / "about.md").read_text("utf-8")
    for name in try_it.PICTURES:
        assert f'data-picture="{name}"' in SOURCE
        row = next(line for line in about.splitlines() if line.startswith(f"| `{name}`"))
        author, licence = [cell.strip() for cell in row.strip("| ").split("|")][2:]
        assert f"<span>{author}, {licence}</span>" in SOURCE
        with Image.open(tmp_path / "_assets/try_it/pictures" / f"{name}.webp") as picture:
            assert max(picture.size) <= try_it.MAX_SIDE

    # a small photograph is stored exactly
    with Image.open(tmp_path / "_assets/try_it/pictures/chelsea.webp") as picture:
        assert np.array_equal(np.array(picture), data.photograph("chelsea"))


def test_without_a_codec_the_page_stays_as_it_is(site):
    try_it.connect(site, None)
    text = (site / try_it.PAGE).read_text("utf-8")
    assert text == SOURCE
    assert 'data-state="absent"' in text
    assert not (site / try_it.FOLDER).exists()


def test_with_a_codec_the_page_knows_where_it_is(site, tmp_path):
    codec = tmp_path / "exported"
    codec.mkdir()
    for name in ("worker.mjs", "mfca.mjs"):
        (codec / name).touch()
    try_it.connect(site, codec)
    assert [file.name for file in (site / try_it.FOLDER).iterdir()] == ["worker.mjs"]
    assert 'data-codec="../web/"' in (site / try_it.PAGE).read_text("utf-8")


def test_a_page_without_a_place_for_the_address_is_noticed(site, tmp_path):
    (site / try_it.PAGE).write_text("nothing", "utf-8")
    codec = tmp_path / "exported"
    codec.mkdir()
    with pytest.raises(ValueError, match="once"):
        try_it.connect(site, codec)
