"""The decoder under attack: whatever the bytes, a picture or a BitstreamError, and soon.

Hypothesis and `tools/fuzz.py` make the files; the model is the small one of `tests/golden/`. What
was found once lies in `tests/fuzz_cases/`. `make fuzz` tries many more. The parts of a file that
need no model are attacked in test_container.py and test_tables.py.
"""

import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mfca_tutorial.container import BitstreamError, Header, Tile, pack
from mfca_tutorial.entropy import latents, tables
from mfca_tutorial.entropy.exact import LIMIT

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import fuzz  # noqa: E402
import fuzz_mutants  # noqa: E402

CODECS = {form: fuzz.codec_of(form) for form in ("energy", "quality")}
CODEC = CODECS["energy"]
SEEDLINGS = fuzz_mutants.corpus("energy")


@pytest.fixture(scope="module", autouse=True)
def one_thread_that_is_warm():
    """The limit is on processor time, to which idle threads add, and what torch does only once."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for seedling in SEEDLINGS[:2]:
        fuzz.decode(CODEC, seedling.file)
    yield
    torch.set_num_threads(threads)


# ---- whole files


@pytest.mark.parametrize("form", CODECS)
@pytest.mark.parametrize("kind", [*dict.fromkeys(fuzz_mutants.KINDS), fuzz_mutants.Forger])
def test_every_kind_of_mutant(form, kind):
    """Forty of each kind, always the same; `make fuzz` tries 20,000."""
    codec = CODECS[form]
    make = fuzz_mutants.Forger(codec) if kind is fuzz_mutants.Forger else kind
    seedlings = fuzz_mutants.corpus(form)
    for i in range(40):
        rng = random.Random(i)
        file = make(rng.choice(seedlings), rng.choice(seedlings), rng)
        fuzz.judged(codec, file)


def test_the_mutants_reach_every_depth():
    """Else the others would test nothing but the checksum."""
    results = set()
    for _, _, file in fuzz_mutants.mutants(CODEC, "energy", seed=0, first=0, n=300):
        result, _ = fuzz.judged(CODEC, file)
        results.add(result.removeprefix("refused: "))
    for expected in (
        "a picture",
        "the file is damaged or cut short",
        "the file is cut short",
        "the file is damaged",
        "the coded data is damaged",
        "the coded data does not end where",
        "the importance map has more bytes",
    ):
        assert any(result.startswith(expected) for result in results), expected


def test_a_mutant_has_a_number():
    twice = [list(fuzz_mutants.mutants(CODEC, "energy", seed=3, first=5, n=4)) for _ in range(2)]
    assert twice[0] == twice[1]
    (alone,) = fuzz_mutants.mutants(CODEC, "energy", seed=3, first=7, n=1)
    assert alone == twice[0][2]


@pytest.mark.parametrize(
    "file", sorted((ROOT / "tests" / "fuzz_cases").glob("*.mfca")), ids=lambda file: file.stem
)
def test_what_was_found_once(file):
    with pytest.raises(BitstreamError):
        CODEC.decompress(file.read_bytes(), max_pixels=fuzz.MAX_PIXELS)
    fuzz.judged(CODEC, file.read_bytes())


@given(st.data())
@settings(max_examples=200)
def test_any_bytes_behind_a_true_beginning(data):
    file = data.draw(st.sampled_from(SEEDLINGS)).file
    kept = data.draw(st.integers(0, len(file)))
    rest = data.draw(st.binary(max_size=60))
    fuzz.judged(CODEC, file[:kept] + rest)
    fuzz.judged(CODEC, fuzz_mutants.seal(file[:kept] + rest))


@given(
    st.integers(1, 130),
    st.integers(1, 130),
    st.integers(0, 200),
    st.booleans(),
    st.none() | st.binary(max_size=8),
    st.binary(max_size=30),
    st.binary(max_size=60),
)
@settings(max_examples=200)
def test_any_streams(width, height, half_steps, grey, map_bytes, z, y):
    has_map = map_bytes is not None
    header = Header(CODEC.model_id, width, height, half_steps / 2, grey, has_map)
    fuzz.judged(CODEC, pack(header, [Tile(map_bytes or b"", z, y)]))


# ---- the Pillow plugin and the command line


@pytest.mark.parametrize("through", ["pillow", "commands"])
@given(st.integers(0, 2**32), st.data())
@settings(max_examples=50)
def test_what_people_open_files_with(through, number, data):
    """As the library: the same pixels, or an error that is documented, and no file left over."""
    ((_, _, file),) = fuzz_mutants.mutants(CODEC, "energy", seed=1, first=number, n=1)
    fuzz.judged(CODEC, file, through)
    kept = data.draw(st.integers(0, len(file)))
    rest = data.draw(st.binary(max_size=30))
    fuzz.judged(CODEC, file[:kept] + rest, through)
    fuzz.judged(CODEC, fuzz_mutants.seal(file[:kept] + rest), through)


@pytest.mark.parametrize("through", ["pillow", "commands"])
@pytest.mark.parametrize("seedling", SEEDLINGS, ids=lambda seedling: seedling.name)
def test_a_good_file_through_them(through, seedling):
    assert fuzz.judged(CODEC, seedling.file, through)[0] == "a picture"


# ---- latents that no encoder writes


def forged_latents(symbols_of_z, stretch):
    """A file of 64 x 64 pixels whose streams are well formed."""
    channels = CODEC.config.latents
    v = torch.ones(1, channels, 4, 4)
    z = torch.zeros(1, CODEC.config.hyper, 1, 1)
    tile = latents.encode_latents(CODEC.exact, CODEC.tables, v, z, stretch)
    z_bytes = tile.z_bytes
    if symbols_of_z is not None:
        encoder = tables.new_encoder()
        for table in CODEC.tables.z:
            tables.encode_group(encoder, np.array([symbols_of_z]), table)
        z_bytes = tables.finish(encoder)
    header = Header(CODEC.model_id, 64, 64, 50.0)
    return pack(header, [Tile(b"", z_bytes, tile.y_bytes)])


@pytest.mark.parametrize("far", [2**15 + 1, -(2**15) - 1, 2**31 - 1, -(2**31)])
def test_latents_beyond_the_exact_range_are_refused(far):
    """A sum of such values can round, so machines would differ in what they decode."""
    in_y = forged_latents(None, lambda residual: torch.full_like(residual, far))
    with pytest.raises(BitstreamError, match="2\\^15"):
        CODEC.decompress(in_y)
    in_z = forged_latents(far, torch.round)
    with pytest.raises(BitstreamError, match="2\\^15"):
        CODEC.decompress(in_z)


@pytest.mark.parametrize("value", [1e4, 40_000.0, -40_000.0, 1e30])
def test_an_encoder_never_writes_what_a_decoder_refuses(value):
    v = torch.full((1, CODEC.config.latents, 4, 4), value)
    z = torch.full((1, CODEC.config.hyper, 1, 1), value)
    coded = latents.encode_latents(CODEC.exact, CODEC.tables, v, z)
    assert coded.v_hat.abs().max() <= LIMIT
    decoded = latents.decode_latents(
        CODEC.exact, CODEC.tables, coded.z_bytes, coded.y_bytes, CODEC.config.latents, 4, 4
    )
    assert torch.equal(decoded, coded.v_hat)
