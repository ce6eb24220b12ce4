"""Every knob of a training run, in one place, and their command-line form. No torch here.

Taught in chapter 11.
"""

import argparse
from dataclasses import dataclass, fields

from mfca_tutorial.config import PRESETS

HELP = {
    "source": "folder or tar file of photographs", "out": "folder for the weights, the log and the report",
    "preset": "size of the model", "minutes": "time budget; the learning rate falls to zero at its end",
    "steps": "step budget, instead of minutes", "batch": "crops a step, over all processes",
    "crop": "side of a crop in pixels, a multiple of 64 above 160", "lr": "Adam's learning rate",
    "muon_lr": "Muon's learning rate (transforms); 0 trains everything with Adam",
    "warmup": "steps in which the learning rates rise", "decay": "last part of the budget, in which they fall to zero",
    "head_steps": "steps for the importance head, after the budget",
    "held_out": "photographs kept for the health report", "health_every": "seconds between health reports",
    "init": "checkpoint to start from (weights alone)", "resume": "go on from the state in OUT",
    "seed": "of everything random", "device": "cpu, cuda, ... (default: cuda if any)",
    "eager": "no compilation and no CUDA graph", "no_attention": "leave MFCA out (ablation)",
    "descriptor": "what MFCA's gates look at: energy or signed",
}


@dataclass(frozen=True)
class Recipe:
    """A training run. What the shipped model was trained with is in its report and its card. Taught in chapter 11."""

    source: str
    out: str = "run"
    preset: str = "base"
    minutes: float = 0.0
    steps: int = 0
    batch: int = 16
    crop: int = 256
    lr: float = 1e-3
    muon_lr: float = 2e-3
    warmup: int = 1000
    decay: float = 0.6
    head_steps: int = 500
    held_out: int = 12
    health_every: float = 60.0
    init: str = ""
    resume: bool = False
    seed: int = 0
    device: str = ""
    eager: bool = False
    no_attention: bool = False
    descriptor: str = "energy"

    def __post_init__(self):
        if (self.minutes > 0) == (self.steps > 0):
            raise ValueError("give a budget: either --minutes or --steps")
        if self.crop % 64 or self.crop <= 160:
            raise ValueError(f"--crop must be a multiple of 64 above 160, not {self.crop}")
        if self.preset not in PRESETS:
            raise ValueError(f"--preset is one of {', '.join(PRESETS)}, not {self.preset}")

    def rate(self, step: int, progress: float) -> float:
        """The factor on both learning rates: up over `warmup` steps, level, down to 0 over the budget's last part.

        step counts from 0; progress is in 0..1. Taught in chapter 11."""
        return min(1.0, (step + 1) / self.warmup, max(1 - progress, 0.0) / self.decay)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `mfca train`. Taught in chapter 11."""
    parser.add_argument("source", metavar="DIR_OR_TAR", help=HELP["source"])
    for field in fields(Recipe)[1:]:
        flag = "--" + field.name.replace("_", "-")
        if field.type is bool:
            parser.add_argument(flag, action="store_true", help=HELP[field.name])
        else:
            parser.add_argument(flag, type=field.type, default=field.default,
                                help=f"{HELP[field.name]} (default: {field.default or 'none'})")


def from_arguments(args: argparse.Namespace) -> Recipe:
    """The recipe that a command line asks for; ValueError where it makes none. Taught in chapter 11."""
    return Recipe(**{field.name: getattr(args, field.name) for field in fields(Recipe)})
