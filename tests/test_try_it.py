"""The page 'Try it' as the build prepares it; tests/browser/test_try_it.py uses it."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import export_web  # noqa: E402
import shared  # noqa: E402
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
    try_it.write_pictures(tmp_path)
    about = (ROOT / "book" / "about.md").read_text("utf-8")
    for name in try_it.PICTURES:
        assert f'data-picture="{name}"' in SOURCE
        row = next(line for line in about.splitlines() if line.startswith(f"| `{name}`"))
        author, licence = [cell.strip() for cell in row.strip("| ").split("|")][2:]
        assert f"<span>{author}, {licence}</span>" in SOURCE
        with Image.open(tmp_path / f"{name}.webp") as picture:
            assert max(picture.size) <= try_it.MAX_SIDE

    # a small photograph is stored exactly
    with Image.open(tmp_path / "chelsea.webp") as picture:
        assert np.array_equal(np.array(picture), data.photograph("chelsea"))


def test_chapter_9_gets_its_reader_without_npm(tmp_path, monkeypatch):
    monkeypatch.setattr(try_it, "write_pictures", lambda folder: None)
    (tmp_path / "book").mkdir()
    (tmp_path / try_it.SOURCE).write_text(SOURCE, "utf-8")
    try_it.write(tmp_path)
    reader = tmp_path / "_assets" / "explorables" / "reader"
    for name in ("container.mjs", "bytes.mjs"):
        assert (reader / name).read_bytes() == (ROOT / "web" / name).read_bytes()
    assert try_it.COSTS not in (tmp_path / try_it.SOURCE).read_text("utf-8")


LIMITS = {
    "seconds": {"encode": {"package": 0.5, "page": 2.6}, "decode": {"package": 0.4, "page": 1}},
    "memory_MB": {"picture": 512, "two_tiles": 723},
    "download": {"raw_MB": 27.5, "gzip_MB": 15.2},
    "width": 768,
    "height": 512,
    "two_tiles": [1984, 1024],
}


@pytest.mark.parametrize("is_current", [True, False])
def test_costs_are_those_that_were_measured_with_these_weights(is_current, tmp_path, monkeypatch):
    file = tmp_path / "web_limits.json"
    monkeypatch.setattr(try_it, "LIMITS", file)
    assert try_it.costs() == try_it.NOT_MEASURED
    checkpoint = shared.model_id() if is_current else "00" * 8
    file.write_text(json.dumps({**LIMITS, "checkpoint": checkpoint}))
    said = try_it.costs()
    if is_current:
        assert "coding takes 5.2 times as long (2.60 instead of 0.50 seconds)" in said
        assert "decoding 2.5 times as long (1.00 instead of 0.40 seconds)" in said
        assert "15.2 MB are loaded" in said
        assert "512 MB of memory, and 723 MB for a file of two tiles (1,984 x 1,024 pixels)" in said
    else:
        assert said == try_it.NOT_MEASURED


def test_what_was_measured_keeps_its_bars():
    if not try_it.LIMITS.exists():
        pytest.skip("not measured yet: `make web-limits`")
    found = json.loads(try_it.LIMITS.read_text("utf-8"))
    assert found["checkpoint"] == shared.model_id()
    assert found["download"]["gzip_MB"] <= 16
    assert max(found["memory_MB"].values()) < 900


def test_a_build_without_npm_says_so_in_words(tmp_path, monkeypatch, capsys):
    """And it goes on: the page then says how to get the codec."""
    monkeypatch.setattr(export_web.shutil, "which", lambda program: None)
    assert export_web.build(out=tmp_path / "web") is None
    said = capsys.readouterr().out
    assert said == "no codec for web pages: node and npm are not installed\n"
    assert not (tmp_path / "web").exists()


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
