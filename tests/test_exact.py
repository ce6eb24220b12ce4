"""The exact path: equal to integer arithmetic, and to itself under everything that reorders floating-point sums."""

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
from mfca_tutorial.entropy.hyperprior import ExactHyperprior, Hyperprior, pass_of_latent

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
    return hashlib.sha256(
        b"".join(t.numpy().tobytes() for t in results(ExactHyperprior(frozen())))
    ).hexdigest()


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

    def layer(a, conv):  # all int64: activations in units of 2^-8, weights 2^-12, sums 2^-20
        w = (conv.weight.detach().double() * 2**12).long()
        b = (conv.bias.detach().double() * 2**20).long()
        k, groups = w.shape[-1], conv.groups
        padded = F.pad(a, (k // 2,) * 4)
        out = b[None, :, None, None].expand(a.shape[0], -1, *a.shape[2:]).clone()
        per = a.shape[1] // groups
        for o in range(w.shape[0]):
            first = (o * groups // w.shape[0]) * per
            for c in range(per):
                for i in range(k):
                    for j in range(k):
                        out[:, o] += (
                            w[o, c, i, j]
                            * padded[:, first + c, i : i + a.shape[2], j : j + a.shape[3]]
                        )
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
                    assert all(map(torch.equal, results(ExactHyperprior(hyperprior)), reference))
    finally:
        torch.set_num_threads(threads)
    laid_out = hyperprior.to(memory_format=torch.channels_last)
    assert all(map(torch.equal, results(ExactHyperprior(laid_out)), reference))


@pytest.mark.parametrize("passes", [1, 2, 4])
def test_what_a_pass_leaves_out_changes_no_bit(passes):
    torch.manual_seed(2)
    hyperprior = Hyperprior(replace(TINY, passes=passes))
    hyperprior.freeze()
    model, trunk = ExactHyperprior(hyperprior), exact.FixedPoint(hyperprior.trunk)
    y_hat = torch.randint(-2000, 2000, (2, TINY.latents, 8, 12)).double() / 256
    features = model.h_s(torch.randint(-6, 7, (2, TINY.hyper, 2, 3)).double())
    turn = pass_of_latent(TINY.latents, 8, 12, passes)
    for p in range(passes):
        whole = trunk(
            exact.FixedPoint(hyperprior.adapters[p])(torch.cat([features, y_hat * (turn < p)], 1))
        )
        mean, scale = whole.chunk(2, 1)
        index = torch.floor(scale * 8 + 0.5).clamp(0, 63).to(torch.uint8)
        for part, expected in zip(
            model.parameters_of(p, features, y_hat), (mean, index), strict=True
        ):
            assert (
                torch.equal(part[:, turn == p], expected[:, turn == p])
                and not part[:, turn != p].any()
            )


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
    assert all(
        map(
            torch.equal,
            results(ExactHyperprior(hyperprior, "cuda"), device="cuda"),
            results(ExactHyperprior(hyperprior)),
        )
    )


def test_freezing_rounds_to_what_the_checkpoint_stores():
    hyperprior = frozen()
    for network in (hyperprior.h_s, hyperprior.trunk, *hyperprior.adapters):
        for layer in network:
            if isinstance(layer, nn.Conv2d):
                scaled = layer.weight.detach().double().numpy() * 2**12
                assert np.array_equal(scaled, np.round(scaled)) and np.abs(scaled).max() < 2**15
                scaled = layer.bias.detach().double().numpy() * 2**20
                assert np.array_equal(scaled, np.round(scaled))


def test_it_refuses_weights_it_cannot_run_exactly():
    network = nn.Sequential(nn.Conv2d(4, 4, 1))
    with pytest.raises(ValueError, match="not frozen"):
        exact.FixedPoint(network)
    wide = nn.Sequential(nn.Conv2d(65536, 1, 1))
    with torch.no_grad():
        wide[0].weight.fill_(7.0)
    exact.freeze(wide)
    with pytest.raises(ValueError, match="53 bits"):
        exact.FixedPoint(wide)
    with pytest.raises(ValueError, match="no exact form"):
        exact.FixedPoint(nn.Sequential(nn.GELU()))


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
