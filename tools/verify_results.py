"""Measure a sample of the stored results again, and compare: `make verify-results`.

    python tools/verify_results.py [--images 2] [--settings 2] [--seed 0]

Every file of data/results/ must name the command that made it, or the source of each of its rows.
Of each result of `mfca eval`, the points of the curve must be the means of its rows, and a random
sample of its rows is measured again as its command says: sizes must agree within 0.1 % (or one
word of the range coder), qualities within 0.01 dB. Of data/results/model_card.json, one estimate
and one hard case are measured again.

Kodak's pictures are taken from the folder in MFCA_KODAK and are left out without it; the set
'bundled' is made of scikit-image's photographs and needs no folder (`make test` looks at it, too).
Files of other codecs depend on the libraries inside Pillow: with another version of it, differences
are reported and are no failure. Results of weights that are not shipped cannot be measured again.
`--record` measures the bundled set anew and stores it. Exit status: 1 where something disagrees, 2
where nothing could be measured.
"""

import argparse
import csv
import json
import os
import random
import shlex
import sys
import tempfile
from collections import Counter
from math import isclose, log10
from pathlib import Path

import numpy as np
from shared import DATA, model_id

from mfca_tutorial import Codec, cli, data
from mfca_tutorial.evaluation import benchmark, rd

RESULTS = DATA / "results"

SIZE_TOLERANCE = 0.001  # of a file's bytes
WORD = 4  # bytes of a word of the range coder: the least by which our sizes can differ
QUALITY_TOLERANCE = 0.01  # dB
QUALITIES = ("psnr-rgb", "ssim-rgb", "ms-ssim-rgb")
SIZES = ("estimate", "streams")  # of the model card's estimates, in bytes

# The bundled set: the middle of four photographs, and what is asked of each codec.
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")
SIDE = 256  # pixels
RECORDED = {
    "mfca": "--qualities 10 50 90",
    "mfca-auto": "--importance auto --qualities 10 50 90",
    "mfca-effort3": "--effort 3 --qualities 50",
    "jpeg": "--codec jpeg --qualities 20 70",
    "jpeg2000": "--codec jpeg2000 --qualities 64 20",
    "webp": "--codec webp --qualities 20 70",
    "avif": "--codec avif --qualities 20 60",
}


def bundled(folder):
    """Write the pictures of the bundled set into a folder -> their files."""
    files = []
    for name in PHOTOGRAPHS:
        file = Path(folder) / f"{name}.png"
        data.write_image(data.centre_crop(data.photograph(name), SIDE), file)
        files.append(file)
    return files


def record():
    """Measure the bundled set with every codec and store the results."""
    target = RESULTS / "bundled"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "bundled"  # the command that is stored ends in this name
        folder.mkdir()
        bundled(folder)
        for name, options in RECORDED.items():
            out = target / f"{name}.json"
            if cli.main(["eval", str(folder), "--out", str(out), *options.split()]) != 0:
                raise RuntimeError(f"{name} could not be measured")


def unnamed(file):
    """What in a file of data/results/ does not say where it comes from: a list of complaints."""
    if file.suffix == ".csv":
        with open(file, encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return [f"line {i}: no source" for i, row in enumerate(rows, 2) if not row.get("source")]

    content = json.loads(file.read_text("utf-8"))
    return [] if content.get("command") else ["names no command"]


def wrong_means(results):
    """Points of a curve that are not the means of its rows: a list of complaints."""
    complaints = []
    if len(results["settings"]) != len(results["results"]["bpp"]):
        return ["as many settings as points expected"]
    for i, setting in enumerate(results["settings"]):
        rows = [row for row in results["images"] if row["setting"] == setting]
        means = rd.mean_of(rows)
        for key, column in results["results"].items():
            point, mean = column[i], means[key]
            if point is None or mean is None:
                agrees = point is mean
            else:
                agrees = isclose(point, mean, rel_tol=1e-9)
            if not agrees:
                complaints.append(f"setting {setting:g}: {key} is not the mean of the rows")
    return complaints


def asked(results):
    """The options of `mfca eval` with which a result was made, from its command."""
    words = shlex.split(results["command"])
    parser = argparse.ArgumentParser()
    cli.add_eval(parser, words)
    return parser.parse_args(words[2:])  # without 'mfca eval'


def decibels(key, value):
    """A quality in dB: SSIM and MS-SSIM as the distance from a perfect copy."""
    if value is None or key == "psnr-rgb":
        return value
    return -10 * log10(max(1 - value, rd.LEAST_DISTANCE))


def differences(stored, again):
    """How far two rows are apart: {"bytes": share, "psnr-rgb": dB, ...}, and what is too far."""
    apart = {"bytes": abs(again["bytes"] - stored["bytes"]) / stored["bytes"]}
    allowed = {"bytes": max(SIZE_TOLERANCE, WORD / stored["bytes"])}
    for key in QUALITIES:
        before = decibels(key, stored[key])
        now = decibels(key, again[key])
        if before is None or now is None:
            apart[key] = 0.0 if before is now else float("inf")
        else:
            apart[key] = abs(now - before)
        allowed[key] = QUALITY_TOLERANCE
    return apart, [key for key in apart if apart[key] > allowed[key]]


def measure_again(results, files, settings, codec):
    """Measure some files at some settings as the command of a result says; pairs of rows."""
    options = asked(results)
    coder = codec if options.codec == "mfca" else options.codec
    again = benchmark.evaluate(
        coder, files, settings, importance=options.importance, effort=options.effort
    )
    stored = {(row["file"], row["setting"]): row for row in results["images"]}
    return [(stored[row["file"], row["setting"]], row) for row in again["images"]]


def sample(results, images, settings, seed):
    """Names of pictures and settings, drawn from those of a result."""
    chance = random.Random(seed)
    names = sorted({row["file"] for row in results["images"]})
    names = chance.sample(names, min(images, len(names)))
    chosen = chance.sample(results["settings"], min(settings, len(results["settings"])))
    return sorted(names), sorted(chosen)


def compare(pairs):
    """Pairs of rows, as stored and as measured again -> how it went, list of complaints."""
    worst = Counter()
    complaints = []
    for stored, again in pairs:
        apart, too_far = differences(stored, again)
        worst |= Counter(apart)  # the larger of both, key by key
        where = f"{stored['file']} at {stored['setting']:g}"
        complaints += [f"{where}: {key} was {stored[key]}, is {again[key]}" for key in too_far]

    share = 100 * worst["bytes"]
    quality = max(worst[key] for key in QUALITIES)
    line = f"{len(pairs)} rows, sizes within {share:.3f} %, qualities within {quality:.4f} dB"
    return line, complaints


def verify(results, pictures, codec, images=2, settings=2, seed=0):
    """Measure a sample of a result's rows again -> how it went, list of complaints.

    pictures: {name of a picture: its file}.
    """
    # not everything can be measured again
    if results["checkpoint"] not in (None, codec.model_id.hex()):
        return f"other weights ({results['checkpoint']}): not measured again", []
    if not pictures:
        return "pictures not at hand: not measured again", []

    names, chosen = sample(results, images, settings, seed)
    files = [pictures[name] for name in names]
    line, complaints = compare(measure_again(results, files, chosen, codec))

    # another Pillow may hold other encoders
    before = results["versions"]["pillow"]
    now = benchmark.versions()["pillow"]
    if results["checkpoint"] is None and before != now:
        return f"{line}; Pillow {before} then, {now} now: reported only", []
    return line, complaints


def verify_card(codec):
    """Measure one estimate and one hard case of the model card again -> line, complaints."""
    import model_card_pictures as pictures

    stored = json.loads((RESULTS / "model_card.json").read_text("utf-8"))
    if stored["checkpoint"] != model_id():
        return f"other weights ({stored['checkpoint']}): not measured again", []

    # one estimate of bytes, and the streams that it was compared with
    before = stored["estimates"][0]
    now = pictures.estimate(codec, before["picture"], before["quality"])
    checked = [(f"{before['picture']}, {key}", before[key], now[key]) for key in SIZES]

    # one hard case
    name, picture, _ = pictures.hard_cases()[0]
    quality = stored["qualities"][0]
    image = np.array(picture, np.uint8)[: pictures.SIDE, : pictures.SIDE]
    shot = stored["cases"][name]["shots"][str(quality)]
    _, shot_now = pictures.shoot(codec, image, quality)
    checked.append((f"{name}, bytes", shot["bytes"], shot_now["bytes"]))

    # compare sizes, then the quality
    complaints = []
    for what, size, size_now in checked:
        if abs(size_now - size) > max(SIZE_TOLERANCE * size, WORD):
            complaints.append(f"{what}: was {size}, is {size_now}")
    if abs(shot_now["psnr"] - shot["psnr"]) > QUALITY_TOLERANCE:
        complaints.append(f"{name}: PSNR was {shot['psnr']}, is {shot_now['psnr']}")
    return "one estimate and one hard case", complaints


def verify_file(file, sets, codec, args):
    """Look at one file of data/results/ -> how it went, list of complaints."""
    complaints = unnamed(file)
    if complaints:
        return "where from?", complaints

    # results of `mfca eval` stand in a folder that is named after their pictures
    if file.parent.name in sets:
        results = rd.read_results(file)
        pictures = sets[file.parent.name]
        line, complaints = verify(results, pictures, codec, args.images, args.settings, args.seed)
        return line, wrong_means(results) + complaints

    if file.name == "model_card.json":
        return verify_card(codec)
    return ("names its sources" if file.suffix == ".csv" else "names its command"), []


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=2, help="pictures of a sample")
    parser.add_argument("--settings", type=int, default=2, help="settings of a sample")
    parser.add_argument("--seed", type=int, default=0, help="of the samples")
    parser.add_argument("--record", action="store_true", help="measure the bundled set anew")
    args = parser.parse_args()
    if args.record:
        record()

    # without its folder, Kodak is not downloaded for this
    kodak = data.kodak() if os.environ.get("MFCA_KODAK") else []
    kodak = {file.name: file for file in kodak}
    sets = dict.fromkeys(("kodak", "kodak_pair", "discarded"), kodak)

    codec = Codec.from_pretrained()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        sets["bundled"] = {file.name: file for file in bundled(folder)}
        for file in sorted(RESULTS.rglob("*.json")) + sorted(RESULTS.rglob("*.csv")):
            line, complaints = verify_file(file, sets, codec, args)
            print(f"{file.relative_to(RESULTS)}: {line}", flush=True)
            for complaint in complaints:
                print(f"    FAILED: {complaint}", flush=True)
            failed = failed or bool(complaints)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError) as error:  # no such folder, an empty sample
        print(f"verify_results: {error}", file=sys.stderr)
        sys.exit(2)
