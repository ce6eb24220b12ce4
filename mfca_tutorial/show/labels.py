"""Names beside curves, in place of a legend.

But: it does not move a name out of the way of a curve; only names make room for one another.

Taught in chapter 0.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from mfca_tutorial.evaluation.palette import text_colour

SIZE = 9.5  # points
SPACING = 1.3  # from one name to the next, in units of the size
AXES_SHARE = 0.76  # about how much of a figure's height its panels have
SHIFT = 7  # points between a curve and its name
EDGE = 0.97  # beyond this share of the width, names stand at the right edge


def name_lines(
    ax: Axes, lines: Sequence[Line2D] | None = None, *, bold: Sequence[str] = ()
) -> None:
    """Write the name of each curve at its right end, in its colour.

    Names that would touch are pushed apart. Call it last: it needs the final limits and scales.

    Args:
        ax: the axes with the curves.
        lines: the curves to name; by default all that have a label.
        bold: the labels that are written in bold.
    """
    chosen = ax.get_lines() if lines is None else lines
    named = [line for line in chosen if not str(line.get_label()).startswith("_")]

    # Matplotlib computes limits only when asked for them
    ax.get_xlim()

    # where the curves end, in shares of the axes' width and height
    ends = np.array([_end(ax, line) for line in named])  # (n, 2)
    step = SPACING * SIZE / _height(ax)
    heights = _apart(ends[:, 1], step)

    for line, (across, _), height in zip(named, ends, heights):
        label = str(line.get_label())
        ax.annotate(
            label,
            (1.0 if across > EDGE else across, height),
            xycoords="axes fraction",
            xytext=(SHIFT, 0),
            textcoords="offset points",
            color=text_colour(str(line.get_color())),
            fontsize=SIZE,
            fontweight="bold" if label in bold else "normal",
            va="center_baseline",
            annotation_clip=False,
        )


def _end(ax: Axes, line: Line2D) -> np.ndarray:
    # scales may be logarithmic; what is no number is not drawn
    points = ax.transScale.transform(line.get_xydata())
    shares = ax.transLimits.transform(points)
    across, up = shares[np.isfinite(shares).all(1)].T

    # a curve that goes on beyond the right edge is named where it leaves
    if across[-1] > 1 and np.all(np.diff(across) > 0):
        return np.array([1.0, np.interp(1.0, across, up)])
    return np.array([across[-1], up[-1]])


def _height(ax: Axes) -> float:
    # of the axes, in points: a row of the figure, less what its labels take
    spec = ax.get_subplotspec()
    rows = spec.get_gridspec().nrows if spec is not None else 1
    figure = ax.get_figure(root=True)
    assert figure is not None
    return AXES_SHARE * 72 * figure.get_size_inches()[1] / rows


def _apart(wanted: np.ndarray, step: float) -> np.ndarray:
    """Move heights apart to at least `step`, and no further from where they belong than needed.

    wanted: shape (n,), in any order. Returns the new heights in the same order.
    """
    order = np.argsort(wanted)
    distance = step * np.arange(len(wanted))

    # less their least distances, the heights must rise: pool what does not (isotonic regression)
    pools: list[list[float]] = []
    for value in wanted[order] - distance:
        pools.append([value])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            last = pools.pop()
            pools[-1] += last

    levels = np.concatenate([np.full(len(pool), np.mean(pool)) for pool in pools])
    heights = np.empty(len(wanted))
    heights[order] = levels + distance
    return heights
