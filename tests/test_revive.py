"""tools/revive.py gives dead parts new weights and leaves what the codec computes about as it was."""

import sys
from pathlib import Path

import pytest
import torch

from mfca_tutorial.codec import Codec
from mfca_tutorial.config import TINY
from mfca_tutorial.learning.health import LEAST_SPREAD, health_report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import revive  # noqa: E402


@torch.no_grad()
def test_dead_parts_live_again_and_the_codec_computes_the_same():
    torch.manual_seed(0)
    codec, x = Codec(TINY).eval(), revive.pictures()[:3, :, :128, :128]
    codec.pqf.first.bias.fill_(-1e6)  # no unit fires
    codec.pqf.second.bias.normal_(std=0.01)  # and this constant is all that the filter adds
    constant = codec.g_s.stage1[
        0
    ].attention  # the gates of a new codec are; these are small besides
    constant.fc1.weight.zero_()
    constant.fc1.bias.fill_(1)
    constant.fc2.weight.fill_(-0.5)
    quality = torch.full((3,), 50.0)
    before, sick = codec(x, quality, noise=False)["x_hat"], health_report(codec, x)
    revive.revive(codec, sick)
    after, well = codec(x, quality, noise=False)["x_hat"], health_report(codec, x)
    assert sick["pqf_alive"] == 0 and well["pqf_alive"] > 0.3
    assert all(
        new > old
        for new, old in zip(well["gate_spread"].values(), sick["gate_spread"].values(), strict=True)
    )
    assert max(sick["gate_spread"].values()) < LEAST_SPREAD
    assert not codec.pqf.second.weight.any() and codec.pqf.second.bias.all()
    assert well["gate_mean"] == pytest.approx(sick["gate_mean"], rel=0.3)
    assert (after - before).abs().mean() < 0.2 * before.std()


@torch.no_grad()
def test_what_lives_is_left_alone():
    torch.manual_seed(0)
    codec, x = Codec(TINY).eval(), revive.pictures()[:3, :, :128, :128]
    report = health_report(codec, x)
    report["gate_spread"] = dict.fromkeys(report["gate_spread"], 1.0)
    kept = {name: value.clone() for name, value in codec.state_dict().items()}
    revive.revive(codec, report)
    assert all(torch.equal(value, kept[name]) for name, value in codec.state_dict().items())
