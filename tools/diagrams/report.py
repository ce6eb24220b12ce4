"""Chapter 13: the rebuilt system of the report, with its skips past the latents."""

from diagrams.shapes import AMBER, BLUE, BLUE_WASH, HAT_X, OURS_WASH, PHONE, WASH, WIDE, Drawing

LABEL = (
    "The rebuilt system. The encoder halves the resolution three times. Its features are "
    "multiplied by a map, rounded and filtered; the decoder doubles the resolution three times. "
    "Three skips lead straight from the encoder to the decoder. The map also goes to a simulated "
    "coder, whose output nothing reads. There is no file."
)
BLOCK_WIDTH = 16  # pixels; all stages have the same number of channels
SIZES = (1, 2, 4)  # of the skips: full, half and quarter size


def tensors(d, places, tall, fill):
    """Three blocks, one per stage: at full, half and quarter size."""
    return [d.tensor(*place, BLOCK_WIDTH, tall / size, fill) for place, size in zip(places, SIZES)]


def wide():
    d = Drawing(LABEL, WIDE, 244)
    y, tall = 136, 96
    x = d.tensor(16, y, 8, tall, WASH, "x")
    down = tensors(d, [(86, y), (154, y), (216, y)], tall, BLUE_WASH)
    features = d.tensor(276, y, BLOCK_WIDTH, tall / 8, BLUE, "1/8")
    times = d.circle(334, y, "&#215;")
    steps = [d.box(396, y, 56, 28, "round"), d.box(466, y, 48, 28, "PQF")]
    up = tensors(d, [(660, y), (592, y), (532, y)], tall, OURS_WASH)
    x_hat = d.tensor(720, y, 8, tall, WASH, HAT_X)
    row = [x, *down, features, times, *steps, *reversed(up), x_hat]
    for before, after in zip(row, row[1:]):
        d.arrow(before.right, after.left)

    # past everything that is rounded
    for height, start, end, size in zip((34, 54, 74), down, up, ("full size", "1/2", "1/4")):
        d.arrow(start.top, (start.x, height), (end.x, height), end.top)
        d.text(start.x + 8, height - 5, f"skip, {size}", "s", "start")
    d.text(376, 18, "handed over as they are: no file holds them", "b")

    # the map, and the coder whose output nothing reads
    importance = d.box(276, 214, 52, 28, "map")
    coder = d.box(426, 214, 124, 28, "simulated coder")
    d.arrow(features.bottom, importance.top, colour=AMBER)
    d.arrow(importance.right, (times.x, 214), times.bottom, colour=AMBER)
    d.arrow((times.x, 214), coder.left, colour=AMBER)
    d.text(500, 218, "nothing reads its output", "s", "start")
    d.text(120, 232, "encoder")
    d.text(686, 232, "decoder")
    return d.svg()


def phone():
    d = Drawing(LABEL, PHONE, 432)
    left, right, tall = 40, 302, 72
    x = d.tensor(left, 62, 8, tall, WASH)
    down = tensors(d, [(left, 158), (left, 236), (left, 286)], tall, BLUE_WASH)
    features = d.tensor(left, 334, BLOCK_WIDTH, tall / 8, BLUE)
    times = d.circle(128, 388, "&#215;")
    rounding = d.box(198, 388, 56, 28, "round")
    pqf = d.box(right, 388, 52, 28, "PQF")
    up = tensors(d, [(right, 158), (right, 236), (right, 286)], tall, OURS_WASH)
    x_hat = d.tensor(right, 62, 8, tall, WASH)
    d.text(left + 16, 66, "x", "n", "start")
    d.text(right - 16, 66, HAT_X, "n", "end")
    d.text(left, 16, "encoder")
    d.text(right, 16, "decoder")

    # down on the left, up on the right
    for before, after in zip([x, *down], [*down, features]):
        d.arrow(before.bottom, after.top)
    for before, after in zip([pqf, *reversed(up)], [*reversed(up), x_hat]):
        d.arrow(before.top, after.bottom)
    d.arrow(features.bottom, (left, 388), times.left)
    d.arrow(times.right, rounding.left)
    d.arrow(rounding.right, pqf.left)

    # past everything that is rounded
    for start, end, size in zip(down, up, ("full size", "1/2", "1/4")):
        d.arrow(start.right, end.left)
        d.text(171, start.y - 6, f"skip, {size}", "s")
    d.text(171, 112, "handed over as they are:", "b")
    d.text(171, 127, "no file holds them", "b")

    # the map, and the coder whose output nothing reads
    importance = d.box(128, 334, 48, 28, "map")
    coder = d.box(230, 334, 126, 28, "simulated coder")
    d.arrow(features.right, importance.left, colour=AMBER)
    d.arrow(importance.bottom, times.top, colour=AMBER)
    d.arrow(importance.right, coder.left, colour=AMBER)
    d.text(222, 362, "nothing reads its output", "s")
    d.text(left + 16, 352, "1/8", "s", "start")
    return d.svg()
