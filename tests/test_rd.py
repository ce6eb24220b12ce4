"""Curves are means of per-image values of real files; BD-rates agree with an integral by hand."""

import json

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from mfca_tutorial import data
from mfca_tutorial.evaluation import classical, metrics, plot, rd


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    data.write_image(data.photograph("astronaut")[:192, :256], folder / "a.png")
    data.write_image(data.photograph("coffee")[:70, :50], folder / "b.png")
    return data.image_files(folder)


@pytest.fixture(scope="module")
def results(files):
    return rd.evaluate("jpeg", files, [10, 40, 80])


def test_points_are_means_over_images_of_whole_files(results, files):
    images = [data.read_image(file)[0] for file in files]
    for i, quality in enumerate((10, 40, 80)):
        streams = [classical.jpeg(image, quality) for image in images]
        decoded = [classical.decode(stream) for stream in streams]
        bpp = np.mean(
            [8 * len(s) / image[..., 0].size for s, image in zip(streams, images, strict=True)]
        )
        psnr = np.mean([metrics.psnr(a, b) for a, b in zip(images, decoded, strict=True)])
        assert results["results"]["bpp"][i] == pytest.approx(bpp, rel=1e-12)
        assert results["results"]["psnr-rgb"][i] == pytest.approx(psnr, rel=1e-12)
        assert results["results"]["ms-ssim-rgb"][i] == metrics.ms_ssim(
            images[0], decoded[0]
        )  # the other is too small
    assert results["skipped-ms-ssim"] == 1 and results["checkpoint"] is None
    assert [row["ms-ssim-rgb"] is None for row in results["images"]] == [False] * 3 + [True] * 3
    assert {"torch", "numpy", "pillow", "mfca_tutorial"} <= set(results["versions"])


def test_results_go_through_json(results, tmp_path):
    rd.save_results(results, tmp_path / "a.json")
    assert rd.read_results(tmp_path / "a.json") == json.loads(json.dumps(results))
    with pytest.raises(ValueError, match="JSON"):
        rd.save_results({"x": float("nan")}, tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"name": "a", "results": {"bpp": [1], "psnr-rgb": []}}']
)
def test_other_files_are_no_results(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match="not a result of `mfca eval`"):
        rd.read_results(tmp_path / "a.json")


def test_nothing_to_evaluate(files):
    for arguments in (([], [10]), (files, [])):
        with pytest.raises(ValueError, match="nothing to evaluate"):
            rd.evaluate("jpeg", *arguments)


def test_curve_drops_points_that_a_cheaper_one_beats():
    rate, value = rd.curve(
        {"results": {"bpp": [0.4, 0.1, 0.2, 0.3], "psnr-rgb": [33, 30, None, 29]}}
    )
    assert rate.tolist() == [0.1, 0.4] and value.tolist() == [30, 33]
    _, decibels = rd.curve({"results": {"bpp": [1, 2], "ms-ssim-rgb": [0.9, 0.99]}}, "ms-ssim-rgb")
    np.testing.assert_allclose(decibels, [10, 20])


def test_bd_rate_of_a_curve_with_ten_percent_fewer_bits():
    anchor = rd.published("bpg444")
    test = {
        "name": "t",
        "results": {**anchor["results"], "bpp": [0.9 * r for r in anchor["results"]["bpp"]]},
    }
    assert rd.bd_rate(anchor, anchor) == pytest.approx(0, abs=1e-9)
    assert rd.bd_rate(anchor, test) == pytest.approx(-10, abs=1e-9)
    assert rd.bd_rate(test, anchor) == pytest.approx(100 / 9, abs=1e-9)


def test_bd_rate_by_hand():
    anchor, test = rd.published("bpg444"), rd.published("mbt2018-mean")
    (r1, d1), (r2, d2) = rd.curve(anchor), rd.curve(test)
    low, high = max(d1[0], d2[0]), min(d1[-1], d2[-1])
    difference = [
        PchipInterpolator(d, np.log(r)).integrate(low, high) for r, d in ((r1, d1), (r2, d2))
    ]
    expected = 100 * (np.exp((difference[1] - difference[0]) / (high - low)) - 1)
    assert rd.bd_rate(anchor, test) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("anchor", "test", "percent"),
    [
        ("bpg444", "vtm444", -18.0),
        ("bpg444", "bmshj2018-hyperprior", 3.9),
        ("bpg444", "elic2022", -26.6),
        ("jpeg", "bpg444", -58.9),
        ("vtm444", "cheng2020-anchor", 3.7),
    ],
)
def test_bd_rates_of_published_curves(anchor, test, percent):
    """Figures that were worked out apart from this code, from the same points; they are given to 0.1 %."""
    assert rd.bd_rate(rd.published(anchor), rd.published(test)) == pytest.approx(percent, abs=0.051)


def test_bd_rate_without_common_ground():
    low, high = (
        {"name": n, "results": {"bpp": [1, 2], "psnr-rgb": p}}
        for n, p in (("a", [20, 25]), ("b", [30, 35]))
    )
    with pytest.raises(ValueError, match="a and b: the curves share no range"):
        rd.bd_rate(low, high)
    with pytest.raises(ValueError, match="fewer than two points"):
        rd.bd_rate(low, low, "ms-ssim-rgb")


def test_unknown_published_curve():
    with pytest.raises(KeyError, match="vtm444"):
        rd.published("h267")


def test_plot_writes_a_picture_and_returns_the_deltas(tmp_path):
    curves = [rd.published(name) for name in ("bpg444", "vtm444")]
    deltas = plot.plot_curves(curves, tmp_path / "a.png")
    assert deltas == {"vtm444": rd.bd_rate(*curves)}
    assert data.read_image(tmp_path / "a.png")[0].std() > 10
    with pytest.raises(data.ImageError, match="use .png"):
        plot.plot_curves(curves, tmp_path / "a.xyz")


LINE = {
    "name": "a line",
    "results": {"bpp": [0.1, 1, 10], "psnr-rgb": [20, 30, 40]},
}  # 10 dB a decade


@pytest.mark.parametrize(
    ("bpp", "psnr"), [(0.1, 20), (0.1**0.5, 25), (1, 30), (10**0.3, 33), (10, 40)]
)
def test_psnr_at_a_rate_is_read_off_the_logarithm_of_the_rate(bpp, psnr):
    assert rd.psnr_at(LINE, bpp) == pytest.approx(psnr, abs=1e-9)


@pytest.mark.parametrize("bpp", [0.099, 10.1])
def test_psnr_at_a_rate_outside_the_curve_is_none(bpp):
    assert rd.psnr_at(LINE, bpp) is None


def test_psnr_at_a_rate_of_a_curve_without_two_points_is_none():
    single = {"name": "a point", "results": {"bpp": [1], "psnr-rgb": [30]}}
    nothing = {"name": "empty", "results": {"bpp": [], "psnr-rgb": []}}
    assert rd.psnr_at(single, 1) is None
    assert rd.psnr_at(nothing, 1) is None


def test_psnr_at_a_stored_point_is_that_point():
    jpeg = rd.load_results("jpeg")
    rate, psnr = rd.curve(jpeg)
    assert [rd.psnr_at(jpeg, bpp) for bpp in rate[1:-1]] == pytest.approx(psnr[1:-1])
