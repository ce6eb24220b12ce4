"""The tokens of the book's look: colours that everybody can tell apart, text that can be read."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from mfca_tutorial.evaluation import palette

ASSETS = Path(__file__).resolve().parent.parent / "_assets"
CSS = (ASSETS / "tokens.css").read_text("utf-8")

CATEGORIES = ("ours", "blue", "amber", "teal", "violet", "rival")
TEXT = ("ink", "soft", "ours-deep", "blue-deep")
SURFACES = ("page", "card", "wash")

# words on a fill, and the fill
ON = {
    "on-ours": "ours-deep",
    "on-blue": "blue",
    "on-violet": "violet",
    "ink": "rival",
    "card": "amber",
}

# How colours look without one kind of cone: on linear RGB, severity 1.0, from table 1 of
# Machado, Oliveira and Fernandes, "A physiologically-based model for simulation of color vision
# deficiency", IEEE TVCG 15(6), 2009.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def tokens(theme):
    """Colours by name, '#rrggbb'; the dark ones replace some of the light ones."""
    light, dark = CSS.split('html[data-theme="dark"]')
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    if theme == "dark":
        replaced = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))
        assert set(replaced) == set(found)
        found |= replaced
    return found


def linear(colour):
    """'#rrggbb' -> linear RGB in 0..1 (IEC 61966-2-1)."""
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def seen(colour, sight):
    """The CIELAB coordinates of a colour for somebody with that sight."""
    value = np.clip(SIGHT[sight] @ linear(colour), 0, 1)
    srgb = np.where(value <= 0.0031308, 12.92 * value, 1.055 * value ** (1 / 2.4) - 0.055)
    return rgb2lab(srgb[None, None])[0, 0]


def distance(one, other, sight):
    return float(deltaE_ciede2000(seen(one, sight), seen(other, sight)))


def contrast(one, other):
    """The contrast ratio of WCAG 2.2, 1..21."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    brightness = sorted(float(linear(colour) @ weights) + 0.05 for colour in (one, other))
    return brightness[1] / brightness[0]


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_categories_can_be_told_apart(theme, sight):
    colours = tokens(theme)
    distances = {
        (one, other): distance(colours[one], colours[other], sight)
        for one, other in itertools.combinations(CATEGORIES, 2)
    }
    assert min(distances.values()) >= 15, min(distances.items(), key=lambda item: item[1])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast(theme):
    colours = tokens(theme)
    for name in CATEGORIES:
        assert contrast(colours[name], colours["page"]) >= 3, name
    for name, surface in itertools.product(TEXT, SURFACES):
        assert contrast(colours[name], colours[surface]) >= 4.5, (name, surface)
    for words, fill in ON.items():
        assert contrast(colours[words], colours[fill]) >= 4.5, (words, fill)


def test_figures_have_the_colours_of_the_light_page():
    colours = tokens("light")
    own = ("mfca", "jpeg", "avif", "jpeg2000", "webp")
    assert [palette.CODECS[name].colour for name in own] == [colours[c] for c in CATEGORIES[:5]]
    published = {palette.CODECS[name].colour for name in palette.PUBLISHED.values()}
    assert published == {colours["rival"]}
    assert palette.CODECS["mfca"].colour not in palette.CYCLE
    assert set(palette.CYCLE) <= {colours[name] for name in CATEGORIES}


def test_curves_of_one_colour_have_markers_of_their_own():
    looks = {(look.colour, look.marker) for look in palette.CODECS.values()}
    assert len(looks) == len(palette.CODECS)


def test_the_measure_of_distances_notices_the_colours_of_old():
    # MFCA and AVIF in the first edition: alike for a reader without green cones
    assert distance("#c1440e", "#9a6b00", "normal") > 15
    assert distance("#c1440e", "#9a6b00", "deuteranopia") < 2


def test_fonts_are_shipped_with_their_licence():
    urls = re.findall(r'url\("(fonts/[^"]+)"\)', CSS)
    assert urls
    for url in urls:
        assert (ASSETS / url).read_bytes()[:4] == b"wOF2"
    for name in ("inter", "source-serif-4"):
        licence = (ASSETS / "fonts" / f"LICENSE-{name}.txt").read_text("utf-8")
        assert "SIL OPEN FONT LICENSE" in licence.upper()


def test_pages_use_the_tokens_and_no_other_colours():
    allowed = {"#000", "#fff"}  # on photographs, which are alike in light and dark
    for file in ASSETS.glob("*.css"):
        if file.name != "tokens.css":
            text = re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.S)
            found = set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{}]*\{)", text))
            assert found <= allowed, file.name
            names = set(re.findall(r"var\(--([\w-]+)\)", text))
            defined = set(re.findall(r"--([\w-]+):", CSS + text))
            assert {n for n in names if not n.startswith(("pst-", "bs-", "sd-"))} <= defined


def test_chapters_take_their_colours_from_the_package():
    for file in (ASSETS.parent / "book").glob("*.ipynb"):
        cells = json.loads(file.read_text("utf-8"))["cells"]
        code = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        assert not re.findall(r"#[0-9a-fA-F]{6}\b", code), file.name
