"""Write the quiz bank (`teaching/quiz.yml`) for notebooks and learning platforms: `make quiz`.

`_build/quiz/NN_name.json` is what jupyterquiz shows: `display_quiz("07_entropy_coding.json")`.
`_build/quiz/moodle.xml` is a question bank for Moodle, one category per chapter; other platforms
import that format as well. Numbers are computed here from the expressions of the bank.
"""

import argparse
import json
import math
import re
import shutil
from xml.etree import ElementTree as Xml

import yaml
from shared import ROOT
from shown_cells import CHAPTERS

BANK = ROOT / "teaching" / "quiz.yml"
OUT = ROOT / "_build" / "quiz"
NAMES = {"log2": math.log2, "log10": math.log10, "sqrt": math.sqrt}
WRONG_NUMBER = "Not this number."


def bank(file=BANK):
    """{number of a chapter: its questions}"""
    return yaml.safe_load(file.read_text("utf-8"))


def value(question):
    """The number that answers a question, rounded to the places that count."""
    number = eval(question["number"], {"__builtins__": {}}, NAMES)  # written by us
    return round(number, question["places"])


def for_jupyterquiz(question):
    """A question as jupyterquiz reads it."""
    if "number" in question:
        right = {"type": "value", "value": value(question), "correct": True}
        default = {"type": "default", "feedback": WRONG_NUMBER}
        answers = [right | {"feedback": question["why"]}, default]
        return {"question": question["ask"], "type": "numeric", "answers": answers}
    answers = []
    for kind in ("right", "wrong"):
        for choice in question[kind]:
            answer = {"answer": choice["it"], "correct": kind == "right"}
            answers.append(answer | {"feedback": choice["why"]})
    kind = "many_choice" if question.get("several") else "multiple_choice"
    return {"question": question["ask"], "type": kind, "answers": answers}


def html(text):
    r"""A text with its formulas as Moodle's MathJax finds them, in \( \)."""
    return re.sub(r"\$([^$]+)\$", r"\\(\1\\)", text)


def child(parent, name, text="", **attributes):
    """An element with a `text` element inside, as Moodle wants nearly everything."""
    element = Xml.SubElement(parent, name, {k: str(v) for k, v in attributes.items()})
    Xml.SubElement(element, "text").text = text
    return element


def for_moodle(parent, question, name):
    """Add a question to a Moodle quiz."""
    numerical = "number" in question
    element = Xml.SubElement(parent, "question", type="numerical" if numerical else "multichoice")
    child(element, "name", name)
    child(element, "questiontext", html(question["ask"]), format="html")
    if numerical:
        answer = child(element, "answer", f"{value(question):g}", fraction=100)
        child(answer, "feedback", html(question["why"]), format="html")
        tolerance = 0.5 * 10 ** -question["places"]
        Xml.SubElement(answer, "tolerance").text = f"{tolerance:g}"
        return
    Xml.SubElement(element, "single").text = str(not question.get("several", False)).lower()
    Xml.SubElement(element, "shuffleanswers").text = "true"

    # all right choices together get all points; where several are right, each wrong one takes some
    # away, or ticking everything would pay
    shares = {"right": 100 / len(question["right"]), "wrong": 0.0}
    if question.get("several"):
        shares["wrong"] = -100 / len(question["wrong"])
    for kind, share in shares.items():
        for choice in question[kind]:
            fraction = f"{share:.7g}"  # Moodle knows 33.33333, not 33
            answer = child(element, "answer", html(choice["it"]), fraction=fraction, format="html")
            child(answer, "feedback", html(choice["why"]), format="html")


def moodle(questions):
    """The whole bank as Moodle's XML."""
    quiz = Xml.Element("quiz")
    for chapter, asked in questions.items():
        category = Xml.SubElement(quiz, "question", type="category")
        child(category, "category", f"$course$/Learned image compression/Chapter {chapter}")
        for place, question in enumerate(asked, 1):
            for_moodle(quiz, question, f"Chapter {chapter}, question {place}")
    Xml.indent(quiz)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(quiz, encoding="unicode")


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    questions = bank()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    names = {int(file.stem[:2]): file.stem for file in CHAPTERS}
    for chapter, asked in questions.items():
        text = json.dumps([for_jupyterquiz(q) for q in asked], indent=1, ensure_ascii=False)
        (OUT / f"{names[chapter]}.json").write_text(text, "utf-8")
    (OUT / "moodle.xml").write_text(moodle(questions), "utf-8")
    count = sum(map(len, questions.values()))
    print(f"{OUT.relative_to(ROOT)}: {count} questions for {len(questions)} chapters")


if __name__ == "__main__":
    main()
