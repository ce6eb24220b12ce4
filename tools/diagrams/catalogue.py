"""Every diagram of the book by the name of its file, with the functions that draw it."""

from functools import partial

from diagrams import blocks, codec, files, hyperprior, learning, passes, quantiser, transforms
from diagrams.shapes import PHONE, WIDE

# name: how it is drawn for a desk, and for a phone; None where the first does for both
DIAGRAMS = {
    "codec": (codec.wide, codec.phone),
    "mfca": (blocks.mfca, blocks.mfca_for_phones),
    "pmcn": (blocks.pmcn, blocks.pmcn_for_phones),
    "container": (files.container, files.container_for_phones),
    "range-coder": (partial(files.range_coder, WIDE), partial(files.range_coder, PHONE)),
    "encoder-decoder": (partial(transforms.draw, WIDE), partial(transforms.draw, PHONE)),
    "pqf": (partial(blocks.pqf, WIDE), partial(blocks.pqf, PHONE)),
    "importance-map": (quantiser.importance_wide, quantiser.importance_phone),
    "gain": (quantiser.gain_wide, quantiser.gain_phone),
    "training-step": (learning.training_wide, learning.training_phone),
    "bd-rate": (learning.evaluation_wide, learning.evaluation_phone),
    "passes": (passes.wide, passes.phone),
    "hyperprior": (hyperprior.wide, hyperprior.phone),
}
for chapter in codec.PARTS:
    if chapter:
        drawn = partial(codec.wide, chapter), partial(codec.phone, chapter)
        DIAGRAMS[f"codec-{chapter}"] = drawn


def all_files():
    """{name of a file: its SVG text}, for all diagrams; phone variants end in -phone."""
    texts = {}
    for name, (draw, draw_for_phone) in DIAGRAMS.items():
        texts[f"{name}.svg"] = draw()
        if draw_for_phone:
            texts[f"{name}-phone.svg"] = draw_for_phone()
    return texts
