"""How chapters become pages: folded cells, numbers by chapter, labels of citations, repairs."""

import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat.v4 as nb
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT / "tools"), str(ROOT / "book" / "_ext")]

import mend_pages  # noqa: E402
import openings  # noqa: E402
import phone_tables  # noqa: E402
import printed_lines  # noqa: E402
import published_cells  # noqa: E402
import search_scorer  # noqa: E402
import typography  # noqa: E402

chapter_numbers = pytest.importorskip("chapter_numbers")


def cell(source, *tags, figure=False, printed=""):
    options = {"mystnb": {"figure": {"name": "x"}}} if figure else {}
    made = nb.new_code_cell(source, metadata={"tags": list(tags), **options})
    if printed:
        made.outputs = [nb.new_output("stream", name="stdout", text=printed)]
    return made


def dressed(*cells):
    return published_cells.dress(nb.new_notebook(cells=list(cells))).cells


@pytest.mark.parametrize(
    "made, label",
    [
        (cell("start()", "setup"), published_cells.SETUP),
        (cell("check()", "check"), published_cells.CHECK),
        (cell("Curtain(\n)"), published_cells.MOVES),
        (cell("plt.plot()", figure=True), published_cells.FIGURE),
        (cell("helper()", "hide-input"), published_cells.OTHER),
        (cell("table()", "hide-input", printed="1"), published_cells.COMPUTED),
        (cell("# what the text says\nassert true", "hide-input"), published_cells.SAYS),
    ],
)
def test_cells_are_folded_with_a_label(made, label):
    (shown,) = dressed(made)
    assert "hide-input" in shown.metadata["tags"]
    assert shown.metadata["mystnb"]["code_prompt_show"] == label


def test_teaching_cells_stay_open():
    for made in (cell("x = 1"), cell("plt.plot()", "show-input", figure=True)):
        assert "hide-input" not in dressed(made)[0].metadata["tags"]


def test_silent_folded_cells_are_joined():
    helper = cell("a", "hide-input")
    assert [c.source for c in dressed(helper, cell("plot", figure=True))] == ["a\n\n\nplot"]

    # but not across prose, and not if the first shows something
    text = nb.new_markdown_cell("words")
    assert len(dressed(cell("a", "hide-input"), text, cell("b", "hide-input"))) == 3
    assert len(dressed(cell("a", "check", printed="no"), cell("b", "hide-input"))) == 2


def test_kaggle_joins_the_places_that_run_a_chapter():
    launch = pytest.importorskip("launch")
    options = {"repository_url": "https://github.com/ORG/REPO/", "repository_branch": "student"}
    app = SimpleNamespace(config=SimpleNamespace(html_theme_options=options))
    other, places = {"label": "source"}, {"label": "launch-buttons", "buttons": []}
    context = {"header_buttons": [other, places]}
    launch.add_kaggle(app, "book/01_x", "page.html", context, None)
    (button,) = places["buttons"]
    source = "https%3A%2F%2Fgithub.com%2FORG%2FREPO%2Fblob%2Fstudent%2Fbook%2F01_x.ipynb"
    assert button["url"] == f"https://kaggle.com/kernels/welcome?src={source}"

    # a page that is no notebook has no such places
    launch.add_kaggle(app, "index", "page.html", {}, None)


def test_numbers_by_chapter():
    numbers = {
        "book/08_x": {"figure": {"b": (31,), "a": (30,)}},
        "book/notes": {"figure": {"c": (32,)}},
    }
    chapter_numbers.number_by_chapter(None, SimpleNamespace(toc_fignumbers=numbers))
    assert numbers["book/08_x"]["figure"] == {"a": (8, 1), "b": (8, 2)}
    assert numbers["book/notes"]["figure"] == {"c": (32,)}


def test_labels_of_the_bibliography():
    author_year = pytest.importorskip("author_year")
    from pybtex.database import Entry, Person

    def entry(*names, year="1992"):
        people = {"author": [Person(name) for name in names]}
        return Entry("article", fields={"year": year}, persons=people)

    assert author_year.label(entry("Wallace, G.")) == "Wallace, 1992"
    assert author_year.label(entry("A, X", "B, Y")) == "A and B, 1992"
    assert author_year.label(entry(r"Ball{\'e}, J.", "B, Y", "C, Z")) == "Ballé et al., 1992"
    twins = author_year.LabelStyle().format_labels([entry("A, X"), entry("A, Y")])
    assert list(twins) == ["A, 1992a", "A, 1992b"]


def test_index_entries_name_their_chapter():
    entry = '<a href="book/07_entropy_coding.html#i">escape</a>, <a href="book/08_x.html#j">[1]</a>'
    shown = mend_pages.with_chapters(entry)
    assert "escape</a> <span" in shown
    assert "chapter 7" in shown
    assert ">chapter 8</a>" in shown
    assert "[1]" not in shown


def test_index_entries_name_a_chapter_once():
    """Also where it has two places for a term; further chapters stay."""
    places = ["07_x.html#i", "07_x.html#j", "07_x.html#k", "08_x.html#l"]
    first, *further = [f'<a href="book/{place}">{{}}</a>' for place in places]
    entry = ", ".join([first.format("table"), *(each.format("[1]") for each in further)])
    shown = mend_pages.with_chapters(entry)
    assert shown.count("chapter 7") == 1
    assert shown.count(", ") == 1
    assert shown.endswith(">chapter 8</a>")


def test_signs_stay_on_the_line_of_their_formula():
    formula = '<span class="math notranslate nohighlight" style="--room: 1em">\\(x\\)</span>'
    shown = typography.held_together(f"<p>the row ({formula}), then {formula} again</p>")
    assert shown == f'<p>the row <span class="held">({formula}),</span> then {formula} again</p>'


def test_sizes_have_the_sign_for_times_but_not_in_code():
    page = (
        '<p title="8 x 8">8 x 8 x 3, n x 8, <code>8 x 8</code></p><pre>a <b>8</b> 4 x 4</pre>1 x 1'
    )
    shown = typography.with_times(page)
    assert shown == page.replace(
        ">8 x 8 x 3", ">8_\u00d7_8_\u00d7_3".replace("_", "\u00a0")
    ).replace("</pre>1 x 1", "</pre>1_\u00d7_1".replace("_", "\u00a0"))


def test_a_title_breaks_between_words():
    link = '<a class="headerlink" href="#multi-scale" title="a-b">#</a>'
    shown = typography.held_together(f"<h1>A multi-scale block{link}</h1><p>x-y</p>")
    assert shown == f'<h1>A <span class="held">multi-scale</span> block{link}</h1><p>x-y</p>'


def test_a_measure_does_not_break_at_its_hyphen():
    page = "<p>its BD-rate</p>"
    assert typography.with_whole_measures(page) == (
        '<p>its <span class="held-wide">BD-rate</span></p>'
    )
    for kept in (
        '<span class="math notranslate">\\(1 - \\text{MS-SSIM}\\)</span>',
        "<title>BD-rate</title><option>MS-SSIM</option><code>BD-rate</code>",
        '<a title="BD-rate">x</a>',
        '<div class="math"><span class="eqno">(1.2)</span>\\[\\text{BD-rate} = 0\\]</div>',
    ):
        assert typography.with_whole_measures(kept) == kept


def test_formulas_that_are_wider_get_more_room():
    widths = [mend_pages.width_of(tex) for tex in (r"\(z\)", r"\(\hat z\)", r"\(H \times W\)")]
    assert widths[0] == widths[1] < widths[2]


def test_home_chapters():
    glossary = (ROOT / "book" / "notation.md").read_text("utf-8")
    found = search_scorer.homes(glossary)
    expected = {"mfca": "02", "dct": "01", "gain": "06", "range coder": "07", "pqf": "10"}
    assert {term: found[term][5:7] for term in expected} == expected


def test_units_stay_with_their_number_but_not_in_code():
    page = "<p>25_% more, 3_dB, 0.5_bpp, 3 dBs, Chapter_2, subchapter 2</p><pre>25 %</pre>"
    shown = typography.with_times(page.replace("_", " "))
    assert shown == page.replace("_", "\u00a0")


def table(rows, columns, first="astronaut, quality 10", value="1"):
    """A table as Sphinx writes it, whose numbers stand at the right."""
    head = "".join(f'<th class="head text-right"><p>a{n}</p></th>' for n in range(columns))
    values = f'<td class="text-right"><p>{value}</p></td>' * (columns - 1)
    row = f'<tr class="row-odd"><td class="text-left"><p>{first}</p></td>{values}</tr>'
    body = f"<thead><tr>{head}</tr></thead><tbody>{row * rows}</tbody>"
    return f'<table class="table">\n{body}</table>'


@pytest.mark.parametrize(
    "rows, columns, kind",
    [(9, 4, "table"), (9, 5, "table tight"), (4, 6, "table tight turned"), (5, 6, "table tight")],
)
def test_tables_say_how_wide_they_are(rows, columns, kind):
    shown = phone_tables.prepared(table(rows, columns))
    assert f'<table role="table" class="{kind}"' in shown
    assert ("--fields: 6" in shown) == ("turned" in kind)


def test_tables_keep_their_roles_and_their_words():
    shown = phone_tables.prepared(table(3, 7))
    assert shown.count('role="row"') == 4
    assert shown.count('role="columnheader"') == 7
    assert shown.count('role="cell"') == 21
    assert phone_tables.words_in(shown) == phone_tables.words_in(table(3, 7))


def test_values_of_wide_tables_stand_in_pairs():
    """Where the names of columns begin in the same way; a third such column has no partner."""
    names = ["q", "n", "bytes, a", "bytes, b", "bytes, c", "dB, a", "dB, b", "gain"]
    text = table(5, 8)
    for number, name in enumerate(names):
        text = text.replace(f"<p>a{number}</p>", f"<p>{name}</p>")
    shown = phone_tables.prepared(text)
    assert '<table role="table" class="table tight paired" style="--fields: 6"' in shown
    assert shown.count("alone") == 4 * 6
    alone = phone_tables.without_partner(names)
    assert [name for name, single in zip(names, alone) if single] == ["q", "n", "bytes, c", "gain"]
    assert "paired" not in phone_tables.prepared(table(5, 8))


def test_long_values_break_between_values_only():
    shown = phone_tables.prepared(table(1, 3, value="3,289 bytes, 29.91 dB"))
    assert shown.count('class="breaks text-right"') == 2
    assert "3,289\u00a0bytes, 29.91\u00a0dB" in shown
    assert "breaks" not in phone_tables.prepared(table(1, 3, value="28.9 to 35.4"))


@pytest.mark.parametrize(
    "name, kind", [("no map", "held "), ("astronaut, quality 10", "held-wide "), ("x" * 40, "")]
)
def test_names_of_rows_break_only_if_they_are_long(name, kind):
    shown = phone_tables.prepared(table(1, 3, first=name))
    assert f'<td role="cell" class="{kind}text-left"><p>{name}</p></td>' in shown


def test_names_of_files_break_before_their_ending():
    shown = phone_tables.prepared(table(1, 3, first="average.safetensors"))
    assert "<p>average<wbr>.safetensors</p>" in shown
    assert "<wbr>" not in phone_tables.prepared(table(1, 3, first="q. 10, e.g. this"))


def printed(body):
    highlight = f'<div class="highlight"><pre><span></span>{body}</pre></div>'
    return f'<div class="output stream highlight-myst-ansi notranslate">{highlight}</div>'


def test_printed_sentences_are_lines_and_columns_are_left_alone():
    shown = printed_lines.in_lines(printed("one, two\n  three\n"))
    assert '<span class="line">one, two\n</span><span class="line">  three\n</span>' in shown
    assert 'class="output stream sentences ' in shown
    for body in ("a   b\nc   d\n", "[[1 2]\n [3 4]]\n", "tensor([1., 2.])\n", "<b>x</b>\n"):
        assert printed_lines.in_lines(printed(body)) == printed(body)


def test_chapters_open_with_a_list():
    part = "<strong>You need</strong> <a>chapter 1</a>. <strong>Time:</strong> 30 minutes."
    page = f"<p><strong>You will</strong> see\na codec. {part}</p>"
    shown = openings.with_opening(page + "<p>x</p>" + page)
    assert shown.count("chapter-opening") == 1
    assert "<p><strong>You will</strong> <span>see\na codec.</span></p>" in shown
    assert "<p><strong>You need</strong> <span><a>chapter 1</a>.</span></p>" in shown
    assert "<p><strong>Time</strong> <span>30 minutes.</span></p></div><p>x</p>" in shown
