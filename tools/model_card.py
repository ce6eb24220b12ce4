"""Write data/MODEL_CARD.md: the prose of tools/model_card.md, with every number and table put in from files.

`python tools/model_card.py` reads data/training/, data/results/, and the checkpoint's header; it works before the model
has been measured on Kodak. `card()` is what the file must hold (a test compares). `--pictures` also draws the two
pictures and measures the hard cases again (tools/model_card_pictures.py), which needs the model and half a minute.
"""

import argparse
import re
import sys

import model_card_tables as tables
from model_card_tables import DATA, ROOT, load, markdown, rows

from mfca_tutorial.evaluation import rd
from mfca_tutorial.learning.health import LEAST_SPREAD

TEMPLATE, CARD = ROOT / "tools" / "model_card.md", DATA / "MODEL_CARD.md"


def values():
    """Everything that a marker in the template can name."""
    report, manifest = load("training/report.json"), rows("training/manifest.csv")
    recipe, (count, metadata) = report["recipe"], tables.parts_of_checkpoint()
    minutes = float(metadata["minutes"])
    profile = load("training/profile.json")["milliseconds"]
    history = load("training/history.json") if recipe["init"] else None
    alarms = report["health_before_freezing"]["alarms"]
    cases_table, lists = tables.hard_cases()
    found = tables.cases()
    health_table, gates_table = tables.health(
        report["health_before_freezing"], found["worth_of_gates"]
    )
    result = {
        "model_id": tables.model_id(),
        "megabytes": f"{(DATA / 'mfca.safetensors').stat().st_size / 1e6:.2f}",
        "million": f"{sum(count.values()) / 1e6:.1f}",
        "parts": tables.parts(count),
        "low": found["qualities"][0],
        "photographs": len(manifest),
        "free": sum(row["class"] == "free" for row in manifest),
        "permissive": sum(row["class"] == "permissive" for row in manifest),
        "short": max(short := [min(int(row["width"]), int(row["height"])) for row in manifest]),
        "short_count": sum(s == max(short) for s in short),
        "shortest": min(short),
        "megapixels": f"{sum(int(row['width']) * int(row['height']) for row in manifest) / 1e6:.0f}",
        "licences": tables.licences(),
        "health": health_table,
        "gates": gates_table,
        "least_spread": LEAST_SPREAD,
        "alarms": len(alarms),
        "alarm_list": "; ".join(f"`{alarm}`" for alarm in alarms) or "none",
        "steps": f"{report['steps']:,}",
        "minutes": f"{minutes:g}",
        "device": report["device"],
        "torch": report["torch"],
        "speed": f"{report['steps_per_second']:.1f}",
        "restarts": report["restarts"],
        **{
            key: recipe[key]
            for key in (
                "batch",
                "crop",
                "lr",
                "muon_lr",
                "warmup",
                "head_steps",
                "held_out",
                "seed",
            )
        },
        **{key: f"{100 * recipe[key]:g} %" for key in ("decay", "ms_ssim")},
        "profile": markdown(
            ["part of a step", "milliseconds"], [[k, f"{v:.2f}"] for k, v in profile.items()]
        ),
        "command": tables.command(recipe, "runs/third" if history else "runs/one"),
        "rate_table": tables.rate_table(),
        "points": tables.points(),
        "goals": tables.goals(),
        "cases": cases_table,
        **lists,
        "pqf_alive": found["pqf"]["alive"],
        "pqf_units": found["pqf"]["units"],
    }
    losses = [float(row["loss"]) for row in rows("training/log.csv")]
    result |= {
        "loss_before": f"{sum(losses[-20:-10]) / 10:.3f}",
        "loss_end": f"{sum(losses[-10:]) / 10:.3f}",
    }
    if history:
        (first, second), lost = history["runs"], history["lost"]
        back = tables.minutes_until(
            float(rows("training/log_first.csv")[-1]["loss"]), "training/log_second.csv"
        )
        crops = sum(run["steps"] * run["recipe"]["batch"] for run in (first, second, report))
        for name, run in (("first", first), ("second", second)):
            result |= {
                f"{name}_steps": f"{run['steps']:,}",
                f"{name}_minutes": f"{run['minutes']:g}",
                f"{name}_lr": f"{run['recipe']['lr']:g}",
                f"{name}_muon_lr": f"{run['recipe']['muon_lr']:g}",
                f"{name}_command": tables.command(run["recipe"], f"runs/{name}"),
            }
        other, bpg = history["discarded"], rd.published("bpg444")
        result |= {
            "discarded_steps": f"{other['steps']:,}",
            "discarded_minutes": f"{other['minutes']:g}",
            "discarded_ms_ssim": f"{100 * other['recipe']['ms_ssim']:g} %",
        }
        for who, curve in (
            ("discarded", rd.load_results("mfca", "discarded")),
            ("shipped", tables.measured("mfca")),
        ):
            for key, metric in (("psnr", "psnr-rgb"), ("similar", "ms-ssim-rgb")):
                value = tables.bd_rate(bpg, curve, metric)
                result[f"{who}_{key}"] = tables.NOT_YET if value is None else f"{value:+.1f} %"
        result |= {
            "lost_steps": f"{lost['steps']:,}",
            "lost_minutes": f"{lost['seconds'] / 60:.1f}",
            "lost_budget": lost["budget_minutes"],
            "back_minutes": f"{back:.1f}",
            "gpu": second["device"],
            "gpu_steps": f"{first['steps'] + second['steps']:,}",
            "gpu_batch": second["recipe"]["batch"],
            "gpu_minutes": f"{first['minutes'] + second['minutes']:.1f}",
            "crops": f"{crops / 1e3:.0f}",
        }
    return result, {"warm": bool(history), "measured": tables.measured("mfca") is not None}


def card():
    """The whole text of data/MODEL_CARD.md."""
    found, flags = values()
    text = TEMPLATE.read_text("utf-8")
    for (
        name,
        flag,
    ) in (
        flags.items()
    ):  # {{#name}} ... {{/name}} stays where the flag is set, {{^name}} where it is not
        text = re.sub(
            rf"{{{{([#^]){name}}}}}\n(.*?){{{{/{name}}}}}\n",
            lambda m, flag=flag: m[2] if (m[1] == "#") == flag else "",
            text,
            flags=re.S,
        )
    text = re.sub(r"{{(\w+)}}", lambda m: str(found[m[1]]), text)
    return re.sub(r"\n{3,}", "\n\n", text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pictures", action="store_true", help="draw the pictures and measure the hard cases again"
    )
    if parser.parse_args().pictures:
        import model_card_pictures

        model_card_pictures.draw()
    CARD.write_text(card(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
