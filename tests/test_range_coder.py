"""The teaching coder, tested the hard way: what follows cannot matter, and no bit is wasted."""

import math
import random

import constriction
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfca_tutorial.entropy import range_coder
from mfca_tutorial.entropy.counts import exact_model


def bits_of(data):
    return [byte >> (7 - i) & 1 for byte in data for i in range(8)]


def bytes_of(bits):
    bits = bits + [0] * (-len(bits) % 8)
    return bytes(
        sum(bit << (7 - i) for i, bit in enumerate(bits[at : at + 8]))
        for at in range(0, len(bits), 8)
    )


def ideal_bits(symbols, counts):
    total = sum(counts)
    return sum(-math.log2(counts[s] / total) for s in symbols)


def check(symbols, counts, rng):
    """Exact round trip, exact length, and independence of every bit after the last one used."""
    data = range_coder.encode(symbols, counts)
    decoded, used = range_coder.decode(data, counts, len(symbols))
    assert decoded == list(symbols)
    assert len(data) == -(-used // 8)
    assert used <= ideal_bits(symbols, counts) + 2.01 + 1e-6 * len(symbols)

    # whatever follows: zeros, ones, or anything
    tails = [[0] * 80, [1] * 80]
    for _ in range(4):
        size = rng.choice([1, 7, 64])
        tails.append([rng.getrandbits(1) for _ in range(size)])
    payload = bits_of(data)[:used]
    for tail in tails:
        slack = bytes_of(payload + tail)
        assert range_coder.decode(slack, counts, len(symbols)) == (decoded, used)
    return data, used


def test_random_alphabets_round_trip_with_random_slack():
    rng = random.Random(1)
    for _ in range(300):
        counts = [rng.choice([0, 1, 2, 50, 3000, 10**6]) for _ in range(rng.randint(1, 40))] + [1]
        alive = [s for s, count in enumerate(counts) if count]
        weights = None  # symbols that the counts did not expect
        if rng.random() < 0.7:
            weights = [counts[s] for s in alive]
        symbols = rng.choices(alive, weights, k=rng.randint(0, 120))
        check(symbols, counts, rng)


def test_each_used_bit_is_needed():
    """One bit less, then the wrong bits, is another message: `used` does not over-estimate."""
    rng = random.Random(2)
    for _ in range(200):
        counts = [rng.randint(1, 100) for _ in range(rng.randint(2, 9))]
        symbols = rng.choices(range(len(counts)), counts, k=rng.randint(1, 60))
        data, used = check(symbols, counts, rng)
        kept = bits_of(data)[: used - 1]
        tails = [
            range_coder.decode(bytes_of(kept + [bit] * 80), counts, len(symbols))[0]
            for bit in (0, 1)
        ]
        assert tails != [symbols, symbols]


def test_one_symbol_costs_nothing():
    assert range_coder.encode([0] * 10_000, [7]) == b""
    assert range_coder.decode(b"", [7], 10_000) == ([0] * 10_000, 0)
    assert range_coder.decode(b"\xff\x55", [7], 3) == ([0] * 3, 0)


def test_an_almost_certain_symbol_costs_almost_nothing():
    data, used = check([0] * 10_000, [2**31 - 1, 1], random.Random(3))
    assert used <= 1
    assert data in (b"", b"\0")


@pytest.mark.parametrize(
    "counts",
    [
        pytest.param([1] * 65536, id="uniform"),
        pytest.param([1 + 2**30 // (s + 1) ** 2 for s in range(65536)], id="steep"),
    ],
)
def test_alphabet_of_65536_symbols(counts):
    rng = random.Random(4)
    symbols = [0, 65535, 1, 65534, *rng.choices(range(65536), counts, k=500)]
    _, used = check(symbols, counts, rng)
    assert used >= 32


@pytest.fixture
def carries(monkeypatch):
    """The number of ones that each carry runs through, in order."""
    lengths = []
    original = range_coder.Encoder._carry

    def watched(self):
        lengths.append(next(i for i, bit in enumerate(reversed(self.bits)) if not bit))
        original(self)

    monkeypatch.setattr(range_coder.Encoder, "_carry", watched)
    return lengths


def test_carry_runs_through_a_long_row_of_ones(carries):
    """The middle symbol keeps the interval astride one half: 0111... is open until the end."""
    rng = random.Random(5)
    for ending in ([2], [0], [1], [2, 2, 2], [0, 2, 0, 2]):
        check([1] * 1000 + ending, [3, 2, 3], rng)
    assert max(carries) > 1000


def test_many_carries(carries):
    rng = random.Random(5)
    for seed in range(200):
        symbols = random.Random(seed).choices(range(3), [1, 30, 1], k=200)
        check(symbols, [1, 1, 1], rng)
    assert len(carries) > 300


def test_counts_may_change_from_symbol_to_symbol():
    rng = random.Random(6)
    tables = [
        range_coder.cumulate([rng.randint(1, 99) for _ in range(rng.randint(1, 30))])
        for _ in range(400)
    ]
    symbols = [rng.randrange(len(table) - 1) for table in tables]
    encoder = range_coder.Encoder()
    for symbol, table in zip(symbols, tables):
        encoder.put(symbol, table)
    data = encoder.finish()
    decoder = range_coder.Decoder(data + rng.randbytes(9))
    assert [decoder.get(table) for table in tables] == symbols
    assert -(-decoder.used // 8) == len(data)


def test_the_decoder_walks_in_step_with_the_encoder():
    """The same interval after every symbol, and the file's number always inside it."""
    rng = random.Random(9)
    for _ in range(50):
        cumulative = range_coder.cumulate([rng.randint(1, 60) for _ in range(rng.randint(2, 9))])
        symbols = [rng.randrange(len(cumulative) - 1) for _ in range(60)]
        encoder = range_coder.Encoder()
        intervals = []
        for symbol in symbols:
            encoder.put(symbol, cumulative)
            intervals.append((encoder.low, encoder.span))

        decoder = range_coder.Decoder(encoder.finish())
        for symbol, interval in zip(symbols, intervals, strict=True):
            assert decoder.get(cumulative) == symbol
            assert (decoder.low, decoder.span) == interval
            assert 0 <= decoder.low < range_coder.ONE
            assert range_coder.HALF < decoder.span <= range_coder.ONE
            assert 0 <= decoder.above < decoder.span


def test_a_part_that_begins_just_where_the_register_ends_carries(carries):
    """The middle quarter, then its upper half: 1/2 exactly, after the bits 01 were written."""
    encoder = range_coder.Encoder()
    encoder.put(1, [0, 3, 5, 8])
    assert (encoder.bits, encoder.low, encoder.span) == ([0, 1], range_coder.HALF, range_coder.ONE)
    encoder.put(1, [0, 1, 2])
    assert encoder.bits == [1, 0, 0]
    assert carries == [1]
    decoder = range_coder.Decoder(encoder.finish())
    assert [decoder.get([0, 3, 5, 8]), decoder.get([0, 1, 2])] == [1, 1]


@given(st.data())
def test_any_symbols_with_any_counts(data):
    counts = data.draw(st.lists(st.integers(0, 2**20), min_size=1, max_size=12))
    counts.append(data.draw(st.integers(1, 2**30)))
    alive = [symbol for symbol, count in enumerate(counts) if count]
    symbols = data.draw(st.lists(st.sampled_from(alive), max_size=40))
    check(symbols, counts, random.Random(0))


def test_as_short_as_constriction():
    """On the same integer counts both are within 0.1 % of the entropy of the sequence."""
    rng = np.random.default_rng(7)
    counts = 1 + np.floor((65536 - 32) * rng.dirichlet(np.full(32, 0.5))).astype(np.int64)
    counts[0] += 65536 - counts.sum()
    symbols = rng.choice(32, 20_000, p=counts / 65536).astype(np.int32)
    ideal = ideal_bits(symbols.tolist(), counts.tolist())
    encoder = constriction.stream.queue.RangeEncoder()
    encoder.encode(symbols, exact_model(counts))
    ours = 8 * len(range_coder.encode(symbols, counts))
    assert ideal <= ours <= 1.001 * ideal
    assert abs(ours - encoder.num_bits()) <= 40


@pytest.mark.parametrize(
    "symbols, counts",
    [
        ([1], [1, 0, 1]),
        ([2], [1, 1]),
        ([3], [1, 1]),
        ([-1], [1, 1]),
        ([0], []),
        ([0], [0, 0]),
        ([0], [1, -1]),
        ([0], [2**31, 1]),
    ],
)
def test_what_cannot_be_coded_is_refused(symbols, counts):
    with pytest.raises(ValueError):
        range_coder.encode(symbols, counts)


def test_parts_lie_side_by_side_and_fill_the_interval():
    rng = random.Random(8)
    assert range_coder.part_of(1, 80, [0, 2, 7, 8]) == (20, 50)
    for _ in range(200):
        cumulative = range_coder.cumulate([rng.randint(1, 10**6) for _ in range(30)])
        span = rng.randint(range_coder.HALF + 1, range_coder.ONE)
        at = 0
        for symbol in range(30):
            start, width = range_coder.part_of(symbol, span, cumulative)
            assert start == at
            assert width > 0
            at = start + width
        assert at == span


def test_worked_example():
    """[1] with counts [1, 1, 2]: the interval [1/4, 1/2), which is the bits 01."""
    assert range_coder.encode([1], [1, 1, 2]) == bytes([0b01000000])
    assert range_coder.decode(bytes([0b01111111]), [1, 1, 2], 1) == ([1], 2)
    assert len(range_coder.encode([1, 1, 0, 1, 1, 1, 2, 1], [2, 5, 1])) == 2
