"""The model card says what the files say; its text holds no number of its own."""

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
import shared  # noqa: E402

TEMPLATE = ROOT / "tools" / "templates" / "model_card.md.j2"
NAMES = r"JPEG 2000|BSD-3-Clause|DIV2K|sha256"  # the only digits that the text may hold
HISTORY = model_card.load("training/history.json")
RUNS = [*HISTORY["runs"], HISTORY["discarded"], model_card.load("training/report.json")]


def cells(text, row):
    """The cells of the first line of a Markdown table that starts with `row`."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_card_is_what_the_files_say():
    assert model_card.CARD.read_text("utf-8") == model_card.card(), "run `make model-card`"


def test_links_and_pictures_exist():
    text = model_card.CARD.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text)
    assert len(links) >= 6
    assert not [link for link in links if not (model_card.DATA / link).exists()]
    assert set(re.findall(r"\]\(#(\w+)\)", text)) == {"goals", "failures"}
    assert (ROOT / "_assets" / "model_card" / "failures.png").stat().st_size <= 300_000


def test_text_holds_no_number_of_its_own():
    template = TEMPLATE.read_text("utf-8")
    text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", template)
    text = re.sub(r"model_card\.md\.j2", "", re.sub(NAMES, "", text))
    text = re.sub(r"^\d\.", "", text, flags=re.M)  # numbered lists may count
    assert len(text) > 5000
    assert re.findall(r".*\d.*", text) == []


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run["recipe"]["out"])
def test_a_command_asks_for_the_recipe_that_was_run(run):
    defaults = {field.name: field.default for field in fields(recipe.Recipe)}
    ran = defaults | run["recipe"]  # options that came later had their defaults
    words = model_card.command(ran, ran["out"]).split()
    parser = argparse.ArgumentParser()
    recipe.add_arguments(parser)
    asked = vars(recipe.from_arguments(parser.parse_args(words[2:])))
    generic = {"source": "PHOTOGRAPHS", "init": ran["init"] and f"runs/{ran['init']}"}
    assert asked == ran | generic


def test_manifest_is_whole_and_clean():
    rows = model_card.photographs()
    assert len({row["sha256"] for row in rows}) == len(rows)
    assert {row["class"] for row in rows} == {"free", "permissive"}
    assert all(row["licence"] for row in rows)
    assert all(row["source"] for row in rows)
    free, permissive = cells(model_card.CARD.read_text("utf-8"), "**all**")[1:]
    assert int(free) + int(permissive) == len(rows)


def test_manifest_names_authors_without_their_addresses():
    text = (model_card.DATA / "training" / "manifest.csv").read_text("utf-8")
    without_links = re.sub(r"https?://\S+", "", text)
    assert not re.search(r"[\w.]+@[\w-]+\.\w+", without_links)


@pytest.fixture
def pretend(monkeypatch):
    """`pretend(name=curve)`: curves that count as measured in place of the stored ones."""

    def set_curves(**curves):
        def measured(name, image_set="kodak"):
            return (
                curves[name] if image_set == "kodak" and name in curves else real(name, image_set)
            )

        real = shared.measured
        monkeypatch.setattr(shared, "measured", measured)
        monkeypatch.setattr(model_card, "measured", measured)

    return set_curves


def cheaper_than_bpg(name, share):
    """BPG's PSNR in that share of its bits."""
    bpg = rd.published("bpg444")
    columns = bpg["results"] | {"bpp": list(share * np.array(bpg["results"]["bpp"]))}
    settings = list(range(len(columns["bpp"])))
    return {"name": name, "settings": settings, "results": columns}


def test_a_measured_model_fills_its_rows(pretend):
    """In nine tenths of BPG's bits BD-rate is -10 %: the goal is met and the stretch is not."""
    ours = cheaper_than_bpg("mfca", 0.9)
    pretend(**{"mfca": ours, "mfca-auto": cheaper_than_bpg("mfca-auto", 1)})
    text = model_card.card()
    bpg = "BPG 4:4:4 (HEVC intra)"
    assert cells(text, f"BD-rate against {bpg}")[2:] == ["-10.0 %", "yes"]
    assert cells(text, f"BD-rate against {bpg}, stretch")[2:] == ["-10.0 %", "**no**"]
    learned = "BD-rate of the learned map against the flat map, MS-SSIM"
    assert cells(text, learned)[3] == "**no**"
    assert cells(text, f"{bpg}, published")[2].startswith("-10.0 %, on ")
    assert cells(text, "flat")[2] == f"{ours['results']['bpp'][0]:.4f}"
    assert "not measured yet" not in text
    assert "has not been measured" not in text


def test_what_is_missed_comes_first_then_what_is_open(pretend):
    pretend(**{"mfca": cheaper_than_bpg("mfca", 0.9), "mfca-effort10": None})
    table = model_card.card().split("| goal |")[1].split("\n\n")[0]
    met = [line.split("|")[-2].strip() for line in table.splitlines()[2:]]
    assert set(met) == {"**no**", "?", "yes"}
    assert met == sorted(met, key=["**no**", "?", "yes"].index)


def test_a_model_that_was_not_measured_gets_a_card(pretend):
    pretend(**{"mfca": None, "mfca-auto": None, "mfca-effort10": None})
    text = model_card.card()
    assert "has not been measured on Kodak yet" in text
    assert cells(text, "**this book**, flat map")[1:] == ["not measured yet", "-", "-"]
    assert cells(text, "PSNR at 0.75 bpp")[2:] == ["not measured yet", "?"]


def test_a_model_from_scratch_has_no_history(monkeypatch):
    real = model_card.load

    def load(name):
        found = real(name)
        assert name != "training/history.json"
        return found | {"recipe": found["recipe"] | {"init": ""}} if "report" in name else found

    monkeypatch.setattr(model_card, "load", load)
    text = model_card.card()
    minutes = float(model_card.checkpoint()[1]["minutes"])
    assert f"This checkpoint was trained for {minutes:.0f} minutes" in text
    assert "warm start" not in text
    assert text.count("mfca train PHOTOGRAPHS") == 1


@pytest.mark.parametrize(
    ("recipe", "with_noise", "rounded"),
    [
        ({"finetune_share": 0.25}, [3.0, 2.9, 2.8], [2.0]),
        ({"finetune_share": 0.0}, [3.0, 2.9, 2.8, 2.0], []),
        ({}, [3.0, 2.9, 2.8, 2.0], []),  # a run that is older than the option
    ],
)
def test_losses_that_count_other_bits_are_kept_apart(recipe, with_noise, rounded):
    log = [{"seconds": s, "loss": loss} for s, loss in zip("1234", ("3.0", "2.9", "2.8", "2.0"))]
    assert model_card.losses_of(log, recipe) == (with_noise, rounded)


@pytest.mark.parametrize(("checkpoint", "counts"), [("00" * 8, False), (None, True)])
def test_curves_of_other_weights_do_not_count(monkeypatch, checkpoint, counts):
    curve = {"name": "mfca", "checkpoint": checkpoint or shared.model_id()}
    monkeypatch.setattr(shared.rd, "load_results", lambda *names: curve)
    assert (shared.measured("mfca") is not None) == counts


def test_hard_cases_of_other_weights_are_refused(tmp_path, monkeypatch):
    (tmp_path / "model_card.json").write_text(json.dumps({"checkpoint": "00" * 8}))
    monkeypatch.setattr(model_card, "CASES", tmp_path / "model_card.json")
    with pytest.raises(ValueError, match="another checkpoint"):
        model_card.cases()


def test_large_pictures_of_other_weights_are_not_quoted(tmp_path, monkeypatch):
    assert "a tile's border / elsewhere" in model_card.card()
    for content in ({"checkpoint": "00" * 8}, None):
        file = tmp_path / "large.json"
        file.write_text(json.dumps(content)) if content else file.unlink()
        monkeypatch.setattr(model_card, "LARGE", file)
        assert "have not been measured with this checkpoint yet" in model_card.card()


@pytest.mark.parametrize(
    ("points", "count"),
    [
        ([(1, 30), (2, 31), (3, 32)], 0),
        ([(1, 30), (2, 30), (3, 32)], 1),
        ([(1, 30), (1, 30), (0, 29)], 2),
    ],
)
def test_falls_are_steps_at_which_something_does_not_rise(points, count):
    assert model_card.falls(points) == count


def test_a_sheet_enlarges_pixels_and_leaves_room_for_titles(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    shared.save_sheet([("a", picture, 2), ("b", picture, 2)], 2, tmp_path / "a.png")
    sheet = np.array(shared.Image.open(tmp_path / "a.png"))
    assert sheet.shape == (6 + 12 + 96 + 6, 6 + 96 + 6 + 96 + 6, 3)
    assert (sheet[18:-6:2, 6:102:2] == picture).all()
    assert (sheet[18:-6:2, 109:-6:2] == picture).all()
