"""The model card's two pictures, and what is measured with the model itself.

It measures hard cases, the size of the streams against the estimate, how many multiplications the
decoder takes, and how many hidden units fire. It writes _assets/model_card/loss.svg and
failures.png, and data/results/model_card.json. tools/model_card.py calls it.
"""

from itertools import product

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from model_card import CASES, load, losses_of, rows
from PIL import Image, ImageColor, ImageDraw, ImageFont
from shared import ROOT, save_sheet
from torch.utils.flop_counter import FlopCounterMode

from mfca_tutorial import Codec, data
from mfca_tutorial.config import LATENT_STRIDE, STRIDE
from mfca_tutorial.entropy.gaussian import gaussian_bits, scale_of_index
from mfca_tutorial.evaluation import benchmark, classical, metrics, rd

COMMAND = "python tools/model_card.py --pictures"
FOLDER = ROOT / "_assets" / "model_card"
SIDE = 192  # pixels: the side of a hard case
QUALITIES = (15, 50, 100)
COLOURS = ("red", "blue", "lime", "yellow", "magenta", "cyan", "white", "black")
SENTENCE = (
    "Sphinx of black quartz, judge\nmy vow. Pack my box with five\ndozen liquor jugs. 0123456789\n"
)


def text():
    image = Image.new("RGB", (SIDE, SIDE), "white")
    font = ImageFont.truetype(matplotlib.get_data_path() + "/fonts/ttf/DejaVuSans.ttf", 11)
    ImageDraw.Draw(image).multiline_text((6, 4), 5 * SENTENCE, fill="black", font=font, spacing=3)
    return image


def rays():
    """Lines from the middle outwards, one every six degrees."""
    image = Image.new("RGB", (SIDE, SIDE), "white")
    middle = SIDE / 2
    for angle in np.radians(range(0, 360, 6)):
        end = (middle + SIDE * np.cos(angle), middle + SIDE * np.sin(angle))
        ImageDraw.Draw(image).line(((middle, middle), end), fill="black")
    return image


def bars():
    """Bars of saturated colours, 16 pixels wide, in reverse order in the lower half."""
    colours = [ImageColor.getrgb(COLOURS[i % len(COLOURS)]) for i in range(SIDE // 16)]
    row = np.repeat(colours, 16, axis=0)  # (SIDE, 3)
    return np.repeat([row, row[::-1]], SIDE // 2, axis=0)  # (SIDE, SIDE, 3)


def gradient():
    ramp = np.linspace(0, 0.5, SIDE)
    ramp = ramp[:, None, None] + ramp[:, None]  # (SIDE, SIDE, 1)
    return np.rint([40, 60, 100] + ramp * [40, 50, 60])  # (SIDE, SIDE, 3)


def chequer():
    board = np.indices((SIDE, SIDE)).sum(0) % 2 * 255  # (SIDE, SIDE)
    return np.dstack([board] * 3)  # (SIDE, SIDE, 3)


def hard_cases():
    """The hard cases: (name, picture, zoom in the sheet). Pictures are later cut to SIDE x SIDE."""
    noise = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    return [
        ("text", text(), 2),
        ("a face", data.photograph("astronaut")[20:, 130:], 1),
        ("noise", noise, 4),
        ("saturated bars", bars(), 2),
        ("smooth gradient", gradient(), 1),
        ("1-px chequer", chequer(), 4),
        ("1-px rays", rays(), 2),
        ("faint stars", data.photograph("hubble_deep_field")[300:, 300:], 2),
    ]


def shoot(codec, image, quality):
    """Return the decoded image and {"bytes", "psnr", "jpeg"}.

    "jpeg" is the best PSNR of a JPEG with no more bytes than the file, or None if there is none.
    """
    stream = codec.compress(image, quality)
    decoded = data.to_image(codec.decompress(stream))
    jpegs = [classical.jpeg(image, q) for q in range(1, 96)]
    small = [jpeg for jpeg in jpegs if len(jpeg) <= len(stream)]
    psnrs = [metrics.psnr(image, classical.decode(jpeg)) for jpeg in small]
    return decoded, {
        "bytes": len(stream),
        "psnr": metrics.psnr(image, decoded),
        "jpeg": max(psnrs, default=None),
    }


def measure_cases(codec):
    """Measure the hard cases at every quality; draw each at the lowest quality (failures.png)."""
    found = {}
    panels = []
    for name, picture, zoom in hard_cases():
        image = np.array(picture, np.uint8)[:SIDE, :SIDE]
        decoded, shots = zip(*[shoot(codec, image, quality) for quality in QUALITIES])
        flat = np.full_like(image, np.rint(image.mean((0, 1))))
        found[name] = {
            "flat": metrics.psnr(image, flat),
            "shots": dict(zip(QUALITIES, shots)),
        }

        corner = (slice(SIDE // zoom), slice(SIDE // zoom))
        title = f"{shots[0]['bytes']:,} bytes, {shots[0]['psnr']:.1f} dB"
        panels += [(name, image[corner], zoom), (title, decoded[0][corner], zoom)]

    save_sheet(panels, 4, FOLDER / "failures.png")
    return found


@torch.no_grad()
def estimate(codec, name, quality):
    """The bytes of the streams, and the model's estimate for exactly the same rounded values."""
    coded = codec.encode_tile(data.to_tensor(data.photograph(name)), quality).coded
    scale = scale_of_index(coded.index.double())
    y_bits = gaussian_bits(coded.v_hat - coded.mean, scale).sum().item()
    z_bits = codec.hyperprior.prior.bits(coded.z_hat.float()).sum().item()
    return {
        "picture": name,
        "quality": quality,
        "estimate": (y_bits + z_bits) / 8,
        "streams": len(coded.z_bytes) + len(coded.y_bytes),
    }


@torch.no_grad()
def decoder_macs(codec, height=512, width=768):
    """Multiply-accumulates per pixel that the decoder's networks run on a picture."""
    of_blocks = (height // STRIDE, width // STRIDE)
    of_latents = (height // LATENT_STRIDE, width // LATENT_STRIDE)
    z_hat = torch.zeros(1, codec.config.hyper, *of_blocks)
    v = torch.zeros(1, codec.config.latents, *of_latents)
    blocks = torch.full((1, 1, *of_blocks), 50.0)
    with FlopCounterMode(display=False) as counter:
        features = codec.hyperprior.h_s(z_hat)
        codec.hyperprior.predict(v, features)
        codec.synthesise(v, blocks)
    return counter.get_total_flops() / 2 / (height * width)  # a MAC is two FLOPs


def loss_curve():
    """Draw the losses and the PSNR of the training crops: run beside run, each equally wide.

    Losses that are different functions have panels of their own; the rows at the end of a run whose
    bits are those of rounded latents are in none.
    """
    matplotlib.rcParams |= {"svg.hashsalt": "model card", "svg.fonttype": "none"}
    report = load("training/report.json") | {"log": "log"}
    runs = load("training/history.json")["runs"] if report["recipe"]["init"] else []
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    panels = {}  # by title: the axes, and the runs that they show
    titles = ("loss, squared error alone", "loss, a share of MS-SSIM", "PSNR of the crops, dB")
    for title, ax in zip(titles, figure.subplots(1, 3)):
        ax.set_title(title, fontsize="medium")
        panels[title] = (ax, [])

    for number, run in enumerate([*runs, report], 1):
        # the rows up to the weights that went on
        found = rows(f"training/{run['log']}.csv")
        log = [row for row in found if int(row["step"]) <= run["steps"]]
        losses, _ = losses_of(log, run["recipe"])
        decibels = [float(row["psnr"]) for row in log]

        own = titles[1] if run["recipe"].get("ms_ssim") else titles[0]
        for title, values in ((own, losses), (titles[2], decibels)):
            ax, shown = panels[title]
            across = np.linspace(len(shown) + 0.04, len(shown) + 0.96, len(values))
            ax.plot(across, values, color=f"C{number - 1}")
            shown.append(number)

    for ax, shown in panels.values():
        ax.set_xticks(np.arange(len(shown)) + 0.5, shown)
        ax.set_xlabel("run")
    panels[titles[0]][0].set_ylim(2.7, 7.5)
    panels[titles[2]][0].set_ylim(25, 32)
    figure.savefig(FOLDER / "loss.svg", metadata={"Date": None})


def draw():
    """Draw and measure everything, with the shipped model."""
    loss_curve()
    codec = Codec.from_pretrained()

    # Note which hidden units of the post-quantisation filter are ever above zero.
    fired = []
    codec.pqf.first.register_forward_hook(lambda *call: fired.append(call[-1].amax((0, 2, 3)) > 0))
    cases = measure_cases(codec)
    alive = torch.stack(fired).any(0)  # (hidden,)

    pairs = product(("chelsea", "coffee", "rocket"), (10, 50, 90))
    results = {
        "command": COMMAND,
        "checkpoint": codec.model_id.hex(),
        "qualities": QUALITIES,
        "cases": cases,
        "estimates": [estimate(codec, name, quality) for name, quality in pairs],
        "decoder_macs": decoder_macs(codec),
        "pqf": {"units": len(alive), "alive": int(alive.sum())},
        "versions": benchmark.versions(),
    }
    rd.save_results(results, CASES)
