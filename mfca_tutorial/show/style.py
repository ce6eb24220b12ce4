"""How a chapter begins: the look of its figures, its seeds, its device.

The figures are legible at the width of a phone, and, on their white ground, on light and dark
pages.

But: the colours of the codecs are not here; they are in `evaluation/palette.py`.

Taught in chapter 0.
"""

import platform
import random
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np

from mfca_tutorial.evaluation.palette import CYCLE

if TYPE_CHECKING:
    import torch

PAPER = "#ffffff"  # the background of text and curves
INK = "#1b1f24"  # text
MUTED = "#5a636e"  # whatever should be less prominent than the text

STYLE: dict[str, object] = {
    # the page
    "figure.figsize": (6.4, 3.8),
    "figure.dpi": 150,
    "figure.facecolor": PAPER,
    "figure.constrained_layout.use": True,
    "axes.facecolor": PAPER,
    # the frame: only the left and lower sides
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    # the grid, which lies behind the curves
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dfe3e8",
    "grid.linewidth": 0.7,
    # text, sizes in points
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.labelsize": 10.5,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    # curves and images
    "lines.linewidth": 1.9,
    "lines.markersize": 5,
    "axes.prop_cycle": plt.cycler(color=CYCLE),
    "image.interpolation": "nearest",
    "image.cmap": "viridis",
}


def start(seed: int = 0) -> "torch.device":
    """Begin a chapter: set the look and the seeds, and print the versions.

    Returns the torch device: `cuda` if there is a GPU, else `cpu`.
    """
    import torch

    from mfca_tutorial import __version__

    # make all figures look alike from the first one on
    use_style()

    # seed all sources of random numbers that a chapter uses
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)

    # training takes a GPU where there is one; files are made on the processor, whose sums are the
    # same everywhere, so that their bytes are as well
    if torch.cuda.is_available():
        device = torch.device("cuda")
        name = torch.cuda.get_device_name(0)
        runs_on = f"{name} where networks are trained, the processor where files are made"
    else:
        device = torch.device("cpu")
        runs_on = "the processor; a GPU is not needed"

    # print two lines that a reader can include with a question
    python = platform.python_version()
    versions = f"Python {python}, torch {torch.__version__}, NumPy {np.__version__}"
    print(f"mfca_tutorial {__version__}, {versions}")
    print(f"runs on {runs_on}")
    return device


def use_style() -> None:
    """Give Matplotlib the look of the book."""
    # this applies to all figures that are drawn from here on
    plt.style.use(STYLE)

    # in a notebook, do not crop figures: cropping would move photographs off the pixel grid
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        set_matplotlib_formats("png", bbox_inches=None)
