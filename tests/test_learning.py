"""The trainer on a model small enough for a CPU: it resumes to the step, averages over processes, and notices death."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from pytorch_msssim import ms_ssim

from mfca_tutorial import data
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import TINY, lambda_of
from mfca_tutorial.learning.crops import Crops, random_offsets, read_photographs
from mfca_tutorial.learning.health import health_report
from mfca_tutorial.learning.losses import RateDistortionLoss
from mfca_tutorial.learning.muon import Muon, orthogonalise
from mfca_tutorial.learning.recipe import Recipe
from mfca_tutorial.learning.step import Objective, split_parameters
from mfca_tutorial.learning.trainer import Trainer


@pytest.fixture(scope="module")
def photographs():
    return [data.photograph(name)[:300, :300] for name in ("coffee", "rocket", "chelsea")]


def recipe(out, **changes):
    small = Recipe(
        "-",
        out=str(out),
        preset="tiny",
        steps=20,
        batch=1,
        crop=192,
        warmup=5,
        head_steps=1,
        held_out=1,
        device="cpu",
    )
    return replace(small, **changes)


def stepped(trainer, until):
    while trainer.step_count < until:
        trainer.step(trainer.progress())
    return trainer


def test_ten_steps_and_ten_after_resuming_are_twenty_steps(tmp_path, photographs):
    straight = stepped(Trainer(recipe(tmp_path), photographs), 20)
    first = stepped(Trainer(recipe(tmp_path), photographs), 10)
    first.save()
    second = Trainer(
        recipe(tmp_path, seed=9), photographs
    )  # whatever it started with, load replaces
    second.load()
    stepped(second, 20)
    for name, value in straight.codec.state_dict().items():
        assert torch.equal(value, second.codec.state_dict()[name]), name
    for name, value in straight.average.state_dict().items():
        assert torch.equal(value, second.average.state_dict()[name]), name


def test_a_run_leaves_a_codec_a_log_and_a_report(tmp_path, photographs):
    trainer = Trainer(
        recipe(tmp_path, steps=3, health_every=0.0, ms_ssim=0.2, bf16=True), photographs
    )
    assert trainer.objective.criterion.share == 0.2 and trainer.objective.bf16
    trainer.run()
    codec = Codec.from_pretrained(tmp_path / "model.safetensors")
    image = photographs[0][:70, :90]
    assert codec.decompress(codec.compress(image, 50)).shape == (1, 3, 70, 90)
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["steps"] == 3 and "alarms" in report["health_after_freezing"]
    assert (tmp_path / "log.csv").read_text().splitlines()[0].startswith("step,seconds")
    warm = Trainer(recipe(tmp_path / "b", init=str(tmp_path / "model.safetensors")), photographs)
    torch.testing.assert_close(warm.codec.g_a.stem.weight, codec.g_a.stem.weight, rtol=0, atol=0)


def test_a_loss_that_is_not_finite_goes_back_to_the_averaged_weights(tmp_path, photographs):
    trainer = stepped(Trainer(recipe(tmp_path), photographs), 2)
    with torch.no_grad():
        trainer.codec.g_a.stem.weight.fill_(float("nan"))
    trainer.restart()
    assert all(torch.isfinite(p).all() for p in trainer.codec.parameters())
    trainer.restart()
    trainer.restart()
    with pytest.raises(ValueError, match="not finite"):
        trainer.restart()


TWO = """
import os, sys, torch, torch.distributed as dist
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import TINY
from mfca_tutorial.learning.step import Objective
dist.init_process_group("gloo")
torch.manual_seed(0)
codec = Codec(TINY)
codec.importance.requires_grad_(False)
batch = [t.chunk(2)[dist.get_rank()] for t in torch.load(sys.argv[1])]
model = torch.nn.parallel.DistributedDataParallel(Objective(codec))
model(*batch, noise=False)["loss"].backward()
if dist.get_rank() == 0:
    torch.save({n: p.grad for n, p in codec.named_parameters() if p.grad is not None}, sys.argv[2])
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
    Objective(codec)(*batch, noise=False)["loss"].backward()
    theirs = torch.load(tmp_path / "gradients.pt")
    ours = {n: p.grad for n, p in codec.named_parameters() if p.grad is not None}
    assert ours.keys() == theirs.keys() and len(ours) > 50
    for name, gradient in ours.items():  # sums in another order
        assert (theirs[name] - gradient).norm() <= 1e-3 * gradient.norm() + 1e-7, name


def test_the_loss_is_rate_plus_lambda_times_squared_error():
    x, quality, offsets = (
        torch.rand(2, 3, 64, 128),
        torch.tensor([0.0, 100.0]),
        torch.zeros(2, 1, 1, 2),
    )
    out = {
        "x_hat": x + 0.1,
        "bits": {"y": torch.full((2, 1, 4, 8), 256.0), "z": torch.zeros(2, 1, 1, 2)},
    }
    got = RateDistortionLoss()(out, x, quality, offsets)
    each = [lambda_of(q) * 255**2 * 0.01 + 1 for q in (0, 100)]
    assert got["loss"].item() == pytest.approx((each[0] * 200**0.45 + each[1]) / 2, rel=1e-4)
    assert got["bpp"].item() == pytest.approx(1) and got["mse"].item() == pytest.approx(
        0.01, rel=1e-4
    )


def test_a_share_of_the_distortion_may_be_ms_ssim():
    torch.manual_seed(0)
    x, quality = torch.rand(2, 3, 192, 192), torch.tensor([20.0, 80.0])
    out = {
        "x_hat": (x + 0.1 * torch.randn_like(x)).clamp(0, 1),
        "bits": {"y": torch.zeros(2, 1, 12, 12), "z": torch.zeros(2, 1, 3, 3)},
    }
    similar = ms_ssim(out["x_hat"], x, data_range=1.0, size_average=False)
    mse = (x - out["x_hat"]).square().mean((1, 2, 3))
    price = torch.tensor(
        [lambda_of(q) ** 0.55 * lambda_of(100) ** 0.45 for q in (20, 80)]
    )  # lambda times weight
    for share in (0, 0.2, 1):
        wanted = price * ((1 - share) * 255**2 * mse + share * 1270 * (1 - similar))
        got = RateDistortionLoss(share)(out, x, quality, torch.zeros(2, 1, 3, 3))["loss"]
        torch.testing.assert_close(got, wanted.mean(), rtol=1e-4, atol=0)
    for wrong in (-0.1, 1.5):
        with pytest.raises(ValueError, match="share"):
            RateDistortionLoss(wrong)


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
    assert torch.cosine_similarity(*gradients, dim=0) > 0.95 and not torch.equal(*gradients)


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


def test_muon_orthogonalises_and_padding_changes_nothing():
    torch.manual_seed(0)
    matrix = torch.randn(1, 24, 100)
    values = torch.linalg.svdvals(orthogonalise(matrix)[0])
    assert 0.6 < values.min() and values.max() < 1.3
    weights = [
        torch.nn.Parameter(torch.zeros(24, 4, 5, 5)),
        torch.nn.Parameter(torch.zeros(32, 30, 3, 3)),
    ]
    for p in weights:
        p.grad = torch.randn_like(p)
    Muon(weights, lr=0.01).step()
    for p in weights:
        update = (
            orthogonalise(p.grad.flatten(1)[None])[0]
            * -0.01
            * 0.2
            * math.sqrt(max(p.shape[0], p[0].numel()))
        )
        assert (p.flatten(1) - update).norm() < 0.05 * update.norm()  # bfloat16


def test_muon_gets_kernels_and_adam_the_probability_model():
    codec = Codec(TINY)
    kernels, rest = split_parameters(codec)
    names = {id(p): n for n, p in codec.named_parameters()}
    assert all(names[id(p)].startswith(("g_a.", "g_s.")) for p in kernels) and len(kernels) > 15
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


def test_random_maps_are_levels_a_file_can_carry():
    torch.manual_seed(0)
    offsets = random_offsets(400, 4, 4, "cpu")
    assert (
        set(offsets.unique().tolist()) <= set(range(-32, 32, 4)) and offsets.unique().numel() > 10
    )
    flat = (offsets.flatten(1) == 0).all(1).float().mean().item()
    assert 0.65 < flat < 0.9


def test_photographs_from_folder_and_tar(tmp_path, photographs):
    import tarfile

    for i, photograph in enumerate(photographs):
        data.write_image(photograph, tmp_path / f"{i}.png")
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        for file in sorted(tmp_path.glob("*.png")):
            tar.add(file, file.name)
    for source in (tmp_path, tmp_path / "all.tar"):
        assert all(map(np.array_equal, read_photographs(source), photographs))
    with pytest.raises(data.ImageError):
        read_photographs(tmp_path / "nowhere")


def test_health_notices_what_is_dead(photographs):
    torch.manual_seed(0)
    x = (
        torch.stack([torch.from_numpy(p[:64, :64].copy()) for p in photographs]).permute(0, 3, 1, 2)
        / 255
    )
    codec = Codec(TINY).eval()
    alarms = health_report(codec, x)["alarms"]
    assert any("gates are the same" in a for a in alarms)  # an untrained gate is 0.88 for everyone
    shipped = health_report(Codec.from_pretrained(), x.repeat(1, 1, 4, 4)[:, :, :256, :256])
    assert not any("z is dead" in a or "not finite" in a for a in shipped["alarms"])


def test_a_gates_spread_is_a_share_of_its_mean(photographs):
    """A gate a tenth as open before a convolution ten times as large is the same network: the same vital sign."""
    torch.manual_seed(0)
    x = (
        torch.stack([torch.from_numpy(p[:128, :128].copy()) for p in photographs]).permute(
            0, 3, 1, 2
        )
        / 255
    )
    codec, block = Codec(TINY).eval(), "g_a.stage1.0"
    gate = codec.get_submodule(block).attention
    torch.nn.init.normal_(gate.fc2.weight, std=0.01)
    spreads = []
    for bias in (-6.0, -9.0):  # a sigmoid there is an exponential
        torch.nn.init.constant_(gate.fc2.bias, bias)
        spreads.append(health_report(codec, x)["gate_spread"][block])
    assert spreads[0] == pytest.approx(spreads[1], rel=0.02) and spreads[0] > 0


def test_a_recipe_refuses_what_makes_no_run():
    for bad in (
        {},
        {"minutes": 1, "steps": 1},
        {"steps": 1, "crop": 100},
        {"steps": 1, "preset": "huge"},
    ):
        with pytest.raises(ValueError):
            Recipe("-", **bad)
    rates = [
        Recipe("-", steps=100, warmup=10, decay=0.5).rate(n, n / 100) for n in (0, 9, 50, 75, 100)
    ]
    assert rates == pytest.approx([0.1, 1, 1, 0.5, 0])


@pytest.mark.gpu
def test_the_captured_step_gives_the_eager_losses(tmp_path, photographs):
    runs = [
        Trainer(recipe(tmp_path / str(eager), steps=4, device="cuda", eager=eager), photographs)
        for eager in (True, False)
    ]
    for trainer in runs:
        trainer.run()
    rows = [(trainer.out / "log.csv").read_text().splitlines()[-1].split(",") for trainer in runs]
    assert float(rows[0][4]) == pytest.approx(float(rows[1][4]), rel=0.05)


def test_health_notices_a_dead_filter(photographs):
    torch.manual_seed(0)
    x = (
        torch.stack([torch.from_numpy(p[:64, :64].copy()) for p in photographs]).permute(0, 3, 1, 2)
        / 255
    )
    codec = Codec(TINY).eval()
    assert health_report(codec, x)["pqf_alive"] > 0.3
    torch.nn.init.constant_(codec.pqf.first.bias, -1e6)
    assert any("PQF" in alarm for alarm in health_report(codec, x)["alarms"])
