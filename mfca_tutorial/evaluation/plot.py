"""Draw rate-distortion curves with their BD-rates in the legend. Taught in chapter 12."""

import io
from pathlib import Path

from mfca_tutorial import data
from mfca_tutorial.evaluation import rd

LABELS = {"psnr-rgb": "PSNR, dB", "ms-ssim-rgb": "MS-SSIM, dB: -10 log10(1 - MS-SSIM)"}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe & Ito


def find(name):
    """A result file, or else the name of a published curve -> results; ValueError if it is neither."""
    if Path(name).exists():
        return rd.read_results(name)
    try:
        return rd.published(name)
    except KeyError as error:
        raise ValueError(f"{name}: no such file, and {error.args[0]}") from None


def plot_curves(curves, file, metric="psnr-rgb"):
    """Write a picture of several results; the first one is the anchor of the BD-rates in the legend.

    Returns {name: BD-rate in %, or None where the curves share no range}. ValueError for a curve without the metric,
    ImageError for a kind of file that Matplotlib cannot write. Taught in chapter 12.
    """
    from matplotlib.figure import Figure
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="rate, bits per pixel (whole file)", ylabel=LABELS[metric])
    deltas = {}
    for i, results in enumerate(curves):
        rate, value = rd.curve(results, metric)
        if not len(rate):
            raise ValueError(f"{results['name']}: no point with {metric}")
        label = results["name"]
        if i:
            try:
                deltas[label] = rd.bd_rate(curves[0], results, metric)
                label += f"  {deltas[label]:+.1f} %"
            except ValueError:
                deltas[results["name"]] = None
        style = "-o" if i < len(COLOURS) else "--s"
        axes.plot(rate, value, style, color=COLOURS[i % len(COLOURS)], markersize=4, label=label)
    axes.grid(alpha=0.3)
    axes.legend(title=f"BD-rate against {curves[0]['name']}" if len(curves) > 1 else None)
    kind = Path(file).suffix.lower().lstrip(".")
    if kind not in figure.canvas.get_supported_filetypes():
        raise data.ImageError(f"{file}: cannot write this kind of picture; use .png or .svg")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150)
    data.write_atomic(file, buffer.getvalue())
    return deltas
