"""What each command of `mfca` does: read files, call the package, write and report.

The options of the command line are passed to a command by name. Each command imports what it needs
when it runs, so `info` and `plot` do not wait for torch.

But: nothing is computed here, and errors are raised, not shown. `cli.py` turns each error into one
line.

Taught in chapters 0, 9 and 12.
"""

import argparse
import shlex
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from mfca_tutorial.command_files import (
    STREAM,
    SUFFIX,
    check_output,
    read_input,
    refuse_picture_name,
    write_output,
)
from mfca_tutorial.command_output import (
    note,
    print_curve,
    print_facts,
    print_json,
    progress_bar,
    report,
)
from mfca_tutorial.config import MAX_QUALITY

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mfca_tutorial.codec import Codec
    from mfca_tutorial.evaluation.results import Results

# ---- the commands


def encode(
    source: str,
    target: str,
    *,
    quality: float,
    importance: str,
    effort: int,
    checkpoint: str | None,
) -> None:
    """Compress a picture to a .mfca file."""
    from mfca_tutorial import data

    # first, everything that can fail immediately
    check_output(target, source, importance, checkpoint, may_be_stdout=True)
    refuse_picture_name(target, "use .mfca, the only format that `mfca encode` writes")
    step = half_step(quality)
    picture = sys.stdin.buffer if source == STREAM else source
    image, notices = data.read_image(picture)  # (H, W, 3)
    for notice in notices:
        note(f"{source}: {notice}")
    wanted = read_importance(importance)

    # then the work
    codec = load_codec(checkpoint)
    stream = codec.compress(image, step, importance=wanted, effort=effort, progress=progress_bar)
    write_output(target, stream)

    # the report
    height, width = image.shape[:2]
    bpp = 8 * len(stream) / (width * height)
    report(target, f"{width} x {height}, {len(stream)} bytes, {bpp:.3f} bpp")


def decode(
    source: str,
    target: str,
    *,
    checkpoint: str | None,
    max_pixels: int | None,
) -> None:
    """Decompress a .mfca file to a picture."""
    from mfca_tutorial import container, data

    # first, everything that can fail immediately
    check_output(target, source, checkpoint, may_be_stdout=True)
    if Path(target).suffix.lower() == SUFFIX:
        raise ValueError(f"{target}: `mfca decode` writes pictures; use .png")

    # standard output has no suffix that would name a format
    kind = "PNG" if target == STREAM else data.output_format(target)
    stream = read_input(source)
    header = container.read_header(stream)

    # then the work
    codec = load_codec(checkpoint)
    image = codec.decode_pixels(stream, max_pixels=max_pixels, progress=progress_bar)  # (H, W, 3)

    # the three channels of a grey picture are equal, so one is enough
    pixels = image[..., 0] if header.grey else image
    write_output(target, data.image_bytes(pixels, kind, name=target))
    report(target, f"{header.width} x {header.height}")


def info(file: str, *, as_json: bool) -> None:
    """Show what a .mfca file contains."""
    from mfca_tutorial import container

    # unpacking checks the file's structure but does not decode the streams, so it needs no model
    stream = read_input(file)
    header, tiles = container.unpack(stream)

    facts = {
        # the file and the picture
        "file": file,
        "bytes": len(stream),
        "width": header.width,
        "height": header.height,
        "bpp": 8 * len(stream) / (header.width * header.height),
        # how it was coded
        "quality": header.quality,
        "grey": header.grey,
        "importance": "map" if header.has_map else "flat",
        "tile": header.tile,
        "tiles": len(tiles),
        "model": header.model_id.hex(),
        # where the bytes are
        "map_bytes": sum(len(tile.map) for tile in tiles),
        "z_bytes": sum(len(tile.z) for tile in tiles),
        "y_bytes": sum(len(tile.y) for tile in tiles),
    }
    if as_json:
        print_json(facts)
    else:
        print_facts(facts)


def evaluate(
    folder: str,
    *,
    out: str,
    codec: str,
    qualities: list[float] | None,
    importance: str,
    effort: int,
    checkpoint: str | None,
    as_json: bool,
    words: list[str],
) -> None:
    """Measure a rate-distortion curve. `words`: what the user typed, recorded in the result."""
    from mfca_tutorial import data
    from mfca_tutorial.evaluation import benchmark, classical, rd

    check_output(out, checkpoint)
    refuse_picture_name(out, "use .json, the only format that `mfca eval` writes")

    # the pictures: 'kodak' means the Kodak set unless a folder has that name
    is_kodak = folder == "kodak" and not Path(folder).exists()
    files = data.kodak() if is_kodak else data.image_files(folder)

    # the codec, and its settings from the lowest rate to the highest
    coder: Codec | str
    if codec == "mfca":
        settings = [half_step(quality) for quality in qualities or benchmark.QUALITIES]
        coder = load_codec(checkpoint)
    else:
        settings = list(qualities or classical.SETTINGS[codec])
        coder = codec

    # the work
    results = benchmark.evaluate(
        coder, files, settings, importance=importance, effort=effort, progress=True
    )
    results["command"] = without_folders(words)
    rd.save_results(results, out)

    # the report
    skipped = results["skipped-ms-ssim"]
    failed = results["failed"]
    measured = len(files) - len(failed)
    if skipped:
        note(f"{skipped} of {measured} images are too small for MS-SSIM and are not in its mean")
    if as_json:
        print_json({key: value for key, value in results.items() if key != "images"})
    else:
        print_curve(results["settings"], [results["results"][key] for key in rd.MEANS])

    # the rest is saved, but the missing files must not go unnoticed
    if failed:
        for failure in failed:
            note(failure["reason"])
        raise data.ImageError(f"{len(failed)} of {len(files)} images are not in {out}; see above")


def plot(results: list[str], *, out: str, metric: str) -> None:
    """Draw rate-distortion curves; the first is the anchor for the BD-rates."""
    from mfca_tutorial.evaluation.plot import find_results, write_plot

    check_output(out, *results)

    # each name is a result file or a published curve
    curves = [find_results(name) for name in results]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its warnings about BD-rates are repeated below
        write_plot(curves, out, metric)

    # print the numbers of the legend with one more digit, and the range they are taken over
    anchor = curves[0]
    for other in curves[1:]:
        shown = shown_bd_rate(anchor, other, metric)
        print(f"BD-rate of {other['name']} against {anchor['name']} ({metric}): {shown}")


def train(**options: object) -> None:
    """Train a model; the options are the fields of `Recipe`."""
    from mfca_tutorial.learning import command

    command.main(argparse.Namespace(**options))


# ---- what the commands share


def half_step(quality: float) -> float:
    """A quality in 0..100 -> the nearest half step. Raises ValueError outside that range."""
    if not 0 <= quality <= MAX_QUALITY:
        raise ValueError(f"quality {quality:g} is not in 0..{MAX_QUALITY}")
    return round(quality * 2) / 2


def read_importance(text: str) -> "str | NDArray[np.float32]":
    """'flat', 'auto' or the name of a picture -> what `Codec.compress` takes.

    In the picture, grey 128 is neutral (0), white asks for more quality (1), black for less (-1).
    """
    if text in ("flat", "auto"):
        return text

    # grey levels 1..255 become -1..1; level 0 would fall just below -1, so it is clipped
    from mfca_tutorial.data import read_image

    rgb, _ = read_image(text)  # (H, W, 3)
    grey = rgb.astype("float32").mean(2)  # (H, W)
    return ((grey - 128) / 127).clip(-1, 1)


def load_codec(checkpoint: str | None) -> "Codec":
    """The codec in a checkpoint file; None means the packaged one."""
    from mfca_tutorial import Codec

    return Codec.from_pretrained(checkpoint)


def without_folders(words: list[str]) -> str:
    """The command that the user typed, with each file's folder left out."""
    # results are published, and where the user keeps files is private
    names = [Path(word).name if "/" in word else word for word in words]
    return shlex.join(["mfca", *names])


def shown_bd_rate(anchor: "Results", other: "Results", metric: str) -> str:
    """A BD-rate and the range it is taken over, or the reason why there is none."""
    from mfca_tutorial.evaluation import rd

    try:
        low, high = rd.common_range(anchor, other, metric)
        delta = rd.bd_rate(anchor, other, metric)
    except ValueError as error:
        return f"none ({error})"
    return f"{delta:+.2f} % over {low:.1f}..{high:.1f} dB"
