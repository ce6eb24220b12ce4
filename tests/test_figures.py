"""Figures: what a notebook shows, and what a page shows of the same figure."""

import base64
import io
import itertools
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import matplotlib.pyplot as plt
import nbformat.v4 as nb
import numpy as np
import pytest
from PIL import Image

from mfca_tutorial.evaluation import palette
from mfca_tutorial.show import figures, labels, photographs, pictures, style, svg, tokens

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import published_cells  # noqa: E402

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (6, 7, 3), dtype=np.uint8)
BIG = RNG.integers(0, 256, (60, 80, 3), dtype=np.uint8)
VARIABLE = re.compile(r"var\(--([\w-]+), (#[0-9a-f]{6})\)")


@pytest.fixture(autouse=True)
def looks():
    with matplotlib.rc_context():
        style.use_style()
        yield
    plt.close("all")


def drawn(panels=1):
    """A figure with curves side by side, a picture with exact pixels, and all kinds of text."""
    fig, axes = plt.subplots(1, panels, sharey=True, squeeze=False)
    for number, ax in enumerate(axes.flat):
        ax.plot([0, 1, 2], [1, 3, 2], color=palette.OURS, label="ours")
        ax.plot([0, 1, 2], [1, 2, 3], "o", color=palette.RIVAL, label="theirs")
        ax.set(xlabel="bits", ylabel="" if number else "dB", title=f"panel {number}")
    axes[0, 0].text(1, 2, "two\nlines")
    return fig


def pixels(figure, tmp_path):
    figure.savefig(tmp_path / "a.png")
    return np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)


def decoded(uri):
    data = base64.b64decode(uri.split(",", 1)[1])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


# ---- plots on a page


def test_colours_are_the_tokens_of_the_light_page():
    css = (ROOT / "_assets" / "tokens.css").read_text("utf-8").split("html[data-theme")[0]
    light = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))
    assert {name: light[name] for name in tokens.TOKENS.values()} == {
        name: colour for colour, name in tokens.TOKENS.items()
    }
    assert set(palette.CYCLE) <= set(tokens.TOKENS)


def test_a_plot_has_the_page_s_colours_and_font():
    text = svg.svg_of(drawn())
    used = dict(VARIABLE.findall(text))
    assert {"ours", "rival", "soft", "line", "ink"} <= set(used)
    assert not set(re.findall(r"#[0-9a-f]{6}", VARIABLE.sub("", text))) & set(tokens.TOKENS)
    assert "DejaVu" not in text
    assert text.count("var(--sans") == len(re.findall("<text", text)) > 5


def test_a_plot_has_no_ground_of_its_own():
    assert "var(--page" not in svg.svg_of(drawn())


def test_text_stays_text():
    words = [element.text for element in ElementTree.fromstring(svg.svg_of(drawn())).iter()]
    assert {"bits", "dB", "panel 0", "two", "lines"} <= set(words)


def test_a_plot_is_shown_at_its_own_size():
    fig = drawn()
    root = ElementTree.fromstring(svg.svg_of(fig))
    inches = fig.get_size_inches()
    assert [float(root.get(side)) for side in ("width", "height")] == pytest.approx(96 * inches, 1)
    assert [float(n) for n in root.get("viewBox").split()][2:] == pytest.approx(72 * inches, 0.01)


def test_two_figures_share_no_identifier():
    other = drawn()
    other.axes[0].plot([0, 2], [2, 2], "s")
    texts = [svg.svg_of(drawn()), svg.svg_of(other)]
    names = [set(re.findall(r' id="([^"]+)"', text)) for text in texts]
    assert names[0] and names[1]
    assert not names[0] & names[1]
    for text, own in zip(texts, names):
        assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)) <= {
            pair for name in own for pair in ((name, ""), ("", name))
        }


def test_pixels_inside_a_plot_are_exact():
    fig, ax = plt.subplots()
    ax.imshow(NOISE)
    (uri,) = re.findall(r'href="(data:image/webp[^"]+)"', svg.svg_of(fig))
    np.testing.assert_array_equal(decoded(uri), NOISE)


SCRIPT = """
import sys
sys.path.insert(0, {tests!r})
from test_figures import drawn
from mfca_tutorial.show import style, svg
style.use_style()
sys.stdout.buffer.write(svg.figure_html(drawn(2)).encode())
"""


def test_two_processes_draw_the_same_bytes():
    command = [sys.executable, "-c", SCRIPT.format(tests=str(ROOT / "tests"))]
    first, second = (subprocess.run(command, capture_output=True, check=True) for _ in range(2))
    assert len(first.stdout) > 10_000
    assert first.stdout == second.stdout


def test_on_a_phone_panels_stand_one_below_the_other():
    fig = drawn(3)
    svg.lay_out_for_phone(fig)
    fig.draw_without_rendering()
    boxes = [ax.get_position() for ax in fig.axes]
    assert fig.get_size_inches()[0] == svg.PHONE_WIDTH
    assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(boxes))

    # each has its labels, which only the first one had
    assert [ax.get_ylabel() for ax in fig.axes] == ["dB"] * 3
    assert all(ax.yaxis.get_tick_params()["labelleft"] for ax in fig.axes)


def test_a_figure_says_how_it_stands_on_a_phone():
    fig = drawn(4)
    svg.on_phones(fig, columns=2, height=5)
    svg.lay_out_for_phone(fig)
    fig.draw_without_rendering()
    assert tuple(fig.get_size_inches()) == (svg.PHONE_WIDTH, 5)
    assert len({round(ax.get_position().y0, 3) for ax in fig.axes}) == 2


def test_a_page_gets_both_variants_and_the_alternative_text():
    output = nb.new_output("display_data", {"text/html": svg.figure_html(drawn(2))})
    cell = nb.new_code_cell("plot()", outputs=[output])
    cell.metadata["mystnb"] = {"image": {"alt": 'Two curves, "ours" above theirs'}}
    published_cells.dress(nb.new_notebook(cells=[cell]))
    shown = cell.outputs[0]["data"]["text/html"]
    assert shown.count('aria-label="Two curves, &quot;ours&quot; above theirs"') == 2
    widths = [int(width) for width in re.findall(r'<svg class="plot"[^>]* width="(\d+)"', shown)]
    assert widths[1] < 360 < widths[0]


# ---- names beside curves


@pytest.mark.parametrize("wanted", [[0.5, 0.5, 0.5], [0.9, 0.1, 0.12], [0.1, 0.4, 0.9]])
def test_names_keep_their_order_and_their_distance(wanted):
    moved = labels._apart(np.array(wanted), 0.1)
    assert np.all(np.diff(np.sort(moved)) >= 0.1 - 1e-12)
    assert np.mean(moved) == pytest.approx(np.mean(wanted))
    pairs = itertools.combinations(range(3), 2)
    assert all(moved[i] < moved[j] for i, j in pairs if wanted[i] < wanted[j])


def test_names_that_do_not_touch_stay_where_they_are():
    wanted = np.array([0.3, 0.9, 0.1])
    np.testing.assert_allclose(labels._apart(wanted, 0.1), wanted)


def test_only_names_that_share_a_part_of_the_width_move():
    starts, stops = np.array([0.5, 0.0, 0.9]), np.array([0.95, 0.4, 1.2])
    assert labels._overlapping(starts, stops) == [[1], [0, 2]]


def test_a_line_leads_to_a_name_that_had_to_move():
    fig, ax = plt.subplots()
    for end, label in ((1.0, "low"), (1.02, "middle"), (1.04, "high"), (3.0, "far away")):
        ax.plot([0, 1], [0, end], label=label)
    figures.name_lines(ax)
    led = {text.get_text(): text.arrow_patch is not None for text in ax.texts}
    assert led == {"low": True, "middle": False, "high": True, "far away": False}

    # the line begins at the height where the curve ends
    ends = {line.get_label(): line.get_ydata()[-1] for line in ax.get_lines()}
    for text in ax.texts:
        height = ax.transLimits.transform((1, ends[text.get_text()]))[1]
        assert text.xy[1] == pytest.approx(height)


def test_on_phones_names_find_their_places_anew():
    fig, ax = plt.subplots(figsize=(7.2, 6))
    for end in range(5):
        ax.plot([0, 1], [0, 10 + 1.2 * end], label=f"curve {end}")
    figures.name_lines(ax)
    svg.lay_out_for_phone(fig)
    fig.canvas.draw()
    boxes = sorted((text.get_window_extent() for text in ax.texts), key=lambda box: box.y0)
    assert len(boxes) == 5
    assert all(below.y1 <= above.y0 + 1 for below, above in itertools.pairwise(boxes))


def test_curves_are_named_in_their_colours():
    fig = drawn()
    figures.name_lines(fig.axes[0], bold=["ours"])
    named = {text.get_text(): text for text in fig.axes[0].texts}
    assert named["ours"].get_color() == palette.OURS_TEXT
    assert named["theirs"].get_color() == palette.RIVAL_TEXT
    assert named["ours"].get_fontweight() == "bold" != named["theirs"].get_fontweight()


def test_names_of_curves_can_be_read():
    from test_look import contrast, tokens

    page = tokens("light")["page"]
    assert all(
        contrast(palette.text_colour(c), page) >= 4.5 for c in (*palette.CYCLE, palette.OURS)
    )


# ---- photographs


def test_photographs_keep_their_pixels(tmp_path):
    found = pixels(figures.show_images([NOISE, NOISE[::-1]], ["one", "two"], scale=8), tmp_path)
    wanted = figures.enlarge(NOISE, 8)
    rows = range(found.shape[0] - 47)
    windows = (found[r : r + 48, c : c + 56] for r, c in itertools.product(rows, range(30)))
    assert any(np.array_equal(window, wanted) for window in windows)


def test_a_detail_is_drawn_again_below_the_picture(tmp_path):
    plain = pixels(figures.show_images([BIG, BIG]), tmp_path)
    found = pixels(figures.show_images([BIG, BIG], zoom=(5, 7, 12), factor=3), tmp_path)
    ground = plain[0, 0]

    # the picture is where it was, with a frame around the square and nothing changed inside
    rows, columns = np.where((plain != ground).any(2))
    top, left = rows.min(), columns.min()
    picture = found[top : top + 60, left : left + 80]
    np.testing.assert_array_equal(picture[7:15, 9:17], BIG[7:15, 9:17])
    changed = (picture != BIG).any(2)
    assert changed[4:6, 6:20].any(0).all()
    assert not changed[:3].any() and not changed[20:].any()

    # below it stands the square, three times as large
    below = found[top + 60 :, left : left + 36]
    rows = np.where((below != ground).any((1, 2)))[0]
    wanted = figures.enlarge(BIG[5:17, 7:19], 3)
    np.testing.assert_array_equal(below[rows.min() : rows.min() + 36], wanted)


def test_on_a_page_photographs_are_images_with_exact_pixels():
    bar = figures.ColourBar("0", "9 < 10", "dB")
    fig = figures.show_images([BIG, BIG], ["one\ntwo", "<3"], zoom=(5, 7, 12), bars=[bar, None])
    page = photographs.photographs_html(fig)
    images = [decoded(uri) for uri in re.findall(r'src="([^"]+)"', page)]
    np.testing.assert_array_equal(images[0], BIG)
    np.testing.assert_array_equal(images[-1], BIG[5:17, 7:19])
    assert page.startswith('<div class="photographs" role="group" aria-label="">')
    assert "one<br>two" in page and "&lt;3" in page and "9 &lt; 10" in page
    assert page.count("photograph-frame") == 2 and page.count('class="colour-bar"') == 1


@pytest.mark.parametrize(
    "count, columns, scale, on_phones",
    [(2, None, 4, 3), (3, None, 4, 2), (16, 8, 1, 4), (4, 2, 2, 2), (24, 6, 2, 3), (15, 3, 4, 3)],
)
def test_photographs_have_fewer_columns_on_a_phone(count, columns, scale, on_phones):
    side = 72 if count == 16 else 80
    fig = figures.show_images([np.zeros((side, side))] * count, columns=columns, scale=scale)
    page = photographs.photographs_html(fig)
    assert f"--phone-columns: {min(on_phones, columns or count)};" in page


def test_a_colour_bar_has_the_colours_of_its_map():
    ramp = figures.ColourBar("-1", "1", "", "signed").colours(3)
    np.testing.assert_array_equal(ramp, figures.signed([[-1, 0, 1]]))
    ramp = figures.ColourBar("0", "1", "", "magma").colours(3)
    np.testing.assert_array_equal(ramp, figures.heat([[0, 0.5, 1]], cmap="magma"))


def test_maps_around_zero_are_known_on_pages():
    values = RNG.normal(size=(9, 9))
    others = [BIG, figures.heat(values), figures.error_map(NOISE, NOISE[::-1])]
    assert pictures.is_signed(figures.signed(values))
    assert not any(map(pictures.is_signed, others))

    # photographs, with their colour bar
    bars = [figures.ColourBar("-1", "1", "", "signed"), None]
    shown = figures.show_images([figures.signed(values), NOISE], bars=bars)
    assert photographs.photographs_html(shown).count("signed-map") == 2

    # plots, with their colour bar, once for desks and once for phones
    fig, axes = plt.subplots(1, 2)
    axes[0].imshow(values, cmap="viridis")
    fig.colorbar(axes[1].imshow(values, cmap="RdBu_r"), ax=axes[1])
    assert svg.figure_html(fig).count('<image class="signed-map"') == 4


def test_colour_bars_get_no_wider_on_phones():
    fig, axes = plt.subplots(1, 3, figsize=(7.4, 2.4))
    for ax in axes:
        shown = ax.imshow(np.eye(4))
    bar = fig.colorbar(shown, ax=axes).ax

    def width():
        fig.canvas.draw()
        return bar.get_window_extent().width / fig.dpi  # inches

    at_a_desk = width()
    svg.lay_out_for_phone(fig)
    assert fig.get_size_inches()[1] > 5
    assert width() < 1.3 * at_a_desk
