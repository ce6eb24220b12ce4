"""Integer tables and the codec's own streams (and the importance map's, which uses them)."""

import hashlib
import math
import time

import constriction
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from mfca_tutorial.container import BitstreamError
from mfca_tutorial.entropy import counts, escapes, map_coder, tables
from mfca_tutorial.entropy.counts import SCALES, Table, gaussian_tables
from mfca_tutorial.entropy.tables import table_bits

INT32 = np.iinfo(np.int32)
PINNED_TABLES = "809399f1b2c283f4e8de0187aa24a6f59c64f4e175fd864ddeb50a7426a365cd"
PINNED_STREAM = "fff9e60c846c12c00ecd82fed6fea3"
PINNED_MAP_COUNTS = "8f02a8cb4331f05de9c7d98e8c9ea51a12bf6bee446e20566d116d3dace0710c"
PINNED_MAP = "400ed046e44c708be4"


def code(symbols, index, tabs):
    encoder = tables.new_encoder()
    tables.encode_indexed(encoder, symbols, index, tabs)
    return tables.finish(encoder)


def decode(data, index, tabs):
    decoder = tables.StreamDecoder(data)
    symbols = tables.decode_indexed(decoder, index, tabs)
    tables.check_finished(decoder)
    return symbols


def latents(rng, n, reach=1.0):
    index = np.minimum(63, rng.exponential(12, n)).astype(np.uint8)
    return np.round(rng.normal(size=n) * SCALES[index] * reach).astype(np.int64), index


# -------------------------------------------------------------------------------------- the tables


def test_gaussian_tables_are_symmetric_and_close_to_scipy():
    """Against scipy, for each scale: sums, support, and bits lost (Kullback-Leibler)."""
    for scale, table in zip(SCALES, gaussian_tables(), strict=True):
        reach = -table.offset
        assert table.counts.sum() == 65536
        assert table.counts.min() >= 1
        assert len(table.counts) == 2 * reach + 2
        assert (table.counts[:-1] == table.counts[-2::-1]).all()

        # wide enough, and not wider than that
        assert 2 * norm.sf((reach + 0.5) / scale) <= 2.0**-14
        assert reach == 2 or 2 * norm.sf((reach - 0.5) / scale) > 2.0**-14

        # bits lost
        k = np.arange(-reach, reach + 1)
        p = norm.cdf((k + 0.5) / scale) - norm.cdf((k - 0.5) / scale)
        p = np.where(k > 0, p[::-1], p)  # the lower half's are the more exact
        entropy = -(p[p > 0] * np.log2(p[p > 0])).sum()
        loss = (p * table.bits[:-1]).sum() - entropy
        assert loss <= 0.0022 * entropy + 1e-4


def test_gaussian_tables_are_the_same_everywhere():
    """No floor is within 1e-6 of flipping, more than `erfc` can err; and the result is pinned."""
    ladder = np.geomspace(counts.SCALE_MIN, counts.SCALE_MAX, counts.LEVELS) * 2.0**16
    assert np.abs(ladder - np.floor(ladder) - 0.5).min() > 1e-3
    for scale in SCALES:
        half = counts._half_pmf(float(scale))
        pmf = np.concatenate([half[:0:-1], half])
        shares = (counts.TOTAL - len(pmf) - 1) * np.append(pmf, 1.0 - pmf.sum())
        assert np.abs(shares - np.round(shares))[shares > 0.5].min() > 1e-6
        for reach in range(max(0, len(half) - 2), len(half)):
            assert abs(2.0 * counts._upper(reach + 0.5, float(scale)) / counts.TAIL - 1.0) > 1e-4
    everything = b"".join(
        t.counts.astype("<i4").tobytes() + bytes([-t.offset & 255]) for t in gaussian_tables()
    )
    assert hashlib.sha256(everything).hexdigest() == PINNED_TABLES


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(gaussian_tables()[0], id="narrow"),
        pytest.param(gaussian_tables()[20], id="middle"),
        pytest.param(gaussian_tables()[63], id="wide"),
        pytest.param(escapes.PREFIX, id="prefix"),
        pytest.param(counts.table_from_pmf([1e-9, 1.0], 0), id="lopsided"),
    ],
)
def test_constriction_uses_exactly_our_integers(table):
    """Its cumulative probabilities, read off at both sides of every border between two symbols."""
    step = (2**64 - 1) >> 24  # the decoder's first interval, cut in 2**24
    borders = np.append(0, np.cumsum(table.counts)).tolist()
    for symbol, (first, end) in enumerate(zip(borders, borders[1:])):
        for share in (256 * first, 256 * end - 1):
            words = np.array(divmod(share * step, 2**32), dtype=np.uint32)
            assert constriction.stream.queue.RangeDecoder(words).decode(table.model) == symbol


def test_table_from_pmf():
    table = counts.table_from_pmf([0.25, 0.5, 0.25], -1)
    assert table.counts.tolist() == [16384, 32767, 16384, 1]
    assert table.offset == -1
    half_elsewhere = counts.table_from_pmf([0.5], 3)
    assert half_elsewhere.counts.tolist() == [32768, 32768]


def test_table_from_pmf_is_near_the_pmf():
    rng = np.random.default_rng(0)
    for _ in range(200):
        pmf = rng.dirichlet(np.full(rng.integers(1, 400), 0.1)) * rng.uniform(0.9, 1)
        table = counts.table_from_pmf(pmf, 0)
        assert np.abs(table.counts[:-1] - 65536 * pmf).max() <= 2 + len(pmf) * pmf.max()


@pytest.mark.parametrize(
    "pmf",
    [
        pytest.param([], id="empty"),
        pytest.param([[0.5, 0.5]], id="two-dimensional"),
        pytest.param([0.0, 0.0], id="no mass"),
        pytest.param([np.nan, 1.0], id="not finite"),
        pytest.param(np.full(40_000, 1 / 40_000), id="too long"),
    ],
)
def test_what_is_no_pmf_is_refused(pmf):
    with pytest.raises(ValueError, match="1 to 32767 probabilities"):
        counts.table_from_pmf(pmf, 0)


def test_a_pmf_that_sums_to_more_than_one_is_scaled_down():
    table = counts.table_from_pmf([1.0, 1.0, 2.0], 5)
    assert table.counts.tolist() == [16384, 16384, 32767, 1]
    assert table.offset == 5


def test_a_pmf_has_a_greatest_length():
    longest = np.full(32767, 1 / 32767)
    assert counts.table_from_pmf(longest, 0).escape == 32767
    with pytest.raises(ValueError, match="1 to 32767 probabilities"):
        counts.table_from_pmf(np.append(longest, 0.0), 0)


def test_tables_survive_the_checkpoint():
    vectors = counts.tables_to_array(gaussian_tables())
    for vector in vectors.values():
        assert vector.dtype == np.int32
        assert vector.ndim == 1
    for a, b in zip(counts.tables_from_array(vectors), gaussian_tables(), strict=True):
        assert a.offset == b.offset
        assert (a.counts == b.counts).all()


@pytest.mark.parametrize("name", ["offset", "length", "counts"])
def test_vectors_that_do_not_fit_together_are_refused(name):
    vectors = counts.tables_to_array(gaussian_tables())
    vectors[name] = vectors[name][:-1]
    with pytest.raises(ValueError):
        counts.tables_from_array(vectors)


@pytest.mark.parametrize("surplus", [[1], [1, 1]])
def test_counts_that_belong_to_no_table_are_refused(surplus):
    vectors = counts.tables_to_array(gaussian_tables())
    vectors["counts"] = np.append(vectors["counts"], surplus)
    with pytest.raises(ValueError, match="fit together"):
        counts.tables_from_array(vectors)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param([65536, 0], id="no escape"),
        pytest.param([65537, -1], id="negative"),
        pytest.param([65535, 2], id="too many"),
        pytest.param([65534, 1], id="too few"),
        pytest.param([65536], id="one symbol"),
        pytest.param([[32768], [32768]], id="two-dimensional"),
    ],
)
def test_what_is_no_table_is_refused(wrong):
    with pytest.raises(ValueError, match="two or more counts"):
        Table(np.array(wrong), 0)


# ------------------------------------------------------------------------------------- the streams


@pytest.mark.parametrize("reach", [1.0, 3.0, 1000.0])
def test_round_trip_and_length(reach):
    """Latents that fit their scale, that are three times too large, and that nearly all escape."""
    rng = np.random.default_rng(1)
    symbols, index = latents(rng, 50_000, reach)
    data = code(symbols, index, gaussian_tables())
    decoded = decode(data, index, gaussian_tables())
    assert decoded.dtype == np.int32 and (decoded == symbols).all()
    bits = table_bits(symbols, index, gaussian_tables())
    assert abs(8 * len(data) - bits) <= 16 + 1e-4 * bits


def test_bits_close_to_the_ideal_gaussian():
    rng = np.random.default_rng(2)
    symbols, index = latents(rng, 200_000)
    scale, away = SCALES[index], -np.abs(symbols)
    ideal = -np.log2(norm.cdf((away + 0.5) / scale) - norm.cdf((away - 0.5) / scale)).sum()
    assert ideal <= 8 * len(code(symbols, index, gaussian_tables())) <= 1.0022 * ideal + 64


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(gaussian_tables()[0], id="narrow"),
        pytest.param(gaussian_tables()[63], id="wide"),
        pytest.param(Table(np.array([1, 65535]), int(INT32.max)), id="all below"),
        pytest.param(Table(np.array([1, 65535]), int(INT32.min)), id="all above"),
    ],
)
def test_nothing_is_clipped_in_the_whole_int32_range(table):
    far = [INT32.min, INT32.max, 2**16, -(2**16), 2**24 + 1, -(2**30) - 3]
    near = range(-40, 41)
    symbols = np.array([*far, *near], dtype=np.int64)
    index = np.zeros(len(symbols), np.uint8)
    assert (decode(code(symbols, index, [table]), index, [table]) == symbols).all()


@pytest.mark.parametrize("symbol", [2**31, -(2**31) - 1, 0.5])
def test_what_is_no_int32_is_refused(symbol):
    with pytest.raises(ValueError, match="within int32"):
        tables.encode_group(tables.new_encoder(), np.array([symbol]), gaussian_tables()[0])


@pytest.mark.parametrize("value, r", [(1, 0), (-1, 1), (2, 2), (-2, 3), (100, 198), (-100, 199)])
def test_escapes_are_exp_golomb(value, r):
    """Beside a table of one symbol: the escape, then 2 * floor(log2(r + 1)) + 1 bits."""
    table = Table(np.array([32768, 32768]), 0)
    expected = 1 + 2 * math.floor(math.log2(r + 1)) + 1
    assert table_bits(np.array([value]), np.array([0]), [table]) == expected


def test_the_bytes_of_small_streams_are_pinned():
    """A change of any of these breaks every file that exists."""
    symbols = np.array([0, 1, -1, 0, 5, -300, 12, 0, 0, 100000, -7, 2])
    index = np.array([0, 5, 9, 0, 30, 60, 31, 2, 63, 63, 1, 20], dtype=np.uint8)
    assert code(symbols, index, gaussian_tables()).hex() == PINNED_STREAM
    ramp = np.add.outer(np.arange(4), np.arange(6)).astype(np.uint8)
    assert map_coder.encode_map(ramp).hex() == PINNED_MAP


def test_many_short_streams_end_where_they_should():
    """Every length of tail, carries included: about a byte over the prices, no zero at the end."""
    rng = np.random.default_rng(3)
    for _ in range(1000):
        symbols, index = latents(rng, int(rng.integers(0, 12)), rng.choice([1, 1, 50]))
        data = code(symbols, index, gaussian_tables())
        assert (decode(data, index, gaussian_tables()) == symbols).all()
        assert 8 * len(data) <= table_bits(symbols, index, gaussian_tables()) + 9
        assert not data.endswith(b"\0")


@pytest.mark.parametrize("seed", range(20))
def test_the_carry_of_constrictions_own_ending_is_taken_back(seed):
    """Symbols that keep the interval astride the register's end, until `low` is a word below it."""
    rng = np.random.default_rng(seed)
    table = Table(np.array([21845, 21846, 21844, 1]), 0)
    encoder = tables.new_encoder()
    symbols = []

    def after(symbol):
        """The interval that this symbol would leave: low, span."""
        trial = encoder.clone()
        trial.encode(symbol, table.model)
        return trial.pos()[1]

    low = 0
    while low <= 2**64 - 2**32:
        astride = [symbol for symbol in range(3) if sum(after(symbol)) > 2**64]
        symbols.append(int(rng.choice(astride or range(3))))
        encoder.encode(symbols[-1], table.model)
        low = encoder.pos()[1][0]

    data = tables.finish(encoder)
    decoder = tables.StreamDecoder(data)
    assert tables.decode_group(decoder, len(symbols), table).tolist() == symbols
    tables.check_finished(decoder)


def test_damaged_streams_are_noticed():
    """Cut, or a bit flipped: an error, or exactly the code of other symbols.

    A range coder leaves few strings unused, so the stream alone cannot notice everything: that is
    the checksum's business. What it must notice is slack.
    """
    rng = np.random.default_rng(4)
    symbols, index = latents(rng, 400, 2.0)
    data = code(symbols, index, gaussian_tables())
    cut = [data[:n] for n in range(len(data))]
    number = int.from_bytes(data, "big")
    flipped = [(number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(8 * len(data))]
    noticed = 0
    for damaged in cut + flipped:
        try:
            decoded = decode(damaged, index, gaussian_tables())
        except BitstreamError:
            noticed += 1
            continue
        assert (decoded != symbols).any()
        assert code(decoded, index, gaussian_tables()) == damaged
    assert noticed > 0.8 * len(cut + flipped)


@pytest.mark.parametrize("more", [b"\0", bytes(8), b"\0\0\0\1", bytes(400) + b"\1"])
def test_what_follows_a_stream_is_noticed(more):
    """Every continuation lies in the same interval, so the symbols alone would not tell."""
    symbols, index = latents(np.random.default_rng(4), 400, 2.0)
    data = code(symbols, index, gaussian_tables())
    with pytest.raises(BitstreamError):
        decode(data + more, index, gaussian_tables())


def test_hostile_streams_end_in_time():
    """One byte repeated, or random ones, for 300,000 symbols: an error, in seconds."""
    rng = np.random.default_rng(5)
    index = rng.integers(0, 64, 300_000).astype(np.uint8)
    all_escape = Table(np.array([1, 65535]), 0)
    streams = [
        b"",
        b"\xff" * 10,
        b"\xff" * 4_000_000,
        bytes(100),
        rng.bytes(100_000),
        rng.bytes(4_000_000),
    ]
    start = time.perf_counter()
    for data in streams:
        for tabs in (gaussian_tables(), [all_escape] * 64):
            with pytest.raises(BitstreamError):
                decode(data + b"\1\0", index, tabs)
    assert time.perf_counter() - start < 30


def test_shapes_and_indices_are_checked():
    symbols = np.zeros((2, 3, 4), np.int32)
    index = np.full((2, 3, 4), 7, np.uint8)
    data = code(symbols, index, gaussian_tables())
    assert decode(data, index, gaussian_tables()).shape == (2, 3, 4)
    with pytest.raises(ValueError, match="same shape"):
        code(symbols, index[0], gaussian_tables())
    with pytest.raises(ValueError, match="out of range"):
        code(symbols, index + 60, gaussian_tables())
    with pytest.raises(ValueError, match="out of range"):
        decode(b"", index + 60, gaussian_tables())
    with pytest.raises(ValueError, match="out of range"):
        code(symbols, np.full((2, 3, 4), -1, np.int8), gaussian_tables())


def test_groups_are_coded_in_ascending_order_raster_inside():
    rng = np.random.default_rng(6)
    symbols, index = latents(rng, 500, 3.0)
    encoder = tables.new_encoder()
    for level, table in enumerate(gaussian_tables()):
        tables.encode_group(encoder, symbols[index == level], table)
    assert tables.finish(encoder) == code(symbols, index, gaussian_tables())


@given(st.binary(max_size=60), st.lists(st.integers(0, 63), max_size=30))
def test_any_stream_of_indexed_symbols(data, index):
    index = np.array(index, np.uint8)
    decoder = tables.StreamDecoder(data)
    try:
        symbols = tables.decode_indexed(decoder, index, gaussian_tables())
        tables.check_finished(decoder)
    except BitstreamError:
        return

    # it is the only spelling of these symbols
    encoder = tables.new_encoder()
    tables.encode_indexed(encoder, symbols, index, gaussian_tables())
    assert tables.finish(encoder) == data


int32 = st.integers(-(2**31), 2**31 - 1)


@given(st.lists(int32 | st.integers(-9, 9), max_size=40), int32, st.integers(1, 65535))
def test_any_int32_in_any_table(symbols, offset, count):
    table = Table(np.array([count, 65536 - count]), offset)
    symbols = np.array(symbols, np.int64)
    encoder = tables.new_encoder()
    tables.encode_group(encoder, symbols, table)
    decoder = tables.StreamDecoder(tables.finish(encoder))
    assert (tables.decode_group(decoder, len(symbols), table) == symbols).all()
    tables.check_finished(decoder)


# ---------------------------------------------------------------------------------- importance map


def size_of_map(levels):
    return len(map_coder.encode_map(levels))


def test_maps_round_trip():
    rng = np.random.default_rng(7)
    for _ in range(100):
        shape = rng.integers(1, 17, 2)
        levels = np.clip(rng.normal(8, rng.uniform(0, 6), shape), 0, 15).astype(np.uint8)
        data = map_coder.encode_map(levels)
        assert (map_coder.decode_map(data, *levels.shape) == levels).all()
        assert len(data) <= levels.size / 2 + 3  # never more than raw, by much


def test_an_empty_stream_is_level_0_everywhere():
    """As the docstring of the container says."""
    lowest = np.zeros((2, 3), np.uint8)
    assert map_coder.encode_map(lowest) == b""
    assert (map_coder.decode_map(b"", 2, 3) == lowest).all()


def test_smooth_maps_are_cheap():
    """Raw, each of these would have 48 bytes."""
    flat = [size_of_map(np.full((8, 12), level, np.uint8)) for level in range(16)]
    assert flat[8] == 1
    assert max(flat) <= 10

    y, x = np.mgrid[:8, :12]
    blob = 8 + 4 * np.exp(-((y - 4) ** 2 + (x - 5) ** 2) / 20)
    assert size_of_map(np.round(blob).astype(np.uint8)) <= 24

    box = np.full((8, 12), 8, np.uint8)
    box[2:5, 3:8] = 12
    assert size_of_map(box) <= 20


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param(np.zeros(5, np.uint8), id="one-dimensional"),
        pytest.param(np.zeros((0, 3), np.uint8), id="empty"),
        pytest.param(np.full((2, 2), 16, np.uint8), id="level 16"),
        pytest.param(np.full((2, 2), 17, np.uint8), id="level 17"),
        pytest.param(np.full((2, 2), -1, np.int8), id="level -1"),
        pytest.param(np.zeros((2, 2, 2), np.uint8), id="three-dimensional"),
    ],
)
def test_bad_maps_are_refused(levels):
    with pytest.raises(ValueError, match="levels 0..15"):
        map_coder.encode_map(levels)


def test_the_counts_of_the_map_are_pinned(monkeypatch):
    """All 4 x 16 of them: a change of any makes maps unreadable that use it."""
    pinned = hashlib.sha256()
    monkeypatch.setattr(
        map_coder, "exact_model", lambda counts: pinned.update(counts.astype("<i8"))
    )
    for contrast in range(4):
        for neighbour in range(16):
            map_coder._model.__wrapped__(contrast, neighbour)
    assert pinned.hexdigest() == PINNED_MAP_COUNTS


@pytest.mark.parametrize("contrast", range(4))
def test_every_contrast_is_the_best_for_some_map(contrast):
    rng = np.random.default_rng(contrast)
    share = [1, 0.55, 0.25, 0.02][contrast]
    levels = np.full((8, 12), 8, np.uint8)
    noisy = rng.random((8, 12)) < share
    levels[noisy] = rng.integers(*[(0, 16), (6, 11), (7, 10), (7, 9)][contrast], noisy.sum())
    flat = levels.ravel().tolist()
    neighbours = map_coder._neighbours(levels).ravel().tolist()
    data = map_coder.encode_map(levels)
    assert data == map_coder._encode(flat, neighbours, contrast)
    assert (map_coder.decode_map(data, 8, 12) == levels).all()


@pytest.mark.parametrize(
    "surplus, says",
    [(0, "does not end"), (1, "more bytes than any map"), (2, "more bytes than any map")],
)
def test_a_map_has_a_greatest_length(surplus, says):
    """Its levels and one byte: beyond that, nothing is decoded."""
    with pytest.raises(BitstreamError, match=says):
        map_coder.decode_map(b"\x11" * (3 * 5 + 1 + surplus), 3, 5)


RAMP = np.arange(16, dtype=np.uint8).reshape(4, 4)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(map_coder.encode_map(RAMP) + b"\0", id="a zero more"),
        pytest.param(map_coder.encode_map(RAMP) + b"\0\0\1", id="three bytes more"),
        pytest.param(bytes(4), id="zeros"),
        pytest.param(b"\xff" * 300, id="too long"),
    ],
)
def test_damaged_maps_are_noticed(wrong):
    with pytest.raises(BitstreamError):
        map_coder.decode_map(wrong, 4, 4)


@given(st.binary(max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_any_map_stream(data, h, w):
    try:
        levels = map_coder.decode_map(data, h, w)
    except BitstreamError:
        return
    assert levels.shape == (h, w)
    assert levels.max() < 16
    assert len(map_coder.encode_map(levels)) <= len(data)
    assert (map_coder.decode_map(map_coder.encode_map(levels), h, w) == levels).all()
