"""Every diagram of the book by the name of its file, with the functions that draw it."""

from functools import partial

from diagrams import (
    blocks,
    codec,
    codec_phone,
    codec_wide,
    files,
    hyperprior,
    learning,
    passes,
    quantiser,
    report,
    transforms,
)
from diagrams.shapes import PHONE, WIDE

# name: how it is drawn for a desk, and for a phone; in the order of the chapters
DIAGRAMS = {
    "codec": (codec_wide.draw, codec_phone.draw),
    "mfca": (blocks.mfca, blocks.mfca_for_phones),
    "pmcn": (blocks.pmcn, blocks.pmcn_for_phones),
    "encoder-decoder": (partial(transforms.draw, WIDE), partial(transforms.draw, PHONE)),
    "importance-map": (quantiser.importance_wide, quantiser.importance_phone),
    "gain": (quantiser.gain_wide, quantiser.gain_phone),
    "range-coder": (partial(files.range_coder, WIDE), partial(files.range_coder, PHONE)),
    "hyperprior": (hyperprior.wide, hyperprior.phone),
    "passes": (passes.wide, passes.phone),
    "container": (files.container, files.container_for_phones),
    "pqf": (partial(blocks.pqf, WIDE), partial(blocks.pqf, PHONE)),
    "training-step": (learning.training_wide, learning.training_phone),
    "bd-rate": (learning.evaluation_wide, learning.evaluation_phone),
    "report": (report.wide, report.phone),
}

# and the overview at the head of each chapter, with the chapter's part lit
for chapter in codec.PARTS:
    if chapter:
        both = (partial(codec_wide.draw, chapter), partial(codec_phone.draw, chapter))
        DIAGRAMS[f"codec-{chapter}"] = both


def all_files():
    """{name of a file: its SVG text}, for all diagrams; phone variants end in -phone."""
    texts = {}
    for name, (draw, draw_for_phone) in DIAGRAMS.items():
        texts[f"{name}.svg"] = draw()
        texts[f"{name}-phone.svg"] = draw_for_phone()
    return texts
