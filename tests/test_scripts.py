"""What pages compute by themselves, run by node, against Python on the same numbers.

Without node these tests are skipped: `apt-get install nodejs`, or any other way to get it.
"""

import heapq
import json
import os
import shutil
import subprocess
from fractions import Fraction

import numpy as np
import pytest
import scipy.fft
import scipy.stats
import torch
import torch.nn.functional as F
from scipy.interpolate import PchipInterpolator

from mfca_tutorial.blocks import dct
from mfca_tutorial.blocks.mfca import MFCA, QualityMFCA
from mfca_tutorial.entropy.passes import pass_of_latent
from mfca_tutorial.evaluation import rd
from mfca_tutorial.show import html

RNG = np.random.default_rng(0)

# Runs every script, then the calls it reads: [[name, arguments], ...]. '12n' is a BigInt.
RUNNER = """
const { readFileSync } = require("fs");
const { runInThisContext } = require("vm");
process.argv.slice(1).forEach((file) => runInThisContext(readFileSync(file, "utf8"), file));
const big = (_, value) => /^-?\\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value;
const plain = (_, value) =>
  typeof value === "bigint" ? `${value}n` : ArrayBuffer.isView(value) ? [...value] : value;
const calls = JSON.parse(readFileSync(0, "utf8"), big);
const results = calls.map(([name, values]) => mfca[name](...values));
console.log(JSON.stringify(results, plain));
"""


def run(*calls):
    """What the scripts' functions return: `run(("round", 2.5), ("fixed", 0.125, 2))`."""
    node = shutil.which("node")
    if not node:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no node on this machine")
    files = [str(html.ASSETS / name) for name in html.SCRIPTS]
    sent = json.dumps([[name, html.packed(list(values))] for name, *values in calls])
    done = subprocess.run(
        [node, "-e", RUNNER, *files], input=sent, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ---- numbers and text


def test_numbers_round_as_numpys_do():
    values = [*np.arange(-3, 3.5, 0.5), 2.4999, -2.5001, *RNG.normal(0, 50, 100)]
    assert run(*[("round", x) for x in values]) == [round(float(x)) for x in values]


def test_text_is_what_python_writes():
    values = [0.125, 0.375, 2.675, -0.001, -0.0, 0.5, 1.5, 12345.678, *RNG.normal(0, 9, 100)]
    shown = run(*[("fixed", x, digits) for x in values for digits in (0, 1, 2)])
    assert shown == [f"{x:z.{digits}f}" for x in values for digits in (0, 1, 2)]

    large = [0, 999, 1000, 1234567.4, 65536]
    assert run(*[("commas", x) for x in large]) == [f"{x:,.0f}" for x in large]
    assert run(("plus", 1.25, 1), ("plus", -1, 1)) == ["+1.2", "-1.0"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("-3 dB, 2%", "−3\u00a0dB, 2\u00a0%"),
        ("factor -0.12; p(-1)", "factor −0.12; p(−1)"),
        (
            "7,621 bytes, 1 byte, 1.54 bits; 0.2 bpp",
            "7,621\u00a0bytes, 1\u00a0byte, 1.54\u00a0bits; 0.2\u00a0bpp",
        ),
        ("192 pixels at 3 % of 16", "192\u00a0pixels at 3\u00a0% of 16"),
        ("MS-SSIM, CRC-32, a -> b, 2020-11-27", "MS-SSIM, CRC-32, a -> b, 2020-11-27"),
        ("-24", "−24"),
        ("3 bitstreams", "3 bitstreams"),
    ],
)
def test_lines_are_typeset_as_in_python(text, shown):
    assert html.typeset(text) == shown
    assert run(("typeset", text)) == [shown]
    assert run(("typeset", shown)) == [html.typeset(shown)] == [shown]


@pytest.mark.parametrize(
    ("right", "down", "wanted"),
    [
        (0, 0, None),
        (7, -7, None),
        (9, 3, "drag"),
        (-9, 3, "drag"),
        (3, -9, "scroll"),
        (9, 9, "scroll"),
    ],
)
def test_what_a_finger_does(right, down, wanted):
    assert run(("gesture", right, down)) == [wanted]


def test_packed_arrays_arrive():
    given = {"bytes": RNG.integers(0, 256, (9, 9)).astype(np.uint8), "few": np.arange(3)}
    given["floats"] = RNG.normal(size=(10, 10))
    (found,) = run(("unpack", given))
    for name, array in given.items():
        wanted = array.astype(np.float32) if name == "floats" else array
        np.testing.assert_array_equal(np.ravel(found[name]), wanted.ravel())


# ---- chapter 1


def test_the_cosine_transform_is_scipys():
    blocks = RNG.normal(0, 50, (20, 8, 8))
    forth = run(*[("dct2", block.ravel().tolist()) for block in blocks])
    np.testing.assert_allclose(
        np.reshape(forth, (20, 8, 8)), scipy.fft.dctn(blocks, axes=(1, 2), norm="ortho"), atol=1e-10
    )
    back = run(*[("idct2", one) for one in forth])
    np.testing.assert_allclose(np.reshape(back, (20, 8, 8)), blocks, atol=1e-10)

    order, rows = run(("zigzag",), ("dctMatrix", 7))
    assert [divmod(place, 8) for place in order] == dct.zigzag()
    np.testing.assert_allclose(rows, dct.dct_matrix(7), atol=1e-14)


def test_blocks_and_their_largest_coefficients():
    x = RNG.normal(size=(24, 40))
    (blocks,) = run(("toBlocks", x.ravel().tolist(), 40))
    np.testing.assert_array_equal(blocks, dct.to_blocks(x).reshape(15, 64))
    (back,) = run(("fromBlocks", blocks, 40))
    np.testing.assert_array_equal(back, x.ravel())

    (places,) = run(("largest", blocks[0], 5))
    assert places == np.argsort(-np.abs(blocks[0]))[:5].tolist()
    (kept,) = run(("keepOnly", blocks[0], places))
    assert np.count_nonzero(kept) == 5
    np.testing.assert_array_equal(np.take(kept, places), np.take(blocks[0], places))


# ---- chapter 2


def test_pooled_waves():
    for k, (pooled, factor) in enumerate(
        zip(
            run(*[("poolWave", k) for k in range(28)]),
            run(*[("pooledFactor", k, 28, 7) for k in range(28)]),
        )
    ):
        fine = np.cos(np.pi * k * (np.arange(28) + 0.5) / 28)
        np.testing.assert_allclose(pooled, fine.reshape(7, 4).mean(1), atol=1e-12)
        coarse = np.cos(np.pi * k * (np.arange(7) + 0.5) / 7)
        np.testing.assert_allclose(factor * coarse, pooled, atol=1e-12)
    heard = run(*[("heard", pooled) for pooled in run(("poolWave", 3), ("poolWave", 7))])
    assert heard == [3, None]


@pytest.mark.parametrize("kind", [MFCA, QualityMFCA])
@pytest.mark.parametrize("quality", [0, 30, 100])
def test_gates_are_those_of_the_block(kind, quality):
    torch.manual_seed(quality)
    block = kind(32).eval()
    torch.nn.init.normal_(block.fc2.weight)
    torch.nn.init.normal_(block.fc2.bias)
    x = torch.randn(1, 32, 24, 24)
    with torch.no_grad():
        s = block.describe(x)[0].tolist()
        wanted = block.gates(x, torch.full((1, 1, 1, 1), quality / 100)).flatten().numpy()
    layers = {"W1": block.fc1.weight, "b1": block.fc1.bias}
    layers |= {"W2": block.fc2.weight, "b2": block.fc2.bias}
    if kind is QualityMFCA:
        layers["Wq"] = block.fcq.weight
    weights = {name: w.detach().double().flatten().tolist() for name, w in layers.items()}
    (found,) = run(("gatesOf", s, weights, quality))
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert np.ptp(wanted) > 0.1

    # one frequency louder, at another quality than at first
    own = RNG.random(32) < 0.3
    given = {"energies": s, "weights": weights, "told": 50}
    turned = (np.array(s) + 0.7 * own).tolist()
    before, after, found = run(
        ("gatesOf", s, weights, 50),
        ("gatesOf", turned, weights, quality),
        ("turnUp", given, own.tolist(), 0.7, quality),
    )
    assert found["before"] == before and found["after"] == after
    np.testing.assert_allclose(found["turned"], turned)
    change = np.abs(np.divide(after, before) - 1)
    np.testing.assert_allclose(found["own"], change[own].mean())
    np.testing.assert_allclose(found["others"], change[~own].mean())


# ---- chapter 4


def test_how_often_in_words():
    calls = [("howOften", *ends) for ends in ((1, 1), (4, 4), (1, 4))]
    assert run(*calls) == ["once", "4 times", "1 to 4 times"]


@pytest.mark.parametrize("stride", [2, 3, 4])
def test_covers_are_those_of_a_transposed_convolution(stride):
    ones = torch.ones(1, 1, 24)
    for kernel, found in zip(range(2, 9), run(*[("coverRow", k, stride) for k in range(2, 9)])):
        cover = F.conv_transpose1d(ones, torch.ones(1, 1, kernel), stride=stride)
        assert found == cover[0, 0, 12:36].int().tolist()


# ---- chapter 5


def test_a_painted_map_is_the_sum_of_its_blocks():
    cost = np.sort(RNG.uniform(10, 100, (5, 16)), axis=0)
    errors = np.sort(RNG.uniform(10, 100, (5, 16)), axis=0)[::-1]
    levels = RNG.integers(5, size=16)
    blocks = np.arange(16)
    found, flat = run(
        ("priceOfMap", levels.tolist(), cost.tolist(), errors.tolist()),
        ("flatAt", 700.0, 16, cost.tolist(), errors.tolist()),
    )
    np.testing.assert_allclose(found["bytes"], cost[levels, blocks].sum())
    mse = errors[levels, blocks].mean()
    np.testing.assert_allclose(found["decibels"], 10 * np.log10(255**2 / mse))

    decibels = 10 * np.log10(255**2 / errors.mean(1))
    wanted = np.interp(np.log(700), np.log(cost.sum(1)), decibels)
    np.testing.assert_allclose(flat, wanted)


@pytest.mark.parametrize("x", [-1, 0, 0.3, 1, 2.5, 4, 9])
def test_interpolation_is_numpys(x):
    xs, ys = [0, 1, 2, 4], [3.0, 5.0, -1.0, 0.0]
    assert run(("interpolate", x, xs, ys)) == [pytest.approx(np.interp(x, xs, ys))]


# ---- chapter 6


def test_entropy_and_squared_error():
    values = RNG.normal(0, 20, 500)
    integers, bits, error = run(
        ("quantise", values.tolist(), 8),
        ("entropyOf", np.round(values / 8).tolist()),
        ("meanSquare", values.tolist(), (8 * np.round(values / 8)).tolist()),
    )
    np.testing.assert_array_equal(integers, np.round(values / 8))
    _, counts = np.unique(integers, return_counts=True)
    np.testing.assert_allclose(bits, scipy.stats.entropy(counts, base=2))
    np.testing.assert_allclose(error, np.mean((8 * np.round(values / 8) - values) ** 2))


# ---- chapter 7


def shortest(low, high):
    """The fewest bits whose every continuation lies in [low, high): by trying all."""
    size = 0
    while True:
        for value in range(2**size):
            if low <= Fraction(value, 2**size) and Fraction(value + 1, 2**size) <= high:
                return f"{value:0{size}b}" if size else ""
        size += 1


@pytest.mark.parametrize("counts", [(4, 10, 2), (1, 14, 1), (5, 5, 6)])
def test_intervals_are_those_of_exact_fractions(counts):
    begins = [0, counts[0], counts[0] + counts[1]]
    for message in RNG.integers(3, size=(5, 6)).tolist():
        interval = {"low": "0n", "width": "1n", "denominator": "1n"}
        low, width = Fraction(0), Fraction(1)
        for s in message:
            (interval,) = run(("narrow", interval, begins[s], counts[s], 16))
            low, width = (
                low + width * Fraction(begins[s], 16),
                width * Fraction(counts[s], 16),
            )
        whole = {key: int(value[:-1]) for key, value in interval.items()}
        assert Fraction(whole["low"], whole["denominator"]) == low
        assert Fraction(whole["width"], whole["denominator"]) == width

        bits, price = run(("shortestBits", interval), ("priceOf", interval))
        assert price == pytest.approx(-np.log2(float(width)), rel=1e-9, abs=1e-9)
        if width > Fraction(1, 2**14):
            assert bits == shortest(low, low + width)
        named = Fraction(int("0" + bits, 2), 2 ** len(bits))
        assert low <= named and named + Fraction(1, 2 ** len(bits)) <= low + width
        assert len(bits) < price + 2


@pytest.mark.parametrize("size", [2, 3, 8, 20])
def test_huffmans_words_are_the_best_ones(size):
    counts = RNG.integers(1, 100, size).tolist()
    (lengths,) = run(("huffmanLengths", counts))
    assert sum(2.0**-length for length in lengths) == 1

    # joining the two rarest, again and again, sums to the total length
    heap, total = list(counts), 0
    heapq.heapify(heap)
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        total += both
        heapq.heappush(heap, both)
    assert sum(c * length for c, length in zip(counts, lengths)) == total


# ---- chapter 8


def test_what_a_latent_knows():
    order = pass_of_latent(4, 4, 4, 4).numpy() + 1  # (groups, rows, columns)
    places = [tuple(map(int, place)) for place in np.argwhere(order > 0)]
    found = run(*[("knownTo", order.tolist(), *place) for place in places])
    for place, known in zip(places, found):
        wanted = [
            other
            for other in places
            if order[other] < order[place]
            and max(abs(other[1] - place[1]), abs(other[2] - place[2])) <= 1
        ]
        assert sorted(map(tuple, known)) == sorted(wanted)


# ---- chapter 12


@pytest.mark.parametrize("points", [2, 3, 5, 12])
def test_monotone_cubics_are_scipys(points):
    x = np.cumsum(RNG.uniform(0.5, 2, points))
    y = np.cumsum(RNG.uniform(-1, 2, points))
    low, high = np.sort(RNG.uniform(x[0], x[-1], 2))
    slopes, area = run(
        ("pchipSlopes", x.tolist(), y.tolist()),
        ("pchipIntegral", x.tolist(), y.tolist(), low, high),
    )
    smooth = PchipInterpolator(x, y)
    np.testing.assert_allclose(slopes, smooth(x, 1), atol=1e-12)
    np.testing.assert_allclose(area, smooth.integrate(low, high), atol=1e-12)


@pytest.mark.parametrize("rival", ["jpeg", "webp", "jpeg2000", "avif"])
@pytest.mark.parametrize("metric", ["psnr-rgb", "ms-ssim-rgb"])
def test_bd_rates_are_those_of_the_package(rival, metric):
    pair = [rd.load_results(name) for name in (rival, "mfca")]
    curves = [[part.tolist() for part in rd.curve(results, metric)] for results in pair]
    ((low, high),) = run(("commonRange", *curves))
    assert (low, high) == pytest.approx(rd.common_range(*pair, metric))
    (found,) = run(("bdRate", *curves, low, high))
    assert found == pytest.approx(rd.bd_rate(*pair, metric), abs=0.01)


@pytest.mark.parametrize("rival", ["jpeg", "mfca"])
def test_curves_are_drawn_as_the_bd_rate_joins_them(rival):
    rates, values = rd.curve(rd.load_results(rival))
    smooth = PchipInterpolator(values, np.log(rates))
    ((joined, fine),) = run(("joinedCurve", [rates.tolist(), values.tolist()], 97))
    np.testing.assert_allclose(fine, np.linspace(values[0], values[-1], 97), rtol=1e-12)
    np.testing.assert_allclose(np.log(joined), smooth(fine), atol=1e-12)


def test_a_curve_of_two_points_is_straight_over_the_logarithm():
    ((joined, _),) = run(("joinedCurve", [[0.25, 1.0], [30.0, 36.0]], 3))
    np.testing.assert_allclose(joined, [0.25, 0.5, 1.0])


# ---- chapter 11


@pytest.mark.parametrize("x", [-4, 0, 0.9, 1, 1.1, 13.7, 99])
def test_the_nearest_epoch(x):
    epochs = [0, 2, 4, 14]
    assert run(("nearest", x, epochs)) == [int(np.abs(np.subtract(epochs, x)).argmin())]


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 30, [0, 10, 20, 30]),
        (0.051, 0.347, [0.1, 0.2, 0.3]),
        (0.0007, 0.0801, [0.02, 0.04, 0.06, 0.08]),
        (9.8, 22.4, [10, 15, 20]),
        (3, 3, [3]),
    ],
)
def test_a_ruler_has_few_round_numbers(low, high, wanted):
    assert run(("ticks", low, high, 4)) == [wanted]
