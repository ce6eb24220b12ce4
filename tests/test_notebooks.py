"""What every chapter keeps: one set-up cell, short cells, described figures, checked exercises.

That solutions pass is proved by nbval (`make notebooks`): a solution's cell redefines the stub and
calls the check again, and its stored output is `correct`. The tests here see that no such cell can
slip through unchecked.
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

# What a check prints before and after the exercise is solved.
UNSOLVED = "not solved yet\n"
SOLVED = "correct\n"

# What an exercise's check is tried on, at least.
WRONG_ANSWERS = 3
RIGHT_ANSWERS = 2

# The chapters in which the reader types the core of a module.
BUILT = pytest.mark.parametrize(
    "file", [f for f in FILES if 1 <= int(f.stem[:2]) <= 10], ids=lambda file: file.stem
)

SHOWN = {"figures.table", "figures.show_source", "Explorable", "Painter"}  # by a cell's value
VISIBLE_LINES = 24  # the longest cell that a reader takes in without scrolling
FOLDED_LINES = 60  # the longest that may lie behind a click
COLUMNS = 88  # what fits the page without scrolling sideways; as in book/ruff.toml

# The longest running text of a chapter, in words; chapters 7 and 8 build two parts each.
WORDS = 2500
WORDS_OF = {"07": 3500, "08": 3500}

# What is not running text: what is folded, formulas and directives, pictures, tables and quizzes.
ASIDE = re.compile(
    r"<details>.*?</details>|```.*?```|\$\$.*?\$\$|!\[.*?\]\(.*?\)|^(?:\||\*\*Quiz).*?$",
    re.DOTALL | re.MULTILINE,
)


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


def bound(cells):
    """Names that cells define at their top level: functions, classes, imports, variables."""
    names = set()
    for node in (node for cell in cells for node in parse(cell.source).body):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            parts = [part for target in node.targets for part in ast.walk(target)]
            names.update(part.id for part in parts if isinstance(part, ast.Name))
    return names


def called(source):
    """Names of the functions that a cell calls at its top level."""
    names = set()
    for node in parse(source).body:
        is_call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        if is_call and isinstance(node.value.func, ast.Name):
            names.add(node.value.func.id)
    return names


def defined(source):
    """Names that a cell binds at its top level."""
    names = set()
    for node in parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        else:
            names |= names_in(node, ast.Store)
    return names


def used(source):
    """Names that a cell reads, in its functions too."""
    return names_in(parse(source), ast.Load)


def names_in(node, context):
    """Names below a syntax node that are read (`ast.Load`) or bound (`ast.Store`)."""
    names = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, context):
            names.add(child.id)
    return names


def printed(cell):
    return "".join(out.get("text", "") for out in cell.outputs)


@CHAPTERS
def test_set_up_cell_comes_first_and_is_the_same_everywhere(file):
    assert code(read(file))[0].source.strip() == SETUP


def folded(cell):
    """Whether the page shows the cell's code only on a click."""
    return bool({"hide-input", "hide-cell"} & tags(cell))


@CHAPTERS
def test_a_check_needs_no_other(file):
    """A reader may begin with any exercise."""
    cells = read(file)
    checks = code(cells, "check")
    # what a student's edition has besides
    shared = bound([c for c in code(cells) if not {"check", "solution", "trial"} & tags(c)])
    for cell in checks:
        others = bound([other for other in checks if other is not cell])
        assert used(cell.source) & (others - bound([cell]) - shared) == set()


@CHAPTERS
def test_cells_are_short(file):
    long = []
    for cell in code(read(file)):
        if "trial" in tags(cell):
            continue  # no edition shows it
        lines = cell.source.splitlines()
        if len(lines) > (FOLDED_LINES if folded(cell) else VISIBLE_LINES):
            long.append(lines[0])
    assert long == []


@CHAPTERS
def test_chapters_are_short(file):
    text = prose(read(file))
    before, exercises = text.split("\n## Exercises\n")
    _, after = exercises.split("\n## Recap\n")
    running = ASIDE.sub("", before + "\n" + after)
    running = re.sub(r"\]\(.*?\)", "]", running)  # a link's address
    words = [word for word in running.split() if re.search(r"\w", word)]
    assert len(words) <= WORDS_OF.get(file.stem[:2], WORDS)


@CHAPTERS
def test_cells_fit_the_page(file):
    wide = [
        line
        for cell in code(read(file))
        for line in cell.source.splitlines()
        if len(line) > COLUMNS
    ]
    assert wide == []


@CHAPTERS
def test_what_is_shown_is_the_last_line_of_its_cell(file):
    """A table that is not the value of its cell is made, and never shown."""
    lost = []
    for cell in code(read(file)):
        for line in ast.parse(cell.source).body[:-1]:
            shown = isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)
            if shown and ast.unparse(line.value.func) in SHOWN:
                lost.append(ast.unparse(line))
    assert lost == []


@CHAPTERS
def test_figures_have_alternative_text_and_a_name(file):
    for cell in code(read(file)):
        mystnb = cell.metadata.get("mystnb", {})
        if "figure" in mystnb:
            name = mystnb["figure"]["name"]
            text = mystnb.get("image", {}).get("alt", "")
            assert name.startswith(f"fig-{file.stem[:2]}-")
            assert len(text) > 20, name


@CHAPTERS
def test_headings(file):
    text = re.sub(r"^```.*?^```", "", prose(read(file)), flags=re.M | re.S)
    levels = [len(marks) for marks in re.findall(r"^(#+) ", text, re.M)]
    assert levels[0] == 1
    assert levels.count(1) == 1

    # no level is left out on the way down
    skips = [(a, b) for a, b in zip(levels, levels[1:]) if b > a + 1]
    assert skips == []


@CHAPTERS
def test_exercises_have_solutions(file):
    text = prose(read(file))
    exercises = re.findall(r"\{exercise-start\}[^\n]*\n:label: (\S+)", text)
    solutions = re.findall(r"\{solution(?:-start)?\} (\S+)", text)
    assert len(exercises) == len(set(exercises))
    assert len(exercises) == text.count("{exercise-end}")
    assert sorted(solutions) == sorted(exercises)
    assert "{exercise}" not in text


@CHAPTERS
@pytest.mark.parametrize("tag, wanted", [("check", UNSOLVED), ("solution", SOLVED)])
def test_checks_and_solutions_are_compared_by_nbval(file, tag, wanted):
    for cell in code(read(file), tag):
        assert "nbval-check-output" in tags(cell)
        assert cell.execution_count is not None
        assert printed(cell) == wanted


@CHAPTERS
def test_stub_check_and_solution_belong_together(file):
    cells = read(file)
    stubs = code(cells, "exercise")
    checks = code(cells, "check")
    solutions = code(cells, "solution")
    assert len(checks) == len(stubs)
    assert len(solutions) == len(stubs)

    for stub, check, solution in zip(stubs, checks, solutions):
        assert "raise NotImplementedError" in stub.source
        assert "assert" in check.source

        # the solution defines what the stub leaves open, and calls the check again
        assert defined(stub.source) <= defined(solution.source)
        assert called(check.source)
        assert called(check.source) <= called(solution.source)


@CHAPTERS
def test_every_check_is_tried(file):
    cells = read(file)
    checks = [name for cell in code(cells, "check") for name in called(cell.source)]
    tried = {}
    for cell in code(cells, "trial"):
        for node in ast.walk(parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "trial":
                tried[node.args[0].id] = {k.arg: len(k.value.elts) for k in node.keywords}
    assert sorted(tried) == sorted(checks)
    for check, answers in tried.items():
        assert answers["wrong"] >= WRONG_ANSWERS, check
        assert answers["right"] >= RIGHT_ANSWERS, check


@BUILT
def test_the_reader_types_the_core(file):
    """Cells tagged `core` define it; one tagged `core-check` compares it with the package's."""
    cells = code(read(file))
    typed = [i for i, cell in enumerate(cells) if "core" in tags(cell)]
    compared = [i for i, cell in enumerate(cells) if "core-check" in tags(cell)]
    assert typed
    assert compared
    assert compared[-1] > typed[0]

    # what is compared was typed
    names = set().union(*(defined(cells[i].source) for i in typed))
    for i in compared:
        assert used(cells[i].source) & names
        assert "assert" in cells[i].source
    for i in typed + compared:
        assert not folded(cells[i])


@CHAPTERS
def test_marked_cells_have_something_to_compare(file):
    for cell in code(read(file), "nbval-check-output"):
        assert cell.outputs
        assert cell.execution_count is not None


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
    solutions = [cell for cell in cells if {"solution", "trial"} & tags(cell)]
    others = [cell for cell in cells if not {"solution", "trial"} & tags(cell)]

    hidden = set().union(*(defined(cell.source) for cell in solutions))
    shown = set().union(*(defined(cell.source) for cell in others))
    for cell in others:
        assert used(cell.source) & (hidden - shown) == set()


@CHAPTERS
@pytest.mark.parametrize(
    "forbidden",
    [r"\binteract\(", r"\binteractive", r"\bOutput\(", "myst_nb", r"\bglue\(", "%%", "^!"],
)
def test_no_output_widgets_and_no_glue(file, forbidden):
    for cell in code(read(file)):
        assert not re.search(forbidden, cell.source, re.M)


def explorable_titles(file):
    titles = []
    for cell in code(read(file)):
        if re.search(r"\b(?:Explorable|Curtain)\(", cell.source):
            titles += re.findall(r'\btitle="([^"]+)"', cell.source)
    return titles


@CHAPTERS
def test_every_chapter_moves(file):
    assert explorable_titles(file)


def test_no_two_explorables_share_a_title():
    titles = [title for file in FILES for title in explorable_titles(file)]
    assert len(titles) == len(set(titles))


def test_all_chapters_are_there():
    assert [file.stem[:2] for file in FILES] == [f"{n:02}" for n in range(14)]


def test_there_are_exercises_enough():
    assert sum(prose(read(file)).count("{exercise-start}") for file in FILES) >= 35


@CHAPTERS
def test_the_contents_list_the_chapter(file):
    toc = (BOOK.parent / "_toc.yml").read_text("utf-8")
    assert f"book/{file.stem}" in toc
