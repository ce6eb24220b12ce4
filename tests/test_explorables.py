"""Explorables: both faces show what `render` returns, and the published one says so to screen readers."""

import base64
import io
import json
import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from mfca_tutorial.show import figures
from mfca_tutorial.show.explorables import Choice, Curtain, Explorable, Slider

matplotlib.use("agg")
WORDS = {"title": "A <title>", "task": "Move a.", "alt": lambda a, b: f"a {a}, b {b}"}
RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (6, 7, 3), dtype=np.uint8)


def render(a, b):
    return np.roll(NOISE, a, axis=0) // (1 + "ij".index(b)), f"a = {a}"


def explorable(**more):
    controls = {"a": Slider("how far", range(5), 3), "b": Choice("which", ("i", "j"), "j")}
    return Explorable(render, **{**WORDS, "lossless": True, **controls, **more})


def data_of(block):
    return json.loads(re.search(r'class="explorable-data">(.*?)</script>', block, re.S).group(1))


def decode(uri):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB"))


def test_published_face_holds_every_frame_exactly():
    data = data_of(explorable().html())
    assert data["counts"] == [5, 2] and data["first"] == 7
    for a in range(5):
        for j, b in enumerate("ij"):
            at = a * 2 + j
            np.testing.assert_array_equal(
                decode(data["frames"][data["index"][at]]), render(a, b)[0]
            )
            assert data["notes"][at] == f"a = {a}" and data["alts"][at] == f"a {a}, b {b}"


def test_published_face_begins_with_the_start_values_and_labels():
    block = explorable().html()
    picture = re.search(r"<img [^>]*>", block).group()
    np.testing.assert_array_equal(
        decode(re.search(r'src="([^"]+)"', picture).group(1)), render(3, "j")[0]
    )
    assert 'alt="a 3, b j"' in picture and "A &lt;title&gt;" in block
    labelled = re.findall(r'<label for="([^"]+)"', block)
    fields = re.findall(r'id="([^"]+)" class="explorable-in', block)
    assert labelled == fields and len(set(fields)) == 2
    assert '<option value="1" selected>j</option>' in block and 'aria-valuetext="3"' in block


def test_equal_frames_are_stored_once():
    data = data_of(
        Explorable(lambda a: NOISE, **{**WORDS, "alt": "noise"}, a=Slider("a", range(9))).html()
    )
    assert len(data["frames"]) == 1 and data["index"] == [0] * 9


def test_scale_figures_and_greys():
    def draw(a):
        fig, ax = plt.subplots(figsize=(2, 1), dpi=50)
        ax.plot([0, a])
        return fig

    shown = Explorable(draw, **{**WORDS, "alt": "a line"}, a=Slider("a", (1, 2)))
    assert shown.show(a=1)[0].shape == (50, 100, 3) and not plt.get_fignums()
    grey = Explorable(
        lambda a: np.full((2, 3), a), **{**WORDS, "alt": "grey"}, scale=4, a=Slider("a", (0.0, 1.0))
    )
    assert grey.show(a=1.0)[0].shape == (2, 3, 3) and grey.show(a=1.0)[0].min() == 255
    live = Image.open(io.BytesIO(grey.live().children[-2].value))
    assert 'width="12" height="8"' in grey.html() and live.size == (12, 8)


def test_refuses_too_many_frames_and_frames_of_two_sizes():
    with pytest.raises(ValueError, match="257 frames"):
        Explorable(lambda a: NOISE, **WORDS, a=Slider("a", range(257))).html()
    with pytest.raises(ValueError, match="differ in size"):
        Explorable(lambda a: NOISE[:a], **{**WORDS, "alt": "x"}, a=Slider("a", (2, 3))).html()


def test_live_face_follows_its_controls():
    pytest.importorskip("ipywidgets")
    box = explorable().live()
    slider, choice, picture, note = (
        box.children[1],
        box.children[2],
        box.children[-2],
        box.children[-1],
    )
    before = picture.value
    slider.value, choice.value = 1, "i"
    assert picture.value != before and note.value == "a = 1"
    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(picture.value))), render(1, "i")[0]
    )


def test_live_face_takes_the_readers_image(tmp_path):
    pytest.importorskip("ipywidgets")
    black = np.zeros((64, 64, 3), np.uint8)
    shown = Explorable(
        lambda x, a: x // a, **{**WORDS, "alt": "x"}, own_image=black, a=Slider("a", (1, 2), 1)
    )
    box = shown.live()
    path, picture, note = box.children[2], box.children[-2], box.children[-1]
    Image.fromarray(np.full((70, 90, 3), 200, np.uint8)).save(tmp_path / "mine.png")
    path.value = str(tmp_path / "mine.png")
    assert np.asarray(Image.open(io.BytesIO(picture.value))).min() == 200
    path.value = str(tmp_path / "none.png")
    assert "none.png" in note.value


def test_the_face_follows_the_environment(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setenv("MFCA_PUBLISHED", "1")
    explorable()._ipython_display_()
    monkeypatch.delenv("MFCA_PUBLISHED")
    explorable()._ipython_display_()
    assert "<input" in shown[0].data and type(shown[1]).__name__ == "VBox"


def test_curtain_shows_left_and_right_of_its_border():
    left, right = np.zeros((4, 40, 3), np.uint8), np.full((4, 40, 3), 200, np.uint8)
    curtain = Curtain({"JPEG": left, "WebP": right}, title="c", task="t", alt="Two pictures.")
    picture = curtain.compose("JPEG", "WebP", 50)
    assert picture[:, :19].max() == 0 and picture[:, 21:].min() == 200 and picture[0, 20, 0] == 255
    np.testing.assert_array_equal(curtain.compose("JPEG", "WebP", 0)[:, 1:], right[:, 1:])
    data = data_of(curtain.html())
    np.testing.assert_array_equal(decode(data["frames"][0]), left)
    np.testing.assert_array_equal(decode(data["frames"][1]), right)


def test_photographs_keep_their_pixels(tmp_path):
    fig = figures.show_images([NOISE, NOISE[::-1]], ["one", "two"], scale=8)
    fig.savefig(tmp_path / "a.png")
    drawn = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    wanted = figures.enlarge(NOISE, 8)
    corners = [
        (r, c)
        for r in range(drawn.shape[0] - 47)
        for c in range(30)
        if (drawn[r, c] == wanted[0, 0]).all()
    ]
    assert any(np.array_equal(drawn[r : r + 48, c : c + 56], wanted) for r, c in corners)


def test_error_map_is_dark_where_pictures_agree():
    shown = figures.error_map(NOISE, NOISE)
    assert (shown == shown[0, 0]).all()
    other = NOISE.copy()
    other[2, 3] ^= 255
    assert (figures.error_map(NOISE, other) != shown).any(axis=2).sum() == 1
