"""Stored numbers say where they come from, and a sample of them comes out the same again."""

import copy
import sys
from pathlib import Path

import pytest

from mfca_tutorial import Codec
from mfca_tutorial.evaluation import rd
from mfca_tutorial.evaluation.literature import learned_codecs

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import verify_results  # noqa: E402

RESULTS = ROOT / "data" / "results"
FILES = sorted(RESULTS.rglob("*.json")) + sorted(RESULTS.rglob("*.csv"))
MEASURED = [file for file in FILES if file.parent != RESULTS]  # by `mfca eval`
BUNDLED = sorted((RESULTS / "bundled").glob("*.json"))

# What nobody states is None, and the note says so.
CODECS = learned_codecs()
each_codec = pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec["name"])


def names(files):
    return [str(file.relative_to(RESULTS)) for file in files]


@pytest.fixture(scope="module")
def codec():
    return Codec.from_pretrained()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    files = verify_results.bundled(tmp_path_factory.mktemp("bundled"))
    return {file.name: file for file in files}


@pytest.fixture
def stored():
    return rd.load_results("jpeg", "bundled")


@pytest.mark.parametrize("file", FILES, ids=names(FILES))
def test_a_stored_number_names_its_command_or_its_source(file):
    assert verify_results.unnamed(file) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.json", '{"results": {}}', "names no command"),
        ("a.json", '{"command": ""}', "names no command"),
        ("a.csv", "codec,bpp,source\na,1,b\na,2,\n", "line 3: no source"),
    ],
)
def test_a_number_without_a_source_is_found(tmp_path, name, text, complaint):
    (tmp_path / name).write_text(text)
    assert verify_results.unnamed(tmp_path / name) == [complaint]


@pytest.mark.parametrize("file", MEASURED, ids=names(MEASURED))
def test_points_are_the_means_of_the_stored_rows(file):
    assert verify_results.wrong_means(rd.read_results(file)) == []


def test_a_point_that_is_not_the_mean_is_found(stored):
    stored["results"]["bpp"][1] *= 1.0001
    assert verify_results.wrong_means(stored) == ["setting 70: bpp is not the mean of the rows"]


@pytest.mark.parametrize("file", MEASURED, ids=names(MEASURED))
def test_a_command_can_be_run_again(file):
    results = rd.read_results(file)
    options = verify_results.asked(results)
    name = options.codec + ("-auto" if options.importance == "auto" else "")
    name += f"-effort{options.effort}" if options.effort else ""
    assert results["name"] in (name, f"{name}-run2", f"{name}-run3")
    if options.qualities:
        assert options.qualities == results["settings"]


@pytest.mark.parametrize("file", BUNDLED, ids=names(BUNDLED))
def test_a_sample_comes_out_the_same_again(file, codec, pictures):
    results = rd.read_results(file)
    line, complaints = verify_results.verify(results, pictures, codec, images=1, settings=2)
    if "other weights" in line:
        pytest.fail(f"{line}: run `python tools/verify_results.py --record`")
    assert "rows" in line
    assert complaints == []


@pytest.mark.parametrize(
    ("key", "change", "found"),
    [
        ("bytes", lambda size: size + verify_results.WORD, []),
        ("bytes", lambda size: size + verify_results.WORD + 1, ["bytes"]),
        ("bytes", lambda size: size * 0.99, ["bytes"]),
        ("psnr-rgb", lambda value: value + 0.009, []),
        ("psnr-rgb", lambda value: value - 0.011, ["psnr-rgb"]),
        ("ms-ssim-rgb", lambda value: 1 - (1 - value) * 10**0.0009, []),
        ("ms-ssim-rgb", lambda value: 1 - (1 - value) * 10**0.0011, ["ms-ssim-rgb"]),
        ("ms-ssim-rgb", lambda value: None, ["ms-ssim-rgb"]),
    ],
)
def test_tolerances(stored, key, change, found):
    """4 bytes are more than 0.1 % of a small file; 10 ** 0.001 is 0.01 dB."""
    before = stored["images"][0] | {"bytes": 2000}
    now = before | {key: change(before[key])}
    assert verify_results.differences(before, now)[1] == found


def test_large_files_may_differ_by_a_thousandth(stored):
    before = stored["images"][0] | {"bytes": 100_000}
    assert verify_results.differences(before, before | {"bytes": 100_100})[1] == []
    assert verify_results.differences(before, before | {"bytes": 100_101})[1] == ["bytes"]


def test_a_wrong_number_is_found(stored, codec, pictures):
    for row in stored["images"]:
        row["psnr-rgb"] += 0.02
    _, complaints = verify_results.verify(stored, pictures, codec, images=1, settings=1)
    assert len(complaints) == 1
    assert "psnr-rgb was" in complaints[0]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"checkpoint": "00" * 8}, "other weights"),
        ({"versions": {"pillow": "1.0"}}, "reported only"),
    ],
)
def test_what_cannot_be_compared_is_reported(stored, codec, pictures, change, line):
    results = copy.deepcopy(stored) | change
    for row in results["images"]:
        row["bytes"] *= 2
    found, complaints = verify_results.verify(results, pictures, codec, images=1, settings=1)
    assert line in found
    assert complaints == []


def test_without_pictures_nothing_is_measured(stored, codec):
    line, complaints = verify_results.verify(stored, {}, codec)
    assert "not at hand" in line
    assert complaints == []


# ---- the literature


@each_codec
def test_a_codec_of_the_literature_has_sources(codec):
    assert codec["sources"]
    assert all(source.startswith("https://") for source in codec["sources"])
    bibliography = (ROOT / "references.bib").read_text("utf-8")
    assert f"{{{codec['cite']},\n" in bibliography
    assert (codec["curve"] is None) != (codec["against_vtm"] is None)


@each_codec
def test_what_nobody_states_is_left_out_and_said(codec):
    if codec["parameters"] is None:
        assert "Parameters: not stated" in codec["note"]
    if codec["curve"] is None:
        assert "derived" in codec["note"]
    assert codec["decoder_macs"] is None or codec["decoder_macs"] > 0


@pytest.mark.parametrize(
    ("name", "percent"),
    [
        ("shallow-2layer", 5.9),
        ("shallow-2layer-sga", -4.8),
        ("evc-small", -13.8),
        ("cool-chic-5", -25.4),
        ("dcvc-uf-intra", -26.7),
        ("hpcm-large", -36.8),
    ],
)
def test_bd_rates_against_bpg(name, percent):
    found = next(codec for codec in CODECS if codec["name"] == name)
    assert found["bd_rate"] == pytest.approx(percent, abs=0.051)


def test_a_derived_bd_rate_is_a_product_of_factors():
    derived = next(codec for codec in CODECS if codec["curve"] is None)
    vtm = rd.bd_rate(rd.published("bpg444"), rd.published("vtm444"))
    factor = (1 + derived["against_vtm"] / 100) * (1 + vtm / 100)
    assert 1 + derived["bd_rate"] / 100 == pytest.approx(factor, rel=1e-12)


def test_the_picture_of_quality_and_cost_shows_every_codec():
    from mfca_tutorial.show import landscape

    figure = landscape.quality_and_cost({"ours": (5e4, -1.0)})
    written = {" ".join(text.get_text().split()) for text in figure.axes[0].texts}
    assert {codec["label"] for codec in CODECS} | {"ours"} <= written
    assert set(landscape.PLACES) <= {codec["name"] for codec in CODECS}
