"""The model card says what the files say: its tables come again, its commands parse, its prose holds no number."""

import argparse
import json
import re
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from mfca_tutorial.evaluation import rd
from mfca_tutorial.learning import recipe

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import model_card  # noqa: E402
import model_card_tables as tables  # noqa: E402

NAMES = r"JPEG 2000|BSD-3-Clause|DIV2K|sha256"  # the only digits that prose may hold


def cells(table, row):
    """The cells of the first line of a Markdown table that starts with `row`."""
    line = next(line for line in table.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_card_is_what_the_files_say():
    assert model_card.CARD.read_text("utf-8") == model_card.card(), "run `make model-card`"


def test_links_and_pictures_exist():
    text = model_card.CARD.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text)
    assert len(links) >= 6 and not [link for link in links if not (model_card.DATA / link).exists()]
    assert {"goals", "failures"} == set(re.findall(r"\]\(#(\w+)\)", text))
    assert (ROOT / "_assets" / "model_card" / "failures.png").stat().st_size <= 300_000


def test_prose_holds_no_number_of_its_own():
    text = re.sub(r"\{\{[#^/]?\w+\}\}", "", model_card.TEMPLATE.read_text("utf-8"))
    text = re.sub(r"^\d\.", "", re.sub(NAMES, "", text), flags=re.M)  # numbered lists may count
    assert re.findall(r".*\d.*", text) == []


def test_commands_ask_for_the_recipes_that_were_run():
    report, history = tables.load("training/report.json"), tables.load("training/history.json")
    defaults = {field.name: field.default for field in fields(recipe.Recipe)}
    for run in (report, *history["runs"]):
        ran = defaults | run["recipe"]  # options that came later had their defaults
        words = tables.command(ran, ran["out"]).split()
        parser = argparse.ArgumentParser()
        recipe.add_arguments(parser)
        asked = vars(recipe.from_arguments(parser.parse_args(words[2:])))
        wanted = ran | {"source": "PHOTOGRAPHS", "init": ran["init"] and f"runs/{ran['init']}"}
        assert asked == wanted


def test_manifest_is_whole_and_clean():
    rows = tables.rows("training/manifest.csv")
    assert len({row["sha256"] for row in rows}) == len(rows)
    assert {row["class"] for row in rows} == {"free", "permissive"}
    assert all(row["licence"] and row["source"] for row in rows)
    text = (model_card.DATA / "training" / "manifest.csv").read_text("utf-8")
    assert not re.search(
        r"[\w.]+@[\w-]+\.\w+", re.sub(r"https?://\S+", "", text)
    )  # names of authors, no addresses
    total = cells(tables.licences(), "**all**")[1:]
    assert sum(map(int, total)) == len(rows)


def test_a_measured_model_fills_its_rows(monkeypatch):
    """BPG's PSNR in nine tenths of its bits: BD-rate -10 %, so that goal is met and the stretch is not."""
    bpg, real = rd.published("bpg444"), tables.measured
    ours = bpg | {
        "name": "mfca",
        "settings": list(range(len(bpg["results"]["bpp"]))),
        "results": bpg["results"] | {"bpp": list(0.9 * np.array(bpg["results"]["bpp"]))},
    }
    worse = ours | {"name": "mfca-auto", "results": bpg["results"]}
    monkeypatch.setattr(
        tables, "measured", lambda name: {"mfca": ours, "mfca-auto": worse}.get(name) or real(name)
    )
    goals = tables.goals()
    assert cells(goals, "BD-rate against BPG 4:4:4")[2:] == ["-10.0 %", "yes"]
    assert cells(goals, "BD-rate against BPG 4:4:4, stretch")[2:] == ["-10.0 %", "**no**"]
    assert cells(goals, "BD-rate of the learned map against the flat map, MS-SSIM")[3] == "**no**"
    met = [line.split("|")[-2].strip() for line in goals.splitlines()[2:]]
    assert met == sorted(met, key=["**no**", "?", "yes"].index)
    assert cells(tables.rate_table(), "BPG 4:4:4, published")[2].startswith("-10.0 %, on ")
    assert cells(tables.points(), "flat")[2] == f"{ours['results']['bpp'][0]:.4f}"
    text = model_card.card()
    for absent in ("not measured yet", "has not been measured", "{{"):
        assert absent not in text


def test_figures_of_other_weights_do_not_count(tmp_path, monkeypatch):
    curve = {"name": "mfca", "checkpoint": "00" * 8, "results": {"bpp": [1.0]}}
    monkeypatch.setattr(tables.rd, "load_results", lambda name: curve)
    assert tables.measured("mfca") is None
    monkeypatch.setattr(
        tables.rd, "load_results", lambda name: curve | {"checkpoint": tables.model_id()}
    )
    assert tables.measured("mfca") is not None
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "model_card.json").write_text(json.dumps({"checkpoint": "00" * 8}))
    (tmp_path / "mfca.safetensors").write_bytes(b"other")
    monkeypatch.setattr(tables, "DATA", tmp_path)
    monkeypatch.setattr(tables, "CASES", tmp_path / "results" / "model_card.json")
    with pytest.raises(ValueError, match="another checkpoint"):
        tables.cases()
