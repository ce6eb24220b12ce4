"""The quiz bank: every chapter has questions, every choice a reason, and exports say the same."""

import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tools"), str(ROOT / "tests")]

import quiz  # noqa: E402
import secrets_of_the_book as secrets  # noqa: E402

BANK = quiz.bank()
ALL = [(chapter, question) for chapter, asked in BANK.items() for question in asked]
EACH = pytest.mark.parametrize(
    "chapter, question", ALL, ids=[f"{c}-{i}" for i, (c, _) in enumerate(ALL)]
)


def test_every_chapter_has_questions():
    assert sorted(BANK) == [int(file.stem[:2]) for file in secrets.FILES]
    assert min(map(len, BANK.values())) >= 3


def test_no_question_is_asked_twice_or_in_a_chapter():
    asked = [question["ask"] for _, question in ALL]
    assert len(asked) == len(set(asked))
    public = secrets.public_text()
    assert [text for text in asked if secrets.squeeze(text) in public] == []


@EACH
def test_a_question_is_whole(chapter, question):
    if "number" in question:
        assert set(question) == {"ask", "number", "places", "why"}
        assert isinstance(quiz.value(question), (int, float))
        return
    assert set(question) - {"several"} == {"ask", "right", "wrong"}
    assert (len(question["right"]) > 1) == question.get("several", False)
    texts = [choice["it"] for kind in ("right", "wrong") for choice in question[kind]]
    assert len(texts) == len(set(texts)) >= 2
    for choice in question["right"] + question["wrong"]:
        assert set(choice) == {"it", "why"}
        assert len(choice["why"]) > 10


@EACH
def test_a_notebook_asks_it(chapter, question):
    asked = quiz.for_jupyterquiz(question)
    assert asked["question"] == question["ask"]
    right = [answer for answer in asked["answers"] if answer.get("correct")]
    if asked["type"] == "numeric":
        assert right[0]["value"] == quiz.value(question)
        assert asked["answers"][-1]["type"] == "default"
    else:
        assert [answer["answer"] for answer in right] == [c["it"] for c in question["right"]]


def test_moodle_gets_all_of_them():
    root = Xml.fromstring(quiz.moodle(BANK))
    questions = [element for element in root if element.get("type") != "category"]
    assert len(root) - len(questions) == len(BANK)
    assert len(questions) == len(ALL)
    for element, (_, question) in zip(questions, ALL):
        assert "$" not in element.findtext("questiontext/text")
        fractions = [float(answer.get("fraction")) for answer in element.findall("answer")]
        assert sum(f for f in fractions if f > 0) == pytest.approx(100)
        single = element.findtext("single") != "false"
        assert sum(fractions) == pytest.approx(100 if single else 0)  # what ticking all is worth
        if "number" in question:
            assert float(element.findtext("answer/text")) == pytest.approx(quiz.value(question))


def test_formulas_are_written_for_moodle():
    assert quiz.html("about $x^2$ and $y$") == r"about \(x^2\) and \(y\)"
