"""One picture of who is where: what a codec saves against what its decoder costs.

It draws the points that it is handed, and takes the codecs of the literature from
`evaluation/literature.py`. It measures nothing.

Taught in chapter 12.
"""

import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mfca_tutorial.evaluation import rd
from mfca_tutorial.evaluation.literature import ANCHOR, STEPPING_STONE, learned_codecs
from mfca_tutorial.evaluation.palette import CODECS, text_colour
from mfca_tutorial.show.svg import on_phones
from mfca_tutorial.show.tokens import INK, MUTED, PAPER

# where a label stands from its point, so that no label covers another; elsewhere to the right
PLACES = {
    "shallow-2layer": "above",
    "shallow-2layer-sga": "lower left",
    "elic2022": "above",
    "dcvc-uf-intra": "below",
    "hpcm-large": "left",
}

# for each place: the shift of the label in points, and its alignment
SHIFTS = {
    "right": ((8, 0), "left", "center"),
    "left": ((-8, 0), "right", "center"),
    "above": ((0, 8), "center", "bottom"),
    "below": ((0, -8), "center", "top"),
    "upper left": ((6, 8), "right", "bottom"),
    "lower left": ((4, -8), "right", "top"),
}

# the window: no learned codec of interest lies outside
LEFT_EDGE = 700  # multiply-accumulates per pixel
RIGHT_EDGE = 3e6
LOWER_EDGE = -41  # BD-rate, %
UPPER_EDGE = 11
LONGEST = {"left": 14, "lower left": 14}  # letters in a line of a label at these places
LONGEST_ELSEWHERE = 20  # letters
PHONE_HEIGHT = 4.8  # inches


def quality_and_cost(ours: Mapping[str, tuple[float, float]]) -> Figure:
    """Draw BD-rates against BPG on Kodak over the decoders' multiply-accumulates per pixel.

    ours: (multiply-accumulates per pixel, BD-rate in %) by label; these points are highlighted.
    Codecs of the literature whose cost nobody states are left out.
    """
    figure, ax = plt.subplots(figsize=(7.4, 4.8))
    _draw_standards(ax)

    # the literature stands back
    for codec in learned_codecs():
        if codec["decoder_macs"] is None:
            continue
        point = (codec["decoder_macs"], codec["bd_rate"])
        ax.plot(*point, "o", color=MUTED, markerfacecolor=PAPER, markersize=6)
        place = PLACES.get(codec["name"], "right")
        label = textwrap.fill(codec["label"], LONGEST.get(place, LONGEST_ELSEWHERE))
        _write(ax, point, label, place, INK)

        # a BD-rate without a curve behind it gets a cross: it is chained over another anchor
        if codec["curve"] is None:
            ax.plot(*point, "x", color=MUTED, markersize=6)

    # ours comes forward, in the colour of its curves
    colour = CODECS["mfca"].colour
    for number, (label, (macs, bd_rate)) in enumerate(ours.items()):
        ax.plot(macs, bd_rate, "o", color=colour, markersize=9)
        place = "upper left" if number == 0 else "right"
        _write(ax, (macs, bd_rate), label, place, text_colour(colour), "bold")

    # costs differ by factors, so their axis is logarithmic
    ax.set(
        xscale="log",
        xlim=(LEFT_EDGE, RIGHT_EDGE),
        ylim=(LOWER_EDGE, UPPER_EDGE),
        xlabel="decoder's multiply-accumulates per pixel",
        ylabel="BD-rate against BPG on Kodak, %",
    )

    # two directions are good ones
    ax.set_title(
        "cheaper to the left, fewer bits further down",
        fontweight="normal",
        color=MUTED,
    )

    # on a phone labels need room above and below
    on_phones(figure, height=PHONE_HEIGHT)

    # close the figure, or the notebook would show it a second time
    plt.close(figure)
    return figure


def _draw_standards(ax: Axes) -> None:
    # their decoders run no network, so they have a height in this picture and no place
    anchor = rd.published(ANCHOR)
    heights = {
        "BPG": 0.0,
        "VTM": rd.bd_rate(anchor, rd.published(STEPPING_STONE)),
    }

    for name, height in heights.items():
        # their names stand at the right end, above the line
        ax.axhline(height, color=MUTED, linestyle=":", linewidth=1.2)
        ax.annotate(
            f"{name} (no network)",
            (RIGHT_EDGE, height),
            xytext=(-2, 2),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=MUTED,
            fontsize=8.5,
        )


def _write(
    ax: Axes,
    point: tuple[float, float],
    text: str,
    place: str,
    colour: str,
    weight: str = "normal",
) -> None:
    # a shift in points keeps its distance at any size of the figure
    shift, across, along = SHIFTS[place]
    ax.annotate(
        text,
        point,
        xytext=shift,
        textcoords="offset points",
        ha=across,
        va=along,
        color=colour,
        fontweight=weight,
        fontsize=9,
    )
