"""How a chapter begins: the look of its figures, its seeds, its device.

In Jupyter and Colab a figure is a picture on the ground of the light page. On published pages it is
SVG in the page's own colours (`show/svg.py`).

But: the colours are not here; they are in `show/tokens.py` and `evaluation/palette.py`.

Taught in chapter 0.
"""

import os
import platform
import random
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure

from mfca_tutorial import data
from mfca_tutorial.evaluation.palette import CYCLE
from mfca_tutorial.show.photographs import Photographs, photographs_html
from mfca_tutorial.show.svg import figure_html
from mfca_tutorial.show.tokens import INK, LINE, MUTED, PAPER

if TYPE_CHECKING:
    import torch

FONT = "Inter"  # that of the page; its files come with the package
FONT_FILES = ("fonts/inter-regular.ttf", "fonts/inter-bold.ttf")

STYLE: dict[str, object] = {
    # the page
    "figure.figsize": (7.2, 3.9),
    "figure.dpi": 150,
    "figure.facecolor": PAPER,
    "figure.constrained_layout.use": True,
    "axes.facecolor": PAPER,
    # the frame: only the left and lower sides
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    # the grid, which lies behind the curves
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    # text, sizes in points
    "font.family": [FONT, "sans-serif"],  # the second has signs that the first lacks
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "font.size": 10.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.labelsize": 10,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "mathtext.default": "regular",
    # curves and images
    "lines.linewidth": 2.2,
    "lines.markersize": 5,
    "lines.solid_capstyle": "round",
    "patch.linewidth": 0,
    "axes.prop_cycle": plt.cycler(color=CYCLE),
    "image.interpolation": "none",  # every pixel as it is
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

    # long training takes a GPU where there is one; the rest stays on the processor, files above
    # all, so that their bytes are the same with and without a GPU
    if torch.cuda.is_available():
        device = torch.device("cuda")
        name = torch.cuda.get_device_name(0)
        runs_on = f"the processor, which also makes all files; long training runs on {name}"
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
    """Give Matplotlib the look of the book, and let a notebook show figures as its readers need.

    In the published build (environment variable MFCA_PUBLISHED) figures become part of the page.
    """
    # the font of the page, so that texts are as wide here as there
    for name in FONT_FILES:
        font_manager.fontManager.addfont(data.path(name))

    # this applies to all figures that are drawn from here on
    plt.style.use(STYLE)

    # in a notebook, do not crop figures: cropping would move photographs off the pixel grid
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    shell = get_ipython()
    if shell is None:
        return
    set_matplotlib_formats("png", bbox_inches=None)

    # on a page, figures are HTML; photographs are also one picture, for those who want a copy
    if os.environ.get("MFCA_PUBLISHED"):
        formatters = shell.display_formatter.formatters
        as_png = formatters["image/png"].pop(Figure)
        formatters["image/png"].for_type(Photographs, as_png)
        formatters["text/html"].for_type(Figure, figure_html)
        formatters["text/html"].for_type(Photographs, photographs_html)
