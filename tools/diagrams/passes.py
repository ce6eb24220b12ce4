"""Chapter 8: the four context passes, and what each of them may read."""

from diagrams.shapes import (
    BLUE,
    BLUE_WASH,
    CARD,
    INK,
    LINE,
    PHONE,
    WIDE,
    Drawing,
    Place,
)
from mfca_tutorial.config import CodecConfig
from mfca_tutorial.entropy.hyperprior import context_adapter
from mfca_tutorial.entropy.passes import QUADTREE

CONFIG = CodecConfig()
GROUPS = len(QUADTREE)
GROUP = CONFIG.latents // GROUPS  # channels in a group
WINDOW = context_adapter(GROUPS, GROUPS)[-1].kernel_size[0]  # positions a pass looks at, each way

LABEL = (
    "The four context passes. Each codes a quarter of the latents: in each of the four channel "
    "groups a different position of every two by two square. A latent of a later pass reads a "
    "window of five by five positions in all groups, and finds there what earlier passes have "
    "decoded."
)


def turn(group, row, column):
    """The pass, from 0, in which a group of channels is coded at a position."""
    return QUADTREE[group][2 * (row % 2) + column % 2]


def channels(group):
    """The channels of a group, as text."""
    first = group * GROUP
    return f"{first}&#8211;{first + GROUP - 1}"


def paint(d, places):
    """Squares for latents; places: {"now": [...], "known": [...], "unknown": [...]}."""
    d.squares(places["unknown"], CARD, LINE)
    d.squares(places["known"], BLUE_WASH, LINE)
    d.squares([Place(x, y, w / 2.6, h / 2.6) for x, y, w, h in places["known"]], BLUE)
    d.squares(places["now"], BLUE, LINE)


def squares(d, left, top, group, now, side, cell, only=None):
    """The positions of one group, `side` each way, as the pass `now` finds them.

    only: the row and the column of the one position of this pass that counts; (), none.
    """
    places = {"now": [], "known": [], "unknown": []}
    for row in range(side):
        for column in range(side):
            # the pass of this position, compared with the one that is on
            at = turn(group, row, column)
            kind = "now" if at == now else "known" if at < now else "unknown"
            if kind == "now" and only not in (None, (row, column)):
                kind = "unknown"
            x, y = left + (column + 0.5) * cell, top + (row + 0.5) * cell
            places[kind].append(Place(x, y, cell - 1, cell - 1))
    paint(d, places)


def matrix(d, left, top, cell, gap):
    """A column for each pass, a row for each group of channels."""
    step = 4 * cell + gap
    for p in range(GROUPS):
        d.text(left + p * step + 2 * cell, top - 9, f"pass {p + 1}", "b")
        for group in range(GROUPS):
            squares(d, left + p * step, top + group * step, group, p, 4, cell)
    for group in range(GROUPS):
        d.text(left - 10, top + group * step + 2 * cell + 4, channels(group), "s", "end")


def window(d, left, top, cell, gap):
    """What one latent reads in pass 3: the window in every group, and what is known there."""
    p, centre = 2, WINDOW // 2
    own = next(group for group in range(GROUPS) if turn(group, centre, centre) == p)
    step = WINDOW * cell + gap
    for group in range(GROUPS):
        x, y = left + group % 2 * step, top + group // 2 * step
        d.text(x + WINDOW * cell / 2, y - 8, channels(group), "s")
        squares(d, x, y, group, p, WINDOW, cell, (centre, centre) if group == own else ())
        if group == own:
            middle = (centre + 0.5) * cell
            ring = Place(x + middle, y + middle, cell + 2, cell + 2)
            d.rectangle(ring, "none", INK, line=2.2)
    return Place(left + step - gap / 2, top + step - gap / 2, 2 * step - gap, 2 * step - gap)


def reader(d, windows, x):
    """The network that reads the windows, and what comes out of it."""
    y = windows.y
    features = d.box(x, y - 72, 146, 40, "features from z,", f"{CONFIG.hyper_width} channels")
    network = d.box(x, y, 146, 40, "adapter of pass 3", "and trunk")
    d.arrow(features.bottom, network.top)
    d.arrow(windows.right, network.left)
    d.arrow(network.bottom, (x, y + 56))
    d.lines(x, y + 72, ["its mean", "and its scale"], "n")


def key(d, places):
    """What the three kinds of squares mean, each explained at one of the places."""
    words = ("coded in this pass", "known from earlier passes", "not known yet")
    kinds = ("now", "known", "unknown")
    for kind, (x, y), meaning in zip(kinds, places, words):
        paint(d, {other: [] for other in kinds} | {kind: [Place(x + 6, y, 12, 12)]})
        d.text(x + 20, y + 4, meaning, "s", "start")


def wide():
    d = Drawing(LABEL, WIDE, 356)
    d.text(0, 14, "Each pass codes another quarter", "n", "start")
    d.text(66, 46, "channels", "s", "end")
    matrix(d, 76, 54, 14, 12)
    d.text(390, 14, "What the ringed latent of pass 3 reads", "n", "start")
    windows = window(d, 390, 70, 15, 30)
    reader(d, windows, 663)
    key(d, [(76, 342), (236, 342), (440, 342)])
    return d.svg()


def phone():
    d = Drawing(LABEL, PHONE, 652)
    d.text(0, 14, "Each pass codes another quarter", "n", "start")
    d.text(58, 46, "channels", "s", "end")
    matrix(d, 68, 54, 13, 15)
    key(d, [(68, 330), (68, 350), (68, 370)])
    d.text(0, 418, "What the ringed latent of pass 3 reads", "n", "start")
    windows = window(d, 0, 454, 14, 28)
    reader(d, windows, 268)
    return d.svg()
