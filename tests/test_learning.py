"""The trainer on a model small enough for a CPU.

It resumes to the step, averages over processes, survives NaN, and notices death.
"""

import copy
import json
import math
import os
import subprocess
import sys
import tarfile
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim
from small import recipe
from torch.utils._python_dispatch import TorchDispatchMode

from mfca_tutorial import data
from mfca_tutorial.cli import main
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import PRESETS, TINY, lambda_of
from mfca_tutorial.entropy.gaussian import gaussian_bits
from mfca_tutorial.learning import trainer as trainer_module
from mfca_tutorial.learning.average import follow
from mfca_tutorial.learning.crops import (
    Crops,
    centres,
    random_offsets,
    read_photographs,
    split_held_out,
)
from mfca_tutorial.learning.finetune import decode_in_training, freeze_encoder, rounded_bits
from mfca_tutorial.learning.health import _alarms_of_quality as alarms_of_quality
from mfca_tutorial.learning.health import health_report
from mfca_tutorial.learning.losses import RateDistortionLoss
from mfca_tutorial.learning.muon import Muon, orthogonalise
from mfca_tutorial.learning.phases import Phase, phases_of
from mfca_tutorial.learning.recipe import Recipe
from mfca_tutorial.learning.similarity import ms_ssim as our_ms_ssim
from mfca_tutorial.learning.step import Objective, split_parameters
from mfca_tutorial.learning.trainer import Trainer
from mfca_tutorial.learning.weights import read_weights, save_weights


@pytest.fixture(scope="module")
def photographs():
    """Four of them: two to learn from, two held out."""
    names = ("coffee", "rocket", "chelsea", "astronaut")
    return [data.photograph(name)[:300, :300] for name in names]


def stepped(trainer, until):
    while trainer.state.step_count < until:
        trainer.step()
    return trainer


def pictures(photographs, side):
    """The first three photographs' upper left corners: (3, 3, side, side) in 0..1."""
    corners = np.stack([photograph[:side, :side] for photograph in photographs[:3]])
    return torch.from_numpy(corners).permute(0, 3, 1, 2) / 255


def is_finite(codec):
    return all(value.isfinite().all() for value in codec.state_dict().values())


def assert_same_weights(codec, other):
    for name, value in codec.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_six_steps_and_six_after_resuming_are_twelve_steps(tmp_path, photographs):
    """The average moves after the tenth step."""
    straight = stepped(Trainer(recipe(tmp_path), photographs), 12)
    first = stepped(Trainer(recipe(tmp_path), photographs), 6)
    first.save()

    # whatever it started with, load replaces
    second = Trainer(recipe(tmp_path, seed=9), photographs)
    second.state.load(tmp_path / "state.pt")
    stepped(second, 12)
    assert_same_weights(straight.state.codec, second.state.codec)
    assert_same_weights(straight.state.average, second.state.average)


def test_a_run_leaves_a_codec_a_log_and_a_report(tmp_path, photographs):
    trainer = Trainer(
        recipe(tmp_path, steps=3, health_every=0.0, ms_ssim=0.2, bf16=True), photographs
    )
    assert trainer.objective.criterion.share == 0.2
    assert trainer.objective.bf16
    trainer.run()
    codec = Codec.from_pretrained(tmp_path / "model.safetensors")
    image = photographs[0][:70, :90]
    assert codec.decompress(codec.compress(image, 50)).shape == (1, 3, 70, 90)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["steps"] == 3
    assert "alarms" in report["health_after_freezing"]
    header, *rows = (tmp_path / "log.csv").read_text().splitlines()
    assert header == "step,seconds,steps_per_second,rate,loss,psnr,bpp,z_bpp"
    assert [row.split(",")[0] for row in rows] == ["3"]

    # another run can begin with its weights
    warm = Trainer(recipe(tmp_path / "b", init=str(tmp_path / "model.safetensors")), photographs)
    assert_same_weights(warm.state.codec, codec)


def test_a_run_survives_a_step_that_makes_the_weights_nan(tmp_path, photographs, monkeypatch):
    """The ninth step goes wrong; the average is taken at 10, before the loss is looked at."""
    monkeypatch.setattr(trainer_module, "LOG_EVERY", 12)
    trainer = Trainer(recipe(tmp_path, steps=16, decay=0.9), photographs)
    sound_update = trainer.update

    def update(*batch):
        sound_update(*batch)
        if trainer.state.step_count == 8:
            with torch.no_grad():
                trainer.state.codec.g_a.stem.weight[0, 0, 0, 0] = float("nan")

    trainer.update = update
    trainer.run()
    assert trainer.state.restarts == 1
    assert is_finite(trainer.state.codec)
    assert is_finite(trainer.state.average)
    rows = (tmp_path / "log.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["16"]  # the one at 12 was not finite
    assert math.isfinite(float(rows[0].split(",")[4]))


def test_restarts_end_after_three(tmp_path, photographs):
    trainer = stepped(Trainer(recipe(tmp_path), photographs), 2)
    trainer.state.set_rates()
    rate = trainer.state.lr.item()
    for _ in range(3):
        trainer.state.restart()
    trainer.state.set_rates()
    assert trainer.state.lr.item() == pytest.approx(rate / 8)
    memories = [m for o in trainer.state.optimizers for m in o.state.values()]
    assert not any(value.any() for memory in memories for value in memory.values())
    with pytest.raises(ValueError, match="not finite at step 2"):
        trainer.state.restart()


def test_the_average_follows_weights_and_buffers_but_not_into_nan():
    def layer(weight, buffer):
        made = torch.nn.BatchNorm1d(1, track_running_stats=False)
        torch.nn.init.constant_(made.weight, weight)
        made.register_buffer("usual", torch.tensor([buffer]))
        return made

    average = layer(1.0, 0.0)
    follow(average, layer(12.0, 11.0), count=1)  # keeps 2/11
    assert average.weight.item() == pytest.approx(10.0)
    assert average.usual.item() == pytest.approx(9.0)
    follow(average, layer(20.0, 9.0), count=10_000)  # keeps 0.99
    assert average.weight.item() == pytest.approx(10.1)

    # one value that is not finite, anywhere: nothing moves
    for bad in (layer(float("nan"), 0.0), layer(0.0, float("inf"))):
        follow(average, bad, count=1)
        assert average.weight.item() == pytest.approx(10.1)
        assert average.usual.item() == pytest.approx(9.0)


@pytest.mark.parametrize(
    "options, wanted",
    (
        ({}, [(0, 0, False)]),
        ({"ms_ssim": 0.2}, [(0, 0.2, False)]),
        ({"ms_ssim_from": 0.7}, [(0, 0, False)]),
        ({"ms_ssim": 0.2, "ms_ssim_from": 0.7}, [(0, 0, False), (0.7, 0.2, False)]),
        ({"finetune_share": 0.25}, [(0, 0, False), (0.75, 0, True)]),
        (
            {"ms_ssim": 0.2, "ms_ssim_from": 0.5, "finetune_share": 0.25},
            [(0, 0, False), (0.5, 0.2, False), (0.75, 0.2, True)],
        ),
        (
            {"ms_ssim": 0.2, "ms_ssim_from": 0.75, "finetune_share": 0.5},
            [(0, 0, False), (0.5, 0, True), (0.75, 0.2, True)],
        ),
    ),
)
def test_the_phases_of_a_run(options, wanted):
    assert phases_of(Recipe("-", steps=1, **options)) == [Phase(*phase) for phase in wanted]


def test_a_run_through_all_phases(tmp_path, photographs, monkeypatch):
    """MS-SSIM enters at step 6, the rates fall from 8 on, the encoder is frozen from 10 on."""
    options = {"ms_ssim": 0.5, "ms_ssim_from": 0.5, "decay": 0.35, "finetune_share": 0.2}
    trainer = Trainer(recipe(tmp_path, steps=12, warmup=2, **options), photographs)
    seen = []
    sound_update = trainer.update

    def update(*batch):
        codec = trainer.state.codec
        share = trainer.objective.criterion.share
        weights = {n: v.clone() for n, v in codec.state_dict().items()}
        seen.append((share, trainer.objective.finetune, trainer.state.lr.item(), weights))
        sound_update(*batch)

    trainer.update = update
    averaged = {}

    def no_head(codec, *args, **kwargs):
        """The averaged weights must be on the disk before the head is trained."""
        averaged.update(read_weights(tmp_path / "average.safetensors"))
        return []

    monkeypatch.setattr(trainer_module, "train_head", no_head)
    trainer.run()
    assert [share for share, *_ in seen] == [0.0] * 6 + [0.5] * 6
    assert [finetune for _, finetune, *_ in seen] == [False] * 10 + [True] * 2
    rows = (tmp_path / "log.csv").read_text().splitlines()[1:]
    assert [row.split(",")[0] for row in rows] == ["6", "10", "12"]  # no row mixes two phases

    # the weights at the end of the stable part, not averaged, in half precision
    trunk = read_weights(tmp_path / "trunk.safetensors")
    _, _, rate, weights = seen[8]
    for name, value in weights.items():
        assert torch.equal(trunk[name], value.half().float()), name
    for name, value in trainer.state.average.state_dict().items():
        if not name.startswith("hyperprior."):  # rounded to fixed point since
            assert torch.equal(averaged[name], value.half().float()), name

    # the encoder of step 10 is that of step 12; the decoder is not
    *_, before = seen[10]
    after = trainer.state.codec.state_dict()
    frozen = ("g_a.", "gains.", "hyperprior.h_a.", "importance.")
    for name, value in before.items():
        moved = not torch.equal(value, after[name])
        assert moved != name.startswith(frozen), name

    # another run goes on from the trunk at the full rate
    more = recipe(tmp_path / "more", init=str(tmp_path / "trunk.safetensors"), warmup=1)
    second = Trainer(more, photographs)
    for name, value in second.state.codec.state_dict().items():
        assert torch.equal(value, trunk[name]), name
    second.step()
    assert second.state.lr.item() == pytest.approx(more.lr)
    assert rate == pytest.approx(more.lr * 4 / 12 / 0.35)


def test_gates_that_know_the_quality_are_trained_head_and_all(tmp_path, photographs):
    options = {"gates": "quality", "steps": 4, "warmup": 1, "finetune_share": 0.3}
    trainer = Trainer(recipe(tmp_path, **options), photographs)
    trainer.run()
    assert trainer.state.codec.g_a.stage1[0].attention.fc2.weight.any()
    codec = Codec.from_pretrained(tmp_path / "model.safetensors")
    assert codec.config.gates == "quality"
    assert codec.importance.map.weight.any()
    stream = codec.compress(photographs[0][:70, :90], 50, importance="auto")
    assert codec.decompress(stream).shape == (1, 3, 70, 90)


def test_a_run_that_goes_on_keeps_the_trunk_of_before(tmp_path, photographs):
    plan = recipe(tmp_path, steps=6, decay=0.5)
    first = stepped(Trainer(plan, photographs), 4)
    first.save()
    second = Trainer(replace(plan, resume=True), photographs)
    second.run()
    assert second.state.step_count == 6
    assert not (tmp_path / "trunk.safetensors").exists()


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    torch.manual_seed(0)
    codec, file = Codec(TINY), tmp_path / "average.safetensors"
    assert save_weights(codec, file)
    sound = file.read_bytes()
    for bad in (float("nan"), float("inf"), 1e6):  # the last one is too large for float16
        with torch.no_grad():
            codec.g_s.up1.bias[3] = bad
        assert not save_weights(codec, file)
    assert file.read_bytes() == sound
    assert [f.name for f in tmp_path.iterdir()] == ["average.safetensors"]


def test_until_ends_in_time_with_the_rates_at_zero(tmp_path, photographs, monkeypatch):
    # a clock on which every step takes a quarter of a second, however busy the machine is
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    options = {"steps": 0, "until": now + 3, "reserve": 1.5, "head_steps": 0, "decay": 0.9}
    trainer = Trainer(recipe(tmp_path, **options), photographs)
    step = trainer.step

    def timed_step():
        nonlocal now
        step()
        now += 0.25

    monkeypatch.setattr(trainer, "step", timed_step)
    trainer.run()
    assert trainer.state.step_count == 6
    assert trainer.state.seconds == 1.5
    assert now == 1000 + 3 - 1.5  # what is left is for the head and the report
    last_factor = (1 - 5 / 6) / 0.9
    assert trainer.state.lr.item() == pytest.approx(last_factor * trainer.recipe.lr)
    assert (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize("gates", ("energy", "quality"))
def test_finetuning_sees_what_the_decoder_sees(gates, photographs):
    torch.manual_seed(0)
    x = pictures(photographs, 128)
    quality, offsets = torch.tensor([10.0, 50.0, 90.0]), random_offsets(3, 2, 2, "cpu", share=1)
    codec = Codec(replace(TINY, gates=gates))
    for block in (codec.g_a.stage2[0], codec.g_s.stage2[0]):
        torch.nn.init.normal_(block.attention.fc2.weight, std=0.1)
    freeze_encoder(codec)
    twin = copy.deepcopy(codec)  # each run moves what MFCA takes for usual
    found = decode_in_training(codec, x, quality, offsets)
    wanted = twin(x, quality, offsets, noise=False)
    torch.testing.assert_close(found["x_hat"], wanted["x_hat"])
    for part in ("y", "z"):
        torch.testing.assert_close(found["bits"][part], wanted["bits"][part])

    # MFCA's memory of usual energies stands still in the encoder, and moves in the decoder
    assert not codec.g_a.stage1[0].attention.usual.any()
    assert codec.g_s.stage1[0].attention.usual.all()

    # who learns: all that the decoder runs
    loss = sum(bits.sum() for bits in found["bits"].values()) + found["x_hat"].square().sum()
    loss.backward()
    learning = {n for n, p in codec.named_parameters() if p.grad is not None and p.grad.any()}
    frozen = ("g_a.", "gains.", "hyperprior.h_a.")
    assert not [name for name in learning if name.startswith(frozen)]
    for part in ("g_s.", "pqf.", "hyperprior.h_s.", "hyperprior.trunk.", "hyperprior.prior."):
        assert [name for name in learning if name.startswith(part)], part

    # and the encoder can learn again
    freeze_encoder(codec, frozen=False)
    assert all(p.requires_grad for p in codec.parameters())
    assert codec.g_a.training


def test_rounded_bits_have_the_slope_that_noise_has_on_average():
    residual = torch.tensor([-3.3, -0.8, 0.0, 0.2, 0.49, 1.7, 6.1], requires_grad=True)
    scale = torch.tensor([0.8, 0.3, 0.11, 1.0, 2.0, 0.5, 4.0], requires_grad=True)
    bits = rounded_bits(residual, scale)
    torch.testing.assert_close(bits, gaussian_bits(residual.round(), scale))
    slope, slope_of_scale = torch.autograd.grad(bits.sum(), (residual, scale))
    (wanted,) = torch.autograd.grad(gaussian_bits(residual.round().detach(), scale).sum(), scale)
    torch.testing.assert_close(slope_of_scale, wanted)

    # every place between two integers, by autograd
    places = (torch.arange(4000) + 0.5) / 4000 - 0.5
    moved = residual.detach()[:, None] + places
    moved.requires_grad_()
    noisy = gaussian_bits(moved, scale.detach()[:, None]).sum()
    (slopes,) = torch.autograd.grad(noisy, moved)
    torch.testing.assert_close(slope, slopes.mean(1), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("gates", ("energy", "quality"))
@pytest.mark.parametrize("finetune", (False, True))
def test_no_phase_does_what_a_graph_cannot(finetune, gates, photographs):
    torch.manual_seed(0)
    codec = Codec(replace(TINY, gates=gates))
    objective = Objective(codec)
    objective.enter(Phase(0.0, 0.5, finetune))
    batch = (Crops(photographs, 192).draw(1), torch.tensor([50.0]), torch.zeros(1, 1, 3, 3))
    objective(*batch)["loss"].backward()  # what is made once is made
    with Operations() as seen:
        objective(*batch)["loss"].backward()
    assert not UNCAPTURABLE & set(seen.names)
    assert len(seen.names) > 500


TWO = """
import os, sys, torch, torch.distributed as dist
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import TINY
from mfca_tutorial.learning.phases import Phase
from mfca_tutorial.learning.step import Objective
dist.init_process_group("gloo")
torch.manual_seed(0)
codec = Codec(TINY)
codec.importance.requires_grad_(False)
batch = [t.chunk(2)[dist.get_rank()] for t in torch.load(sys.argv[1])]
objective = Objective(codec)
model = torch.nn.parallel.DistributedDataParallel(objective, find_unused_parameters=True)
found = []
for finetune in (False, True):
    objective.enter(Phase(0.0, 0.0, finetune))
    model(*batch, noise=False)["loss"].backward()
    found.append({n: p.grad for n, p in codec.named_parameters() if p.grad is not None})
    codec.zero_grad()
if dist.get_rank() == 0:
    torch.save(found, sys.argv[2])
"""


def test_two_processes_average_to_the_joint_gradient(tmp_path, pytestconfig):
    torch.manual_seed(1)
    batch = [torch.rand(2, 3, 64, 64), torch.tensor([30.0, 80.0]), torch.zeros(2, 1, 1, 1)]
    torch.save(batch, tmp_path / "batch.pt")
    (tmp_path / "two.py").write_text(TWO)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc-per-node",
            "2",
            tmp_path / "two.py",
            tmp_path / "batch.pt",
            tmp_path / "gradients.pt",
        ],
        check=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(pytestconfig.rootpath), "OMP_NUM_THREADS": "1"},
    )
    torch.manual_seed(0)
    codec = Codec(TINY)
    codec.importance.requires_grad_(False)
    objective = Objective(codec)
    for finetune, theirs in zip((False, True), torch.load(tmp_path / "gradients.pt"), strict=True):
        objective.enter(Phase(0.0, 0.0, finetune))
        objective(*batch, noise=False)["loss"].backward()
        ours = {n: p.grad for n, p in codec.named_parameters() if p.grad is not None}
        assert ours.keys() == theirs.keys()
        assert len(ours) > 30
        for name, gradient in ours.items():  # sums in another order
            assert (theirs[name] - gradient).norm() <= 1e-3 * gradient.norm() + 1e-7, name
        codec.zero_grad()


def test_the_loss_is_rate_plus_lambda_times_squared_error():
    x = torch.rand(2, 3, 64, 128)
    quality = torch.tensor([0.0, 100.0])
    bits = {"y": torch.full((2, 1, 4, 8), 256.0), "z": torch.zeros(2, 1, 1, 2)}
    got = RateDistortionLoss()(
        {"x_hat": x + 0.1, "bits": bits}, x, quality, torch.zeros(2, 1, 1, 2)
    )
    low, high = (lambda_of(q) * 255**2 * 0.01 + 1 for q in (0, 100))
    assert got["loss"].item() == pytest.approx((low * 200**0.45 + high) / 2, rel=1e-4)
    assert got["bpp"].item() == pytest.approx(1)
    assert got["mse"].item() == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize("share", (0, 0.2, 1))
def test_a_share_of_the_distortion_may_be_ms_ssim(share):
    torch.manual_seed(0)
    x = torch.rand(2, 3, 192, 192)
    quality = torch.tensor([20.0, 80.0])
    x_hat = (x + 0.1 * torch.randn_like(x)).clamp(0, 1)
    bits = {"y": torch.zeros(2, 1, 12, 12), "z": torch.zeros(2, 1, 3, 3)}
    similar = ms_ssim(x_hat, x, data_range=1.0, size_average=False)
    mse = (x - x_hat).square().mean((1, 2, 3))

    # lambda times weight
    price = torch.tensor([lambda_of(q) ** 0.55 * lambda_of(100) ** 0.45 for q in (20, 80)])
    wanted = price * ((1 - share) * 255**2 * mse + share * 1270 * (1 - similar))
    out = {"x_hat": x_hat, "bits": bits}
    got = RateDistortionLoss(share)(out, x, quality, torch.zeros(2, 1, 3, 3))["loss"]
    torch.testing.assert_close(got, wanted.mean(), rtol=1e-4, atol=0)


def noisy_pair(height, width):
    """Two pictures (2, 3, height, width) that resemble each other, smooth enough for MS-SSIM."""
    torch.manual_seed(0)
    coarse = torch.rand(2, 3, 12, 12)
    x = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic").clamp(0, 1)
    y = (x + 0.05 * torch.randn_like(x)).clamp(0, 1)
    return x.contiguous(memory_format=torch.channels_last).requires_grad_(), y


@pytest.mark.parametrize("size", ((192, 192), (161, 178), (256, 191)))
def test_ms_ssim_is_that_of_pytorch_msssim(size):
    x, y = noisy_pair(*size)
    theirs = ms_ssim(x, y, data_range=1.0, size_average=False)
    ours = our_ms_ssim(x, y)
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=0)
    (their_slope,) = torch.autograd.grad(theirs.sum(), x)
    (our_slope,) = torch.autograd.grad(ours.sum(), x)
    assert their_slope.norm() > 0
    torch.testing.assert_close(our_slope, their_slope, rtol=1e-4, atol=1e-8)


def test_ms_ssim_has_a_gradient_where_nothing_is_alike():
    """There a contrast is below zero, and pytorch-msssim's gradient is not finite."""
    x = torch.rand(1, 3, 192, 192)
    y = (1 - x).requires_grad_()
    our_ms_ssim(x, y).sum().backward()
    assert y.grad.isfinite().all()
    with pytest.raises(ValueError, match="above 160"):
        our_ms_ssim(x[..., :160], x[..., :160])


class Operations(TorchDispatchMode):
    """Notes the name of everything that is computed."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


# What makes Python wait for a number from the GPU, or copies something to it: not in a graph.
UNCAPTURABLE = {"_local_scalar_dense", "nonzero", "prod", "lift_fresh", "equal"}


def test_ms_ssim_does_nothing_that_a_graph_cannot():
    x, y = noisy_pair(192, 192)
    our_ms_ssim(x, y)  # the window is made
    with Operations() as ours:
        our_ms_ssim(x, y).sum().backward()
    assert not UNCAPTURABLE & set(ours.names)
    with Operations() as theirs:
        ms_ssim(x, y, data_range=1.0).backward()
    assert UNCAPTURABLE & set(theirs.names) >= {"prod", "lift_fresh"}


@pytest.mark.parametrize("share", (-0.1, 1.5))
def test_a_share_is_between_0_and_1(share):
    with pytest.raises(ValueError, match="share"):
        RateDistortionLoss(share)


def test_bfloat16_on_the_cpu_gives_about_the_gradient_of_float32(photographs):
    torch.manual_seed(0)
    codec, batch, gradients = Codec(TINY), Crops(photographs, 192).draw(2), []
    for bf16 in (False, True):
        codec.zero_grad()
        out = Objective(codec, bf16=bf16)(
            batch, torch.tensor([30.0, 70.0]), torch.zeros(2, 1, 3, 3), noise=False
        )
        out["loss"].backward()
        gradients.append(torch.cat([p.grad.flatten() for p in split_parameters(codec)[0]]))
    assert torch.cosine_similarity(*gradients, dim=0) > 0.95
    assert not torch.equal(*gradients)


def test_an_importance_map_moves_the_price_of_error():
    x, quality = torch.rand(1, 3, 64, 128), torch.tensor([50.0])
    offsets = torch.tensor([[[[28.0, -32.0]]]])
    nothing = {"y": torch.zeros(1, 1, 4, 8), "z": torch.zeros(1, 1, 1, 2)}
    left, right = x.clone(), x.clone()
    left[..., :64] += 0.1
    right[..., 64:] += 0.1
    losses = [
        RateDistortionLoss()({"x_hat": t, "bits": nothing}, x, quality, offsets)["loss"]
        for t in (left, right)
    ]
    assert (losses[0] / losses[1]).item() == pytest.approx(200**0.6, rel=1e-3)


@pytest.mark.parametrize("shape", ((24, 100), (100, 24)))
def test_muon_orthogonalises(shape):
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalise(torch.randn(1, *shape))[0])
    assert values.min() > 0.6
    assert values.max() < 1.3


SHAPES = ((24, 100), (32, 30), (16, 300), (64, 64), (100, 20), (24, 100))


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch.optim.Muon came with 2.9")
@pytest.mark.parametrize("pad", (False, True))
def test_muon_is_the_muon_of_torch(pad):
    """Five steps: batches, momentum and scale are alike; only bfloat16's rounding differs."""
    torch.manual_seed(0)
    ours = [torch.nn.Parameter(torch.zeros(shape)) for shape in SHAPES]
    theirs = [torch.nn.Parameter(torch.zeros(shape)) for shape in SHAPES]
    optimizers = (
        Muon(ours, lr=0.01, momentum=0.9, pad=pad),
        torch.optim.Muon(
            theirs, lr=0.01, momentum=0.9, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"
        ),
    )
    for _ in range(5):
        for p, q in zip(ours, theirs, strict=True):
            p.grad = torch.randn_like(p)
            q.grad = p.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for p, q in zip(ours, theirs, strict=True):
        assert (p - q).norm() < 0.02 * q.norm(), tuple(p.shape)


def test_muon_sees_a_kernel_as_a_matrix_and_leaves_what_has_no_gradient():
    torch.manual_seed(0)
    matrix, kernel = torch.nn.Parameter(torch.zeros(32, 270)), torch.zeros(32, 30, 3, 3)
    kernel, still = torch.nn.Parameter(kernel), torch.nn.Parameter(torch.ones(16, 16))
    matrix.grad = torch.randn_like(matrix)
    kernel.grad = matrix.grad.reshape(kernel.shape)
    Muon([matrix], lr=0.01).step()
    Muon([kernel, still], lr=torch.tensor(0.01)).step()
    torch.testing.assert_close(kernel.flatten(1), matrix)
    assert torch.equal(still, torch.ones(16, 16))
    assert matrix.square().mean().sqrt().item() == pytest.approx(0.2 * 0.01, rel=0.2)


def test_padding_changes_nothing_and_crops_nothing():
    torch.manual_seed(0)
    weights = [torch.nn.Parameter(torch.zeros(shape)) for shape in SHAPES]
    padded = [torch.nn.Parameter(torch.zeros(shape)) for shape in SHAPES]
    for p, q in zip(weights, padded, strict=True):
        p.grad = torch.randn_like(p)
        q.grad = p.grad
    Muon(weights, lr=0.01).step()
    Muon(padded, lr=0.01, pad=True).step()
    for p, q in zip(weights, padded, strict=True):
        assert (p - q).norm() < 0.05 * p.norm(), tuple(p.shape)  # bfloat16

    # the largest kernels of the shipped sizes fit, one more row or column than the batches does not
    kernels = split_parameters(Codec(PRESETS["base"]))[0]
    assert max(p[0].numel() for p in kernels) == 3072
    for shape in ((257, 20), (20, 4097)):
        large = torch.nn.Parameter(torch.zeros(shape))
        large.grad = torch.ones(shape)
        with pytest.raises(ValueError, match="larger"):
            Muon([large], pad=True).step()


def test_muon_gets_kernels_and_adam_the_probability_model():
    codec = Codec(TINY)
    kernels, rest = split_parameters(codec)
    names = {id(p): n for n, p in codec.named_parameters()}
    assert all(names[id(p)].startswith(("g_a.", "g_s.")) for p in kernels)
    assert len(kernels) > 15
    trained = {names[id(p)] for p in kernels + rest}
    assert {n for n in names.values() if not n.startswith("importance.")} == trained


def test_crops_are_pieces_of_the_photographs(photographs):
    torch.manual_seed(0)
    numbered = np.arange(300 * 300 * 3, dtype=np.int64).reshape(300, 300, 3) % 251
    crops = Crops([numbered.astype(np.uint8), np.zeros((20, 900, 3), np.uint8)], 192)
    batch = (crops.draw(8) * 255).round().numpy().astype(np.int64)  # (8, 3, 192, 192)
    assert batch.shape == (8, 3, 192, 192)
    steps = {
        tuple(abs(int(b[0, i, j] - b[0, 0, 0])) for i, j in ((0, 1), (1, 0))) for b in batch % 251
    }
    assert len(steps) > 1  # some are transposed
    with pytest.raises(ValueError, match="no training image"):
        Crops([np.zeros((20, 20, 3), np.uint8)], 192)


def test_no_photograph_is_both_learnt_from_and_held_out():
    large = [np.full((300, 260, 3), i, np.uint8) for i in range(9)]
    small = [np.full((300, 200, 3), 100 + i, np.uint8) for i in range(3)]
    for count, wanted in ((2, 2), (4, 4), (5, 4), (12, 4)):
        training, held = split_held_out(small + large, count)
        numbers = [int(p[0, 0, 0]) for p in held]
        assert len(set(numbers)) == wanted
        assert max(numbers) < 100
        assert len(training) == 12 - wanted
        assert not {int(p[0, 0, 0]) for p in training} & set(numbers)
    with pytest.raises(ValueError, match="at least four"):
        split_held_out(small + large[:3], 12)


def test_the_health_report_sees_the_middle(photographs):
    x = centres(photographs)
    assert x.shape == (4, 3, 256, 256)
    np.testing.assert_array_equal(x[1, :, 0, 0] * 255, photographs[1][22, 22])


def test_random_maps_are_levels_a_file_can_carry():
    torch.manual_seed(0)
    offsets = random_offsets(400, 4, 4, "cpu")
    levels = set(offsets.unique().tolist())
    assert levels <= set(range(-32, 32, 4))
    assert len(levels) > 10
    flat = (offsets.flatten(1) == 0).all(1).float().mean().item()
    assert 0.65 < flat < 0.9


def test_photographs_from_folder_and_tar(tmp_path, photographs):
    for i, photograph in enumerate(photographs):
        data.write_image(photograph, tmp_path / f"{i}.png")
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        for file in sorted(tmp_path.glob("*.png")):
            tar.add(file, file.name)
    for source in (tmp_path, tmp_path / "all.tar"):
        assert all(map(np.array_equal, read_photographs(source), photographs))
    with pytest.raises(data.ImageError, match="neither a folder nor a tar file"):
        read_photographs(tmp_path / "nowhere")


def test_what_is_no_photograph_is_passed_over(tmp_path):
    """In a tar file as in a folder: notes, and a folder with the name of a picture."""
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "folder.png").mkdir()
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        tar.add(tmp_path / "notes.txt", "notes.txt")
        tar.add(tmp_path / "folder.png", "folder.png")
    with pytest.raises(data.ImageError, match="no images in"):
        read_photographs(tmp_path / "all.tar")
    (tmp_path / "folder.png").rmdir()
    with pytest.raises(data.ImageError, match="no images in"):
        read_photographs(tmp_path)


@pytest.mark.parametrize(
    ("sign", "value", "alarm"),
    [
        ("z_share", 0.0, "z is dead (0.00% of the bits, spread 0.1000)"),
        ("z_spread", 0.0, "z is dead (3.00% of the bits, spread 0.0000)"),
        ("pass_cost", [0.9, 0.9, 1.7, 0.9], "pass 3 costs 1.70 times its share"),
        ("psnr", math.nan, "not finite"),
    ],
)
def test_each_sign_of_a_quality_has_its_alarm(sign, value, alarm):
    well = {"z_share": 0.03, "z_spread": 0.1, "pass_cost": [1.0, 1.0, 1.0, 1.0], "psnr": 32.0}
    assert alarms_of_quality(well) == []
    assert alarms_of_quality(well | {sign: value}) == [alarm]


def test_health_notices_what_is_dead(photographs):
    torch.manual_seed(0)
    x = pictures(photographs, 64)
    codec = Codec(TINY).eval()
    alarms = health_report(codec, x)["alarms"]
    assert any("gates are the same" in a for a in alarms)  # an untrained gate is 0.88 for everyone
    shipped = health_report(Codec.from_pretrained(), x.repeat(1, 1, 4, 4)[:, :, :256, :256])
    assert not any("z is dead" in a or "not finite" in a for a in shipped["alarms"])


def test_a_gates_spread_is_a_share_of_its_mean(photographs):
    """A gate a tenth as open before a convolution ten times as large is the same network.

    So it has the same vital sign.
    """
    torch.manual_seed(0)
    x = pictures(photographs, 128)
    codec, block = Codec(TINY).eval(), "g_a.stage1.0"
    gate = codec.get_submodule(block).attention
    torch.nn.init.normal_(gate.fc2.weight, std=0.01)
    spreads = []
    for bias in (-6.0, -9.0):  # a sigmoid there is an exponential
        torch.nn.init.constant_(gate.fc2.bias, bias)
        spreads.append(health_report(codec, x)["gate_spread"][block])
    assert spreads[0] == pytest.approx(spreads[1], rel=0.02)
    assert spreads[0] > 0


@pytest.mark.parametrize(
    "options, complaint",
    (
        ([], "give exactly one budget"),
        (["--steps", "1", "--minutes", "1"], "give exactly one budget"),
        (["--minutes", "1", "--until", "9e9"], "give exactly one budget"),
        (["--until", str(time.time() + 50)], "no time left to train"),
        (["--steps", "1", "--ms-ssim-from", "1"], "--ms-ssim-from must be a share below 1"),
        (["--steps", "1", "--finetune-share", "-0.1"], "--finetune-share must be a share"),
        (["--steps", "1", "--preset", "huge"], "--preset must be one of base, tiny"),
        (["--steps", "1", "--crop", "100"], "--crop must be a multiple of 64"),
        (["--steps", "1", "--crop", "128"], "--crop must be a multiple of 64 above 160"),
        (["--steps", "1", "--batch", "0"], "--batch must be at least 1"),
        (["--steps", "1", "--lr", "0"], "--lr must be above 0"),
        (["--steps", "1", "--muon-lr", "-1"], "--muon-lr must be 0 or more"),
        (["--steps", "1", "--ms-ssim", "1.5"], "--ms-ssim must be a share"),
        (["--steps", "1", "--warmup", "0"], "--warmup must be at least 1"),
        (["--steps", "1", "--decay", "0"], "--decay must be above 0"),
        (["--steps", "1", "--decay", "nan"], "--decay must be above 0"),
        (["--steps", "1", "--head-steps", "-1"], "--head-steps must be 0 or more"),
        (["--steps", "1", "--held-out", "0"], "--held-out must be at least 2"),
        (["--steps", "1", "--held-out", "1"], "--held-out must be at least 2"),
        (["--steps", "1", "--device", "abacus"], "--device abacus"),
        (["--steps", "1", "--descriptor", "smell"], "descriptor"),
        (["--steps", "1", "--gates", "garden"], "gates"),
        (["--steps", "1", "--crop", "512"], "no training image has both sides >= 512"),
        (["--steps", "1", "--init", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--steps", "1", "--init", str(data.path("mfca.safetensors"))], "does not fit"),
        (["--steps", "1", "--resume"], "state.pt"),
    ),
)
def test_bad_options_end_in_one_line(options, complaint, folder, tmp_path, capsys):
    out = str(tmp_path / "run")
    command = ["train", folder, "--preset", "tiny", "--device", "cpu", "--out", out]
    assert main(command + options) == 2
    lines = capsys.readouterr().err.splitlines()
    problem = lines.pop()
    assert problem.startswith("mfca: ")
    assert complaint in problem
    assert all(line.startswith("mfca: note: 2 of 4 photographs") for line in lines)


@pytest.fixture(scope="module")
def folder(photographs, tmp_path_factory):
    """The photographs as files."""
    place = tmp_path_factory.mktemp("photographs")
    for i, photograph in enumerate(photographs):
        data.write_image(photograph, place / f"{i}.png")
    return str(place)


def test_with_few_photographs_fewer_are_held_out_and_it_says_so(folder, tmp_path, capsys):
    command = f"train {folder} --steps 1 --preset tiny --crop 192 --batch 1 --head-steps 0"
    assert main(command.split() + ["--device", "cpu", "--out", str(tmp_path)]) == 0
    assert "note: 2 of 4 photographs are held out, not 12" in capsys.readouterr().err


def test_with_three_photographs_there_is_nothing_to_hold_out(folder, tmp_path, capsys, photographs):
    for i, photograph in enumerate(photographs[:3]):
        data.write_image(photograph, tmp_path / f"{i}.png")
    command = f"train {tmp_path} --steps 1 --preset tiny --device cpu --out {tmp_path / 'run'}"
    assert main(command.split()) == 2
    assert "at least four need both sides >= 256; here 3 of 3 do" in capsys.readouterr().err


def test_the_learning_rates_rise_stay_and_fall():
    plan = Recipe("-", steps=100, warmup=10, decay=0.5)
    rates = [plan.rate(n, n / 100) for n in (0, 9, 50, 75, 100)]
    assert rates == pytest.approx([0.1, 1, 1, 0.5, 0])


def test_gates_live_if_they_differ_between_qualities(photographs):
    """Gates that know nothing but the quality: alike for all images, and not dead."""
    torch.manual_seed(0)
    x = pictures(photographs, 128)
    codec = Codec(replace(TINY, gates="quality")).eval()
    block = "g_a.stage1.0"
    gate = codec.get_submodule(block).attention
    torch.nn.init.zeros_(gate.fc1.weight)
    dead = health_report(codec, x)
    assert dead["gate_spread"][block] == 0
    assert dead["gate_mean"][block] == pytest.approx(1)
    assert any(alarm.startswith(block) for alarm in dead["alarms"])

    torch.nn.init.normal_(gate.fc2.weight, std=0.1)
    alive = health_report(codec, x)
    gates = []
    for q in (10, 50, 90):
        gates.append(gate.gates(torch.zeros(1, 24, 8, 8), torch.full((1, 1, 1, 1), q / 100)))
    gates = torch.cat(gates)[:, :, 0, 0].detach()  # (3, C)
    wanted = (gates.std(0, correction=0) / gates.mean(0)).mean().item()
    assert wanted > 0.01
    assert alive["gate_spread"][block] == pytest.approx(wanted, rel=1e-4)
    assert not any(alarm.startswith(block) for alarm in alive["alarms"])


def test_health_notices_a_dead_filter(photographs):
    torch.manual_seed(0)
    x = pictures(photographs, 64)
    codec = Codec(TINY).eval()
    assert health_report(codec, x)["pqf_alive"] > 0.3
    torch.nn.init.constant_(codec.pqf.first.bias, -1e6)
    assert any("PQF" in alarm for alarm in health_report(codec, x)["alarms"])


# ---- on a GPU only: what a CUDA graph captures


@pytest.mark.gpu
@pytest.mark.parametrize(
    "options",
    (
        {},
        {"ms_ssim": 0.3},
        {"ms_ssim": 0.3, "ms_ssim_from": 0.5},
        {"finetune_share": 0.5},
        {"ms_ssim": 0.3, "ms_ssim_from": 0.4, "finetune_share": 0.3, "decay": 0.5},
        {"muon_lr": 0.0},
        {"no_attention": True},
        {"gates": "quality"},
        {"gates": "quality", "ms_ssim": 0.3, "ms_ssim_from": 0.4, "finetune_share": 0.3},
    ),
    ids=lambda options: " ".join(options) or "plain",
)
def test_the_captured_step_gives_the_eager_losses(options, tmp_path, photographs):
    rows = []
    for eager in (True, False):
        plan = recipe(tmp_path / str(eager), steps=20, device="cuda", eager=eager, batch=4)
        trainer = Trainer(replace(plan, **options), photographs)
        trainer.run()
        lines = (trainer.out / "log.csv").read_text().splitlines()[1:]
        rows.append([line.split(",") for line in lines])
        assert (trainer.out / "trunk.safetensors").exists()
        assert is_finite(trainer.state.average)
    for eager_row, captured_row in zip(*rows, strict=True):
        assert eager_row[0] == captured_row[0]
        assert float(captured_row[4]) == pytest.approx(float(eager_row[4]), rel=0.15)


@pytest.mark.gpu
def test_a_captured_run_survives_nan(tmp_path, photographs, monkeypatch):
    monkeypatch.setattr(trainer_module, "LOG_EVERY", 25)
    trainer = Trainer(recipe(tmp_path, steps=60, device="cuda"), photographs)
    sound_step = trainer.step

    def step():
        sound_step()
        if trainer.state.step_count == 11:
            with torch.no_grad():
                trainer.state.codec.g_a.stem.weight[0, 0, 0, 0] = float("nan")

    trainer.step = step
    trainer.run()
    assert trainer.state.restarts == 1
    assert is_finite(trainer.state.codec)


@pytest.mark.gpu
def test_ms_ssim_keeps_its_precision_on_a_gpu(monkeypatch):
    """TF32 is on in training, and a picture comes in channels_last order."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    x, y = noisy_pair(192, 192)
    (wanted_slope,) = torch.autograd.grad(our_ms_ssim(x, y).sum(), x)
    on_gpu = x.detach().cuda().requires_grad_()
    assert on_gpu.is_contiguous(memory_format=torch.channels_last)
    found = our_ms_ssim(on_gpu, y.cuda())
    torch.testing.assert_close(found.cpu(), our_ms_ssim(x, y), rtol=1e-4, atol=0)
    (slope,) = torch.autograd.grad(found.sum(), on_gpu)
    assert (slope.cpu() - wanted_slope).norm() < 0.02 * wanted_slope.norm()


@pytest.mark.gpu
def test_the_average_does_not_wait_for_the_gpu():
    codec = Codec(TINY).cuda()
    average = Codec(TINY).cuda()
    follow(average, codec, count=1)
    torch.cuda.set_sync_debug_mode("error")
    try:
        follow(average, codec, count=2)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert is_finite(average)
