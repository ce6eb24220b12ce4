"""The numbers that a chapter's page shows: in its outputs, its visible code, its result files.

`tools/prose_numbers.py` compares prose with them. All three functions return sets of floats.
"""

import ast
import html
import json
import operator
import re
from functools import lru_cache

# What the page does not show, or shows only to those who have solved an exercise.
SILENT = {"setup", "exercise", "check", "solution", "remove-cell", "remove-output", "trial"}
HIDDEN = SILENT | {"hide-input", "hide-cell", "remove-input"}

NUMBER = re.compile(
    r"(?<![\w.])[-+\u2212]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d|,\d)"
    r"|(?:(?<![\w.)])[-+\u2212])?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
)
BREAK = re.compile(r"</?(?:td|th|tr|p|div|li|br|output|option|label|h\d)\b[^>]*>")
TYPED = re.compile(
    r'<p class="explorable-(?:task|title)".*?</p>|<option.*?</option>'
    r'|<details class="explorable-answer">.*?</details>',
    re.S,
)
DATA = re.compile(r'<script type="application/json"[^>]*>(.*?)</script>', re.S)
# ticks of a figure are no statements
SCRIPT = re.compile(r"<(script|style|svg)\b.*?</\1>", re.S)
CODE = re.compile(r"`([^`\n]+\.(?:json|csv))`")

# What is computed where a cell's code combines literals.
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}


def values_in(text):
    """All numbers that stand in a text."""
    found = NUMBER.findall(text)
    return {float(one.replace(",", "").replace("\u2212", "-")) for one in found}


def text_of_html(markup):
    """What a reader sees of a table or an explorable, with the lines of all its frames."""
    lines = []
    for block in DATA.findall(markup):
        data = json.loads(block)
        for texts in ("notes", "labels", "besideLabels"):
            lines += data.get(texts, [])
        for texts in data.get("texts") or []:
            lines += [str(text) for text in texts]
    text = SCRIPT.sub(" ", TYPED.sub(" ", markup))
    text = re.sub(r"<[^>]+>", "", BREAK.sub(" ", text))
    return html.unescape("\n".join([text, *lines]))


def text_of(output):
    """The text of one output of a cell."""
    if output.output_type == "stream":
        return output.text
    data = output.get("data", {})
    if "text/html" in data:
        return text_of_html(data["text/html"])
    if "text/markdown" in data:
        return data["text/markdown"]
    if any(kind.startswith(("image/", "application/")) for kind in data):
        return ""
    return data.get("text/plain", "")


def literals_in(source):
    """Numbers that code spells out, and sums, products, powers of such numbers."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return values_in(source)

    values: dict[ast.AST, float] = {}
    for node in reversed(list(ast.walk(tree))):  # inner expressions first
        value = value_of(node, values)
        if value is not None:
            values[node] = value
    return {float(value) for value in values.values()}


def value_of(node, values):
    """The value of an expression, given those of its parts; None if it is not a number."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -values[node.operand] if node.operand in values else None
    if not isinstance(node, ast.BinOp) or type(node.op) not in OPERATORS:
        return None
    left = values.get(node.left)
    right = values.get(node.right)
    if left is None or right is None or abs(right) > 64:  # no endless powers
        return None
    try:
        return OPERATORS[type(node.op)](left, right)
    except (ArithmeticError, TypeError, ValueError):
        return None


def shown_by(notebook):
    """The numbers in the outputs and the visible code of an executed notebook."""
    shown = set()
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type != "code" or tags & SILENT:
            continue
        for output in cell.outputs:
            shown |= values_in(text_of(output))
        if not tags & HIDDEN:
            shown |= literals_in(cell.source)
    return shown


@lru_cache
def values_of_file(file):
    """The numbers in a result file."""
    return frozenset(values_in(file.read_text("utf-8")))


def results_of(paragraph, root):
    """The numbers in the files of data/results that a paragraph names in code spans."""
    folder = root / "data" / "results"
    values = set()
    for name in CODE.findall(paragraph):
        name = name.removeprefix("data/results/").lstrip("/")
        for file in folder.glob(name):
            values |= values_of_file(file)
    return values
