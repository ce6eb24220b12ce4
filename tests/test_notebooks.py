"""What every chapter keeps: one set-up cell, short cells, described figures, exercises whose checks nbval compares.

That solutions pass is proved by nbval (`make notebooks`): a solution's cell redefines the stub, calls the check again,
and its stored output is `correct`. The tests here see that no such cell can slip through unchecked.
"""

import ast
import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).resolve().parent.parent / "book"
SETUP = (BOOK / "_setup_cell.py").read_text("utf-8").strip()
FILES = sorted(BOOK.glob("*.ipynb"))
CHAPTERS = pytest.mark.parametrize("file", FILES, ids=[f.stem for f in FILES])
UNSOLVED, SOLVED = "not solved yet\n", "correct\n"


def read(file):
    return nbformat.read(file, as_version=4).cells


def tags(cell):
    return set(cell.metadata.get("tags", []))


def code(cells, *wanted):
    return [c for c in cells if c.cell_type == "code" and set(wanted) <= tags(c)]


def prose(cells):
    return "\n".join(c.source for c in cells if c.cell_type == "markdown")


def parse(source):
    """A cell's syntax tree; magics are not used in this book."""
    return ast.parse(source)


def called(source):
    """Names of the functions that a cell calls at its top level."""
    return {
        n.value.func.id
        for n in parse(source).body
        if isinstance(n, ast.Expr)
        and isinstance(n.value, ast.Call)
        and isinstance(n.value.func, ast.Name)
    }


def defined(source):
    """Names that a cell binds at its top level."""
    names = set()
    for node in parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
            continue
        names |= {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
    return names


def used(source):
    return {
        n.id
        for n in ast.walk(parse(source))
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }


def printed(cell):
    return "".join(out.get("text", "") for out in cell.outputs)


@CHAPTERS
def test_set_up_cell_comes_first_and_is_the_same_everywhere(file):
    assert code(read(file))[0].source.strip() == SETUP


@CHAPTERS
def test_cells_are_short(file):
    long = [c.source.splitlines()[0] for c in code(read(file)) if len(c.source.splitlines()) > 20]
    assert not long


@CHAPTERS
def test_figures_have_alternative_text_and_a_name(file):
    for cell in code(read(file)):
        mystnb = cell.metadata.get("mystnb", {})
        if "figure" in mystnb:
            assert mystnb["figure"]["name"].startswith(f"fig-{file.stem[:2]}-"), mystnb
            assert len(mystnb.get("image", {}).get("alt", "")) > 20, mystnb["figure"]["name"]


@CHAPTERS
def test_headings(file):
    text = re.sub(r"^```.*?^```", "", prose(read(file)), flags=re.M | re.S)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, re.M)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:]))


@CHAPTERS
def test_exercises_have_solutions(file):
    text = prose(read(file))
    exercises = re.findall(r"\{exercise-start\}[^\n]*\n:label: (\S+)", text)
    solutions = re.findall(r"\{solution(?:-start)?\} (\S+)", text)
    assert len(set(exercises)) == len(exercises) == text.count("{exercise-end}")
    assert sorted(solutions) == sorted(exercises)
    assert "{exercise}" not in text


@CHAPTERS
def test_checks_and_solutions_are_compared_by_nbval(file):
    cells = read(file)
    checks, solutions = code(cells, "check"), code(cells, "solution")
    assert len(checks) == len(solutions) == len(code(cells, "exercise"))
    for cell, wanted in [*((c, UNSOLVED) for c in checks), *((c, SOLVED) for c in solutions)]:
        assert "nbval-check-output" in tags(cell) and cell.execution_count is not None
        assert printed(cell) == wanted
    for stub, check, solution in zip(code(cells, "exercise"), checks, solutions):
        assert "raise NotImplementedError" in stub.source
        assert called(check.source) and called(check.source) <= called(solution.source)
        assert defined(stub.source) <= defined(solution.source)
        assert "assert" in check.source


@CHAPTERS
def test_marked_cells_have_something_to_compare(file):
    for cell in code(read(file), "nbval-check-output"):
        assert cell.outputs and cell.execution_count is not None


@CHAPTERS
def test_all_that_shows_a_solution_is_tagged(file):
    cells = read(file)
    inside = False
    for cell in cells:
        starts = "{solution" in cell.source and "{solution-end}" not in cell.source
        inside = inside or starts
        assert ("solution" in tags(cell)) == inside, cell.source[:60]
        if "{solution-end}" in cell.source or "{solution} " in cell.source:
            inside = False
    assert not inside


@CHAPTERS
def test_nothing_depends_on_a_solution(file):
    cells = code(read(file))
    hidden = set().union(*(defined(c.source) for c in cells if "solution" in tags(c)), set())
    shown = set().union(*(defined(c.source) for c in cells if "solution" not in tags(c)), set())
    for cell in cells:
        if "solution" not in tags(cell):
            assert not used(cell.source) & (hidden - shown)


@CHAPTERS
def test_no_output_widgets_and_no_glue(file):
    source = "\n".join(c.source for c in code(read(file)))
    assert not re.search(
        r"\binteract\(|\binteractive|\bOutput\(|myst_nb|\bglue\(|%%|^!", source, re.M
    )


def test_every_chapter_moves_and_no_two_explorables_share_a_title():
    titles = {}
    for file in FILES:
        source = "\n".join(
            c.source for c in code(read(file)) if re.search(r"\b(?:Explorable|Curtain)\(", c.source)
        )
        titles[file.stem] = re.findall(r'\btitle="([^"]+)"', source)
    assert [name for name, found in titles.items() if not found] == []
    every = sum(titles.values(), [])
    assert len(every) == len(set(every))


def test_the_book_is_whole():
    assert [f.stem[:2] for f in FILES] == [f"{n:02}" for n in range(14)]
    assert sum(prose(read(f)).count("{exercise-start}") for f in FILES) >= 35
    toc = (BOOK.parent / "_toc.yml").read_text("utf-8")
    assert [f.stem for f in FILES if f"book/{f.stem}" not in toc] == []
