"""Explorables: both faces show what `render` returns; the published one has it in words."""

import base64
import io
import itertools
import json
import random
import re
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from mfca_tutorial.show import figures, html, pictures, style
from mfca_tutorial.show.computed import PROOFS
from mfca_tutorial.show.explorables import Choice, Curtain, Explorable, Slider
from mfca_tutorial.show.live import divided
from mfca_tutorial.show.painter import Painter

matplotlib.use("agg")
WORDS = {"title": "A <title>", "task": "Move a.", "alt": lambda a, b: f"a {a}, b {b}"}
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (6, 7, 3), dtype=np.uint8)


def render(a, b):
    return np.roll(NOISE, a, axis=0) // (1 + "ij".index(b)), f"a = {a}"


def explorable(**more):
    controls = {"a": Slider("how far", range(5), 3), "b": Choice("which", ("i", "j"), "j")}
    return Explorable(render, **WORDS | {"lossless": True} | controls | more)


def data_of(block):
    return json.loads(re.search(r'class="explorable-data">(.*?)</script>', block, re.S).group(1))


def decode(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB"))


def test_published_face_holds_every_frame_exactly():
    data = data_of(explorable().html())
    assert data["counts"] == [5, 2]
    assert data["first"] == 7
    assert len(data["index"]) == 10
    for at, (a, b) in enumerate(itertools.product(range(5), "ij")):
        picture = decode(data["frames"][data["index"][at]])
        np.testing.assert_array_equal(picture, render(a, b)[0])
        assert data["notes"][at] == f"a = {a}"
        assert data["alts"][at] == f"a {a}, b {b}"


def test_published_face_begins_with_the_start_values_and_labels():
    block = explorable().html()
    picture = re.search(r"<img [^>]*>", block).group()
    source = re.search(r'src="([^"]+)"', picture).group(1)
    np.testing.assert_array_equal(decode(source), render(3, "j")[0])
    assert 'alt="a 3, b j"' in picture
    assert "A &lt;title&gt;" in block

    # every field has a label, and shows its start value
    labelled = re.findall(r'<label for="([^"]+)"', block)
    fields = re.findall(r'id="([^"]+)" class="explorable-in', block)
    assert labelled == fields
    assert len(set(fields)) == 2
    assert '<option value="1" selected>j</option>' in block
    assert '<option value="0">i</option>' in block
    assert 'aria-valuetext="3"' in block


def test_equal_frames_are_stored_once():
    still = Explorable(lambda a: NOISE, **WORDS | {"alt": "noise"}, a=Slider("a", range(9)))
    data = data_of(still.html())
    assert len(data["frames"]) == 1
    assert data["index"] == [0] * 9


def test_a_matplotlib_figure_is_drawn_and_closed():
    def draw(a):
        fig, ax = plt.subplots(figsize=(2, 1), dpi=50)
        ax.plot([0, a])
        return fig

    shown = Explorable(draw, **WORDS | {"alt": "a line"}, a=Slider("a", (1, 2)))
    frame = shown.show(a=1)
    assert frame.picture.shape == (50, 100, 3)
    assert frame.picture.min() < frame.picture.max()
    assert frame.note == frame.label == ""
    assert not plt.get_fignums()


def test_both_faces_repeat_pixels():
    def draw(a):
        return np.full((2, 3), a)  # grey, in 0..1

    grey = Explorable(draw, **WORDS | {"alt": "grey"}, scale=4, a=Slider("a", (0.0, 1.0)))
    picture = grey.show(a=1.0).picture
    assert picture.shape == (2, 3, 3)
    assert picture.min() == 255

    assert 'width="12" height="8"' in grey.html()
    live = Image.open(io.BytesIO(grey.live().children[-2].value))
    assert live.size == (12, 8)


@pytest.mark.parametrize(
    ("control", "first"),
    [
        (Slider("a", (5, 6, 7)), 1),
        (Slider("a", (5, 6, 7, 8)), 2),
        (Slider("a", (0, 1), 0), 0),
        (Choice("a", ("x", "y")), 0),
        (Choice("a", ("x", "y"), "y"), 1),
    ],
)
def test_where_controls_start(control, first):
    assert control.first() == first
    assert control.widget().index == first


def test_refuses_too_many_frames_and_frames_of_two_sizes():
    with pytest.raises(ValueError, match="257 frames"):
        Explorable(lambda a: NOISE, **WORDS, a=Slider("a", range(257))).html()
    with pytest.raises(ValueError, match=r"differ in size, \(2, 7\) and \(3, 7\)"):
        Explorable(lambda a: NOISE[:a], **WORDS | {"alt": "x"}, a=Slider("a", (2, 3))).html()


def test_live_face_follows_its_controls():
    pytest.importorskip("ipywidgets")
    _, slider, choice, picture, note = explorable().live().children
    before = picture.value
    slider.value = 1
    choice.value = "i"
    assert picture.value != before
    assert note.value == "a = 1"
    shown = np.asarray(Image.open(io.BytesIO(picture.value)))
    np.testing.assert_array_equal(shown, render(1, "i")[0])


def test_live_face_takes_the_readers_image(tmp_path):
    pytest.importorskip("ipywidgets")
    black = np.zeros((64, 64, 3), np.uint8)
    words = WORDS | {"alt": "x"}
    shown = Explorable(lambda x, a: x // a, **words, own_image=black, a=Slider("a", (1, 2), 1))
    _, _, path, picture, note = shown.live().children
    Image.fromarray(np.full((70, 90, 3), 200, np.uint8)).save(tmp_path / "mine.png")
    path.value = str(tmp_path / "mine.png")
    mine = Image.open(io.BytesIO(picture.value))
    assert np.asarray(mine).min() == 200
    assert mine.size == (64, 64)  # cut to whole blocks

    # a file that is not there leaves the picture as it is
    path.value = str(tmp_path / "none.png")
    assert "none.png" in note.value
    assert np.asarray(Image.open(io.BytesIO(picture.value))).min() == 200


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [
        ((30, 100), slice(0, 30), slice(18, 82)),  # less than a block stays, else whole blocks
        ((512, 513), slice(0, 512), slice(0, 512)),
        ((700, 64), slice(94, 606), slice(0, 64)),
    ],
)
def test_the_middle_of_a_large_image(shape, rows, columns):
    image = RNG.integers(0, 256, (*shape, 3), dtype=np.uint8)
    np.testing.assert_array_equal(pictures.middle(image), image[rows, columns])


def test_the_face_follows_the_environment(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    for published in ("1", ""):
        monkeypatch.setenv("MFCA_PUBLISHED", published)
        explorable()._ipython_display_()
        explorable(computed="keep")._ipython_display_()
        curtain()._ipython_display_()
    frames, computed, two = shown[:3]
    for block in (frames, computed, two):
        assert "<input" in block.data
        assert "<style>" not in block.data

    # live, what needs Python is made of widgets; the rest is the same block with all it needs
    frames_live, computed_live, two_live = shown[3:]
    assert type(frames_live).__name__ == "VBox"
    for block, live in ((computed, computed_live), (two, two_live)):
        assert live.data == block.data + html.companions()


LEFT = np.zeros((4, 40, 3), np.uint8)
RIGHT = np.full((4, 40, 3), 200, np.uint8)


def curtain(**images):
    images = images or {"JPEG": LEFT, "WebP": RIGHT}
    return Curtain(images, title="c", task="t", alt="Two pictures.", answer="None.")


def test_curtain_holds_its_pictures_exactly_and_can_be_moved_by_keyboard():
    block = curtain().html()
    data = data_of(block)
    np.testing.assert_array_equal(decode(data["frames"][0]), LEFT)
    np.testing.assert_array_equal(decode(data["frames"][1]), RIGHT)
    assert data["labels"] == ["JPEG", "WebP"]
    assert '<span class="tag left">JPEG</span><span class="tag right">WebP</span>' in block
    border = re.search(r'<input type="range" id="explorable-c-border"[^>]*>', block).group()
    assert 'aria-label="border between JPEG and WebP"' in border
    assert "<details" in block and "<p>None.</p>" in block


def test_curtain_lists_names_and_labels_its_corners():
    images = {"JPEG, 7,621 bytes, 24.1 dB": LEFT, "ours, 900 bytes": RIGHT, "original": LEFT}
    block = Curtain(
        images, title="c", task="t", alt="Two pictures.", left="ours, 900 bytes", right="original"
    ).html()
    assert re.findall(r"<option.*?>(.*?)</option>", block)[:3] == ["JPEG", "ours", "original"]
    assert data_of(block)["labels"][0] == "JPEG, 7,621\u00a0bytes, 24.1\u00a0dB"
    tags = '<span class="tag left">ours, 900\u00a0bytes</span><span class="tag right">original'
    assert tags in block


def test_curtain_refuses_pictures_of_two_sizes():
    with pytest.raises(ValueError, match="differ in size"):
        curtain(a=LEFT, b=RIGHT[:2])


@pytest.mark.parametrize(("percent", "at"), [(0, 0), (50, 20), (100, 40)])
def test_live_curtain_shows_left_and_right_of_its_border(percent, at):
    shown = explorable().show(a=1, b="i")._replace(picture=LEFT, beside=RIGHT)
    both = divided(shown, percent)
    line = slice(max(at - 1, 0), at + 1)
    assert at == 40 or both[:, line].min() == 255
    assert not both[:, : line.start].any()
    assert (both[:, line.stop :] == 200).all()


def test_frames_may_have_a_curtain_and_labels():
    def draw(a):
        return NOISE // a, f"a = {a}", f"label {a}"

    behind = {1: NOISE[::-1], 2: NOISE[:, ::-1]}
    words = WORDS | {"alt": "noise", "lossless": True}
    sliders = {"a": Slider("a", (1, 2), 1)}

    # one picture for all frames, or one for each
    same = Explorable(draw, **words, **sliders, against=("before", behind[1]))
    other = Explorable(draw, **words, **sliders, against=lambda a: (f"behind {a}", behind[a]))
    for shown, labels in ((same, ["before"] * 2), (other, ["behind 1", "behind 2"])):
        block = shown.html()
        data = data_of(block)
        assert data["labels"] == ["label 1", "label 2"]
        assert data["besideLabels"] == labels
        for number, place in enumerate(data["beside"], 1):
            wanted = behind[1 if shown is same else number]
            np.testing.assert_array_equal(decode(data["frames"][place]), wanted)
        assert f'<span class="tag left">label 1</span><span class="tag right">{labels[0]}' in block

    # live, the border is one more slider
    _, slider, border, picture, _ = other.live().children
    border.value = 0
    slider.value = 2
    seen = np.asarray(Image.open(io.BytesIO(picture.value)))
    np.testing.assert_array_equal(seen[:, 1:], behind[2][:, 1:])


def test_panels_have_names_that_follow_the_controls():
    words = WORDS | {"alt": "noise"}
    shown = Explorable(
        lambda a: NOISE, **words, panels=lambda a: (f"left {a}", "-1 dB"), a=Slider("a", (1, 2), 2)
    )
    block = shown.html()
    assert data_of(block)["panels"] == [["left 1", "−1\u00a0dB"], ["left 2", "−1\u00a0dB"]]
    assert "<span>left 2</span><span>−1\u00a0dB</span></div>" in block
    note = shown.live().children[-1]
    assert note.value == "left 2 | −1\u00a0dB"

    # without names there is no line for them
    assert "explorable-panels" not in explorable().html()


def test_labels_of_some_frames_leave_the_other_corners_empty():
    def draw(a):
        return NOISE, "a note", "a label" if a == 2 else ""

    words = WORDS | {"alt": "noise"}
    shown = Explorable(draw, **words, against=("x", NOISE), a=Slider("a", (1, 2), 1))
    assert '<span class="tag left"></span>' in shown.html()


def test_the_line_below_has_room_for_the_longest():
    longest = Explorable(
        lambda a: (NOISE, "x" * a), **WORDS | {"alt": "noise"}, a=Slider("a", (1, 9, 3), 1)
    )
    assert f'aria-hidden="true">{"x" * 9}</span>' in longest.html()


def test_what_is_computed_comes_with_numbers_and_with_what_python_says():
    given = {"few": [1, 2.5], "bytes": NOISE, "floats": np.linspace(0, 1, 70)}
    data = data_of(explorable(computed="keep", given=given).html())
    assert "frames" not in data

    # the first proof is where the reader begins
    proofs = data["proofs"]
    assert proofs[0]["at"] == [3, 1]
    assert len(proofs) == PROOFS
    for proof in proofs:
        a, _ = proof["at"]
        assert proof["note"] == f"a = {a}"

    # arrays keep every bit of what they are stored in
    assert data["given"]["few"] == [1, 2.5]
    for name, kind in (("bytes", np.uint8), ("floats", np.float32)):
        packed = data["given"][name]
        raw = base64.b64decode(packed["base64"])
        array = np.frombuffer(raw, packed["type"]).reshape(packed["shape"])
        np.testing.assert_array_equal(array, given[name].astype(kind))


def test_a_painter_changes_the_chapters_own_variable(monkeypatch):
    mine = np.zeros((2, 2), int)

    def draw():
        return np.full((4, 6, 3), 100 + mine.sum(), np.uint8), f"sum {mine.sum()}"

    painter = Painter(mine, (-12, 0, 12), draw, alt="A map.", scale=2)
    grid, picture, note = painter.live().children
    grid.children[1].value = 12
    grid.children[2].value = -12
    grid.children[3].value = 12
    assert mine.tolist() == [[0, 12], [-12, 12]]
    assert note.value == "sum 12"
    seen = np.asarray(Image.open(io.BytesIO(picture.value)))
    assert seen.shape == (8, 12, 3) and (seen == 112).all()

    # on a page, the picture of what the variable is
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setenv("MFCA_PUBLISHED", "1")
    painter._ipython_display_()
    assert 'alt="A map."' in shown[0].data and "<p>sum 12</p>" in shown[0].data


def test_scripts_and_styles_are_complete():
    scripts = {file.name for file in html.ASSETS.glob("*.js")}
    assert scripts == set(html.SCRIPTS)

    # each is needed by every explorable, or by one of the kinds that it defines
    needed = {script for kind in html.NEEDED.values() for script in kind}
    assert needed | set(html.SHARED) == scripts
    for kind, files in html.NEEDED.items():
        text = "".join((html.ASSETS / name).read_text("utf-8") for name in files)
        assert f"mfca.kinds.{kind} = " in text

    # none of them ends the element that holds it
    assert html.companions().count("</script") == html.companions().count("</style") == 1


def test_live_colours_are_those_of_the_book():
    def values(text):
        return dict(re.findall(r"--([\w-]+): (#\w+);", text))

    tokens = (Path(__file__).resolve().parents[1] / "_assets" / "tokens.css").read_text("utf-8")
    for own, book in zip(
        (html.ASSETS / html.COLOURS).read_text("utf-8").split("}")[:2],
        (tokens[tokens.index(":root {") :]).split("}")[:2],
    ):
        assert values(own) == values(book)


def test_a_chapter_starts_with_the_same_numbers_each_time(capsys):
    def numbers():
        return [random.random(), float(np.random.rand()), float(torch.rand(1))]

    drawn = []
    for seed in (3, 3, 4):
        with matplotlib.rc_context():
            device = style.start(seed)
            assert matplotlib.rcParams["image.interpolation"] == "none"
        drawn.append(numbers())
    assert drawn[0] == drawn[1]
    assert not set(drawn[0]) & set(drawn[2])

    # two lines to include with a question
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert torch.__version__ in lines[0] and np.__version__ in lines[0]
    assert lines[1].startswith("runs on ")
    assert device.type in ("cpu", "cuda")


def test_a_gpu_is_taken_and_named(capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "Example GPU")
    with matplotlib.rc_context():
        assert style.start().type == "cuda"
    line = capsys.readouterr().out.splitlines()[1]
    assert line.startswith("runs on the processor, which also makes all files")
    assert line.endswith("long training runs on Example GPU")


def test_error_map_is_dark_where_pictures_agree():
    shown = figures.error_map(NOISE, NOISE)
    assert (shown == shown[0, 0]).all()
    other = NOISE.copy()
    other[2, 3] ^= 255
    assert (figures.error_map(NOISE, other) != shown).any(axis=2).sum() == 1


def test_signed_maps_are_blue_white_and_red():
    low, zero, high = figures.signed([[-2, 0, 2]])[0].astype(int)
    assert low[2] > low[0]  # blue
    assert high[0] > high[2]  # red
    assert zero.min() > 240  # white
    np.testing.assert_array_equal(figures.signed([[1, -1]], limit=1), figures.signed([[9, -9]]))


def test_heat_spreads_the_colours_over_its_range():
    default = figures.heat([[1, 2, 3]])
    np.testing.assert_array_equal(default, figures.heat([[0, 0.5, 1]], 0, 1))
    np.testing.assert_array_equal(default[:, 1:], figures.heat([[2, 9]], 1, 3))


def test_curves_of_codecs_have_their_colours_and_names():
    line = ([0, 1], [0, 1])
    fig = figures.plot_curves({"mfca": line, "mine": line}, xlabel="x", ylabel="y")
    (axes,) = fig.axes
    assert [text.get_text() for text in axes.texts] == ["MFCA codec", "mine"]
    colours = [curve.get_color() for curve in axes.lines]
    assert colours == [figures.CODECS["mfca"].colour, figures.CYCLE[1]]
    assert not plt.get_fignums()


def test_columns_without_a_number_are_text():
    rows = [["a", 1, "well", "-"], ["b", "2,000", "a loss", "12"]]
    lines = figures.table(["name", "bytes", "verdict", "dB"], rows).data.splitlines()
    assert lines[1] == "|:--|--:|:--|--:|"


def test_between_pictures_in_a_row_the_page_is_seen():
    one = np.full((4, 3, 3), 200, np.uint8)
    row = figures.in_a_row([one, one // 2], 2)
    assert row.shape == (4, 8, 4)
    assert row[..., 3].tolist() == [[255] * 3 + [0] * 2 + [255] * 3] * 4
    np.testing.assert_array_equal(row[:, 5:, :3], one // 2)

    # frames keep what is transparent
    shown = Explorable(
        lambda n: row, n=Slider("n", (1,)), title="Row", task="", alt="a", lossless=True
    )
    uri = re.search(r'"(data:image/webp;base64,[^"]+)"', shown.html())[1]
    stored = Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))
    np.testing.assert_array_equal(np.asarray(stored), row)


def test_a_table_is_markdown():
    shown = figures.table(["codec", "bytes"], [["JPEG", 12], ["WebP", "1,000"]], "Sizes").data
    lines = ["| codec | bytes |", "|:--|--:|", "| JPEG | 12 |", "| WebP | 1,000 |"]
    assert shown == "\n".join(["**Sizes**", "", *lines])


def test_a_table_has_true_minus_signs():
    row = ["mbt2018-mean", "-1.5 % and 3-4", "`x-1 -2`", "$10^{-3}$", -0.25]
    shown = figures.table(["name", "change", "code", "size", "dB"], [row]).data.splitlines()[-1]
    assert shown == "| mbt2018-mean | \u22121.5 % and 3-4 | `x-1 -2` | $10^{-3}$ | \u22120.25 |"


def test_source_is_shown_without_its_docstring():
    bare = figures.show_source(Explorable.describe).data
    assert bare.startswith("```python\ndef describe(self")
    assert "Return the alternative text" not in bare
    assert "one text for all frames" in bare
    assert "Return the alternative text" in figures.show_source(Explorable.describe, True).data
