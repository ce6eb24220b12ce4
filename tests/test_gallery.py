"""The gallery: all figures and diagrams, with files that any program opens."""

import base64
import io
import re
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import nbformat
import nbformat.v4 as nb
import numpy as np
import pytest
from PIL import Image

from mfca_tutorial.show import style, svg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import gallery  # noqa: E402

NOISE = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)


@pytest.fixture
def collection(tmp_path):
    shutil.copytree(ROOT / "_assets" / "diagrams", tmp_path / "_assets" / "diagrams")
    (tmp_path / "book").mkdir()
    shutil.copy(ROOT / "book" / "gallery.md", tmp_path / "book")
    return gallery.Gallery(tmp_path)


def shown(caption, **data):
    made = nb.new_code_cell("plot()", outputs=[nb.new_output("display_data", data)])
    made.metadata["mystnb"] = {"figure": {"name": "fig-07-x", "caption": caption}}
    return made


def plot():
    with plt.rc_context():
        style.use_style()
        fig, ax = plt.subplots()
        ax.imshow(NOISE)
        return svg.figure_html(fig)


@pytest.mark.parametrize(
    "caption, wanted",
    [
        ("Fine steps obey the rule $v + u$. More.", "Fine steps obey the rule v + u."),
        ("See `top16` and {numref}`a thing <b>`. X", "See top16 and a thing."),
        ("One, [chapter 8](08.ipynb) says so", "One, chapter 8 says so"),
        ("At 0.5 bpp it is *less*. Then", "At 0.5 bpp it is less."),
        (r"One step, for $\alpha = 0$. X", "One step, for α = 0."),
    ],
)
def test_a_card_has_the_first_sentence_of_the_caption(caption, wanted):
    assert gallery.plain(caption) == wanted


def test_a_card_refuses_a_formula_that_it_cannot_write():
    with pytest.raises(KeyError, match="sqrt"):
        gallery.plain(r"It has the slope of $\sqrt{\lambda}$. More.")


def test_no_caption_of_the_chapters_shows_tex():
    for file in sorted((ROOT / "book").glob("[0-9]*.ipynb")):
        for cell in nbformat.read(file, as_version=4).cells:
            options = cell.metadata.get("mystnb", {}).get("figure")
            captions = [options["caption"]] if options else []
            captions += [caption for *_, caption in gallery.DIAGRAM.findall(cell.source)]
            for caption in captions:
                assert "\\" not in gallery.plain(caption)


def test_a_plot_is_a_file_with_plain_colours_and_exact_pixels(collection):
    cell = shown("It rises. More.", **{"text/html": plot()})
    collection.add(nb.new_notebook(cells=[cell]), "07_entropy_coding")
    text = (collection.target / "fig-07-x.svg").read_text("utf-8")
    assert "var(" not in text and "Inter" in text
    assert float(ElementTree.fromstring(text).get("width")) > 600
    (png,) = re.findall(r'"data:image/png;base64,([^"]+)"', text)
    found = np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))
    np.testing.assert_array_equal(found, NOISE)

    # the card has the variant for phones, and says where the figure stands
    (card,) = collection.cards["07_entropy_coding"]
    assert card.count("<svg") == 1 and 'width="342"' in card
    assert 'href="07_entropy_coding.html#fig-07-x"' in card
    assert "book/07_entropy_coding.ipynb" in card and "<p>It rises.</p>" in card


def test_photographs_are_a_png_that_no_page_keeps(collection):
    picture = base64.b64encode(b"the bytes").decode()
    cell = shown("One.", **{"text/html": '<img src="x">', "image/png": picture})
    collection.add(nb.new_notebook(cells=[cell]), "00_what_we_build")
    assert (collection.target / "fig-07-x.png").read_bytes() == b"the bytes"
    assert "image/png" not in cell.outputs[0]["data"]
    assert "data-svg" not in collection.cards["00_what_we_build"][0]


def test_the_page_has_every_diagram_of_the_chapters(collection):
    for file in sorted((ROOT / "book").glob("[0-9]*.ipynb")):
        collection.add(nbformat.read(file, as_version=4), file.stem)
    collection.write()
    page = (collection.folder / "book" / "gallery.md").read_text("utf-8")
    own = {file.stem for file in (ROOT / "_assets" / "diagrams").glob("*.svg")}
    own = {name for name in own if not name.endswith("-phone") and not re.match(r"codec-\d", name)}
    assert set(re.findall(r"#diagram-([\w-]+)", page)) == own
    assert gallery.PLACE not in page
    assert "\n## 7. Turn integers into bytes" in page
    for block in page.split("```{raw} html\n")[1:]:
        assert "\n\n" not in block.split("\n```")[0]
    for source in set(re.findall(r"/blob/main/(tools/[\w/]+\.py)", page)):
        assert (ROOT / source).exists()
