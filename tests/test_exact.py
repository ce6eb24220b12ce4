"""The exact path: equal to integer arithmetic, and to itself however its sums are ordered."""

import hashlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mfca_tutorial.config import TINY
from mfca_tutorial.entropy import exact
from mfca_tutorial.entropy.exact_hyperprior import ExactHyperprior
from mfca_tutorial.entropy.hyperprior import Hyperprior
from mfca_tutorial.entropy.passes import pass_of_latent

SCRIPT = """
import hashlib, sys, torch
if sys.argv[1] == "plain":
    torch.set_num_threads(1); torch.backends.mkldnn.enabled = False
from tests.test_exact import digest
print(digest())
"""


def frozen(seed=0):
    torch.manual_seed(seed)
    hyperprior = Hyperprior(TINY)
    hyperprior.freeze()
    return hyperprior


def results(model, batch=1, device="cpu"):
    """Features, mean and scale index of the last pass for seeded integers."""
    generator = torch.Generator().manual_seed(1)
    z = torch.randint(-6, 7, (batch, TINY.hyper, 2, 3), generator=generator).double()
    decoded = (
        torch.randint(-2000, 2000, (batch, TINY.latents, 8, 12), generator=generator).double() / 256
    )
    features = model.h_s(z.to(device))
    mean, index = model.parameters_of(3, features, decoded.to(device))
    return [t.cpu() for t in (features, mean, index)]


def digest():
    data = b"".join(t.numpy().tobytes() for t in results(ExactHyperprior(frozen())))
    return hashlib.sha256(data).hexdigest()


def assert_equal(results, expected):
    for result, other in zip(results, expected, strict=True):
        assert torch.equal(result, other)


def test_it_equals_int64_arithmetic():
    torch.manual_seed(3)
    network = nn.Sequential(
        nn.Conv2d(6, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 5, padding=2, groups=8),
        nn.Conv2d(8, 4, 1),
    )
    exact.freeze(network)
    x = torch.randint(-(2**15) * 256, 2**15 * 256, (2, 6, 7, 5)).double() / 256
    got = exact.FixedPoint(network)(x)

    def layer(a, conv):
        """All int64: activations in units of 2^-8, weights 2^-12, sums 2^-20."""
        w = (conv.weight.detach().double() * 2**12).long()
        b = (conv.bias.detach().double() * 2**20).long()
        batch, channels, height, width = a.shape
        k = w.shape[-1]
        padded = F.pad(a, (k // 2,) * 4)
        out = b[None, :, None, None].expand(batch, -1, height, width).clone()
        per_group = channels // conv.groups
        for o, c, i, j in np.ndindex(*w.shape):
            group = o * conv.groups // w.shape[0]
            shifted = padded[:, group * per_group + c, i : i + height, j : j + width]
            out[:, o] += w[o, c, i, j] * shifted
        return ((out + 2**11) >> 12).clamp(-(2**23), 2**23)

    a = (x * 256).long()
    a = layer(a, network[0]).clamp(min=0)
    a = layer(layer(a, network[2]), network[3])
    assert torch.equal((got * 256).long(), a)


def test_threads_layout_batch_and_library_change_nothing():
    hyperprior = frozen()
    reference = results(ExactHyperprior(hyperprior))
    threads = torch.get_num_threads()
    try:
        for n in (1, 2):
            torch.set_num_threads(n)
            for enabled in (True, False):
                with torch.backends.mkldnn.flags(enabled=enabled):
                    assert_equal(results(ExactHyperprior(hyperprior)), reference)
    finally:
        torch.set_num_threads(threads)
    laid_out = hyperprior.to(memory_format=torch.channels_last)
    assert_equal(results(ExactHyperprior(laid_out)), reference)


@pytest.mark.parametrize("passes", [1, 2, 4])
def test_what_a_pass_leaves_out_changes_no_bit(passes):
    torch.manual_seed(2)
    hyperprior = Hyperprior(replace(TINY, passes=passes))
    hyperprior.freeze()
    model = ExactHyperprior(hyperprior)
    trunk = exact.FixedPoint(hyperprior.trunk)
    v_hat = torch.randint(-2000, 2000, (2, TINY.latents, 8, 12)).double() / 256
    features = model.h_s(torch.randint(-6, 7, (2, TINY.hyper, 2, 3)).double())
    turn = pass_of_latent(TINY.latents, 8, 12, passes)
    for p in range(passes):
        # the whole networks, on everything, with zeros for what is not yet decoded
        adapter = exact.FixedPoint(hyperprior.adapters[p])
        known = torch.cat([features, v_hat * (turn < p)], 1)
        mean, scale = trunk(adapter(known)).chunk(2, 1)
        index = torch.floor(scale * 8 + 0.5).clamp(0, 63).to(torch.uint8)

        parts = model.parameters_of(p, features, v_hat)
        for part, expected in zip(parts, (mean, index), strict=True):
            assert torch.equal(part[:, turn == p], expected[:, turn == p])
            assert not part[:, turn != p].any()


def test_a_batch_of_three_equals_three_images():
    model = ExactHyperprior(frozen())
    torch.manual_seed(5)
    z = torch.randint(-6, 7, (3, TINY.hyper, 2, 3)).double()
    together = model.h_s(z)
    assert torch.equal(together, torch.cat([model.h_s(one[None]) for one in z]))


@pytest.mark.parametrize("mode", ["plain", "default"])
def test_a_fresh_process_agrees(mode, pytestconfig):
    out = subprocess.run(
        [sys.executable, "-c", SCRIPT, mode],
        capture_output=True,
        text=True,
        check=True,
        cwd=pytestconfig.rootpath,
    )
    assert out.stdout.strip() == digest()


@pytest.mark.gpu
def test_cuda_agrees():
    hyperprior = frozen()
    on_cuda = results(ExactHyperprior(hyperprior, "cuda"), device="cuda")
    assert_equal(on_cuda, results(ExactHyperprior(hyperprior)))


def test_freezing_rounds_to_what_the_checkpoint_stores():
    hyperprior = frozen()
    networks = (hyperprior.h_s, hyperprior.trunk, *hyperprior.adapters)
    layers = [layer for network in networks for layer in network if isinstance(layer, nn.Conv2d)]
    assert len(layers) == 3 + 2 + 2 * TINY.passes
    for layer in layers:
        weight = layer.weight.detach().double().numpy() * 2**12
        assert np.array_equal(weight, np.round(weight))
        assert np.abs(weight).max() < 2**15
        bias = layer.bias.detach().double().numpy() * 2**20
        assert np.array_equal(bias, np.round(bias))


def test_it_refuses_weights_that_are_not_frozen():
    network = nn.Sequential(nn.Conv2d(4, 4, 1))
    with pytest.raises(ValueError, match="not frozen"):
        exact.FixedPoint(network)


def test_it_refuses_sums_that_could_be_rounded():
    wide = nn.Sequential(nn.Conv2d(65536, 1, 1))
    with torch.no_grad():
        wide[0].weight.fill_(7.0)
    exact.freeze(wide)
    with pytest.raises(ValueError, match="53 bits"):
        exact.FixedPoint(wide)


@pytest.mark.parametrize("layer", [nn.GELU(), nn.Conv2d(4, 4, 1, bias=False)])
def test_it_refuses_layers_that_it_does_not_know(layer):
    with pytest.raises(ValueError, match="no exact form"):
        exact.FixedPoint(nn.Sequential(layer))


def test_it_is_close_to_the_floating_point_network():
    hyperprior = frozen()
    z = torch.randint(-6, 7, (1, TINY.hyper, 2, 3))
    torch.testing.assert_close(
        ExactHyperprior(hyperprior).h_s(z.double()).float(),
        hyperprior.h_s(z.float()),
        rtol=0,
        atol=0.05,
    )  # four layers, each rounded to 2^-8


@pytest.mark.parametrize("passes", [1, 2, 4])
def test_every_latent_has_one_pass_and_every_pass_its_share(passes):
    turn = pass_of_latent(8, 6, 10, passes)
    shares = torch.bincount(turn.flatten().long(), minlength=passes) / turn.numel()
    assert shares.tolist() == [1 / passes] * passes
    with pytest.raises(ValueError):
        pass_of_latent(8, 6, 10, 3)


def test_four_passes_visit_every_group_and_every_position_once():
    """A Latin square, pinned: another order would make every existing file unreadable."""
    turn = pass_of_latent(8, 4, 4, 4)
    square = turn[::2, :2, :2].flatten(1)  # (4 groups, 4 positions)
    assert square.tolist() == [[0, 1, 2, 3], [3, 2, 1, 0], [2, 3, 0, 1], [1, 0, 3, 2]]
    assert torch.equal(turn[1::2], turn[::2])  # two channels in each group
    assert torch.equal(turn, turn[:, :2, :2].repeat(1, 2, 2))  # the same in every square
    for line in (*square, *square.T):
        assert sorted(line.tolist()) == [0, 1, 2, 3]
