"""One picture of who is where: what a codec saves against what its decoder costs.

It draws the points that it is handed, and takes the codecs of the literature from
`evaluation/literature.py`. It measures nothing. All curves are compared over the one range of PSNR
that they share, so their heights may be compared, too.

Taught in chapter 12.
"""

import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
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
    "upper left": ((4, 5), "right", "bottom"),
    "lower left": ((4, -8), "right", "top"),
    "lower right": ((8, 5), "left", "top"),
}

# the window: no learned codec of interest lies outside
LEFT_EDGE = 700  # multiply-accumulates per pixel
RIGHT_EDGE = 3e6
LOWER_EDGE = -41  # BD-rate, %
UPPER_EDGE = 11

# the most letters in a line of a label at these places, and elsewhere
LONGEST = {"left": 14, "lower left": 14, "lower right": 14}
LONGEST_ELSEWHERE = 20

PHONE_HEIGHT = 4.8  # inches


def shared_range() -> tuple[float, float]:
    """Return the range of PSNR in dB that BPG, VTM and every published curve here cover."""
    # every curve in the picture
    anchor = rd.published(ANCHOR)
    names = [STEPPING_STONE]
    names += [codec["curve"] for codec in learned_codecs() if codec["curve"] is not None]

    # it begins at the best first point and ends at the worst last one
    ranges = [rd.common_range(anchor, rd.published(name)) for name in names]
    low = max(first for first, _ in ranges)
    high = min(last for _, last in ranges)
    return low, high


def bd_rate_over_shared(results: rd.Results) -> float:
    """Return the BD-rate in % against BPG on Kodak, by PSNR, over the `shared_range`.

    Raises ValueError where the curve of `results` does not cover it.
    """
    from scipy.interpolate import PchipInterpolator

    low, high = shared_range()

    # the area under each curve
    areas = []
    for curve in (rd.published(ANCHOR), results):
        rates, values = rd.curve(curve)
        if not values[0] <= low < high <= values[-1]:
            raise ValueError(f"{curve['name']} does not cover {low:.1f}..{high:.1f} dB")

        # the logarithm of the rate as `rd.bd_rate` joins it, integrated over the range
        log_rate = PchipInterpolator(values, np.log(rates))
        areas.append(float(log_rate.integrate(low, high)))

    # the mean distance of the two logarithms, as a percentage
    mean_gap = (areas[1] - areas[0]) / (high - low)
    return float(100 * np.expm1(mean_gap))


def quality_and_cost(ours: Mapping[str, tuple[float, float]]) -> Figure:
    """Draw BD-rates against BPG on Kodak over the decoders' multiply-accumulates per pixel.

    ours: (multiply-accumulates per pixel, BD-rate in %) by label; these points are highlighted.
    Their BD-rates come from `bd_rate_over_shared`, like those of the literature. Codecs of the
    literature whose cost nobody states are left out.
    """
    figure, ax = plt.subplots(figsize=(7.4, 4.8))
    _draw_standards(ax)

    # the literature stands back
    for codec in learned_codecs():
        if codec["decoder_macs"] is None:
            continue

        # a chained BD-rate has no curve behind it, so its range is not known
        height = codec["bd_rate"]
        if codec["curve"] is not None:
            height = bd_rate_over_shared(rd.published(codec["curve"]))
        point = (codec["decoder_macs"], height)
        ax.plot(*point, "o", color=MUTED, markerfacecolor=PAPER, markersize=6)
        place = PLACES.get(codec["name"], "right")
        label = textwrap.fill(codec["label"], LONGEST.get(place, LONGEST_ELSEWHERE))
        _write(ax, point, label, place, INK)

        # it gets a cross, which a line at the bottom explains
        if codec["curve"] is None:
            ax.plot(*point, "x", color=MUTED, markersize=6)

    # ours comes forward, in the colour of its curves
    colour = CODECS["mfca"].colour
    for number, (label, (macs, bd_rate)) in enumerate(ours.items()):
        ax.plot(macs, bd_rate, "o", color=colour, markersize=9)
        place = "upper left" if number == 0 else "lower right"
        lines = textwrap.fill(label, LONGEST.get(place, LONGEST_ELSEWHERE))
        _write(ax, (macs, bd_rate), lines, place, text_colour(colour), "bold")

    # what the cross means
    ax.annotate(
        "cross: chained, over other ranges",
        (1, 0),
        xycoords="axes fraction",
        xytext=(-4, 4),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=MUTED,
        fontsize=8.5,
    )

    # costs differ by factors, so their axis is logarithmic
    low, high = shared_range()
    ax.set(
        xscale="log",
        xlim=(LEFT_EDGE, RIGHT_EDGE),
        ylim=(LOWER_EDGE, UPPER_EDGE),
        xlabel="decoder's multiply-accumulates per pixel",
        ylabel=f"BD-rate against BPG on Kodak, %, {low:.1f} to {high:.1f} dB",
    )

    # two directions are good ones
    ax.set_title(
        "cheaper to the left, fewer bits below",
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
    heights = {
        "BPG": 0.0,
        "VTM": bd_rate_over_shared(rd.published(STEPPING_STONE)),
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
