"""The times at the head of a chapter are those of its exercises, and the guide's week adds up."""

import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).resolve().parent.parent / "book"
GUIDE = (BOOK / "instructors_guide.md").read_text("utf-8")
FILES = sorted(BOOK.glob("*.ipynb"))
CLASS = 210  # minutes of class per day
EXERCISES = 120  # minutes of exercises per day


def prose(file):
    cells = nbformat.read(file, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def stated(file):
    """Minutes of reading and of exercises at the top of a chapter."""
    line = re.search(r"\*\*Time:\*\*(.*)", prose(file))[1]
    reading, exercises = re.findall(r"\d+", line)
    return int(reading), int(exercises)


def exercises(file):
    """The minutes of each exercise, by its label."""
    pattern = (
        r"\{exercise-start\}[^\n]*\n:label: (\S+)\n```\n\*Difficulty \d of 3, about (\d+) minutes"
    )
    return {label: int(minutes) for label, minutes in re.findall(pattern, prose(file))}


def week():
    """For each day, its chapters and its minutes."""
    section = GUIDE.split("### One week")[1].split("### ")[0]
    rows = re.findall(r"^\| \d \| ([\d, ]+) \| (\d+) \|", section, re.M)
    return [([int(n) for n in chapters.split(", ")], int(minutes)) for chapters, minutes in rows]


def set_exercises(number):
    """The labels of the exercises that the guide sets for a chapter."""
    section = GUIDE.split("## Goals, exercises, difficulties")[1]
    row = re.search(rf"^\| {number} \|.*", section, re.M)[0]
    return re.findall(r"<(ex-[\w-]+)>", row)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_stated_time_is_that_of_the_exercises(file):
    minutes = exercises(file)
    assert len(minutes) == prose(file).count("{exercise-start}")
    assert sum(minutes.values()) == stated(file)[1]


def test_the_week_has_every_chapter_but_the_first():
    chapters = [number for numbers, _ in week() for number in numbers]
    assert chapters == list(range(1, 14))


@pytest.mark.parametrize("numbers, minutes", week(), ids=lambda value: str(value))
def test_a_day_adds_up(numbers, minutes):
    assert minutes == sum(stated(FILES[number])[0] for number in numbers)
    assert minutes <= CLASS

    # and its exercises fit the afternoon
    time = {label: t for number in numbers for label, t in exercises(FILES[number]).items()}
    wanted = [label for number in numbers for label in set_exercises(number)]
    assert wanted
    assert sum(time[label] for label in wanted) <= EXERCISES
