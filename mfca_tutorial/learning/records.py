"""What a run records: a row every hundred steps, its health every minute, and its result.

But: nothing about the training is decided here.

Taught in chapter 11.
"""

import csv
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from mfca_tutorial.checkpoint import save_checkpoint
from mfca_tutorial.learning.recipe import Recipe
from mfca_tutorial.learning.state import RunState
from mfca_tutorial.whole_files import write_atomic

SUMMED = ("loss", "mse", "bpp", "z_bpp")  # the values summed from one row of the log to the next
SHOWN = "step {step}  loss {loss:.3f}  {psnr:.2f} dB  {bpp:.3f} bpp  {steps_per_second:.1f}/s"

# Fields of a recipe that are paths on one machine.
PATHS = ("source", "out", "init")


class Log:
    """The rows of OUT/log.csv, and the progress bar.

    What a step reports is summed on the device, so Python waits for the GPU only once per row.

    Args:
        file: the CSV file; a resumed run appends to it.
        device: where the training takes place.
        show: whether to write and draw anything; of several processes, only one does.
    """

    def __init__(
        self,
        file: Path,
        device: torch.device,
        show: bool,
    ):
        self.file = file
        self.show = show

        # sums over the steps since the last row
        self.totals = torch.zeros(len(SUMMED), device=device)

    def start(self, state: RunState) -> None:
        """Draw the bar; the first row of the log counts from here."""
        # a resumed run takes some steps again, so drop their rows
        if self.show and state.step_count > 0:
            keep_until(self.file, state.step_count)

        # the bar shows the budget, not steps: with --minutes, their number is not known
        self.bar = tqdm(
            total=100,
            unit="%",
            disable=None if self.show else True,  # None: draw on a terminal only
            bar_format="{l_bar}{bar}| {postfix}",
        )
        self._begin_row(state)

    def _begin_row(self, state: RunState) -> None:
        # step_count and seconds at the previous row
        self.totals.zero_()
        self.step_count = state.step_count
        self.seconds = state.seconds

    def add(self, result: dict[str, Tensor]) -> None:
        """Add what the objective returned for one step."""
        # detached; otherwise the graph of every step would be kept until the row is written
        values = [result[name].detach() for name in SUMMED]
        self.totals += torch.stack(values)

    def write(self, state: RunState) -> bool:
        """Write the means since the last row; if they are not finite, only return False."""
        # how many steps, and in what time
        steps = state.step_count - self.step_count
        seconds = state.seconds - self.seconds

        # Python waits for the GPU here and nowhere else.
        means = self.totals / max(steps, 1)
        loss, mse, bpp, z_bpp = means.tolist()
        self._begin_row(state)
        if not math.isfinite(loss):
            return False  # the caller decides what to do

        # what a reader wants to know about a run, in this order
        row = {
            "step": state.step_count,
            "seconds": state.seconds,
            "steps_per_second": steps / max(seconds, 1e-9),
            "rate": state.lr.item() / state.recipe.lr,
            "loss": loss,
            "psnr": -10 * math.log10(mse),
            "bpp": bpp,
            "z_bpp": z_bpp,
        }
        # processes share gradients, but not crops; the first one's loss is logged for all
        if self.show:
            self._append(row)

        # on the screen, move the bar to the share of the budget that has been spent
        percent = round(100 * min(state.progress(), 1))
        self.bar.update(percent - self.bar.n)
        self.bar.set_postfix_str(SHOWN.format(**row))
        return True

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        tqdm.write(line)

    def close(self) -> None:
        """Close the bar and leave it on the screen."""
        self.bar.close()

    def _append(self, row: dict[str, float]) -> None:
        # five decimal places are more than the noise of a hundred steps leaves meaningful
        rounded = {name: round(value, 5) for name, value in row.items()}

        # a resumed run appends to the rows that are there
        is_new = not self.file.exists()

        # newline="": the csv module ends the lines itself
        with self.file.open("a", newline="") as stream:
            writer = csv.DictWriter(stream, list(row))

            # a new file begins with the names of the columns
            if is_new:
                writer.writeheader()
            writer.writerow(rounded)


def keep_until(file: Path, step: int) -> None:
    """Drop the rows of a log after a given step, and a last row that was cut short."""
    if not file.exists():
        return
    header, *rows = file.read_text().splitlines(keepends=True) or [""]

    # the step is the first value of a row
    kept = [header]
    for row in rows:
        first = row.split(",")[0]
        if row.endswith("\n") and int(first) <= step:
            kept.append(row)
    write_atomic(file, "".join(kept).encode())


def append_line(file: Path, content: dict[str, Any]) -> None:
    """Append one line of JSON to a file."""
    # on one line, so that the file can be read line by line
    line = json.dumps(content)
    with file.open("a") as stream:
        stream.write(line + "\n")


def public_recipe(recipe: Recipe) -> dict[str, Any]:
    """A recipe fit for publication: only the last part of each path is kept."""
    values = asdict(recipe)

    # /home/someone/photographs.tar says more about a machine than about a run
    for name in PATHS:
        path = Path(values[name])
        values[name] = path.name
    return values


def write_results(
    folder: Path,
    state: RunState,
    facts: dict[str, Any],
) -> None:
    """Write model.safetensors, and report.json, which says how the model was made.

    Args:
        folder: where to write them.
        state: the state at the end of a run, with its average frozen.
        facts: what else belongs in the report.
    """
    recipe = public_recipe(state.recipe)

    # speeds mean little without the name of the device
    device = "CPU"
    if state.device.type == "cuda":
        device = torch.cuda.get_device_name(state.device)

    # what the checkpoint says about itself
    notes = {
        "recipe": json.dumps(recipe),
        "steps": str(state.step_count),
        "minutes": f"{state.seconds / 60:.2f}",
        "device": device,
    }
    save_checkpoint(state.average, folder / "model.safetensors", notes)

    # the report adds everything else: speed, restarts, health, losses of the head
    report = {
        "recipe": recipe,
        "steps": state.step_count,
        "seconds": state.seconds,
        "steps_per_second": state.step_count / max(state.seconds, 1e-9),
        "device": device,
        "torch": torch.__version__,
        "restarts": state.restarts,
        **facts,
    }

    # indented, since people read the report as well as programs
    text = json.dumps(report, indent=1)
    write_atomic(folder / "report.json", text.encode())
