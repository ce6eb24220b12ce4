"""Learned codecs of the literature: what each saves on Kodak, and what its decoder costs.

The figures were compiled by hand in data/results/literature.json, where each row has its sources
and a note that says what was stated there, what was counted, and what was derived. But:
- Nothing is measured here, and no figure is filled in: what no source states is None.

Taught in chapter 12.
"""

import json
from typing import TypedDict

from mfca_tutorial import data
from mfca_tutorial.evaluation import rd

ANCHOR = "bpg444"  # every BD-rate is taken against this published curve
STEPPING_STONE = "vtm444"  # what a codec without a curve of its own was compared with


class LearnedCodec(TypedDict):
    """One codec as its authors published it."""

    name: str
    label: str  # what is written beside its point
    cite: str  # key in references.bib
    curve: str | None  # name of its curve for `rd.published`; None: no curve was published
    against_vtm: float | None  # its BD-rate in % against VTM, where that is all there is
    bd_rate: float  # in %, against BPG on Kodak, by PSNR
    parameters: int | None  # of encoder and decoder; None: not stated
    decoder_macs: int | None  # multiply-accumulates per pixel; None: not stated
    sources: list[str]  # addresses
    note: str


def learned_codecs() -> list[LearnedCodec]:
    """Return the rows of data/results/literature.json with their BD-rates, the cheapest first.

    Example: learned_codecs()[0]["label"] == "Cool-chic 5.0".
    """
    text = data.path("results/literature.json").read_text(encoding="utf-8")
    rows = json.loads(text)["rows"]
    for row in rows:
        row["bd_rate"] = _bd_rate(row["curve"], row["against_vtm"])

    # a codec whose cost nobody states comes last
    rows.sort(key=lambda row: row["decoder_macs"] or float("inf"))
    return rows


def _bd_rate(curve: str | None, against_vtm: float | None) -> float:
    # the curve is best: then the range and the interpolation are the same for all
    anchor = rd.published(ANCHOR)
    if curve is not None:
        return rd.bd_rate(anchor, rd.published(curve))

    # a BD-rate stands for a factor, and factors chain by multiplication
    vtm = rd.bd_rate(anchor, rd.published(STEPPING_STONE))
    factor = (1 + (against_vtm or 0.0) / 100) * (1 + vtm / 100)
    return 100 * (factor - 1)
