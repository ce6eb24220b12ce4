"""The look of the book: one style, one colour per codec, photographs at their own pixels, tables, package source.

Does not compute results: it draws what a chapter hands it. Every function returns its figure (closed, so that it shows
once: as the last line of a cell) or its table.
"""

import inspect
import platform
import random
import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

PAPER, INK, MUTED = "#ffffff", "#1c2733", "#5b6875"
# name -> (label, colour, marker); colours stay apart for colour-blind readers and keep 3:1 against the paper
CODECS = {
    "mfca": ("MFCA codec", "#c1440e", "o"),
    "jpeg": ("JPEG", "#0b6aa8", "s"),
    "jpeg2000": ("JPEG 2000", "#00805b", "^"),
    "webp": ("WebP", "#a8508a", "D"),
    "avif": ("AVIF", "#9a6b00", "v"),
    "bpg": ("BPG", "#2f7fb0", "P"),
    "vtm": ("VTM", "#444444", "X"),
    "hyperprior": ("hyperprior (2018)", "#7a56b8", "h"),
    "report": ("the report's model", "#8a4b2a", "p"),
}
CYCLE = ["#0b6aa8", "#c1440e", "#00805b", "#a8508a", "#9a6b00", "#7a56b8", "#444444"]
DPI = 100  # of photographs: one image pixel is `scale` figure pixels
STYLE = {
    **{
        "figure.figsize": (6.4, 3.8),
        "figure.dpi": 150,
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
    },
    **{
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
    },
    **{
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    },
    **{
        "grid.color": "#dfe4e8",
        "grid.linewidth": 0.7,
        "axes.axisbelow": True,
        "legend.frameon": False,
    },
    **{
        "font.size": 10.5,
        "axes.titlesize": 11,
        "axes.labelsize": 10.5,
        "xtick.labelsize": 9.5,
        "ytick.labelsize": 9.5,
    },
    **{
        "axes.titlelocation": "left",
        "lines.linewidth": 1.9,
        "lines.markersize": 5,
        "image.interpolation": "nearest",
    },
    **{"axes.prop_cycle": plt.cycler(color=CYCLE), "image.cmap": "viridis"},
}


def start(seed=0):
    """Begin a chapter: set the look and the seeds, print versions. Returns the torch device: `cuda` where there is one,
    else `cpu`.

    Taught in chapter 0."""
    import torch

    from mfca_tutorial import __version__

    use_style()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    versions = (
        f"Python {platform.python_version()}, torch {torch.__version__}, NumPy {np.__version__}"
    )
    where = (
        torch.cuda.get_device_name(0)
        if device.type == "cuda"
        else "the processor; a GPU is not needed"
    )
    print(f"mfca_tutorial {__version__}, {versions}\nruns on {where}")
    return device


def use_style():
    """Set matplotlib's look for the book: legible at phone width, on paper in light and dark pages.

    Taught in chapter 0."""
    plt.rcParams.update(STYLE)
    try:  # in a notebook: no cropping, which would move photographs off the pixel grid
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        if get_ipython() is not None:
            set_matplotlib_formats("png", bbox_inches=None)
    except ImportError:
        pass


def as_rgb(image):
    """uint8 (H, W[, 3]) or float (H, W[, 3]) in 0..1 -> uint8 (H, W, 3). Taught in chapter 0."""
    image = np.asarray(image)
    if image.dtype != np.uint8:
        image = (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
    return (
        np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image[..., :3]
    )  # (H, W, 3)


def signed(array, limit=None):
    """A signed map (H, W) as a picture uint8 (H, W, 3): blue below zero, white at zero, red above; `limit` is the value
    of full colour.

    Taught in chapter 1."""
    array = np.asarray(array, dtype=np.float64)
    limit = limit or max(float(np.abs(array).max()), 1e-12)
    return as_rgb(plt.get_cmap("RdBu_r")(0.5 + 0.5 * np.clip(array / limit, -1, 1))[..., :3])


def heat(array, low=None, high=None, cmap="viridis"):
    """A map (H, W) as a picture uint8 (H, W, 3), `low`..`high` over the colours (default: its own range).

    Taught in chapter 2."""
    array = np.asarray(array, dtype=np.float64)
    low, high = (array.min() if low is None else low), (array.max() if high is None else high)
    return as_rgb(
        plt.get_cmap(cmap)(np.clip((array - low) / max(high - low, 1e-12), 0, 1))[..., :3]
    )


def error_map(a, b, limit=32):
    """Where two uint8 images differ: mean absolute difference over colours, 0..`limit` grey levels as dark..bright.

    Taught in chapter 12."""
    difference = np.abs(as_rgb(a).astype(np.int16) - as_rgb(b)).mean(axis=2)
    return heat(difference, 0, limit, "magma")


def enlarge(image, times):
    """Repeat every pixel `times` times both ways (nearest neighbour). Taught in chapter 0."""
    return np.repeat(np.repeat(np.asarray(image), times, axis=0), times, axis=1)


def show_images(images, titles=None, *, zoom=None, factor=4, columns=None, scale=1, gap=12):
    """Photographs side by side at their own pixels. `images`: list of (H, W[, 3]); `titles`: one a picture, `\\n` for a
    second line.

    `zoom = (top, left, side)` frames that square and draws it `factor` times larger, nearest neighbour, in the lower
    right corner. `scale` repeats pixels (small arrays). `columns`: pictures in a row (default all). The book's column
    is about 740 pixels wide. Taught in chapter 0."""
    images = [enlarge(as_rgb(i), scale) for i in images]
    titles = list(titles or [""] * len(images))
    columns = min(columns or len(images), len(images))
    rows = -(-len(images) // columns)
    height, width = max(i.shape[0] for i in images), max(i.shape[1] for i in images)
    above = 6 + 17 * max(t.count("\n") + bool(t) for t in titles)  # pixels for the titles
    full_w, full_h = columns * (width + gap) + gap, rows * (height + above + gap)
    fig = plt.figure(figsize=(full_w / DPI, full_h / DPI), dpi=DPI, layout="none")
    for n, (image, title) in enumerate(zip(images, titles)):
        h, w = image.shape[:2]
        left, top = (
            gap + (n % columns) * (width + gap),
            (n // columns) * (height + above + gap) + above,
        )  # pixels from the top left
        ax = fig.add_axes((left / full_w, 1 - (top + h) / full_h, w / full_w, h / full_h))
        ax.imshow(image, interpolation="nearest", aspect="auto")
        ax.set_axis_off()
        fig.text(
            left / full_w, 1 - (top - 5) / full_h, title, va="bottom", fontsize=8.6, linespacing=1.2
        )
        if zoom is not None:
            row, column, side = (v * scale for v in zoom)
            ax.add_patch(
                Rectangle(
                    (column - 0.5, row - 0.5),
                    side,
                    side,
                    fill=False,
                    edgecolor="#ffd60a",
                    linewidth=1.2,
                )
            )
            patch = enlarge(image[row : row + side, column : column + side], factor)
            ph, pw = patch.shape[:2]
            inset = fig.add_axes(
                ((left + w - pw) / full_w, 1 - (top + h) / full_h, pw / full_w, ph / full_h)
            )
            inset.imshow(patch, interpolation="nearest", aspect="auto")
            inset.set(xticks=[], yticks=[])
            for spine in inset.spines.values():
                spine.set(edgecolor="#ffd60a", linewidth=1.2, visible=True)
    plt.close(fig)
    return fig


def plot_curves(curves, *, xlabel, ylabel, ax=None, label_at=-1):
    """Lines with their names written at their ends. `curves`: {codec or label: (x, y)}; a key of `CODECS` gets that
    codec's colour.

    Taught in chapter 12."""
    ax = ax or plt.subplots()[1]
    for n, (name, (x, y)) in enumerate(curves.items()):
        label, colour, marker = CODECS.get(name, (name, CYCLE[n % len(CYCLE)], "o"))
        ax.plot(x, y, color=colour, marker=marker, label=label)
        ax.annotate(
            label,
            (x[label_at], y[label_at]),
            xytext=(6, 0),
            textcoords="offset points",
            color=colour,
            va="center",
            fontsize=9,
        )
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.margins(x=0.16)
    plt.close(ax.figure)
    return ax.figure


def table(headers, rows, caption=""):
    """A results table as Markdown (accessible, themed, no picture). Numbers are written as you format them.

    Taught in chapter 0."""
    from IPython.display import Markdown

    head = (
        "| "
        + " | ".join(headers)
        + " |\n|"
        + "|".join([":--"] + ["--:"] * (len(headers) - 1))
        + "|\n"
    )
    body = "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)
    return Markdown((f"**{caption}**\n\n" if caption else "") + head + body)


def show_source(thing, docstring=False):
    """The source of a function, class or method of the package, as it is installed; its docstring only when asked.

    Taught in chapter 1."""
    from IPython.display import Markdown

    code = inspect.getsource(thing)
    if not docstring and thing.__doc__:
        first = code.find('"""')
        last = code.find('"""', first + 3) + 3
        code = code[: code.rfind("\n", 0, first)] + code[last:]
    return Markdown(f"```python\n{textwrap.dedent(code).strip()}\n```")
