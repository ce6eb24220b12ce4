"""Names beside curves, in place of a legend.

But: it does not move a name out of the way of a curve; only names make room for one another.

Taught in chapter 0.
"""

from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Annotation
from matplotlib.transforms import ScaledTranslation

from mfca_tutorial.evaluation.palette import text_colour

SIZE = 9.5  # points
SPACING = 1.3  # from one name to the next, in units of the size
AXES_SHARE = 0.76  # about how much of a figure's height its panels have
AXES_WIDTH = 0.8  # about how much of a figure's width they have
LETTER = 0.56  # about the width of a letter, in units of the size
LEADER = {"arrowstyle": "-", "linewidth": 0.8, "shrinkA": 2, "shrinkB": 1, "relpos": (0, 0.5)}
SHIFT = 7  # points between a curve and its name
LED = 20  # the same where a line leads from the curve to the name
ASIDE = 0.35  # a name is led to if it stands so far from its curve's end, in units of the spacing
EDGE = 0.97  # beyond this share of the width, names stand at the right edge


class Names(NamedTuple):
    """The names in a panel, so that they can be placed anew in a panel of another size."""

    lines: Sequence[Line2D]
    bold: Sequence[str]
    texts: list[Annotation]


_names: "WeakKeyDictionary[Axes, Names]" = WeakKeyDictionary()


def name_lines(
    ax: Axes, lines: Sequence[Line2D] | None = None, *, bold: Sequence[str] = ()
) -> None:
    """Write the name of each curve at its right end, in its colour.

    Names that would touch are pushed apart; a thin line leads from the end of a curve to a name
    that had to move. Call it last: it needs the final limits and scales.

    Args:
        ax: the axes with the curves.
        lines: the curves to name; by default all that have a label.
        bold: the labels that are written in bold.
    """
    chosen = ax.get_lines() if lines is None else lines
    named = [line for line in chosen if not str(line.get_label()).startswith("_")]
    _names[ax] = Names(named, tuple(bold), _write(ax, named, bold))


def name_lines_again(figure: Figure) -> None:
    """Place all names anew, after a figure has been given another size."""
    for ax in figure.axes:
        if ax not in _names:
            continue
        lines, bold, texts = _names[ax]
        for text in texts:
            text.remove()
        _names[ax] = Names(lines, bold, _write(ax, lines, bold))


def _write(ax: Axes, named: Sequence[Line2D], bold: Sequence[str]) -> list[Annotation]:
    # Matplotlib computes limits only when asked for them
    ax.get_xlim()

    # where the curves end, in shares of the axes' width and height
    ends = np.array([_end(ax, line) for line in named])  # (n, 2)
    starts = np.where(ends[:, 0] > EDGE, 1.0, ends[:, 0])
    height, width = _size(ax)
    step = SPACING * SIZE / height

    # only names that share a part of the width can touch
    lengths = np.array([len(str(line.get_label())) for line in named])
    stops = starts + (LED + LETTER * SIZE * lengths) / width
    texts = []
    for group in _overlapping(starts, stops):
        heights = _apart(ends[group, 1], step)

        # the names of a group stand in one column, also if only some are led to
        led = np.abs(heights - ends[group, 1]) > ASIDE * step
        shift = LED if led.any() else SHIFT
        away = ScaledTranslation(shift / 72, 0, _figure(ax).dpi_scale_trans)

        for index, at, has_line in zip(group, heights, led):
            line = named[index]
            label = str(line.get_label())
            leader = LEADER | {"color": line.get_color()}
            text = ax.annotate(
                label,
                (starts[index], ends[index, 1]),
                xycoords="axes fraction",
                xytext=(starts[index], at),
                textcoords=ax.transAxes + away,
                arrowprops=leader if has_line else None,
                color=text_colour(str(line.get_color())),
                fontsize=SIZE,
                fontweight="bold" if label in bold else "normal",
                va="center_baseline",
                annotation_clip=False,
            )
            texts.append(text)
    return texts


def _end(ax: Axes, line: Line2D) -> np.ndarray:
    # scales may be logarithmic; what is no number is not drawn
    points = ax.transScale.transform(line.get_xydata())
    shares = ax.transLimits.transform(points)
    across, up = shares[np.isfinite(shares).all(1)].T

    # a curve that goes on beyond the right edge is named where it leaves
    if across[-1] > 1 and np.all(np.diff(across) > 0):
        return np.array([1.0, np.interp(1.0, across, up)])
    return np.array([across[-1], up[-1]])


def _figure(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def _size(ax: Axes) -> tuple[float, float]:
    # height and width of the axes, in points: a cell of the figure, less what its labels take
    spec = ax.get_subplotspec()
    rows, columns = spec.get_gridspec().get_geometry() if spec is not None else (1, 1)
    width, height = 72 * _figure(ax).get_size_inches()
    return AXES_SHARE * height / rows, AXES_WIDTH * width / columns


def _overlapping(starts: np.ndarray, stops: np.ndarray) -> list[list[int]]:
    """Group intervals [start, stop), both of shape (n,), that overlap, also by way of others."""
    groups: list[list[int]] = []
    reached = -np.inf
    for index in np.argsort(starts, kind="stable"):
        # a gap begins a new group
        if starts[index] >= reached:
            groups.append([])
        groups[-1].append(int(index))
        reached = max(reached, stops[index])
    return groups


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
