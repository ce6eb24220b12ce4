"""The workflows: current actions, no right to write where notebooks run, and scripts that work."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS = {file.stem: yaml.safe_load(file.read_text("utf-8")) for file in FILES}
JOBS = [(name, job) for name, workflow in WORKFLOWS.items() for job in workflow["jobs"]]
EACH_JOB = pytest.mark.parametrize("workflow, job", JOBS)
EACH_WORKFLOW = pytest.mark.parametrize("workflow", WORKFLOWS)

# The oldest major that GitHub's runners of 2026 still take, or the current one.
MAJORS = {
    "actions/cache": 6,
    "actions/checkout": 7,
    "actions/deploy-pages": 5,
    "actions/download-artifact": 8,
    "actions/setup-python": 7,
    "actions/upload-artifact": 7,
    "actions/upload-pages-artifact": 5,
}


def steps(workflow, job):
    return WORKFLOWS[workflow]["jobs"][job]["steps"]


def scripts(workflow, job):
    return [step["run"] for step in steps(workflow, job) if "run" in step]


def rights(workflow, job):
    """The permissions of a job: its own, else those of the workflow."""
    whole = WORKFLOWS[workflow]
    return whole["jobs"][job].get("permissions", whole.get("permissions"))


@EACH_JOB
def test_actions_are_current(workflow, job):
    for step in steps(workflow, job):
        if "uses" in step:
            name, major = step["uses"].split("@v")
            assert int(major) >= MAJORS[name], step["uses"]


@EACH_WORKFLOW
def test_rights_are_stated_and_small(workflow):
    assert WORKFLOWS[workflow]["permissions"] == {"contents": "read"}


@EACH_JOB
def test_a_job_that_may_write_runs_no_code_of_the_repository(workflow, job):
    if "write" not in rights(workflow, job).values():
        return
    assert not [step for step in steps(workflow, job) if "checkout" in step.get("uses", "")]
    assert not [
        script for script in scripts(workflow, job) if re.search(r"\bmake\b|python", script)
    ]


@EACH_JOB
def test_a_job_that_runs_notebooks_keeps_no_token(workflow, job):
    if workflow == "test" or not [s for s in scripts(workflow, job) if re.search(r"\bmake\b", s)]:
        return
    (checkout,) = [step for step in steps(workflow, job) if "checkout" in step.get("uses", "")]
    assert checkout["with"]["persist-credentials"] is False


@EACH_JOB
def test_what_is_made_can_be_made(workflow, job):
    targets = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text("utf-8"), re.M)[1].split()
    for script in scripts(workflow, job):
        assert set(re.findall(r"^make ([\w-]+)", script, re.M)) <= set(targets)


def run(script, folder, **environment):
    """Run a step of a workflow as GitHub does: bash that stops at the first error."""
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def git(folder, *arguments):
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def remote(tmp_path):
    """A bare repository that git takes for https://github.com/ORG/REPO."""
    folder = tmp_path / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", folder], check=True)
    insteads = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{folder.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://x-access-token:TOKEN@github.com/ORG/REPO",
    }
    place = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "ORG/REPO"}
    return folder, {**insteads, **place, "TOKEN": "TOKEN", "GITHUB_SHA": "0123456789"}


def test_the_student_branch_is_pushed_without_a_past(tmp_path, remote):
    folder, environment = remote
    (script,) = scripts("publish", "branch")
    for words in ("first", "second"):
        tree = tmp_path / words
        (tree / "book").mkdir(parents=True)
        (tree / "book" / "00_x.ipynb").write_text(words)
        done = run(script, tree, **environment)
        assert done.returncode == 0, done.stderr
    assert git(folder, "show", "student:book/00_x.ipynb") == "second"
    assert git(folder, "rev-list", "--count", "student").strip() == "1"
    assert git(folder, "ls-tree", "-r", "--name-only", "student").split() == ["book/00_x.ipynb"]


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone with a tool that says which solutions are due, and a remote branch `student`."""
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "--quiet", "--initial-branch", "student")
    (origin / "solutions.txt").write_text("01\n")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "-m", "x")
    git(tmp_path, "clone", "--quiet", origin.as_uri(), "clone")
    (tmp_path / "clone" / "tools").mkdir()
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text('#!/bin/sh\n[ "$1" = -m ] || printf "$DUE"\n')
    (programs / "python").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return tmp_path / "clone"


@pytest.mark.parametrize(
    "event, due, build",
    [
        ("push", "01\\n", "yes"),
        ("workflow_dispatch", "01\\n", "yes"),
        ("schedule", "01\\n", "no"),
        ("schedule", "01\\n02\\n", "yes"),
        ("schedule", "", "yes"),
    ],
)
def test_at_night_it_builds_only_if_other_solutions_are_due(clone, tmp_path, event, due, build):
    (script,) = scripts("publish", "due")
    output = tmp_path / "output"
    where = {"GITHUB_EVENT_NAME": event, "GITHUB_OUTPUT": str(output), "DUE": due}
    done = run(script, clone, **where)
    assert done.returncode == 0, done.stderr
    assert output.read_text() == f"build={build}\n"


GH = """#!/bin/sh
# gh as publish.yml uses it: lists at most thirty releases unless told otherwise, notes downloads
case "$2" in
  list)
    most=30
    while [ $# -gt 0 ]; do [ "$1" = --limit ] && most=$2; shift; done
    seq 40 -1 1 | head -n $most | sed 's/.*/v&.0.0/' ;;
  download) echo "$3" >> "$DOWNLOADED" ;;
esac
"""


def test_the_pages_of_all_earlier_releases_are_fetched(tmp_path, monkeypatch):
    (script,) = [text for text in scripts("publish", "build") if "gh release" in text]
    program = tmp_path / "gh"
    program.write_text(GH)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    fetched = tmp_path / "fetched"
    done = run(script, tmp_path, GITHUB_REPOSITORY="ORG/REPO", DOWNLOADED=str(fetched))
    assert done.returncode == 0, done.stderr
    assert fetched.read_text().split() == [f"v{major}.0.0" for major in range(40, 0, -1)]
