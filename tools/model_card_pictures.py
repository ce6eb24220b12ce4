"""The model card's pictures, and what is measured with the model itself: hard cases, estimates, units that fire.

Writes _assets/model_card/loss.svg and failures.png, and data/results/model_card.json. Called by tools/model_card.py.
"""

import math

import numpy as np
import revive
import torch
from matplotlib import font_manager
from model_card_tables import CASES, ROOT, load, rows
from PIL import Image, ImageColor, ImageDraw, ImageFont

from mfca_tutorial import Codec, data
from mfca_tutorial.blocks.mfca import MFCA
from mfca_tutorial.entropy.hyperprior import gaussian_bits, scale_of_index
from mfca_tutorial.evaluation import classical, metrics, rd
from mfca_tutorial.learning.step import Objective

FOLDER = ROOT / "_assets" / "model_card"
SIDE, QUALITIES = 192, (15, 50, 100)  # of the hard cases
ESTIMATED, ESTIMATE_QUALITIES = ("chelsea", "coffee", "rocket"), (10, 50, 90)
COLOURS = ("red", "blue", "lime", "yellow", "magenta", "cyan", "white", "black")
SENTENCE = (
    "Sphinx of black quartz, judge\nmy vow. Pack my box with five\ndozen liquor jugs. 0123456789\n"
)


def font(size):
    return ImageFont.truetype(
        font_manager.findfont("DejaVu Sans"), size
    )  # it comes with Matplotlib


def text():
    image = Image.new("RGB", (SIDE, SIDE), "white")
    ImageDraw.Draw(image).multiline_text(
        (6, 4), 5 * SENTENCE, fill="black", font=font(11), spacing=3
    )
    return np.array(image)


def rays():
    image, middle = Image.new("RGB", (SIDE, SIDE), "white"), SIDE / 2
    for angle in np.radians(range(0, 360, 6)):
        end = (middle + SIDE * math.cos(angle), middle + SIDE * math.sin(angle))
        ImageDraw.Draw(image).line(((middle, middle), end), fill="black")
    return np.array(image)


def bars():
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    for i in range(SIDE // 16):
        image[:, 16 * i : 16 * (i + 1)] = ImageColor.getrgb(COLOURS[i % len(COLOURS)])
    image[SIDE // 2 :] = image[SIDE // 2 :, ::-1]
    return image


def gradient():
    ramp = np.add.outer(np.linspace(0, 0.5, SIDE), np.linspace(0, 0.5, SIDE))[
        ..., None
    ]  # (SIDE, SIDE, 1)
    return np.rint([40, 60, 100] + ramp * [40, 50, 60]).astype(np.uint8)


def chequer():
    return np.repeat((np.indices((SIDE, SIDE)).sum(0) % 2 * 255)[..., None], 3, 2).astype(np.uint8)


def hard_cases():
    """name -> (picture (SIDE, SIDE, 3), zoom in the contact sheet)."""
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    return {
        "text": (text(), 2),
        "a face": (data.photograph("astronaut")[20:, 130:][:SIDE, :SIDE], 1),
        "noise": (noise, 4),
        "saturated bars": (bars(), 2),
        "smooth gradient": (gradient(), 1),
        "1-px chequer": (chequer(), 4),
        "1-px rays": (rays(), 2),
        "faint stars": (data.photograph("hubble_deep_field")[300:, 300:][:SIDE, :SIDE], 2),
    }


def shoot(codec, image, quality):
    """-> decoded picture, and {"bytes", "psnr", "jpeg": PSNR of the best JPEG of no more bytes, or None}."""
    stream = codec.compress(image, quality)
    decoded = data.to_image(codec.decompress(stream))
    jpegs = [file for q in range(1, 96) if len(file := classical.jpeg(image, q)) <= len(stream)]
    return decoded, {
        "bytes": len(stream),
        "psnr": metrics.psnr(image, decoded),
        "jpeg": max((metrics.psnr(image, classical.decode(file)) for file in jpegs), default=None),
    }


def sheet(pictures):
    """name -> (original, decoded, zoom, shot) to one PNG: two cases a row, each original | decoded."""
    gap, head, cell = 6, 20, SIDE
    lines = -(-len(pictures) // 2)
    canvas = Image.new(
        "RGB", (4 * (cell + gap) + gap, lines * (cell + head + gap) + gap), "lightgrey"
    )
    for i, (name, (original, decoded, zoom, shot)) in enumerate(pictures.items()):
        left, top = gap + i % 2 * 2 * (cell + gap), gap + i // 2 * (cell + head + gap)
        title = f"{name}, quality {QUALITIES[0]}: {shot['bytes']:,} bytes, {shot['psnr']:.1f} dB"
        ImageDraw.Draw(canvas).text((left, top + 2), title, fill="black", font=font(12))
        for k, picture in enumerate((original, decoded)):
            detail = (
                picture[: cell // zoom, : cell // zoom].repeat(zoom, 0).repeat(zoom, 1)
            )  # (cell, cell, 3)
            canvas.paste(Image.fromarray(detail), (left + k * (cell + gap), top + head))
    canvas.save(FOLDER / "failures.png", optimize=True)


@torch.no_grad()
def estimates(codec):
    """Bytes of the streams and of the file against the model's estimate for the very same rounded values."""
    found = []
    for name in ESTIMATED:
        image = data.photograph(name)
        for quality in ESTIMATE_QUALITIES:
            coded = codec.analyse(data.to_tensor(image), quality)
            bits = gaussian_bits(
                coded["y_hat"] - coded["mean"], scale_of_index(coded["index"].double())
            ).sum()
            bits += codec.hyperprior.prior.bits(coded["z_hat"].float()).sum()
            found.append(
                {
                    "picture": name,
                    "quality": quality,
                    "estimate": bits.item() / 8,
                    "streams": len(coded["z_bytes"]) + len(coded["y_bytes"]),
                }
            )
    return found


@torch.no_grad()
def worth_of_gates(codec):
    """By block: how much bits + lambda * squared error grow, in %, when its gates are fixed at their means."""
    x, means = revive.pictures(), {}  # (B, 3, 256, 256)
    quality, flat = torch.full((len(x),), 50.0), torch.zeros(len(x), 1, 4, 4)

    def cost():
        return Objective(codec)(x, quality, flat, noise=False)["loss"].item()

    blocks = {name: module for name, module in codec.named_modules() if isinstance(module, MFCA)}
    hooks = [
        block.register_forward_hook(
            lambda module, inputs, _, name=name: means.__setitem__(
                name, module.gates(inputs[0]).mean(0)
            )
        )
        for name, block in blocks.items()
    ]
    free, worth = cost(), {}
    for hook in hooks:
        hook.remove()
    for name, block in blocks.items():
        kept = [p.clone() for p in block.fc2.parameters()]
        block.fc2.weight.zero_()
        block.fc2.bias.copy_(torch.logit(means[name]))
        worth[name.removesuffix(".attention")] = 100 * (cost() / free - 1)
        for p, old in zip(block.fc2.parameters(), kept):
            p.copy_(old)
    return worth


def loss_curve():
    """Loss and PSNR of the training crops, all runs one after the other."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams |= {"svg.hashsalt": "model card", "svg.fonttype": "none"}
    report = load("training/report.json")
    runs = load("training/history.json")["runs"] if report["recipe"]["init"] else []
    runs.append(report | {"log": "log"})
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    axes, start = figure.subplots(1, 2), 0.0
    for number, run in enumerate(runs, 1):
        log = rows(f"training/{run['log']}.csv")
        crops = [start + float(row["step"]) * run["recipe"]["batch"] / 1000 for row in log]
        for ax, key in zip(axes, ("loss", "psnr")):
            ax.plot(crops, [float(row[key]) for row in log], label=f"run {number}", linewidth=1.2)
        start = crops[-1]
    axes[0].set(yscale="log", xlabel="thousand crops", ylabel="training loss (log)")
    axes[1].set(xlabel="thousand crops", ylabel="PSNR of the training crops, dB", ylim=(24, None))
    axes[0].set_ylim(2.6, 10)
    axes[0].set_yticks([3, 4, 5, 7, 10], ["3", "4", "5", "7", "10"], minor=False)
    axes[0].minorticks_off()
    for ax in axes:
        ax.grid(alpha=0.3)
    axes[0].legend()
    figure.savefig(FOLDER / "loss.svg", metadata={"Date": None})


def draw():
    FOLDER.mkdir(parents=True, exist_ok=True)
    loss_curve()
    codec, fired = Codec.from_pretrained(), torch.zeros(0)

    def record(module, inputs, output):
        nonlocal fired
        now = (output > 0).any(3).any(2).any(0)  # (hidden,)
        fired = now if not len(fired) else fired | now

    codec.pqf.first.register_forward_hook(record)
    cases, pictures = {}, {}
    for name, (image, zoom) in hard_cases().items():
        image = np.ascontiguousarray(image)
        shots = {q: shoot(codec, image, q) for q in QUALITIES}
        flat = np.broadcast_to(np.rint(image.mean((0, 1))), image.shape).astype(np.uint8)
        cases[name] = {
            "flat": metrics.psnr(image, flat),
            "shots": {q: shot for q, (_, shot) in shots.items()},
        }
        pictures[name] = (image, shots[QUALITIES[0]][0], zoom, shots[QUALITIES[0]][1])
    for name in ESTIMATED:
        for quality in ESTIMATE_QUALITIES:
            codec.decompress(codec.compress(data.photograph(name), quality))
    sheet(pictures)
    rd.save_results(
        {
            "checkpoint": codec.model_id.hex(),
            "qualities": QUALITIES,
            "cases": cases,
            "estimates": estimates(codec),
            "pqf": {"units": len(fired), "alive": int(fired.sum())},
            "worth_of_gates": worth_of_gates(codec),
            "versions": rd.versions(),
        },
        CASES,
    )
