"""Make a finished training run the shipped model, and measure it: `make release-model RUN=runs/NAME`.

Evaluates the model (flat map, learned map, flat map with effort 10; two images at each whole quality) and the classical
codecs on Kodak (MFCA_KODAK, else downloaded) into data/results/, copies RUN/model.safetensors to data/mfca.safetensors
and the run's log and report to data/training/, and writes the README's part and data/MODEL_CARD.md. Left to do by hand:
read the figures, see that the prose in tools/model_card.md is true of this run, commit.
Options it does not know go to `mfca eval` of the model, as in `--qualities 0 50 100`.
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
RESULTS = DATA / "results" / "kodak"
CLASSICAL = ("jpeg", "jpeg2000", "webp", "avif")
QUALITIES = [str(quality) for quality in range(0, 101, 5)]
KEPT = {"log.csv": "training/log.csv", "health.jsonl": "training/health.jsonl"}


def mfca(*words):
    print("mfca", *words, flush=True)
    subprocess.run([sys.executable, "-m", "mfca_tutorial", *map(str, words)], check=True, cwd=ROOT)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the folder that `mfca train` wrote")
    parser.add_argument("--folder", default="kodak", help="measure on another folder (to rehearse)")
    parser.add_argument(
        "--again", action="store_true", help="measure the classical codecs again, too"
    )
    options, passed_on = parser.parse_known_args()
    model = options.run.resolve() / "model.safetensors"
    for file in (model, model.with_name("report.json")):
        if not file.is_file():
            print(
                f"release-model: {file} is not there; RUN is the folder that `mfca train` wrote",
                file=sys.stderr,
            )
            return 2
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in CLASSICAL:
        if options.again or not (RESULTS / f"{name}.json").exists():
            mfca("eval", options.folder, "--codec", name, "--out", RESULTS / f"{name}.json")
    if "--qualities" not in passed_on:
        passed_on += ["--qualities", *QUALITIES]
    measured = []

    def measure(folder, file, *words):
        file.parent.mkdir(parents=True, exist_ok=True)
        measured.append(file.with_name(file.name + ".new"))
        mfca("eval", folder, "--checkpoint", model, "--out", measured[-1], *words)

    for name, words in (
        ("mfca", []),
        ("mfca-auto", ["--importance", "auto"]),
        ("mfca-effort10", ["--effort", "10"]),
    ):
        measure(options.folder, RESULTS / f"{name}.json", *words, *passed_on)
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / "kodak_pair"
        pair.mkdir()
        for file in (
            data.kodak() if options.folder == "kodak" else data.image_files(options.folder)
        )[::22]:
            shutil.copy(file, pair)
        measure(pair, DATA / "results" / "kodak_pair" / "mfca.json", "--qualities", *range(101))
    for file in measured:  # only now, when all of it has worked
        file.replace(file.with_suffix(""))
    shutil.copyfile(model, DATA / "mfca.safetensors")
    for name, target in KEPT.items():
        if (options.run / name).exists():
            (DATA / target).parent.mkdir(exist_ok=True)
            shutil.copyfile(options.run / name, DATA / target)
    report = json.loads((options.run / "report.json").read_text("utf-8"))
    report["recipe"] |= {
        key: Path(report["recipe"][key]).name for key in ("source", "out", "init")
    }  # nobody's folders
    (DATA / "training" / "report.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    for tool, option in (("readme", "--picture"), ("model_card", "--pictures")):
        subprocess.run(
            [sys.executable, str(ROOT / "tools" / f"{tool}.py"), option], check=True, cwd=ROOT
        )
    print(
        "released; read README.md, data/MODEL_CARD.md and its prose in tools/model_card.md; "
        "commit data/, _assets/ and README.md"
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
