"""An autograder for three exercises, as an example for Otter-Grader: `make autograder`.

A master notebook is made of the exercises' own cells: text, stub, solution and check. From it,
`otter assign` makes what students get (`_build/autograder/dist/student`) and what grades them
(`dist/autograder`, with a zip file for Gradescope). At the end, a solved and an unsolved notebook
are graded here, and must get all points and none.

For other exercises, change EXERCISES. A check must need nothing of its chapter but NumPy; else put
the cells that it needs into `START`.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat.v4 as nb
from plain.blocks import Blocks
from plain.inline import Inline
from plain.notebook import labels_of_book
from shared import ROOT
from shown_cells import CHAPTERS, read
from student_branch import wheel_address

OUT = ROOT / "_build" / "autograder"
NAME = "exercises"
EXERCISES = ("ex-00-budget", "ex-06-threshold", "ex-12-pooled")
PAGES = wheel_address().rsplit("/wheels/", 1)[0] + "/latest"

CONFIG = f"""# ASSIGNMENT CONFIG
name: {NAME}
requirements: requirements.txt
export_cell: false
generate:
  show_stdout: true
"""
START = """import numpy as np
from mfca_tutorial.show.exercises import checked
"""


def find(label):
    """The cells of an exercise: (chapter, text, stub, check, solution)."""
    for file in CHAPTERS:
        cells = read(file, "instructor", []).cells
        for place, cell in enumerate(cells):
            if cell.cell_type != "markdown" or f":label: {label}\n" not in cell.source:
                continue
            tagged = {}
            for later in cells[place:]:
                for tag in ("exercise", "check", "solution"):
                    is_code = later.cell_type == "code" and tag in later.metadata.get("tags", [])
                    if is_code and tag not in tagged:
                        tagged[tag] = later.source
                if len(tagged) == 3:
                    return file, cell.source, tagged
    raise SystemExit(f"there is no exercise {label!r} with a check")


def text_of(file, source, label):
    """The exercise's text for readers without MyST, without its neighbours in the cell."""
    labels = labels_of_book({f.name: read(f, "instructor", []).cells for f in CHAPTERS}, {}, PAGES)
    start = re.search(rf"^`+\{{exercise-start\}}[^\n]*\n:label: {label}$", source, re.M).start()
    return Blocks(Inline(file.name, PAGES, labels))(source[start:])


def test_of(check):
    """A check as Otter's doctests take it: without a decorator, and called at its end."""
    undecorated = check.replace("@checked\n", "")
    return re.sub(r"^(check_\w+)\(\)\s*$", r"checked(\1)()", undecorated, flags=re.M)


def question(label):
    """The cells of one question, in the form that `otter assign` reads."""
    file, source, tagged = find(label)
    solution = re.sub(r"\n+check_\w+\(\)\s*$", "", tagged["solution"])
    stub = tagged["exercise"].replace('"""', "'''")
    code = (
        f"# BEGIN SOLUTION NO PROMPT\n{solution}\n# END SOLUTION\n"
        f'""" # BEGIN PROMPT\n{stub}\n""" # END PROMPT'
    )
    name = label.replace("-", "_")
    return [
        nb.new_raw_cell(f"# BEGIN QUESTION\nname: {name}\npoints: 1"),
        nb.new_markdown_cell(text_of(file, source, label)),
        nb.new_raw_cell("# BEGIN SOLUTION"),
        nb.new_code_cell(code),
        nb.new_raw_cell("# END SOLUTION"),
        nb.new_raw_cell("# BEGIN TESTS"),
        nb.new_code_cell(
            test_of(tagged["check"]),
            outputs=[nb.new_output("stream", name="stdout", text="correct\n")],
        ),
        nb.new_raw_cell("# END TESTS"),
        nb.new_raw_cell("# END QUESTION"),
    ]


def master():
    """The master notebook."""
    cells = [nb.new_raw_cell(CONFIG), nb.new_code_cell(START)]
    for label in EXERCISES:
        cells += question(label)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nb.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def otter(*arguments):
    """Run Otter-Grader in the output folder; exit with its words if it fails."""
    command = [sys.executable, "-m", "otter", *arguments]
    done = subprocess.run(command, cwd=OUT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done.stdout


def points(notebook):
    """The points that the autograder gives a notebook: (achieved, possible)."""
    (grader,) = (OUT / "dist" / "autograder").glob("*.zip")
    (OUT / "graded").mkdir(exist_ok=True)
    otter("run", "--autograder", str(grader), "--output-dir", "graded", str(notebook))
    results = json.loads((OUT / "graded" / "results.json").read_text("utf-8"))
    tests = [test for test in results["tests"] if "max_score" in test]
    return sum(test["score"] for test in tests), sum(test["max_score"] for test in tests)


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    file = OUT / f"{NAME}.ipynb"
    file.write_text(json.dumps(master(), indent=1), "utf-8")
    (OUT / "requirements.txt").write_text(f"{wheel_address()}\n", "utf-8")
    otter("assign", file.name, "dist")
    solved = points(Path("dist") / "autograder" / file.name)
    unsolved = points(Path("dist") / "student" / file.name)
    print(f"solved: {solved[0]:g} of {solved[1]:g} points; unsolved: {unsolved[0]:g}")
    if solved[0] != solved[1] or unsolved[0] != 0:
        sys.exit("the autograder does not tell a solved notebook from an unsolved one")
    print(f"{(OUT / 'dist').relative_to(ROOT)}: student and autograder")


if __name__ == "__main__":
    main()
