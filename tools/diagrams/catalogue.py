"""Every diagram of the book by the name of its file, with the functions that draw it."""

from functools import partial

from diagrams import codec, hyperprior, passes

# name: how it is drawn for a desk, and for a phone; None where the first does for both
DIAGRAMS = {
    "codec": (codec.wide, codec.phone),
    "passes": (passes.wide, passes.phone),
    "hyperprior": (hyperprior.wide, hyperprior.phone),
}
for chapter in codec.PARTS:
    if chapter:
        drawn = partial(codec.wide, chapter), partial(codec.phone, chapter)
        DIAGRAMS[f"codec-{chapter}"] = drawn


def files():
    """{name of a file: its SVG text}, for all diagrams; phone variants end in -phone."""
    texts = {}
    for name, (draw, draw_for_phone) in DIAGRAMS.items():
        texts[f"{name}.svg"] = draw()
        if draw_for_phone:
            texts[f"{name}-phone.svg"] = draw_for_phone()
    return texts
