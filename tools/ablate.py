"""What each part of the codec is worth: the tiny preset trained with one thing changed at a time.

    python tools/ablate.py PHOTOGRAPHS.tar [--out data/results/ablation.json] [--part 0/2]

The arms of `ablation_arms.py` are run one after another, the first seed first. A run whose result
is already in the file is not repeated, so the command can be stopped and started at any time, and
several of them can share a file. A run takes about 20 minutes on one core.

The rule, written down before the runs: all arms of a seed share initial weights, crops, qualities,
maps and noise. They are measured on the centres of scikit-image's photographs, which are never
trained on. If MFCA_KODAK names a folder, results on Kodak are reported, but they do not count. An
arm's gain is the mean, over qualities 10, 50 and 90, of the change in j = bpp + lambda * squared
error against 'no attention' with the same seed. A part stays if its mean gain over the seeds is
larger than the spread over the seeds (the largest gain minus the smallest).

Rates are estimated bits of rounded latents. Distortions are those of pictures that are not rounded
to 8 bits. An error of half a per cent in either would not change a difference between two arms.
"""

import argparse
import fcntl
import json
import os
import platform
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from ablation_arms import ARMS, Arm
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.flop_counter import FlopCounterMode
from tqdm import trange

from mfca_tutorial import data
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import MAX_QUALITY, STRIDE, lambda_of
from mfca_tutorial.evaluation.rd import bd_rate
from mfca_tutorial.learning.crops import Crops, random_offsets, read_photographs
from mfca_tutorial.learning.losses import RateDistortionLoss
from mfca_tutorial.learning.muon import Muon
from mfca_tutorial.learning.step import split_parameters

STEPS = 4000
BATCH = 4
CROP = 192  # pixels
ADAM_RATE = 1e-3
MUON_RATE = 2e-3
WARMUP = 400  # steps over which the learning rates rise
DECAY = 0.6  # the last share of the steps, over which they fall to zero
AVERAGE = 0.998  # the share of the averaged weights that a step keeps
LARGEST_GRADIENT = 1.0
QUALITIES = (10, 30, 50, 70, 90)  # the points of a curve
JUDGED = (10, 50, 90)  # the qualities at which j is compared
LARGEST_SIDE = 512  # pixels: the largest side of a measured centre
REFERENCE = "no attention"


def train(arm: Arm, seed: int, photographs: list[np.ndarray], steps: int) -> Codec:
    """Train one arm; return the codec with its averaged weights."""
    torch.manual_seed(seed)
    codec = arm.build(arm.config).train()
    codec.importance.requires_grad_(False)
    average = AveragedModel(codec, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE), use_buffers=True)
    kernels, rest = split_parameters(codec, arm.muon)
    optimizers: list[torch.optim.Optimizer] = [torch.optim.Adam(rest, ADAM_RATE)]
    rates = [ADAM_RATE]
    if kernels:
        optimizers.append(Muon(kernels, MUON_RATE))
        rates.append(MUON_RATE)

    # from here on, every arm of this seed draws the same random numbers
    torch.manual_seed(seed + 1)
    crops = Crops(photographs, CROP)
    criterion = RateDistortionLoss()
    blocks = CROP // STRIDE
    for step in trange(steps, desc=f"{seed}", mininterval=30, disable=None):
        # the learning rates rise, stay level, and fall to zero
        factor = min(1.0, (step + 1) / WARMUP, (1 - step / steps) / DECAY)
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * factor

        # one step
        x = crops.draw(BATCH)
        quality = torch.rand(BATCH) * MAX_QUALITY
        offsets = random_offsets(BATCH, blocks, blocks, x.device)
        out = codec(x, quality, offsets)
        criterion(out, x, quality, offsets)["loss"].backward()
        nn.utils.clip_grad_norm_(kernels + rest, LARGEST_GRADIENT)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        average.update_parameters(codec)
    return average.module.eval()


def centre(image: np.ndarray) -> Tensor:
    """The centre of a picture, with sides that are multiples of 64: (1, 3, h, w) in 0..1."""
    height = min(image.shape[0], LARGEST_SIDE) // STRIDE * STRIDE
    width = min(image.shape[1], LARGEST_SIDE) // STRIDE * STRIDE
    top = (image.shape[0] - height) // 2
    left = (image.shape[1] - width) // 2
    return data.to_tensor(image[top : top + height, left : left + width])


@torch.no_grad()
def measure(codec: Codec, pictures: list[Tensor]) -> dict:
    """Returns {"curve": means per quality, "j": means at the judged qualities}."""
    measured: dict = {"curve": {"bpp": [], "psnr-rgb": []}, "j": {}}
    for q in QUALITIES:
        rates = []
        errors = []
        for x in pictures:
            out = codec(x, torch.tensor([float(q)]), noise=False)
            bits = out["bits"]["y"].sum() + out["bits"]["z"].sum()
            error = (x - out["x_hat"].clamp(0, 1)).square().mean()
            rates.append(bits.item() / (x.shape[2] * x.shape[3]))
            errors.append(error.item())
        psnr = -10 * np.log10(errors)
        measured["curve"]["bpp"].append(float(np.mean(rates)))
        measured["curve"]["psnr-rgb"].append(float(np.mean(psnr)))
        if q in JUDGED:
            costs = np.array(rates) + lambda_of(q) * 255**2 * np.array(errors)
            measured["j"][str(q)] = float(np.mean(costs))
    return measured


def size_of(codec: Codec) -> dict:
    """The number of trained parameters, and the multiply-accumulates per pixel of the networks."""
    x = torch.zeros(1, 3, 256, 256)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        codec(x, torch.tensor([50.0]), noise=False)
    parameters = sum(p.numel() for p in codec.parameters() if p.requires_grad)
    return {"parameters": parameters, "macs": counter.get_total_flops() / 2 / 256**2}


def add_row(file: Path, row: dict | None, command: str) -> list[dict]:
    """Add a row to the results, which other processes may also write to; return all rows."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{file}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = json.loads(file.read_text())["rows"] if file.exists() else []
        if row is None:
            return rows
        rows.append(row)
        order = {name: i for i, name in enumerate(ARMS)}
        rows.sort(key=lambda row: (order[row["name"]], row["seed"]))
        results = {
            "command": command,
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__.split("+")[0],
                "numpy": version("numpy"),
                "mfca-tutorial": version("mfca-tutorial"),
            },
            "date": date.today().isoformat(),
            "rule": " ".join(__doc__.split("The rule, ")[1].split("\n\n")[0].split()),
            "rows": compare(rows),
        }
        data.write_atomic(file, (json.dumps(results, indent=1) + "\n").encode())
    return rows


def compare(rows: list[dict]) -> list[dict]:
    """Set each row's BD-rate in per cent against the row without attention of the same seed."""
    reference = {row["seed"]: row for row in rows if row["name"] == REFERENCE}
    for row in rows:
        anchor = reference.get(row["seed"])
        if anchor is None:
            continue
        row["bd_rate"] = delta(anchor, row)
        if "kodak" in row and "kodak" in anchor:
            row["kodak"]["bd_rate"] = delta(anchor["kodak"], row["kodak"])
    return rows


def delta(anchor: dict, row: dict) -> float | None:
    """The BD-rate of one measurement against another, in per cent; None if there is none.

    There is none if the two share no PSNR: if the training has failed.
    """
    curves = [{"name": "", "results": measured["curve"]} for measured in (anchor, row)]
    try:
        return bd_rate(*curves)
    except ValueError:
        return None


def main() -> None:
    """Run every arm that is not in the file yet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("source", help="a folder or tar file of photographs to train on")
    parser.add_argument("--out", type=Path, default=Path("data/results/ablation.json"))
    parser.add_argument("--part", default="0/1", help="i/n: every n-th run, from run i")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--only", help="the name of one arm")
    args = parser.parse_args()
    command = f"python tools/ablate.py {Path(args.source).name} --steps {args.steps}"

    part, parts = map(int, args.part.split("/"))
    runs = [(seed, name) for seed in range(3) for name, arm in ARMS.items() if seed < arm.seeds]
    photographs = read_photographs(args.source)
    bundled = [centre(data.photograph(name)) for name in data.PHOTOGRAPHS]
    kodak = []
    if os.environ.get("MFCA_KODAK"):
        kodak = [centre(data.read_image(file)[0]) for file in data.kodak()]

    for seed, name in runs[part::parts]:
        done = {(row["seed"], row["name"]) for row in add_row(args.out, None, command)}
        if (seed, name) in done or args.only not in (None, name):
            continue
        start = time.perf_counter()
        arm = ARMS[name]
        codec = train(arm, seed, photographs, args.steps)
        row = {"name": name, "what": arm.what, "seed": seed, "bd_rate": None}
        row |= measure(codec, bundled) | size_of(codec)
        row["seconds"] = round(time.perf_counter() - start, 1)
        if kodak:
            row["kodak"] = measure(codec, kodak)
        add_row(args.out, row, command)
        print(f"{name}, seed {seed}: {row['seconds']:.0f} s, j {row['j']}", flush=True)


if __name__ == "__main__":
    main()
