"""The autograder's master notebook: each question's solution gets its points, the stub none.

`make autograder` runs Otter-Grader itself on both.
"""

import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="the book's tools are not installed")

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tools"))

import autograder  # noqa: E402
from test_colab import raw  # noqa: E402

EACH = pytest.mark.parametrize("label", autograder.EXERCISES)


def cells_of(label):
    """The text, the answer and the test of a question."""
    cells = autograder.question(label)
    (text,) = [cell.source for cell in cells if cell.cell_type == "markdown"]
    answer, test = [cell.source for cell in cells if cell.cell_type == "code"]
    return text, answer, test


def outcome(answer, test, capsys):
    """What the test of a question prints for an answer."""
    namespace = {}
    for source in (autograder.START, answer, test):
        exec(compile(source, "question", "exec"), namespace)
    return capsys.readouterr().out


@EACH
def test_the_solution_is_correct_and_the_stub_is_not(label, capsys):
    _, answer, test = cells_of(label)
    solution = answer.split("# END SOLUTION")[0]
    stub = re.search(r'""" # BEGIN PROMPT\n(.*)\n""" # END PROMPT', answer, re.S)[1]
    assert outcome(solution, test, capsys) == "correct\n"
    assert outcome(stub, test, capsys) == "not solved yet\n"


@EACH
def test_the_text_is_whole_and_shows_no_solution(label):
    text, answer, _ = cells_of(label)
    assert text.startswith("### Exercise")
    assert "Difficulty" in text
    assert text.count("### Exercise") == 1
    assert raw(text) == []
    assert "@checked" not in autograder.test_of("@checked\ndef check_x():\n    pass\n\n\ncheck_x()")


def test_an_exercise_that_is_gone_is_named():
    with pytest.raises(SystemExit, match="ex-99-none"):
        autograder.question("ex-99-none")
