"""The state of a run: weights, their average, optimisers and counters, in memory and on disk.

But: it holds no photographs, and it takes no step.

Taught in chapter 11.
"""

import copy
import io
import time
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist

from mfca_tutorial.codec import Codec
from mfca_tutorial.config import PRESETS
from mfca_tutorial.learning.average import EVERY, follow
from mfca_tutorial.learning.recipe import Recipe
from mfca_tutorial.learning.step import make_optimizers, split_parameters
from mfca_tutorial.learning.weights import read_weights
from mfca_tutorial.whole_files import write_atomic

MOST_RESTARTS = 3  # each one halves the learning rates; after three, the recipe is to blame


class RunState:
    """Everything that a run must remember in order to continue.

    codec: the codec that is trained. average: the running average of its weights, which is shipped.
    lr, muon_lr: the learning rates of the current step, as tensors. parameters: all weights that
    are trained before the importance head.
    """

    def __init__(self, recipe: Recipe, device: torch.device):
        self.recipe = recipe
        self.device = device

        # channels_last: convolutions are faster with a pixel's channels side by side
        codec = new_codec(recipe).to(device)
        self.codec = codec.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

        # the average starts from the same weights as the codec
        self.average = copy.deepcopy(self.codec)

        # which optimiser trains which weights, and how fast
        self.lr = torch.zeros((), device=device)
        self.muon_lr = torch.zeros((), device=device)
        with_muon = recipe.muon_lr > 0
        kernels, rest = split_parameters(self.codec, with_muon)
        self.parameters = kernels + rest
        self.optimizers = make_optimizers(kernels, rest, self.lr, self.muon_lr)

        # how far the run has come
        self.step_count = 0
        self.seconds = 0.0  # of training, not counting the time before the first step
        self.restarts = 0

        # how far it may go, if its budget is time
        self.seconds_to_spend = 60 * recipe.minutes

    def plan(self) -> None:
        """With --until, work out how much time is left; called just before the first step.

        Raises ValueError if none is left.
        """
        if not self.recipe.until:
            return

        # the head and the report come after the last step
        end = self.recipe.until - self.recipe.reserve
        left = end - time.time()
        if left <= 0:
            raise ValueError(
                f"--until comes {-left:.0f} seconds too soon: there is no time left to train"
            )

        # a resumed run has already spent some seconds
        self.seconds_to_spend = self.seconds + left

    def progress(self) -> float:
        """The share of the budget that has been spent: 0..1, or more if it is overrun."""
        if self.recipe.steps:
            return self.step_count / self.recipe.steps
        return self.seconds / self.seconds_to_spend

    def set_rates(self) -> None:
        """Set the learning rates for the next step."""
        factor = self.recipe.rate(self.step_count, self.progress())

        # each restart has halved both rates
        factor = factor * 0.5**self.restarts
        self.lr.fill_(self.recipe.lr * factor)
        self.muon_lr.fill_(self.recipe.muon_lr * factor)

    def count_step(self) -> None:
        """Count a finished step; after every tenth, update the average."""
        self.step_count += 1
        count, rest = divmod(self.step_count, EVERY)
        if rest == 0:
            follow(self.average, self.codec, count)

    @torch.no_grad()
    def restart(self) -> None:
        """After a loss that is not finite: go back to the average, clear momenta, halve the rates.

        Raises ValueError if this has already happened three times.
        """
        self.restarts += 1
        if self.restarts > MOST_RESTARTS:
            when = f"at step {self.step_count}, after three restarts"
            raise ValueError(f"the loss is not finite {when}: lower --lr")

        # the weights, in place, since a captured graph knows these tensors by their addresses
        self.codec.load_state_dict(self.average.state_dict())

        # the momenta, which may not be finite either
        for optimizer in self.optimizers:
            for memory in optimizer.state.values():
                for value in memory.values():
                    value.zero_()

    def save(self, file: Path) -> None:
        """Write everything needed to continue from this step, whole or not at all."""
        # include the random state, so that a resumed run ends like one that was never interrupted
        content = {
            "codec": self.codec.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step_count,
            "seconds": self.seconds,
            "restarts": self.restarts,
            "rng": torch.get_rng_state(),
            "cuda_rng": None,
        }

        # a GPU has its own random state
        if self.device.type == "cuda":
            content["cuda_rng"] = torch.cuda.get_rng_state(self.device)

        # serialise in memory first: on a full disk, torch's own errors do not say what is wrong
        buffer = io.BytesIO()
        torch.save(content, buffer)
        write_atomic(file, buffer.getvalue())

    def load(self, file: Path) -> None:
        """Restore what `save` wrote.

        Raises FileNotFoundError if there is no such file, and ValueError if it is damaged, of
        another kind, or the state of a codec of another shape.
        """
        try:
            content = torch.load(
                file,
                map_location=self.device,
                weights_only=True,
            )

            # the weights
            self.codec.load_state_dict(content["codec"])
            self.average.load_state_dict(content["average"])
        except OSError:
            raise  # there is no such file, or it cannot be opened
        except Exception as error:  # torch raises errors of many types
            first_line = str(error).split("\n")[0]
            raise ValueError(
                f"{file}: not a state that this run can go on from ({first_line})"
            ) from error

        # Loading leaves the optimisers with copies of the learning rates. Give them back the
        # tensors that `set_rates` fills.
        rates = (self.lr, self.muon_lr)
        for optimizer, saved, rate in zip(
            self.optimizers, content["optimizers"], rates, strict=False
        ):
            optimizer.load_state_dict(saved)
            optimizer.param_groups[0]["lr"] = rate

        # the counters
        self.step_count = content["step"]
        self.seconds = content["seconds"]
        self.restarts = content["restarts"]

        # draw the same random numbers as if the run had not been interrupted
        torch.set_rng_state(content["rng"].cpu())
        if content["cuda_rng"] is not None:
            torch.cuda.set_rng_state(content["cuda_rng"].cpu(), self.device)


def rank_and_world() -> tuple[int, int]:
    """The number of this process, and how many there are: 0 and 1, unless torchrun started it."""
    if not dist.is_initialized():
        return 0, 1
    return dist.get_rank(), dist.get_world_size()


def choose_device(name: str, rank: int) -> torch.device:
    """The device that --device names, by default a GPU if there is one.

    Of several processes, number r gets GPU number r. Raises ValueError if there is no such device.
    """
    # by default, use a GPU if there is one
    if not name:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        name = f"cuda:{rank}"

    # torch may know the name of a device that this machine lacks, so try to use it
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"--device {name}: this machine has no such device") from error
    return device


def new_codec(recipe: Recipe) -> Codec:
    """The codec that a recipe starts with: random weights, or those of --init.

    The importance head is left for `train_head`. Raises ValueError if --init is not a checkpoint or
    has another shape, and FileNotFoundError if it does not exist.
    """
    # the architecture, with the changes of an ablation
    config = replace(
        PRESETS[recipe.preset],
        attention=not recipe.no_attention,
        descriptor=recipe.descriptor,
        gates=recipe.gates,
    )
    codec = Codec(config)
    codec.importance.requires_grad_(False)

    # --init gives only weights, neither the optimisers' momenta nor the counters
    if recipe.init:
        weights = read_weights(recipe.init)
        try:
            codec.load_state_dict(weights)
        except RuntimeError as error:  # its message has a line for each weight that does not fit
            raise ValueError(f"{recipe.init} does not fit --preset {recipe.preset}") from error
    return codec
