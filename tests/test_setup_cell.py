"""The set-up cell: which file it installs, what it leaves alone, and what it says when that fails.

The cell is run as it is in the book, with a `pip` that only notes what it is asked for.
"""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parent.parent
CELL = (ROOT / "book" / "_setup_cell.py").read_text("utf-8")
PAGES = "https://mfca-tutorial.github.io/mfca-tutorial"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WHEEL = f"mfca_tutorial-{PROJECT['version']}-py3-none-any.whl"

# What Colab has none of (its `pip freeze` of 2026).
COLAB_LACKS = {"mfca_tutorial", "bjontegaard", "constriction", "pytorch_msssim"}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """`run(lacking, error)` runs the cell; returns the arguments of each call of pip."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MFCA_PAGES", raising=False)
    found = importlib.util.find_spec

    def go(lacking, error=""):
        calls = []

        def pip(command, **options):
            assert command[:5] == [sys.executable, "-m", "pip", "install", "--quiet"]
            calls.append(command[5:])
            return SimpleNamespace(returncode=bool(error), stderr=error)

        monkeypatch.setattr(subprocess, "run", pip)
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name in lacking else found(name)
        )
        exec(compile(CELL, "set-up", "exec"), {})
        return calls

    return go


def test_nothing_is_installed_where_the_package_is(run):
    assert run(set()) == []


def test_in_colab_it_adds_what_is_missing_and_this_versions_wheel(run):
    small, package = run(COLAB_LACKS)
    assert small == ["bjontegaard", "constriction", "pytorch-msssim"]
    assert package == ["--no-deps", f"{PAGES}/wheels/{WHEEL}"]


def test_a_wheel_beside_the_notebook_needs_no_pages(run):
    Path(WHEEL).touch()
    assert run({"mfca_tutorial"}) == [["--no-deps", WHEEL]]


def test_another_address_can_be_given(run, monkeypatch):
    monkeypatch.setenv("MFCA_PAGES", "https://uni.example/codec")
    assert run({"mfca_tutorial"})[-1][-1] == f"https://uni.example/codec/wheels/{WHEEL}"


def test_it_says_what_to_do_when_it_fails(run):
    with pytest.raises(RuntimeError) as failed:
        run(COLAB_LACKS, error="ERROR: HTTP error 404")
    text = str(failed.value)
    assert "ERROR: HTTP error 404" in text  # pip's own words first
    assert f"{PAGES}/wheels/{WHEEL}" in text
    assert re.findall(r"^(\d)\.", text, re.M) == ["1", "2", "3"]


def test_what_it_looks_for_is_what_the_package_needs():
    needed = {re.split(r"\W*>=", line)[0] for line in PROJECT["dependencies"]}
    modules = set(re.search(r'needed = "([^"]+)"', CELL)[1].split()) | {"skimage"}
    names = {"skimage": "scikit-image", "pytorch_msssim": "pytorch-msssim"}
    # torch, NumPy, Matplotlib and Pillow come with Colab and are never touched
    own = {"torch", "numpy", "matplotlib", "pillow"}
    assert {names.get(module, module) for module in modules} == needed - own
