"""`mfca encode | decode | info | eval | train | plot`: the command line.

Each command exits 0, or writes one line to stderr and exits 2; an output file is written whole or not at all. torch is
imported only by the commands that need it: not by `info` and `plot`. Taught in chapters 0, 9, 11 and 12.
"""

import argparse
import json
import os
import shlex
import sys
from pathlib import Path

from mfca_tutorial import __version__
from mfca_tutorial.container import BitstreamError
from mfca_tutorial.learning.recipe import add_arguments

CLASSICAL = ("jpeg", "jpeg2000", "webp", "avif")
EFFORT = "steps of search for cheaper and better latents: 0 (default), 10 for some 5 %% fewer bits, slowly"


class Parser(argparse.ArgumentParser):
    """argparse, with errors on one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def quality(value):
    """A number in 0..100 -> the nearest half step; ValueError outside."""
    if not 0 <= value <= 100:
        raise ValueError(f"quality {value:g} is not in 0..100")
    return round(value * 2) / 2


def note(message):
    print(f"mfca: note: {message}", file=sys.stderr)


def check_output(file):
    """Fail before the work, not after it, when the output has nowhere to go."""
    if not Path(file).resolve().parent.is_dir():
        raise FileNotFoundError(f"{file}: no such folder")
    if Path(file).is_dir():
        raise IsADirectoryError(f"{file}: is a folder")


def load_codec(checkpoint):
    from mfca_tutorial import Codec
    return Codec.from_pretrained(checkpoint)


def importance_of(text):
    """'flat' | 'auto' | picture of a mask -> what `Codec.compress` takes: 128 is neutral, white +1, black -1."""
    if text in ("flat", "auto"):
        return text
    from mfca_tutorial.data import read_image
    grey = read_image(text)[0].astype("float32").mean(2)  # (H, W)
    return ((grey - 128) / 127).clip(-1, 1)


def slow_bar(work):
    """A progress bar over tiles, or over the steps of a search, on stderr, once it has taken two seconds."""
    from tqdm import tqdm
    return tqdm(work, delay=2, leave=False)


def encode(args):
    from mfca_tutorial import data
    check_output(args.output)
    step = quality(args.quality)
    image, notices = data.read_image(args.input)  # (H, W, 3)
    for notice in notices:
        note(f"{args.input}: {notice}")
    importance = importance_of(args.importance)
    stream = load_codec(args.checkpoint).compress(image, step, importance, slow_bar, args.effort)
    data.write_atomic(args.output, stream)
    height, width = image.shape[:2]
    print(f"{args.output}: {width} x {height}, {len(stream)} bytes, {8 * len(stream) / (width * height):.3f} bpp")


def decode(args):
    from mfca_tutorial import container, data
    check_output(args.output)
    data.output_format(args.output)
    stream = Path(args.input).read_bytes()
    header = container.read_header(stream)
    image = data.to_image(load_codec(args.checkpoint).decompress(stream, slow_bar))  # (H, W, 3)
    data.write_image(image[..., 0] if header.grey else image, args.output)
    print(f"{args.output}: {header.width} x {header.height}")


def info(args):
    from mfca_tutorial import container
    stream = Path(args.file).read_bytes()
    header, tiles = container.unpack(stream)
    facts = {"file": args.file, "bytes": len(stream), "width": header.width, "height": header.height,
             "bpp": 8 * len(stream) / (header.width * header.height), "quality": header.quality, "grey": header.grey,
             "importance": "map" if header.has_map else "flat", "tile": header.tile, "tiles": len(tiles),
             "model": header.model_id.hex(), "map_bytes": sum(len(tile.map) for tile in tiles),
             "z_bytes": sum(len(tile.z) for tile in tiles), "y_bytes": sum(len(tile.y) for tile in tiles)}
    if args.json:
        print(json.dumps(facts, indent=1))
        return
    for key, value in facts.items():
        print(f"{key:<11} {value:.4f}" if key == "bpp" else f"{key:<11} {value}")


def evaluate(args):
    from mfca_tutorial import data
    from mfca_tutorial.evaluation import classical, rd
    check_output(args.out)
    kodak = args.folder == "kodak" and not Path(args.folder).exists()
    files = data.kodak() if kodak else data.image_files(args.folder)
    if args.codec == "mfca":
        settings = [quality(setting) for setting in args.qualities or rd.QUALITIES]
        codec = load_codec(args.checkpoint)
    else:
        codec, settings = args.codec, args.qualities or classical.SETTINGS[args.codec]
    results = rd.evaluate(codec, files, settings, args.importance, args.effort, progress=True)
    results["command"] = shlex.join(["mfca", *(Path(word).name if "/" in word else word for word in args.words)])
    rd.save_results(results, args.out)
    if results["skipped-ms-ssim"]:
        note(f"{results['skipped-ms-ssim']} of {len(files)} images are too small for MS-SSIM and not in its mean")
    if args.json:
        print(json.dumps({key: value for key, value in results.items() if key != "images"}, indent=1))
        return
    print(" setting      bpp  PSNR dB  MS-SSIM  encode s  decode s")
    for i, setting in enumerate(results["settings"]):
        bpp, psnr, _, msssim, enc, dec = (results["results"][key][i] for key in rd.MEANS)
        msssim = "-" if msssim is None else f"{msssim:.5f}"
        print(f"{setting:8g} {bpp:8.4f} {psnr:8.3f} {msssim:>8} {enc:9.3f} {dec:9.3f}")


def plot(args):
    from mfca_tutorial.evaluation.plot import find, plot_curves
    check_output(args.out)
    curves = [find(name) for name in args.results]
    for name, delta in plot_curves(curves, args.out, args.metric).items():
        shown = "no common range" if delta is None else f"{delta:+.2f} %"
        print(f"BD-rate of {name} against {curves[0]['name']} ({args.metric}): {shown}")


def train(args):
    from mfca_tutorial.learning import trainer
    trainer.main(args)


def build_parser():
    parser = Parser(prog="mfca", description="Learned image compression: a picture to a .mfca file and back.")
    parser.add_argument("--version", action="version", version=f"mfca {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name, run, text):
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    sub = add("encode", encode, "compress a picture")
    sub.add_argument("input", help="any picture that Pillow reads")
    sub.add_argument("output", help="the .mfca file to write")
    sub.add_argument("--quality", type=float, default=50.0, help="0..100 in half steps, default 50")
    sub.add_argument("--importance", default="flat", help="flat (default), auto, or a picture: white = better quality")
    sub.add_argument("--effort", type=int, default=0, help=EFFORT)
    sub.add_argument("--checkpoint", help="a .safetensors file instead of the one in the package")
    sub = add("decode", decode, "decompress a .mfca file")
    sub.add_argument("input", help="a .mfca file")
    sub.add_argument("output", help="the picture to write; .png keeps every bit")
    sub.add_argument("--checkpoint", help="the .safetensors file that the picture was encoded with")
    sub = add("info", info, "say what a .mfca file holds")
    sub.add_argument("file")
    sub.add_argument("--json", action="store_true", help="as JSON")
    sub = add("eval", evaluate, "measure a rate-distortion curve on a folder of pictures")
    sub.add_argument("folder", help="a folder of pictures, or 'kodak'")
    sub.add_argument("--out", required=True, help="the .json file to write")
    sub.add_argument("--codec", default="mfca", choices=("mfca", *CLASSICAL))
    sub.add_argument("--qualities", type=float, nargs="+", help="settings to measure (jpeg2000: compression ratios)")
    sub.add_argument("--importance", default="flat", choices=("flat", "auto"))
    sub.add_argument("--effort", type=int, default=0, help=EFFORT)
    sub.add_argument("--checkpoint", help="a .safetensors file instead of the one in the package")
    sub.add_argument("--json", action="store_true", help="print JSON, not a table")
    sub = add("plot", plot, "draw rate-distortion curves and print BD-rates")
    sub.add_argument("results", nargs="+", help="files of mfca eval, or published curves; the first is the anchor")
    sub.add_argument("--out", required=True, help="the picture to write (.png, .svg)")
    sub.add_argument("--metric", default="psnr-rgb", choices=("psnr-rgb", "ms-ssim-rgb"))
    add_arguments(add("train", train, "train a model"))
    return parser


def main(argv=None):
    """Run one command; returns the exit status: 0, 2 after a one-line error, 130 when interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    args = build_parser().parse_args(words)
    args.words = words
    try:
        args.run(args)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `mfca info --json FILE | head -1`: the reader has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (BitstreamError, ValueError, OSError) as error:
        filename = getattr(error, "filename", None)
        message = f"{filename}: {error.strerror}" if filename else str(error)
        print(f"mfca: {' '.join(message.split())}", file=sys.stderr)
        return 2
    return 0
