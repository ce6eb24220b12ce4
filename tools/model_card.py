"""Write data/MODEL_CARD.md from tools/templates/model_card.md.j2, with its numbers from files.

The template reads data/training/, data/results/ and the checkpoint through the functions of this
module. It works even before the model has been measured on Kodak. `--pictures` also draws the two
pictures and measures the hard cases again (tools/model_card_pictures.py), which needs the model and
takes half a minute.
"""

import argparse
import csv
import json
import math
import re
from collections import Counter
from dataclasses import dataclass, fields
from itertools import groupby

import numpy as np
from PIL import Image
from safetensors import safe_open
from shared import CLASSICAL, DATA, PUBLISHED, bd_rate, curve, measured, model_id, percent, render

from mfca_tutorial.checkpoint import EARLIER
from mfca_tutorial.container import TILE
from mfca_tutorial.evaluation import rd
from mfca_tutorial.evaluation.literature import learned_codecs
from mfca_tutorial.learning.health import LEAST_SPREAD, MOST_PASS_COST
from mfca_tutorial.learning.recipe import Recipe

CARD = DATA / "MODEL_CARD.md"
CASES = DATA / "results" / "model_card.json"  # the measurements of --pictures
LARGE = DATA / "results" / "large.json"  # the measurements of tools/large.py
PORTABILITY = DATA / "results" / "portability.json"  # the measurements of tools/portability.py
MODEL = DATA / "mfca.safetensors"

# Families of licences, each with the pattern that finds it; the first match counts.
FAMILIES = {
    "not stated": "not stated",
    "'free to use however you wish'": "free to use",
    "MIT": "MIT",
    "Apache 2.0": "Apache",
    "GPL, LGPL (some with others)": "L?GPL",
    "CC BY-SA": "CC-BY-SA",
    "CC BY": "CC-BY",
    "CC0, public domain": "CC0|PD|Public",
    "Free Art": "Free Art",
    "Unsplash, Pexels": "Unsplash|Pexels",
}


def load(name):
    """The contents of a JSON file in data/."""
    return json.loads((DATA / name).read_text("utf-8"))


def rows(name):
    """The rows of a CSV file in data/, as a list of dicts."""
    with open(DATA / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cases():
    """What `--pictures` measured on this checkpoint; ValueError if it measured another one."""
    found = json.loads(CASES.read_text("utf-8"))
    if found["checkpoint"] != model_id():
        raise ValueError(
            f"{CASES.name} was measured with another checkpoint: run `make model-card`"
        )
    return found


def large():
    """What tools/large.py measured with this checkpoint; None if it did not."""
    if not LARGE.exists():
        return None
    found = json.loads(LARGE.read_text("utf-8"))
    return found if found["checkpoint"] == model_id() else None


def crossing():
    """What `make portability ARGS=--web` measured with this checkpoint; None if it did not."""
    found = json.loads(PORTABILITY.read_text("utf-8")).get("web") if PORTABILITY.exists() else None
    return found if found and found["checkpoint"] == model_id() else None


def photographs():
    """The training photographs, with their short side, pixels and family of licences."""
    found = rows("training/manifest.csv")
    for row in found:
        sides = int(row["width"]), int(row["height"])
        row["short"] = min(sides)
        row["pixels"] = math.prod(sides)
        fitting = [name for name, word in FAMILIES.items() if re.search(word, row["licence"])]
        row["family"] = fitting[0]
    return found


def checkpoint():
    """The number of stored values by part of the model (a Counter), and the file's metadata."""
    parts = Counter()
    with safe_open(MODEL, "np") as file:
        for name in file.keys():
            parts[name.split(".")[0]] += math.prod(file.get_slice(name).get_shape())
        metadata = file.metadata()
    del parts["tables"]  # integers for the range coder, not weights
    return parts, metadata


def command(recipe, out):
    """A recipe (dict) as a command line, without options at their defaults, with generic paths."""
    words = ["mfca train PHOTOGRAPHS", f"--out {out}"]
    if recipe["init"]:
        words.append(f"--init runs/{recipe['init']}")

    for field in fields(Recipe):
        value = recipe.get(field.name, field.default)
        if value == field.default or field.name in ("source", "out", "init", "resume"):
            continue
        flag = "--" + field.name.replace("_", "-")
        number = f"{value:g}" if isinstance(value, float) else value
        words.append(flag if value is True else f"{flag} {number}")
    return " ".join(words)


def minutes_until(loss, log):
    """The minutes that a log's run took to reach a loss; all its minutes if it never did."""
    reached = [row for row in log if float(row["loss"]) <= loss] or log[-1:]
    return float(reached[0]["seconds"]) / 60


def losses_of(log, recipe):
    """The losses of a log's rows, in two lists: on latents with noise, then on rounded ones."""
    share_with_noise = 1 - recipe.get("finetune_share", 0)
    end = share_with_noise * float(log[-1]["seconds"])
    with_noise = [float(row["loss"]) for row in log if float(row["seconds"]) <= end]
    rounded = [float(row["loss"]) for row in log if float(row["seconds"]) > end]
    return with_noise, rounded


def delta(anchor, test, metric="psnr-rgb"):
    """The BD-rate and the range that both curves cover, as text; '-' if it cannot be computed."""
    value = bd_rate(anchor, test, metric)
    if value is None:
        return "-"
    low, high = rd.common_range(anchor, test, metric)
    return f"{percent(value)}, on {low:.1f}..{high:.1f} dB"


def falls(points):
    """The number of steps from one (rate, PSNR) to the next in which either does not rise."""
    steps = np.diff(points, axis=0)  # (points - 1, 2)
    return int((steps <= 0).any(1).sum())


def falls_of_the_pair():
    """The falls of two pictures over every whole quality; None if that was not measured."""
    pair = measured("mfca", "kodak_pair")
    if pair is None:
        return None
    pictures = groupby(pair["images"], key=lambda row: row["file"])
    return sum(falls([(row["bytes"], row["psnr-rgb"]) for row in points]) for _, points in pictures)


@dataclass
class Goal:
    """A goal set before the training: at most `bound` (sign '<='), or at least (sign '>=')."""

    name: str
    sign: str
    bound: float
    unit: str
    value: float | None  # None: not measured yet
    places: int = 1

    @property
    def met(self):
        if self.value is None:
            return None
        return bool(self.value <= self.bound if self.sign == "<=" else self.value >= self.bound)


def goals_of_curves():
    """The goals for the model's curves on Kodak."""
    model = measured("mfca")
    goals = []
    for anchor, bound, metric, note in (
        ("bpg444", -5, "psnr-rgb", ""),
        ("bpg444", -12, "psnr-rgb", ", stretch"),
        ("vtm444", 0, "psnr-rgb", ", stretch"),
        ("jpeg2000", -23, "psnr-rgb", ""),
        ("jpeg", -56, "psnr-rgb", ""),
        ("avif", -18, "psnr-rgb", ""),
        ("bpg444", -14, "ms-ssim-rgb", ", MS-SSIM"),
    ):
        name = f"BD-rate against {(CLASSICAL | PUBLISHED)[anchor]}{note}"
        for own, ending in (("mfca", ""), ("mfca-effort10", "; with a search")):
            value = bd_rate(curve(anchor), measured(own), metric)
            goals.append(Goal(name + ending, "<=", bound, " %", value))

    psnr = least = most = steps = None
    if model:
        rates = model["results"]["bpp"]
        psnr = rd.psnr_at(model, 0.75)
        least, most = min(rates), max(rates)
        steps = falls(list(zip(rates, model["results"]["psnr-rgb"])))
    learned = bd_rate(model, measured("mfca-auto"), "ms-ssim-rgb")
    pair = falls_of_the_pair()
    return goals + [
        Goal("PSNR at 0.75 bpp", ">=", 35.2, " dB", psnr, 2),
        Goal("BD-rate of the learned map against the flat map, MS-SSIM", "<=", 0, " %", learned),
        Goal("lowest rate", "<=", 0.1, " bpp", least, 3),
        Goal("highest rate", ">=", 1.2, " bpp", most, 3),
        Goal("steps of quality at which mean rate or PSNR does not rise", "<=", 0, "", steps, 0),
        Goal(
            "whole qualities at which a picture's bytes or PSNR do not rise", "<=", 0, "", pair, 0
        ),
    ]


def as_curve(vitals):
    """The vital signs of a health report, in the layout of a result file."""
    signs = vitals["qualities"].values()
    columns = {"bpp": [v["bpp"] for v in signs], "psnr-rgb": [v["psnr"] for v in signs]}
    return {"name": "health report", "results": columns}


def goals_of_training(report, runs):
    """The goals for the runs, for the health of the parts, and for the streams."""
    found = cases()
    vitals = report["health_before_freezing"]
    frozen = report["health_after_freezing"]
    alarms = len(vitals["alarms"])
    shares = [100 * sign["z_share"] for sign in frozen["qualities"].values()]
    dearest = max(max(sign["pass_cost"]) for sign in frozen["qualities"].values())
    speeds = [run["steps"] / run["minutes"] / 60 for run in runs if run["device"] != "CPU"]
    freezing = rd.bd_rate(as_curve(vitals), as_curve(frozen))
    excess = max(100 * abs(row["streams"] / row["estimate"] - 1) for row in found["estimates"])
    size = MODEL.stat().st_size / 1e6
    silent = found["pqf"]["units"] - found["pqf"]["alive"]
    return [
        Goal("alarms in the health report", "<=", 0, "", alarms, 0),
        Goal("smallest share of z in the bits", ">=", 2, " %", min(shares)),
        Goal("largest share of z in the bits", "<=", 5, " %", max(shares)),
        Goal("dearest pass, bits over its share of symbols", "<=", MOST_PASS_COST, "", dearest, 2),
        Goal("steps per second on the GPU", ">=", 65, "", speeds[-1] if speeds else None),
        Goal("cost of freezing to fixed point, BD-rate", "<=", 0.1, " %", freezing, 3),
        Goal("streams over the estimate on rounded values, largest", "<=", 0.5, " %", excess, 2),
        Goal("checkpoint", "<=", 13, " MB", size, 2),
        Goal("hidden units of the PQF that never fire", "<=", 0, "", silent, 0),
    ]


def goals(report, runs):
    """All goals: the missed ones first, then those not measured yet, then those that are met."""
    bars = goals_of_curves() + goals_of_training(report, runs)
    return sorted(bars, key=lambda goal: [False, None, True].index(goal.met))


def card():
    """The whole text of data/MODEL_CARD.md."""
    return render(
        "model_card.md.j2",
        load=load,
        rows=rows,
        cases=cases(),
        large=large(),
        crossing=crossing(),
        tile=TILE,
        most_pixels=Image.MAX_IMAGE_PIXELS,
        photographs=photographs(),
        families=Counter(row["family"] for row in photographs()).most_common(),
        checkpoint=checkpoint(),
        size=MODEL.stat().st_size,
        model_id=model_id(),
        measured=measured,
        discarded=rd.load_results("mfca", "discarded"),
        third_on_kodak=rd.load_results("mfca-run3"),
        bd_rate=bd_rate,
        delta=delta,
        literature=learned_codecs(),
        earlier=EARLIER,
        command=command,
        minutes_until=minutes_until,
        losses_of=losses_of,
        goals=goals,
        least_spread=LEAST_SPREAD,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pictures", action="store_true", help="draw the pictures and measure the hard cases again"
    )
    if parser.parse_args().pictures:
        import model_card_pictures

        model_card_pictures.draw()
    CARD.write_text(card(), "utf-8")


if __name__ == "__main__":
    main()
