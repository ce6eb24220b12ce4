"""What is published: editions side by side, the students' branch, and nothing hidden in them."""

import io
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from datetime import date
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("sphinx", reason="the book's tools are not installed")

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tools"), str(ROOT / "tests")]

import secrets_of_the_book as secrets  # noqa: E402
import shown_cells  # noqa: E402
import site_folder  # noqa: E402
import student_branch  # noqa: E402

PAGE = "<html><title>One</title><body>{words}</body></html>"


@pytest.fixture(scope="module")
def branch(tmp_path_factory):
    """The branch for students before any solution is shown."""
    folder = tmp_path_factory.mktemp("student") / "tree"
    student_branch.write(folder, shown=[])
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    site_folder.build_wheel(folder)
    (file,) = folder.glob("*.whl")
    return file


def texts(folder):
    """{name: all that a file says}"""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {file.name: secrets.said(file.name, file.read_bytes()) for file in files}


def leaks(files, hidden):
    return {(name, line) for name, text in files.items() for line in hidden if line in text}


WORDS = "a line of a solution"
CELL = {"cell_type": "code", "source": ["x = 1"], "metadata": {}, "outputs": []}
WEIGHTS = json.dumps({"__metadata__": {"note": WORDS}}).encode()


@pytest.mark.parametrize(
    "name, content",
    [
        ("a.py", f"# {WORDS}"),
        ("a.html", "<p>a line <b>of</b>\n a solution</p>"),
        ("a.html", f'<p title="{WORDS}">x</p>'),
        ("a.html", f"<!-- <b>{WORDS}</b> -->"),
        ("a.html", "<p>a line of a&#32;solution</p>"),
        ("a.ipynb", json.dumps({"cells": [CELL | {"source": ["a line of\n", "a solution"]}]})),
        ("a.ipynb", json.dumps({"cells": [CELL | {"outputs": [{"text": [WORDS]}]}]})),
        ("a.ipynb", json.dumps({"cells": [CELL | {"metadata": {"was": WORDS}}]})),
        ("a.safetensors", len(WEIGHTS).to_bytes(8, "little") + WEIGHTS + bytes([255, 254])),
    ],
)
def test_the_search_reads_what_is_hidden_in_a_file(name, content):
    content = content if isinstance(content, bytes) else content.encode()
    assert secrets.squeeze(WORDS) in secrets.said(name, content)


def test_the_branch_holds_only_what_students_need(branch):
    names = {file.relative_to(branch).as_posix() for file in branch.rglob("*") if file.is_file()}
    chapters = {f"book/{file.name}" for file in secrets.FILES}
    binder = {"binder/requirements.txt", "binder/runtime.txt"}
    assert names == chapters | binder | {"LICENSE", "README.md", "solutions.txt"}


def test_the_branch_holds_no_solution_and_no_guide(branch):
    assert len(secrets.of_solutions()) > 300
    assert leaks(texts(branch), secrets.of_solutions() | secrets.of_the_guide()) == set()
    for file in branch.glob("book/*.ipynb"):
        tags = {
            t for c in nbformat.read(file, as_version=4).cells for t in c.metadata.get("tags", [])
        }
        assert not tags & {"solution", "trial"}


def test_the_search_finds_a_solution_that_is_shown(tmp_path):
    student_branch.write(tmp_path / "tree", shown=["01"])
    found = leaks(texts(tmp_path / "tree"), secrets.of_solutions())
    assert {name for name, _ in found} == {"01_frequencies.ipynb"}
    assert leaks(texts(tmp_path / "tree"), secrets.of_solutions(released=["01"])) == set()
    assert (tmp_path / "tree" / "solutions.txt").read_text() == "01\n"


def test_the_wheel_holds_no_solution_and_no_guide(wheel):
    with zipfile.ZipFile(wheel) as archive:
        files = {name: secrets.said(name, archive.read(name)) for name in archive.namelist()}
    assert any(name.endswith("codec.py") and text for name, text in files.items())
    assert leaks(files, secrets.of_solutions() | secrets.of_the_guide()) == set()


def test_the_readme_installs_the_wheel_that_the_pages_serve(branch, wheel):
    readme = (branch / "README.md").read_text("utf-8")
    assert student_branch.wheel_address().endswith(f"/wheels/{wheel.name}")
    assert student_branch.wheel_address() in readme
    assert student_branch.wheel_address() in (branch / "binder" / "requirements.txt").read_text()


# solutions by day

DATES = {"01": date(2027, 3, 8), "02": date(2027, 3, 15)}


@pytest.mark.parametrize(
    "day, shown",
    [
        (date(2027, 3, 7), []),
        (date(2027, 3, 8), ["01"]),
        (date(2027, 3, 14), ["01"]),
        (date(2027, 12, 31), ["01", "02"]),
    ],
)
def test_solutions_are_shown_from_their_day_on(day, shown):
    assert shown_cells.released(day, DATES) == shown


@pytest.mark.parametrize("shown", [[], ["01"], ["01", "02"]])
def test_the_nightly_run_compares_equal_texts(tmp_path, monkeypatch, capsys, shown):
    """What the tool prints is what the branch holds, or every night would publish."""
    monkeypatch.setattr(shown_cells, "released", lambda day=None: shown)
    monkeypatch.setattr(sys, "argv", ["shown_cells.py"])
    shown_cells.main()
    student_branch.write(tmp_path / "tree", shown)
    assert capsys.readouterr().out == (tmp_path / "tree" / "solutions.txt").read_text("utf-8")


def test_dates_are_read_from_the_file(tmp_path):
    file = tmp_path / "dates.yml"
    file.write_text("# none yet\n")
    assert shown_cells.solution_dates(file) == {}
    file.write_text("01: 2027-03-08\n2: 2027-03-15\n")
    assert shown_cells.solution_dates(file) == DATES


@pytest.mark.parametrize(
    "line", ["99: 2027-03-08", "01: soon", "01: 20270308", "intro: 2027-03-08"]
)
def test_a_slip_in_the_dates_shows_nothing(tmp_path, line):
    file = tmp_path / "dates.yml"
    file.write_text(line)
    with pytest.raises(ValueError, match="dates.yml"):
        shown_cells.solution_dates(file)


def test_the_contents_of_the_student_edition_have_no_guide():
    toc = (ROOT / "_toc.yml").read_text("utf-8")
    for page in shown_cells.FOR_INSTRUCTORS:
        assert page in shown_cells.contents(toc, "instructor")
        assert page not in shown_cells.contents(toc, "student")


# editions side by side


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A site of two editions: the latest, and version 1 from the files of its release."""
    monkeypatch.setattr(site_folder, "build_wheel", lambda folder: (folder / "new.whl").touch())
    for name, words in (("new", "new words"), ("old", "old words")):
        (tmp_path / name / "book").mkdir(parents=True)
        (tmp_path / name / "index.html").write_text(PAGE.format(words=words))
        (tmp_path / name / "book" / "01_x.html").write_text(PAGE.format(words=words))
        for other in ("404.html", "sitemap.xml"):
            (tmp_path / name / other).write_text(words)

    releases = tmp_path / "releases"
    releases.mkdir()
    with tarfile.open(releases / "site-v1.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "old", ".")
    (releases / "old.whl").touch()
    out = tmp_path / "site"
    out.mkdir()
    site_folder.assemble(tmp_path / "new", "latest", releases, out)
    return out


def test_editions_stand_side_by_side(site):
    assert "new words" in (site / "latest" / "book" / "01_x.html").read_text()
    assert "old words" in (site / "v1" / "book" / "01_x.html").read_text()
    assert {file.name for file in (site / "wheels").iterdir()} == {"new.whl", "old.whl"}
    listed = re.findall(r'href="(\w+)/index.html"', (site / "editions.html").read_text())
    assert listed == ["latest", "v1"]


def test_addresses_without_an_edition_lead_to_the_latest(site):
    page = (site / "book" / "01_x.html").read_text()
    assert 'content="0; url=../latest/book/01_x.html"' in page
    assert 'url=latest/index.html"' in (site / "index.html").read_text()
    assert (site / "sitemap.xml").read_text() == "new words"


def test_without_a_latest_edition_the_highest_release_counts():
    assert site_folder.newest(["v9", "v10", "v1"]) == "v10"
    assert site_folder.newest(["v9", "latest"]) == "latest"


def test_what_git_holds_builds_the_whole_package(tmp_path):
    """What `pip install git+...@v0.1.0` builds from: the files of a commit, and nothing else."""
    git = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(git.stdout)) as archive:
        archive.extractall(tmp_path / "commit", filter="data")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=tmp_path / "commit", check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "mfca_tutorial/_data/mfca.safetensors" in names
    assert "mfca_tutorial/codec.py" in names
