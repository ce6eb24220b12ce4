"""Which pages and cells an edition shows, and from which day students see solutions.

`teaching/solution_dates.yml` gives a day to each chapter whose solutions the student edition may
show. Until that day, no file that is built for students holds them: this module is the only way
from a chapter to an edition. `python tools/shown_cells.py` prints the chapters whose solutions are
shown today, one per line; `--on 2027-03-08` those of another day.
"""

import argparse
from datetime import UTC, date, datetime
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
DATES = ROOT / "teaching" / "solution_dates.yml"
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))

# The tags of cells that an edition does not show.
HIDDEN = {"student": {"solution", "trial"}, "instructor": {"trial"}}

# The pages that only the instructor's edition has.
FOR_INSTRUCTORS = ("book/instructors_guide",)


def contents(text, edition):
    """The table of contents (`_toc.yml`) of an edition."""
    if edition == "student":
        for page in FOR_INSTRUCTORS:
            text = text.replace(f"      - file: {page}\n", "")
    return text


def today():
    """The day in UTC, in which scheduled builds count, too."""
    return datetime.now(UTC).date()


def solution_dates(file=DATES):
    """{'02': date}: the first day on which students see a chapter's solutions.

    Raises ValueError for what is neither a chapter nor a day: a slip of the pen must not show a
    solution early.
    """
    numbers = {chapter.stem[:2] for chapter in CHAPTERS}
    dates = {}
    for chapter, day in (yaml.safe_load(file.read_text("utf-8")) or {}).items():
        number = f"{chapter:02}" if isinstance(chapter, int) else str(chapter)
        if number not in numbers:
            raise ValueError(f"{file.name}: there is no chapter {chapter!r}")
        if type(day) is not date:
            raise ValueError(f"{file.name}: chapter {number} needs a day like 2027-03-08: {day!r}")
        dates[number] = day
    return dates


def released(day=None, dates=None):
    """The numbers of the chapters whose solutions students see on a day, in order."""
    dates = solution_dates() if dates is None else dates
    day = day or today()
    return sorted(number for number, first in dates.items() if first <= day)


def listed(numbers):
    """Numbers of chapters as a text, one per line: what the branch `student` keeps of them."""
    return "".join(f"{number}\n" for number in numbers)


def hidden_tags(file, edition, shown):
    """The tags of the cells of a chapter that an edition leaves out."""
    hidden = HIDDEN[edition]
    return hidden - {"solution"} if Path(file).stem[:2] in shown else hidden


def read(file, edition, shown=None):
    """A notebook without the cells that an edition does not show.

    shown: numbers of the chapters whose solutions students see; by default, those of today.
    """
    shown = released() if shown is None else shown
    notebook = nbformat.read(file, as_version=4)
    notebook.metadata.pop("run", None)
    hidden = hidden_tags(file, edition, shown)
    notebook.cells = [c for c in notebook.cells if not hidden & set(c.metadata.get("tags", []))]
    return notebook


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--on", type=date.fromisoformat, metavar="DAY", help="by default, today")
    print(listed(released(parser.parse_args().on)), end="")


if __name__ == "__main__":
    main()
