"""Make a finished training run the shipped model: `make release-model RUN=runs/NAME`.

Evaluates the model (flat map, learned map, flat map with effort 10; two images at each whole
quality) and the classical codecs on Kodak (MFCA_KODAK, else downloaded) into data/results/, copies
RUN/model.safetensors to data/mfca.safetensors and the run's log and report to data/training/, and
writes the README's part and data/MODEL_CARD.md. Left to do by hand: read the figures, see that the
text in tools/templates/model_card.md.j2 is true of this run, commit.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mfca_tutorial import data

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"


def python(*words):
    """Runs Python with these arguments; an error there ends this program, too."""
    print(*words, flush=True)
    done = subprocess.run([sys.executable, *map(str, words)], cwd=ROOT)
    if done.returncode:
        sys.exit(done.returncode)


def measure(model, folder, qualities, out, workplace):
    """Every result file of this model, written below `out`; the classical codecs where data/ lacks them."""

    def evaluate(name, folder, *words):
        file = out / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        python("-m", "mfca_tutorial", "eval", folder, "--out", file, *words)

    for codec in ("jpeg", "jpeg2000", "webp", "avif"):
        if not (DATA / "results" / "kodak" / f"{codec}.json").exists():
            evaluate(f"kodak/{codec}", folder, "--codec", codec)

    chosen = ("--checkpoint", model, "--qualities", *qualities)
    evaluate("kodak/mfca", folder, *chosen)
    evaluate("kodak/mfca-auto", folder, *chosen, "--importance", "auto")
    evaluate("kodak/mfca-effort10", folder, *chosen, "--effort", "10")

    # The first picture and the twenty-third at every whole quality.
    files = data.kodak() if folder == "kodak" else data.image_files(folder)
    pair = workplace / "kodak_pair"
    pair.mkdir()
    for file in files[::22]:
        shutil.copy(file, pair)
    evaluate("kodak_pair/mfca", pair, "--checkpoint", model, "--qualities", *range(101))


def ship(run):
    """Weights, log and report to data/; the report without the names of anybody's folders."""
    shutil.copy(run / "model.safetensors", DATA / "mfca.safetensors")
    for name in ("log.csv", "health.jsonl"):
        if (run / name).exists():
            shutil.copy(run / name, DATA / "training")

    report = json.loads((run / "report.json").read_text("utf-8"))
    for key in ("source", "out", "init"):
        report["recipe"][key] = Path(report["recipe"][key]).name
    (DATA / "training" / "report.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the folder that `mfca train` wrote")
    parser.add_argument("--folder", default="kodak", help="measure on another folder (to rehearse)")
    parser.add_argument("--qualities", nargs="+", default=range(0, 101, 5), help="of the curves")
    options = parser.parse_args()
    run = options.run.resolve()
    for name in ("model.safetensors", "report.json"):
        if not (run / name).is_file():
            parser.error(f"{run / name} is not there; RUN is the folder that `mfca train` wrote")

    # Nothing in data/ changes before all of it has been measured.
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "results"
        model = run / "model.safetensors"
        measure(model, options.folder, options.qualities, out, Path(folder))
        shutil.copytree(out, DATA / "results", dirs_exist_ok=True)
    ship(run)

    python("tools/readme.py", "--picture")
    python("tools/model_card.py", "--pictures")
    print("released; read README.md and data/MODEL_CARD.md; commit data/, _assets/ and README.md")


if __name__ == "__main__":
    main()
