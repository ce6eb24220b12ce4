"""Numbers in prose that nothing shows are found, and only those."""

import json
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import prose_numbers  # noqa: E402
import prose_shown  # noqa: E402

V4 = nbformat.v4
QUOTE = "The final rate loss of 0.925305 shows the model is prioritizing compression"


def code(source="", printed="", tags=(), **data):
    """A code cell with outputs: printed text, and data by kind (html, markdown, plain)."""
    outputs = [V4.new_output("stream", text=printed)] if printed else []
    if data:
        bundle = {f"text/{kind}": text for kind, text in data.items()}
        outputs.append(V4.new_output("execute_result", data=bundle))
    return V4.new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)})


def chapter(prose, *cells):
    prose = [prose] if isinstance(prose, str) else prose
    markdown = [V4.new_markdown_cell(text) for text in prose]
    return V4.new_notebook(cells=[*markdown, *cells])


def listed(prose, *cells, **options):
    found = prose_numbers.unproven(chapter(prose, *cells), **options)
    return [one.number for one in found]


PRINTED = code(printed="saved 36.24 % of 9,217 bytes, change -0.183 dB, 48,912 MACs")


@pytest.mark.parametrize(
    "prose",
    [
        "It saves 36.2 %.",
        "It saves 36 per cent of 9,217 bytes.",
        "It is worth -0.18 dB.",
        "It is worth 0.18 dB.",
        "It takes nearly 50,000 of them.",
        "It takes about 49 thousand MACs.",
        "It takes 48.9 thousand.",
    ],
)
def test_what_is_printed_is_shown(prose):
    assert listed(prose, PRINTED) == []


@pytest.mark.parametrize(
    "prose, number",
    [
        ("It saves 36.3 %.", "36.3 %"),
        ("It saves 37 %.", "37 %"),
        ("It saves 36.240 % of it.", None),
        ("It saves 36.241 % of it.", "36.241 %"),
        ("A file of 9,218 bytes.", "9,218 bytes"),
        ("It is worth +0.18 dB.", "+0.18 dB"),
        ("It takes nearly 60,000 of them.", "60,000"),
        ("It takes 50,000 of them.", "50,000"),  # a count, without 'about'
        ("There are 36 of them.", "36"),
        ("| row | 77 |\n|:--|--:|\n| a | 36.24 |", "77"),
        ("First. It saves $37\\,\\%$.", "37 %"),
        ("Between 36-38 % of it.", "38 %"),
        ("A 2-dB gain, a 16-bit one, a 4-vector.", "2-dB"),
        (":::{note}\nIt saves 37 %.\n:::", "37 %"),
        ("See chapter 4 for the 99 others.", "99"),
        ("In 2019 it took 2018 steps.", "2018"),
    ],
)
def test_a_wrong_number_is_found(prose, number):
    assert listed(prose, PRINTED) == ([number] if number else [])


@pytest.mark.parametrize(
    "prose",
    [
        "Mathematics: $x_1 = 17 y$ and $$z = 18.$$",
        "```{math}\n:label: eq-1\nx = 19\n```",
        "```python\nx = 19\n```",
        "A code span: `x = 20`, ``y`21``.",
        "[Chapter 21](21_x.ipynb), chapters 22, 23 and 24, {numref}`fig-25-a`, trap 26, step 27.",
        "Names: JPEG 2000, H.265, BT.601, float64, 8-bit, 4:2:0, 40th, Python 3.11, MP3.",
        "In 1974, since 1992, of 2018, (2020), 3 November 2024, 2024-11-03.",
        "**You need** paper. **Time:** 60 minutes.",
        "# 12. A title",
        "31. The item of a list.\n32. The next.",
        "**33. A trap in bold.** It is deep.",
        "The hyperprior saves 34 % {cite:p}`balle2018variational`.",
        "{term}`PSNR` and {ref}`an exercise <ex-35-x>`, {eq}`eq-36`.",
        "<img width='37'> of nothing",
        "Numbers in words: thirty-eight.",
        "**Quiz.** What are 39 of 40?\n\n<details><summary>Answer</summary>\n\n41 %.\n\n</details>",
    ],
)
def test_what_states_nothing_is_left_out(prose):
    assert listed(prose) == []


def test_only_the_citing_sentence_is_literature():
    prose = "Others save 34 % {cite:p}`a2018b`. We save 35 %."
    assert listed(prose) == ["35 %"]


def test_prose_after_a_quiz_counts():
    prose = "**Quiz.** 39?\n\n<details><summary>Answer</summary>\n\n41.\n\n</details>\n\nBut 42."
    assert listed(prose) == ["42"]


EXERCISE = "```{exercise-start} A title\n:label: ex-1\n```\nGive 50 of 51.\n```{exercise-end}\n```"


def test_exercises_are_left_out_also_across_cells():
    middle = EXERCISE.index("Give")
    assert listed([EXERCISE[:middle], EXERCISE[middle:], "But 52."]) == ["52"]
    assert listed("````{solution} ex-1\n:label: s\nIt is 53.\n````\n\nBut 54.") == ["54"]


@pytest.mark.parametrize("tag", ["setup", "exercise", "check", "solution", "trial", "remove-cell"])
def test_cells_that_readers_skip_show_nothing(tag):
    assert listed("It is 36.2 %.", code("x = 36.2", "36.2", [tag])) == ["36.2 %"]


@pytest.mark.parametrize("tag", ["hide-input", "hide-cell", "remove-input"])
def test_hidden_code_shows_nothing_but_its_output_does(tag):
    assert listed("It is 36.2 %.", code("x = 36.2", tags=[tag])) == ["36.2 %"]
    assert listed("It is 36.2 %.", code("", "36.2", tags=[tag])) == []


@pytest.mark.parametrize(
    "source, number",
    [
        ("image = photo[:256]", 256),
        ("n = 2**16", 65_536),
        ("n = 400_000", 400_000),
        ("share = 1 / 12", 0.0833),
        ("low = -5", -5),
        ("f(3 * 17)", 51),
    ],
)
def test_literals_in_code_are_shown(source, number):
    assert listed(f"It is {number:,}.", code(source)) == []


@pytest.mark.parametrize("source", ["# 256 of them", "'256'", "x = 1 / 0", "x = 10 ** 10 ** 10"])
def test_comments_and_strings_are_not_shown(source):
    assert listed("It is 256.", code(source)) == ["256"]


TABLE = "<table><tr><td>12</td><td>3,456</td></tr></table>"
MOVED = (
    '<p class="explorable-task">Move it to 61.</p><p class="explorable-note">62.5 dB</p>'
    '<img src="data:image/png;base64,77aa" width="63"><script type="application/json" '
    'class="explorable-data">{"frames": ["data:64"], "notes": ["65 bytes"], '
    '"alts": ["66"], "texts": [["67"]], "labels": ["68 dB"]}</script>'
    '<details class="explorable-answer"><summary>Answer</summary><p>It is 69.</p></details>'
)


@pytest.mark.parametrize(
    "prose, output, missing",
    [
        ("12 and 3,456.", {"html": TABLE}, []),
        ("123,456.", {"html": TABLE}, ["123,456"]),
        ("| a | 3 |", {"markdown": "| 3 |"}, []),
        ("3.", {"plain": "3"}, []),
        ("62.5 dB, 65 bytes, 67, 68 dB.", {"html": MOVED}, ["61", "69"]),
        ("63, 64 and 66.", {"html": MOVED}, ["63", "64", "66", "61", "69"]),
        ("4.", {"html": "<b>5</b>", "plain": "4"}, ["4"]),
    ],
)
def test_outputs_of_all_kinds_are_read(prose, output, missing):
    assert listed(prose, code(**output)) == missing


def test_captions_and_alternative_texts_are_prose():
    cell = code()
    about = {"figure": {"caption": "It saves 71 %.", "name": "f"}, "image": {"alt": "72 dots."}}
    cell.metadata["mystnb"] = about
    assert listed("Nothing.", cell) == ["71 %", "72"]


def test_a_result_file_counts_where_it_is_named(tmp_path):
    folder = tmp_path / "data" / "results" / "kodak"
    folder.mkdir(parents=True)
    (folder / "mfca.json").write_text(json.dumps({"bpp": [0.4321]}), "utf-8")
    prose = "In `data/results/kodak/mfca.json`: 0.43 bpp.\n\nAnd here 0.43 bpp."
    assert listed(prose, root=tmp_path) == ["0.43 bpp"]
    assert listed("`data/results/kodak/other.json`: 0.43 bpp.", root=tmp_path) == ["0.43 bpp"]


def test_quotations_of_the_report_count_only_literally():
    quotes = [QUOTE]
    assert listed("It says 'The final rate loss of 0.925305'.", quotes=quotes) == []
    assert listed(f"> {QUOTE}\n\nSo.", quotes=quotes) == []
    assert listed("It says 'the final rate loss is 0.925305'.", quotes=quotes) == ["0.925305"]
    assert listed("> A final rate of 0.925305.", quotes=quotes) == ["0.925305"]


def test_the_command_says_where(tmp_path, capsys, monkeypatch):
    file = tmp_path / "01_x.ipynb"
    nbformat.write(chapter("It saves 37 %.", PRINTED), file)
    monkeypatch.setattr(sys, "argv", ["prose_numbers.py", str(file)])
    assert prose_numbers.main() == 1
    assert "01_x.ipynb cell 0:       37 % | It saves 37 %." in capsys.readouterr().out

    nbformat.write(chapter("It saves 36 %.", PRINTED), file)
    assert prose_numbers.main() == 0


def test_numbers_of_a_text():
    found = prose_shown.values_in("1,234,567; -3.5 % (x2.0) 64x32 1e-12 0..1 5-9 \u22121 v0.1")
    assert found == {1_234_567, -3.5, 2, 64, 32, 1e-12, 0, 1, 5, 9, -1, 0.1}
