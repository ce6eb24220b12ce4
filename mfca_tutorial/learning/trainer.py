"""`mfca train`: a codec from photographs. One step is a forward and backward pass, a clip and two optimisers.

On a GPU the whole step is captured once in a CUDA graph, with g_a and g_s compiled; elsewhere, and with --eager, the
same function runs as it stands. Everything needed to go on later is in OUT/state.pt; the result is
OUT/model.safetensors, and OUT/report.json says how it came about.

Taught in chapter 11.
"""

import csv
import json
import math
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from tqdm import tqdm

from mfca_tutorial.checkpoint import read_checkpoint, save_checkpoint
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import MAX_QUALITY, PRESETS
from mfca_tutorial.learning.crops import Crops, random_offsets, read_photographs
from mfca_tutorial.learning.head import train_head
from mfca_tutorial.learning.health import health_report
from mfca_tutorial.learning.muon import Muon
from mfca_tutorial.learning.recipe import Recipe, from_arguments
from mfca_tutorial.learning.step import Objective, capture, split_parameters

FIELDS = ("step", "seconds", "steps_per_second", "rate", "loss", "psnr", "bpp", "z_bpp")
LOG_EVERY = 100  # steps
EMA_EVERY, EMA_DECAY = 10, 0.99


class Trainer:
    """Holds a run: model, averaged weights, optimisers, data. `run()` trains to the end of the budget.

    Taught in chapter 11."""

    def __init__(self, recipe: Recipe, photographs: list):
        self.recipe, self.out = recipe, Path(recipe.out)
        self.rank, self.world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
        device = recipe.device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.device = torch.device(device, self.rank) if device == "cuda" else torch.device(device)
        self.cuda = self.device.type == "cuda"
        torch.manual_seed(recipe.seed)
        config = replace(PRESETS[recipe.preset], attention=not recipe.no_attention, descriptor=recipe.descriptor)
        self.codec = Codec(config)
        if recipe.init:
            self.codec.load_state_dict(read_checkpoint(recipe.init)[1])
        self.codec.importance.requires_grad_(False)
        self.codec.to(self.device, memory_format=torch.channels_last)
        self.average = Codec(config).to(self.device, memory_format=torch.channels_last)
        self.average.load_state_dict(self.codec.state_dict())
        torch.manual_seed(recipe.seed + 1 + self.rank)

        self.lr, self.muon_lr = (torch.zeros((), device=self.device) for _ in range(2))
        kernels, rest = split_parameters(self.codec, recipe.muon_lr > 0)
        self.optimizers = [torch.optim.Adam(rest, lr=self.lr, capturable=self.cuda)]
        self.optimizers += [Muon(kernels, lr=self.muon_lr)] if kernels else []
        self.parameters = kernels + rest
        self.objective = Objective(self.codec)
        if self.world > 1:
            self.objective = nn.parallel.DistributedDataParallel(self.objective)
        held = photographs[::max(1, len(photographs) // recipe.held_out)][:recipe.held_out]
        kept = {id(p) for p in held} if len(photographs) > 2 * recipe.held_out else set()
        self.crops = Crops([p for p in photographs if id(p) not in kept], recipe.crop, self.device)
        centres = (p[(p.shape[0] - 256) // 2:, (p.shape[1] - 256) // 2:][:256, :256] for p in held
                   if min(p.shape[:2]) >= 256)
        self.held_out = torch.stack([torch.from_numpy(c.copy()) for c in centres]).permute(0, 3, 1, 2).float() / 255
        self.step_count, self.seconds, self.restarts = 0, 0.0, 0
        self.totals = torch.zeros(4, device=self.device)
        self._replay = None

    # ---- one step

    def draw(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Crops (b, 3, s, s), qualities (b,) in 0..100 and offsets (b, 1, s/64, s/64), b = batch / processes."""
        batch, blocks = self.recipe.batch // self.world, self.recipe.crop // 64
        quality = torch.rand(batch, device=self.device) * MAX_QUALITY
        return self.crops.draw(batch), quality, random_offsets(batch, blocks, blocks, self.device)

    def update(self, x, quality, offsets) -> None:
        """Forward, backward, clip, both optimisers. Nothing here waits for the GPU."""
        result = self.objective(x, quality, offsets)
        result["loss"].backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        for p in self.parameters:
            p.grad = None
        self.totals += torch.stack([result[k].detach() for k in ("loss", "mse", "bpp", "z_bpp")])

    def step(self, progress: float) -> None:
        """One training step at this share of the budget; averages the weights every tenth."""
        rate = self.recipe.rate(self.step_count, progress) * 0.5**self.restarts
        self.lr.fill_(self.recipe.lr * rate)
        self.muon_lr.fill_(self.recipe.muon_lr * rate)
        (self._replay or self.update)(*self.draw())
        self.step_count += 1
        if self.step_count % EMA_EVERY == 0:
            n = self.step_count / EMA_EVERY
            weight = 1 - min(EMA_DECAY, (1 + n) / (10 + n))
            averages, weights = (list(c.state_dict().values()) for c in (self.average, self.codec))
            torch._foreach_lerp_(averages, weights, weight)

    # ---- the run

    def run(self) -> None:
        """Train to the end of the budget, then the importance head; write model.safetensors and report.json."""
        self.out.mkdir(parents=True, exist_ok=True)
        if self.recipe.resume:
            self.load()
        if self.cuda and not self.recipe.eager and self.world == 1:
            self.codec.g_a.compile()
            self.codec.g_s.compile()
            self._replay = capture(self.update, self.draw())  # its warm-up steps run at learning rate 0
        self.totals.zero_()
        start, logged, asked = time.perf_counter() - self.seconds, (self.step_count, self.seconds), self.seconds
        bar = tqdm(total=100, unit="%", disable=None if self.rank == 0 else True, bar_format="{l_bar}{bar}| {postfix}")
        self.codec.train()
        while (progress := self.progress()) < 1:
            self.step(progress)
            self.seconds = time.perf_counter() - start
            if self.step_count % LOG_EVERY == 0 or self.progress() >= 1:
                self.log(logged, bar)
                logged = (self.step_count, self.seconds)
                if self.rank == 0 and self.seconds - asked >= self.recipe.health_every:
                    asked = self.seconds
                    self.report(bar)
                    self.save()
        bar.close()
        if self.rank == 0:
            self.save()
            self.finish()

    def progress(self) -> float:
        """Share of the budget that is spent, 0..1 and beyond."""
        r = self.recipe
        return self.step_count / r.steps if r.steps else self.seconds / (60 * r.minutes)

    def log(self, before: tuple[int, float], bar: tqdm) -> None:
        """A row of means since the last row, to OUT/log.csv and the screen; a loss that is not finite: `restart`."""
        steps = self.step_count - before[0]
        loss, mse, bpp, z_bpp = (self.totals / max(steps, 1)).tolist()  # waits for the GPU
        self.totals.zero_()
        speed = steps / max(self.seconds - before[1], 1e-9)
        if not math.isfinite(loss):
            self.restart()
            return
        psnr, rate = -10 * math.log10(mse), self.lr.item() / self.recipe.lr
        values = (self.step_count, self.seconds, speed, rate, loss, psnr, bpp, z_bpp)
        row = dict(zip(FIELDS, (round(v, 5) for v in values), strict=True))
        bar.update(round(100 * min(self.progress(), 1)) - bar.n)
        bar.set_postfix_str(f"step {self.step_count}  loss {loss:.3f}  {psnr:.2f} dB  {bpp:.3f} bpp  {speed:.1f}/s")
        if self.rank == 0:
            file = self.out / "log.csv"
            fresh = not file.exists()
            with file.open("a", newline="") as f:
                writer = csv.DictWriter(f, FIELDS)
                if fresh:
                    writer.writeheader()
                writer.writerow(row)

    def restart(self) -> None:
        """The loss is not finite: averaged weights again, no momenta, half the learning rates; thrice at most."""
        self.restarts += 1
        if self.restarts > 3:
            raise ValueError(f"the loss is not finite at step {self.step_count}, after three restarts: lower --lr")
        with torch.no_grad():
            for p, kept in zip(self.codec.state_dict().values(), self.average.state_dict().values(), strict=True):
                p.copy_(kept)
            for optimizer in self.optimizers:
                for state in optimizer.state.values():
                    for value in state.values():
                        value.zero_()

    def report(self, bar: tqdm | None = None) -> dict:
        """The health of the averaged weights: appended to OUT/health.jsonl, alarms to the screen."""
        vitals = health_report(self.average.eval(), self.held_out.to(self.device))
        with (self.out / "health.jsonl").open("a") as f:
            f.write(json.dumps({"step": self.step_count, "seconds": self.seconds} | vitals) + "\n")
        for alarm in vitals["alarms"] if bar is not None else ():
            bar.write(f"ALARM at step {self.step_count}: {alarm}")
        return vitals

    def save(self) -> None:
        """Everything needed to go on from this step, in OUT/state.pt."""
        torch.save({"codec": self.codec.state_dict(), "average": self.average.state_dict(),
                    "optimizers": [o.state_dict() for o in self.optimizers], "step": self.step_count,
                    "seconds": self.seconds, "restarts": self.restarts, "rng": torch.get_rng_state(),
                    "cuda_rng": torch.cuda.get_rng_state(self.device) if self.cuda else None}, self.out / "state.tmp")
        os.replace(self.out / "state.tmp", self.out / "state.pt")

    def load(self) -> None:
        """Go back to what `save` wrote."""
        state = torch.load(self.out / "state.pt", map_location=self.device, weights_only=True)
        self.codec.load_state_dict(state["codec"])
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for optimizer, rate in zip(self.optimizers, (self.lr, self.muon_lr), strict=False):
            optimizer.param_groups[0]["lr"] = rate
        self.step_count, self.seconds, self.restarts = state["step"], state["seconds"], state["restarts"]
        torch.set_rng_state(state["rng"].cpu())
        if self.cuda:
            torch.cuda.set_rng_state(state["cuda_rng"].cpu(), self.device)

    def finish(self) -> None:
        """The importance head, then fixed point, then the files that the run was for."""
        losses = train_head(self.average, self.crops, self.recipe.head_steps, self.recipe.batch)
        float_vitals = self.report()
        self.average.freeze()
        recipe = {k: Path(v).name if k in ("source", "out", "init") else v for k, v in asdict(self.recipe).items()}
        notes = {"recipe": json.dumps(recipe), "steps": str(self.step_count),
                 "minutes": f"{self.seconds / 60:.2f}", "device": torch.cuda.get_device_name() if self.cuda else "CPU"}
        save_checkpoint(self.average, self.out / "model.safetensors", notes)
        report = {"recipe": recipe, "steps": self.step_count, "seconds": self.seconds,
                  "steps_per_second": self.step_count / max(self.seconds, 1e-9), "device": notes["device"],
                  "torch": torch.__version__, "restarts": self.restarts, "head_losses": losses[::10],
                  "health_before_freezing": float_vitals,
                  "health_after_freezing": health_report(self.average, self.held_out.to(self.device))}
        (self.out / "report.json").write_text(json.dumps(report, indent=1))


def main(args) -> None:
    """Run `mfca train`. Raises ImageError, ValueError or FileNotFoundError, with one line, on bad input."""
    recipe = from_arguments(args)
    if int(os.environ.get("WORLD_SIZE", 1)) > 1:
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    if torch.cuda.is_available():
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    Trainer(recipe, read_photographs(recipe.source)).run()
    if dist.is_initialized():
        dist.destroy_process_group()
