"""The tables of the model card, each from files alone: data/training/, data/results/, the checkpoint's header.

Used by tools/model_card.py and tools/model_card_pictures.py.
"""

import csv
import hashlib
import json
import math
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
from readme import MEASURED, RATES, psnr_at
from safetensors import safe_open

from mfca_tutorial.evaluation import rd
from mfca_tutorial.learning.health import LEAST_SPREAD, MOST_PASS_COST
from mfca_tutorial.learning.recipe import Recipe

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
CASES = DATA / "results" / "model_card.json"  # what --pictures measured
CURVES = (
    "jpeg",
    "jpeg2000",
    "webp",
    "avif",
    "bpg444",
    "vtm444",
    "mbt2018-mean",
    "bmshj2018-hyperprior",
)
PUBLISHED = {
    "bpg444": "BPG 4:4:4",
    "vtm444": "VTM",
    "mbt2018-mean": "mbt2018-mean",
    "bmshj2018-hyperprior": "bmshj2018-hyperprior",
}
FAMILIES = {
    "not stated": "not stated",
    "free to use": "'free to use however you wish'",
    "MIT": "MIT",
    "Apache": "Apache 2.0",
    "L?GPL": "GPL, LGPL (some with others)",
    "CC-BY-SA": "CC BY-SA",
    "CC-BY": "CC BY",
    "CC0|PD|Public": "CC0, public domain",
    "Free Art": "Free Art",
    "Unsplash|Pexels": "Unsplash, Pexels",
}  # the first pattern that is found in a row's licence
NOT_YET = "not measured yet"


def load(name):
    return json.loads((DATA / name).read_text("utf-8"))


def rows(name):
    with open(DATA / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def markdown(head, body):
    """A header row and rows of cells -> a Markdown table."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def model_id():
    return hashlib.sha256((DATA / "mfca.safetensors").read_bytes()).digest()[:8].hex()


def measured(name):
    """A curve in data/results/kodak/; None where it is missing or was measured with other weights."""
    try:
        results = rd.load_results(name)
    except FileNotFoundError:
        return None
    return results if results.get("checkpoint") in (None, model_id()) else None


def cases():
    """What `--pictures` measured on this checkpoint; ValueError where it was another one."""
    found = load(CASES.relative_to(DATA))
    if found["checkpoint"] != model_id():
        raise ValueError(f"{CASES.name} is of another checkpoint: run `make model-card`")
    return found


def command(recipe, out):
    """A recipe (dict) -> the command line that asks for it: options that are not the default, paths left generic."""
    words = ["mfca train PHOTOGRAPHS", f"--out {out}"] + (
        [f"--init runs/{recipe['init']}"] if recipe["init"] else []
    )
    for field in fields(Recipe)[1:]:
        value = recipe.get(field.name, field.default)
        if field.name not in ("out", "init", "resume") and value != field.default:
            flag = "--" + field.name.replace("_", "-")
            text = f"{value:g}" if isinstance(value, float) else str(value)
            words.append(flag if value is True else f"{flag} {text}")
    return " ".join(words)


def parts_of_checkpoint():
    """-> {part: number of stored values} and the metadata of the safetensors file."""
    count = {}
    with safe_open(DATA / "mfca.safetensors", "np") as file:
        for name in file.keys():
            part = name.split(".")[0]
            if part != "tables":
                count[part] = count.get(part, 0) + math.prod(file.get_slice(name).get_shape())
        return count, file.metadata()


def parts(count):
    body = [
        [f"`{part}`", f"{n / 1e6:.3f}"]
        for part, n in sorted(count.items(), key=lambda item: -item[1])
    ]
    return markdown(["part", "values, millions"], body)


def minutes_until(loss, log):
    """Minutes that the run of this log took to reach a training loss; its whole length where it never did."""
    log = rows(log)
    return (
        next(
            (float(row["seconds"]) for row in log if float(row["loss"]) <= loss),
            float(log[-1]["seconds"]),
        )
        / 60
    )


def licences():
    """The table of the manifest: photographs by family of licences and by class."""
    table = {}
    for row in rows("training/manifest.csv"):
        family = next(
            name for pattern, name in FAMILIES.items() if re.search(pattern, row["licence"])
        )
        table.setdefault(family, {"free": 0, "permissive": 0})[row["class"]] += 1
    body = sorted(table.items(), key=lambda item: -sum(item[1].values()))
    total = {kind: sum(count[kind] for count in table.values()) for kind in ("free", "permissive")}
    body = [
        [family, count["free"], count["permissive"]]
        for family, count in [*body, ("**all**", total)]
    ]
    return markdown(["licence", "free", "permissive"], body)


def health(vitals, worth):
    """Two tables: vital signs by quality, and the gates, with what the trainer's thresholds call red.

    worth: by block, in %, what fixing its gates at their means costs."""
    body = [
        [
            q,
            f"{v['bpp']:.3f}",
            f"{v['psnr']:.2f}",
            f"{100 * v['z_share']:.1f} %",
            f"{v['z_spread']:.3f}",
            " / ".join(f"{cost:.2f}" for cost in v["pass_cost"]),
        ]
        for q, v in vitals["qualities"].items()
    ]
    first = markdown(
        ["quality", "bpp", "PSNR, dB", "z's share of the bits", "spread of z", "cost of each pass"],
        body,
    )
    body = [
        [
            f"`{name}`",
            f"{spread:.4f}",
            f"{vitals['gate_mean'][name]:.3f}",
            f"{worth[name]:+.2f} %",
            "ok" if spread >= LEAST_SPREAD else "**red: constant**",
        ]
        for name, spread in vitals["gate_spread"].items()
    ]
    return first, markdown(["MFCA gate", "spread over images", "mean", "cost when fixed", ""], body)


def span(anchor, test, metric):
    """The range of quality over which two curves' BD-rate is taken, as text."""
    (_, a), (_, b) = (rd.curve(results, metric) for results in (anchor, test))
    return f"{max(a[0], b[0]):.1f}..{min(a[-1], b[-1]):.1f} dB"


def bd_rate(anchor, test, metric):
    """BD-rate in %, None where a curve is missing or the two share no range."""
    try:
        return rd.bd_rate(anchor, test, metric) if anchor and test else None
    except ValueError:
        return None


def delta(anchor, test, metric):
    value = bd_rate(anchor, test, metric)
    return "-" if value is None else f"{value:+.1f} %, on {span(anchor, test, metric)}"


def rate_table():
    """Every curve's PSNR at three rates, and the model's BD-rate against it in both metrics."""
    model, own = measured("mfca"), ("mfca", "mfca-auto", "mfca-effort10")
    curves = [(MEASURED[name].replace("**", ""), measured(name)) for name in own]
    curves += [
        (MEASURED[name], measured(name))
        if name in MEASURED
        else (f"{PUBLISHED[name]}, published", rd.published(name))
        for name in CURVES
    ]
    body = []
    for label, results in curves:
        if results is None:
            body.append([label, NOT_YET, "-", "-"])
            continue
        shown = [
            delta(results, model, metric) if not results["name"].startswith("mfca") else "-"
            for metric in ("psnr-rgb", "ms-ssim-rgb")
        ]
        body.append([label, " / ".join(psnr_at(results, bpp) for bpp in RATES), *shown])
    rates = " / ".join(f"{bpp:g}" for bpp in RATES)
    return markdown(
        [
            "Kodak, mean over the images",
            f"PSNR, dB, at {rates} bpp",
            "BD-rate of this model against it, PSNR",
            "the same, MS-SSIM",
        ],
        body,
    )


def points():
    """The model's own curves: both maps, and the flat one with a search."""
    body = []
    for name, label in (
        ("mfca", "flat"),
        ("mfca-auto", "learned"),
        ("mfca-effort10", "flat, with a search"),
    ):
        if results := measured(name):
            columns = results["results"]
            for i, quality in enumerate(results["settings"]):
                bpp, psnr, similar = (columns[key][i] for key in ("bpp", "psnr-rgb", "ms-ssim-rgb"))
                body.append(
                    [
                        label,
                        f"{quality:g}",
                        f"{bpp:.4f}",
                        f"{psnr:.2f}",
                        "-" if similar is None else f"{similar:.4f}",
                    ]
                )
    return markdown(["map", "quality", "bpp", "PSNR, dB", "MS-SSIM"], body) if body else ""


def falls_of_the_pair():
    """Whole steps of quality, of both pictures, at which bytes or PSNR do not rise; None if not measured."""
    try:
        pair = rd.load_results("mfca", "kodak_pair")
    except FileNotFoundError:
        return None
    curves = {}
    for row in sorted(pair["images"], key=lambda row: row["setting"]):
        curves.setdefault(row["file"], []).append((row["bytes"], row["psnr-rgb"]))
    falls = sum(int((np.diff(curve, axis=0) <= 0).any(1).sum()) for curve in curves.values())
    return falls if pair["checkpoint"] == model_id() else None


def goals():
    """Every bar set before training, with what came out; what is missed comes first."""
    report, model, auto, found = (
        load("training/report.json"),
        measured("mfca"),
        measured("mfca-auto"),
        cases(),
    )
    vitals, frozen = report["health_before_freezing"], report["health_after_freezing"]
    size = (DATA / "mfca.safetensors").stat().st_size / 1e6
    lines = []

    def bar(goal, bound, value, least=False, unit=" %", places=1):
        if value is None:
            lines.append((1, [goal, f"{'>=' if least else '<='} {bound:g}{unit}", NOT_YET, "?"]))
            return
        met = value >= bound if least else value <= bound
        sign = "+" if "BD-rate" in goal else ""
        lines.append(
            (
                2 if met else 0,
                [
                    goal,
                    f"{'>=' if least else '<='} {bound:g}{unit}",
                    f"{value:{sign}.{places}f}{unit}",
                    "yes" if met else "**no**",
                ],
            )
        )

    for name, bound, metric in (
        ("bpg444", -5, "psnr-rgb"),
        ("bpg444", -12, "psnr-rgb"),
        ("vtm444", 0, "psnr-rgb"),
        ("jpeg2000", -23, "psnr-rgb"),
        ("jpeg", -56, "psnr-rgb"),
        ("avif", -18, "psnr-rgb"),
        ("bpg444", -14, "ms-ssim-rgb"),
    ):
        anchor = rd.published(name) if name in PUBLISHED else measured(name)
        label = PUBLISHED.get(name) or MEASURED[name]
        label += (", MS-SSIM" if "ssim" in metric else "") + (
            ", stretch" if bound in (-12, 0) else ""
        )
        bar(f"BD-rate against {label}", bound, bd_rate(anchor, model, metric))
        bar(
            f"BD-rate against {label}; with a search",
            bound,
            bd_rate(anchor, measured("mfca-effort10"), metric),
        )
    at = psnr_at(model, 0.75) if model else "-"
    bar("PSNR at 0.75 bpp", 35.2, float(at) if at != "-" else None, True, " dB", 2)
    bar(
        "BD-rate of the learned map against the flat map, MS-SSIM",
        0,
        bd_rate(model, auto, "ms-ssim-rgb"),
    )
    curve = model and model["results"]
    bar("lowest rate", 0.1, curve and min(curve["bpp"]), False, " bpp", 3)
    bar("highest rate", 1.2, curve and max(curve["bpp"]), True, " bpp", 3)
    falls = curve and sum(bool(d <= 0) for key in ("bpp", "psnr-rgb") for d in np.diff(curve[key]))
    bar("steps of quality at which mean rate or PSNR does not rise", 0, falls, False, "", 0)
    bar(
        "whole steps of quality at which a picture's bytes or PSNR do not rise",
        0,
        falls_of_the_pair(),
        False,
        "",
        0,
    )
    bar("alarms in the health report", 0, len(vitals["alarms"]), False, "", 0)
    shares = [100 * v["z_share"] for v in frozen["qualities"].values()]
    bar("smallest share of z in the bits", 2, min(shares), True)
    bar("largest share of z in the bits", 5, max(shares))
    bar(
        "dearest pass, bits over its share of symbols",
        MOST_PASS_COST,
        max(max(v["pass_cost"]) for v in frozen["qualities"].values()),
        False,
        "",
        2,
    )
    runs = load("training/history.json")["runs"] if report["recipe"]["init"] else []
    speeds = [run["steps"] / run["minutes"] / 60 for run in runs if run["device"] != "CPU"]
    speeds += [report["steps_per_second"]] if report["device"] != "CPU" else []
    bar("steps a second on the GPU", 65, speeds[-1] if speeds else None, True, "")
    before, after = (
        {
            "name": key,
            "results": {
                "bpp": [v["bpp"] for v in vital["qualities"].values()],
                "psnr-rgb": [v["psnr"] for v in vital["qualities"].values()],
            },
        }
        for key, vital in (("float", vitals), ("fixed point", frozen))
    )
    bar("cost of freezing to fixed point, BD-rate", 0.1, rd.bd_rate(before, after), places=3)
    bar(
        "streams over the estimate on rounded values, largest",
        0.5,
        max(100 * abs(row["streams"] / row["estimate"] - 1) for row in found["estimates"]),
        places=2,
    )
    bar("checkpoint", 13, size, False, " MB", 2)
    bar(
        "hidden units of the PQF that never fire",
        0,
        found["pqf"]["units"] - found["pqf"]["alive"],
        False,
        "",
        0,
    )
    return markdown(
        ["goal", "bar", "measured", "met"],
        [line for _, line in sorted(lines, key=lambda pair: pair[0])],
    )


def hard_cases():
    """The table of the hard cases, and lists of names for the prose."""
    found = cases()
    low, middle, high = found["qualities"]
    body, worse_flat, worse_jpeg, stuck = [], [], [], []
    for name, case in found["cases"].items():
        shots = [case["shots"][str(q)] for q in (low, middle, high)]
        jpeg = shots[-1]["jpeg"]
        body.append(
            [
                name,
                f"{case['flat']:.1f}",
                *(f"{s['bytes']:,} / {s['psnr']:.1f}" for s in shots),
                "none so small" if jpeg is None else f"{jpeg:.1f}",
            ]
        )
        if shots[-1]["psnr"] < case["flat"]:
            worse_flat.append(name)
        if jpeg and jpeg > shots[-1]["psnr"]:
            worse_jpeg.append(name)
        if shots[-1]["psnr"] - shots[1]["psnr"] < 1:
            stuck.append(name)
    head = [
        "picture",
        "one flat colour, dB",
        *(f"quality {q}: bytes / dB" for q in (low, middle, high)),
        f"largest JPEG of no more bytes than at {high}, dB",
    ]
    lists = {"worse_than_flat": worse_flat, "worse_than_jpeg": worse_jpeg, "stuck": stuck}
    return markdown(head, body), {key: ", ".join(names) or "none" for key, names in lists.items()}
