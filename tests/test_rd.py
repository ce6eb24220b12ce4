"""Curves are means of per-image values of real files; BD-rates agree with an integral by hand."""

import json
import re

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from mfca_tutorial import container, data
from mfca_tutorial.evaluation import benchmark, classical, metrics, palette, plot, rd


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    data.write_image(data.photograph("astronaut")[:192, :256], folder / "a.png")
    data.write_image(data.photograph("coffee")[:70, :50], folder / "b.png")
    return data.image_files(folder)


@pytest.fixture(scope="module")
def results(files):
    return benchmark.evaluate("jpeg", files, [10, 40, 80])


@pytest.mark.parametrize(("i", "quality"), [(0, 10), (1, 40), (2, 80)])
def test_points_are_means_over_images_of_whole_files(results, files, i, quality):
    images = [data.read_image(file)[0] for file in files]
    streams = [classical.jpeg(image, quality) for image in images]
    decoded = [classical.decode(stream) for stream in streams]
    bpp = [
        8 * len(stream) / (image.shape[0] * image.shape[1])
        for stream, image in zip(streams, images, strict=True)
    ]
    psnr = [metrics.psnr(a, b) for a, b in zip(images, decoded, strict=True)]

    columns = results["results"]
    assert results["settings"][i] == quality
    assert columns["bpp"][i] == pytest.approx(np.mean(bpp), rel=1e-12)
    assert columns["psnr-rgb"][i] == pytest.approx(np.mean(psnr), rel=1e-12)
    # the second image is too small for MS-SSIM
    assert columns["ms-ssim-rgb"][i] == metrics.ms_ssim(images[0], decoded[0])


def test_a_result_says_how_it_was_measured(results, files):
    assert results["name"] == "jpeg"
    assert results["checkpoint"] is None
    assert {"torch", "numpy", "pillow", "mfca_tutorial"} <= set(results["versions"])
    # one row per file and setting, the small image last
    rows = results["images"]
    assert [row["file"] for row in rows] == ["a.png"] * 3 + ["b.png"] * 3
    assert [row["setting"] for row in rows] == [10, 40, 80] * 2
    assert [row["ms-ssim-rgb"] is None for row in rows] == [False] * 3 + [True] * 3
    assert results["skipped-ms-ssim"] == 1


class Raw:
    """A stand-in for a `Codec`: its file is the raw pixels, and it notes what it was asked for."""

    model_id = bytes(range(8))

    def __init__(self):
        self.asked = []

    def compress(self, image, quality, *, importance, effort):
        self.asked.append((quality, importance, effort))
        return np.array(image.shape, "<u2").tobytes() + image.tobytes()

    def decode_pixels(self, file, *, max_pixels):
        assert max_pixels == container.MAX_PIXELS  # what was encoded may be decoded, however large
        shape = np.frombuffer(file[:6], "<u2")
        return np.frombuffer(file[6:], np.uint8).reshape(shape)


@pytest.mark.parametrize(
    ("importance", "effort", "name"),
    [
        ("flat", 0, "mfca"),
        ("auto", 0, "mfca-auto"),
        ("flat", 10, "mfca-effort10"),
        ("auto", 3, "mfca-auto-effort3"),
    ],
)
def test_a_codec_is_asked_for_what_its_name_says(files, importance, effort, name):
    codec = Raw()
    results = benchmark.evaluate(codec, files[:1], [7], importance, effort)
    assert codec.asked == 2 * [(7, importance, effort)]  # once before the clock runs
    assert results["name"] == name
    assert results["checkpoint"] == "0001020304050607"
    assert results["results"]["psnr-rgb"] == [100]
    assert results["results"]["bpp"] == [8 * (6 + 3 * 192 * 256) / (192 * 256)]


def test_a_mean_leaves_out_what_was_not_measured():
    row = dict.fromkeys(rd.MEANS, 1.0)
    means = rd.mean_of([row, row | {"bpp": 3.0, "ms-ssim-rgb": None}])
    assert means["bpp"] == 2
    assert means["ms-ssim-rgb"] == 1
    assert rd.mean_of([row | {"ms-ssim-rgb": None}])["ms-ssim-rgb"] is None


def test_results_go_through_json(results, tmp_path):
    rd.save_results(results, tmp_path / "a.json")
    assert rd.read_results(tmp_path / "a.json") == json.loads(json.dumps(results))
    with pytest.raises(ValueError, match="JSON"):
        rd.save_results({"x": float("nan")}, tmp_path / "b.json")
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"name": "a", "results": {"psnr-rgb": [1]}}',
        '{"name": "a", "results": {"bpp": [1], "psnr-rgb": []}}',
        '{"name": 1, "results": {"bpp": [1], "psnr-rgb": [1]}}',
        '{"name": "a", "results": {"bpp": [1], "psnr-rgb": [NaN]}}',
        '{"name": "a", "results": {"bpp": [Infinity], "psnr-rgb": [1]}}',
        '{"name": "a", "results": {"bpp": [0], "psnr-rgb": [1]}}',
        '{"name": "a", "results": {"bpp": ["1"], "psnr-rgb": [1]}}',
    ],
)
def test_other_files_are_no_results(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match="not a result of `mfca eval`"):
        rd.read_results(tmp_path / "a.json")


def test_nothing_to_evaluate(files):
    with pytest.raises(ValueError, match="nothing to evaluate"):
        benchmark.evaluate("jpeg", [], [10])
    with pytest.raises(ValueError, match="nothing to evaluate"):
        benchmark.evaluate("jpeg", files, [])


def test_curve_drops_points_that_a_cheaper_one_beats():
    columns = {"bpp": [0.4, 0.1, 0.2, 0.3], "psnr-rgb": [33, 30, None, 29]}
    rate, value = rd.curve({"name": "a", "results": columns})
    assert rate.tolist() == [0.1, 0.4]
    assert value.tolist() == [30, 33]


def test_curve_of_ms_ssim_is_in_decibels():
    columns = {"bpp": [1, 2, 3], "ms-ssim-rgb": [0.9, 0.99, 1]}
    _, decibels = rd.curve({"name": "a", "results": columns}, "ms-ssim-rgb")
    np.testing.assert_allclose(decibels, [10, 20, 100])


def test_bd_rate_of_a_curve_with_ten_percent_fewer_bits():
    anchor = rd.published("bpg444")
    fewer = [0.9 * rate for rate in anchor["results"]["bpp"]]
    test = {"name": "t", "results": anchor["results"] | {"bpp": fewer}}
    assert rd.bd_rate(anchor, anchor) == pytest.approx(0, abs=1e-9)
    assert rd.bd_rate(anchor, test) == pytest.approx(-10, abs=1e-9)
    assert rd.bd_rate(test, anchor) == pytest.approx(100 / 9, abs=1e-9)


def test_bd_rate_by_hand():
    anchor = rd.published("bpg444")
    test = rd.published("mbt2018-mean")
    anchor_rate, anchor_psnr = rd.curve(anchor)
    test_rate, test_psnr = rd.curve(test)

    # the mean distance of the two curves in log rate, over the PSNR that both reach
    low = max(anchor_psnr[0], test_psnr[0])
    high = min(anchor_psnr[-1], test_psnr[-1])
    anchor_area = PchipInterpolator(anchor_psnr, np.log(anchor_rate)).integrate(low, high)
    test_area = PchipInterpolator(test_psnr, np.log(test_rate)).integrate(low, high)
    distance = (test_area - anchor_area) / (high - low)

    expected = 100 * (np.exp(distance) - 1)
    assert rd.bd_rate(anchor, test) == pytest.approx(expected, abs=1e-9)
    assert rd.common_range(anchor, test) == (low, high)


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
    """Figures that were worked out apart from this code, from the same points, to 0.1 %."""
    assert rd.bd_rate(rd.published(anchor), rd.published(test)) == pytest.approx(percent, abs=0.051)


@pytest.mark.parametrize("compare", [rd.bd_rate, rd.common_range])
def test_bd_rate_without_common_ground(compare):
    low = {"name": "a", "results": {"bpp": [1, 2], "psnr-rgb": [20, 25]}}
    high = {"name": "b", "results": {"bpp": [1, 2], "psnr-rgb": [30, 35]}}
    with pytest.raises(ValueError, match="a and b: the curves share no range"):
        compare(low, high)
    with pytest.raises(ValueError, match="fewer than two points"):
        compare(low, low, "ms-ssim-rgb")


def two_points(name, low, high):
    return {"name": name, "results": {"bpp": [0.1, 1], "psnr-rgb": [low, high]}}


@pytest.mark.parametrize("compare", [rd.bd_rate, rd.common_range])
@pytest.mark.parametrize("low", [29.99, 29.51])
def test_bd_rate_over_a_sliver_is_refused_with_the_overlap(compare, low):
    says = f"a and b: the curves share only {low:.2f}..30.00 dB of psnr-rgb, less than 0.5 dB"
    with pytest.raises(ValueError, match=re.escape(says)):
        compare(two_points("a", 20, 30), two_points("b", low, 40))


def test_bd_rate_over_a_small_part_warns_with_the_overlap():
    says = "BD-rate of a and b over 26.00..30.00 dB, 40% of the shorter curve"
    with pytest.warns(UserWarning, match=re.escape(says)):
        rd.bd_rate(two_points("a", 20, 30), two_points("b", 26, 40))


@pytest.mark.filterwarnings("error")
def test_bd_rate_over_half_of_the_shorter_curve_is_silent():
    rd.bd_rate(two_points("a", 20, 30), two_points("b", 25, 40))
    rd.bd_rate(two_points("a", 20, 30), two_points("b", 25, 26))


def test_no_pair_of_stored_curves_shares_only_a_sliver():
    curves = [rd.published(name) for name in palette.PUBLISHED]
    curves += [rd.load_results(name) for name in ("mfca", "jpeg", "webp", "avif", "jpeg2000")]
    for metric in ("psnr-rgb", "ms-ssim-rgb"):
        known = [curve for curve in curves if len(rd.curve(curve, metric)[0]) > 1]
        lengths = [np.ptp(rd.common_range(a, b, metric)) for a in known for b in known]
        assert min(lengths) > 5  # dB


def test_evaluation_goes_on_after_files_that_fail(tmp_path, files):
    (tmp_path / "a.png").write_bytes(b"no picture")
    data.write_image(np.zeros((2, 16384, 3), np.uint8), tmp_path / "b.png")  # WebP ends at 16383
    results = benchmark.evaluate("webp", [*sorted(tmp_path.iterdir()), *files], [50])
    assert [row["file"] for row in results["failed"]] == ["a.png", "b.png"]
    assert str(tmp_path / "b.png") in results["failed"][1]["reason"]
    assert [row["file"] for row in results["images"]] == ["a.png", "b.png"]
    assert results["skipped-ms-ssim"] == 1


def test_unknown_published_curve():
    with pytest.raises(KeyError, match="vtm444"):
        rd.published("h267")


def test_plot_writes_a_picture_and_returns_the_deltas(tmp_path):
    curves = [rd.published(name) for name in ("bpg444", "vtm444")]
    deltas = plot.write_plot(curves, tmp_path / "a.png")
    assert deltas == {"vtm444": rd.bd_rate(*curves)}
    assert data.read_image(tmp_path / "a.png")[0].std() > 10


def test_plot_refuses_other_files_and_curves_without_the_metric(tmp_path):
    curves = [rd.published("bpg444")]
    with pytest.raises(data.ImageError, match="use .png"):
        plot.write_plot(curves, tmp_path / "a.xyz")
    old = {"name": "old", "results": {"bpp": [1], "psnr-rgb": [30]}}
    with pytest.raises(ValueError, match="old: no point with ms-ssim-rgb"):
        plot.write_plot([old], tmp_path / "a.png", "ms-ssim-rgb")
    assert not list(tmp_path.iterdir())


def test_plot_says_where_curves_share_no_range(tmp_path):
    low = {"name": "a", "results": {"bpp": [1, 2], "psnr-rgb": [20, 25]}}
    high = {"name": "b", "results": {"bpp": [1, 2], "psnr-rgb": [30, 35]}}
    assert plot.write_plot([low, high], tmp_path / "a.svg") == {"b": None}


def test_plot_and_the_book_colour_a_codec_alike(tmp_path):
    """Its own curve, a published one and a variant: one colour, the second curve of it dashed."""
    curves = [rd.load_results(name) for name in ("jpeg", "mfca", "mfca-auto")]
    plot.write_plot([*curves, rd.published("bpg444")], tmp_path / "a.svg")
    lines = re.findall(
        r'<path d="[^"]+" clip-path="[^"]+" style="fill: none; ([^"]*)"',
        (tmp_path / "a.svg").read_text(),
    )
    drawn = [line for line in lines if "stroke: #b0b0b0" not in line]  # without the grid
    colours = [re.search("stroke: (#[0-9a-f]+)", line).group(1) for line in drawn]
    codecs = ("jpeg", "mfca", "mfca", "bpg")
    assert colours == [palette.CODECS[codec].colour for codec in codecs]
    assert ["dasharray" in line for line in drawn] == [False, False, True, False]


@pytest.mark.parametrize("name", palette.PUBLISHED)
def test_every_name_in_the_palette_is_a_published_curve(name):
    assert rd.published(name)["name"] == name
    codec = palette.CODECS[palette.PUBLISHED[name]]
    assert palette.look_of(name) == (name, codec.colour, codec.marker)


def test_looks_of_codecs_variants_and_other_curves():
    assert palette.look_of("jpeg", 5) == palette.CODECS["jpeg"]
    assert palette.look_of("mfca-effort10").colour == palette.CODECS["mfca"].colour
    assert palette.look_of("cheng2020-anchor", 6) == ("cheng2020-anchor", palette.CYCLE[1], "o")


def test_results_are_found_by_file_or_by_name(results, tmp_path):
    rd.save_results(results, tmp_path / "a.json")
    assert plot.find_results(str(tmp_path / "a.json"))["name"] == "jpeg"
    assert plot.find_results("vtm444") == rd.published("vtm444")
    with pytest.raises(ValueError, match="h267: no such file, and no published curve 'h267'"):
        plot.find_results("h267")


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
