"""The colours of the page by the names of its tokens, as figures use them.

`_assets/tokens.css` has the same colours, and those of the dark page. Figures are drawn in the
light ones; on a published page, `show/svg.py` puts the names in their place.

But: which codec has which colour is in `evaluation/palette.py`.

Taught in chapter 0.
"""

from mfca_tutorial.evaluation import palette

PAPER = "#fdfdfc"  # the background of text and curves
INK = "#1b1f24"  # text
MUTED = "#5a636e"  # whatever should be less prominent than the text
LINE = "#dfe3e8"  # the grid
WASH = "#f3f5f7"  # large areas, with text on them
BLUE_WASH = "#eaf3fb"
OURS_WASH = "#fdeef4"

# what each colour is called on a page
TOKENS: dict[str, str] = {
    PAPER: "page",
    INK: "ink",
    MUTED: "soft",
    LINE: "line",
    WASH: "wash",
    BLUE_WASH: "blue-wash",
    OURS_WASH: "ours-wash",
    palette.OURS: "ours",
    palette.OURS_TEXT: "ours-deep",
    palette.BLUE: "blue",
    palette.BLUE_TEXT: "blue-deep",
    palette.AMBER: "amber",
    palette.TEAL: "teal",
    palette.VIOLET: "violet",
    palette.RIVAL: "rival",
}
