"""The search: never worse, ends by itself, survives what is not a number."""

import pytest
import torch

from mfca_tutorial import data
from mfca_tutorial.codec import Codec
from mfca_tutorial.search import refine_latents

BLOCKS = torch.full((1, 1, 1, 1), 50.0)


@pytest.fixture(scope="module")
def codec():
    return Codec.from_pretrained()


@pytest.fixture(scope="module")
def parts(codec):
    """A small picture, its latents and its side information."""
    x = data.to_tensor(data.photograph("chelsea")[100:164, 100:228])
    with torch.no_grad():
        y, _ = codec.g_a(x, BLOCKS / 100)
        v = y * codec.gain(BLOCKS)
        z = codec.hyperprior.h_a(v)
    return x, v, z


def search(codec, parts, moves, synthesise=None, progress=iter):
    x, v, z = parts
    return refine_latents(
        x,
        v,
        z,
        BLOCKS,
        hyperprior=codec.hyperprior,
        synthesise=synthesise or (lambda v_hat: codec.synthesise(v_hat, BLOCKS)),
        moves=moves,
        progress=progress,
    )


def test_no_move_gives_the_rounded_latents(codec, parts):
    _, v, z = parts
    with torch.no_grad():
        v_hat, _, _ = codec.hyperprior.predict(v, codec.hyperprior.h_s(torch.round(z)))
    torch.testing.assert_close(search(codec, parts, 0), v_hat, rtol=0, atol=1e-5)


def test_it_ends_when_moves_change_nothing_any_more(codec, parts):
    counted = []

    def count(work):
        for move in work:
            counted.append(move)
            yield move

    long = search(codec, parts, 2000, progress=count)
    assert len(counted) < 500
    assert torch.equal(long, search(codec, parts, len(counted)))


def test_a_cost_that_is_not_a_number_changes_nothing(codec, parts):
    broken = search(codec, parts, 3, lambda v_hat: codec.synthesise(v_hat, BLOCKS) * float("nan"))
    assert torch.equal(broken, search(codec, parts, 0))
