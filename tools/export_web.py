"""The codec for web pages: `python tools/export_web.py [CHECKPOINT] [--out FOLDER]` (`make web`).

Fills a folder (default `_build/web`) with everything that `web/codec.mjs` loads:

    *.mjs                        the modules of web/, as they are
    analysis, hyper, synthesis   the networks in floating point, as ONNX (`web_graphs.py`)
    exact.safetensors            the integers of the exact networks, and all coding tables
    kernel.wasm                  web/kernel.wat, assembled
    ort*.mjs, ort*.wasm          ONNX Runtime, from npm
    manifest.json                the model's id; the size and the sha256 of each of these files

The checkpoint says by itself what its gates know. Only what has changed is made again. npm is
needed, and the extra `web`, which is installed if it is missing; without npm this says so, and
nothing is made.
"""

import argparse
import hashlib
import importlib.metadata
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.numpy import save

from mfca_tutorial import checkpoint, data
from mfca_tutorial.codec import Codec
from mfca_tutorial.entropy.counts import gaussian_tables, tables_to_array
from mfca_tutorial.entropy.exact_hyperprior import ExactHyperprior

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "_build" / "web"
MANIFEST = "manifest.json"
SOURCES = ROOT / "web"

# the packages from npm, and where they are put: hidden from the book's build
PACKAGES = ("onnxruntime-web@1.30.0", "wabt@1.0.39")
NPM = ROOT / ".npm" / "web"
RUNTIME = NPM / "node_modules" / "onnxruntime-web" / "dist"
STAMP = NPM / "packages.txt"  # says which versions are there
WANTED = "\n".join(PACKAGES)
RUNTIME_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")

# what the graphs are made by: another version of it makes them again
MAKERS = ("torch", "onnx", "onnxscript")
ASSEMBLE = """
const [wabt, from, to] = process.argv.slice(1);
const fs = require("fs");
require(wabt)().then((tools) => {
  const module = tools.parseWat(from, fs.readFileSync(from), { simd: true });
  module.validate();
  fs.writeFileSync(to, module.toBinary({}).buffer);
});
"""


def sha256(*files: Path) -> str:
    """Of the contents of files, one after another; hexadecimal."""
    state = hashlib.sha256()
    for file in files:
        state.update(file.read_bytes())
    return state.hexdigest()


# ---- what is needed


def missing() -> str:
    """What an export would lack, in words; empty if nothing."""
    if not all(shutil.which(program) for program in ("node", "npm")):
        return "node and npm are not installed"
    if not all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript")):
        return "the extra `web` is not installed"
    if not STAMP.exists() or STAMP.read_text() != WANTED:
        return "the packages from npm are not there"
    return ""


def install() -> None:
    """Install the extra `web` and the packages from npm, where there is an npm and they lack."""
    if shutil.which("npm") is None:
        return

    # onnx and onnxscript, in the versions of the constraints
    if not all(importlib.util.find_spec(name) for name in ("onnx", "onnxscript")):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        constraints = ROOT / "constraints.txt"
        subprocess.run([*pip, "--constraint", constraints, "--editable", f"{ROOT}[web]"])
        importlib.invalidate_caches()

    # the packages from npm; --no-save removes whatever else is in their folder
    if not STAMP.exists() or STAMP.read_text() != WANTED:
        NPM.mkdir(parents=True, exist_ok=True)
        options = ["--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]
        npm = subprocess.run(["npm", "install", *options, "--prefix", NPM, *PACKAGES])
        if npm.returncode == 0:
            STAMP.write_text(WANTED)


# ---- what is exported


def write_exact(file: Path, to: Path) -> None:
    """The integers of a checkpoint's exact networks, its coding tables, its configuration.

    Raises ValueError if sums of these integers could exceed 53 bits.
    """
    ExactHyperprior(Codec.from_pretrained(file).hyperprior)  # checks them

    arrays = {}
    with safe_open(str(file), "np") as stored:
        for name in stored.keys():
            if name.startswith((*checkpoint.EXACT, checkpoint.Z_TABLES)):
                arrays[name] = stored.get_tensor(name)
        configuration = stored.metadata()["config"]

    # those of y are computed, here once for every browser
    for part, vector in tables_to_array(gaussian_tables()).items():
        arrays[f"tables.y.{part}"] = vector
    to.write_bytes(save(arrays, {"config": configuration}))


def key_of(file: Path) -> str:
    """Changes if the graphs of a checkpoint may: with its weights, the code and its versions."""
    package = ROOT / "mfca_tutorial"
    parts = ["config.py", "transforms.py", "entropy/hyperprior.py", "entropy/quantization.py"]
    code = [package / part for part in parts] + sorted((package / "blocks").glob("*.py"))
    maker = Path(__file__).with_name("web_graphs.py")
    versions = [importlib.metadata.version(name) for name in MAKERS]
    return hashlib.sha256(" ".join([sha256(file, *code, maker), *versions]).encode()).hexdigest()


def write_manifest(file: Path, out: Path, key: str) -> None:
    """List what a page may load from the folder `out`, made from the checkpoint `file`."""
    loaded = (".onnx", ".safetensors", ".wasm")
    listed = [path for path in sorted(out.iterdir()) if path.suffix in loaded]
    listed += out.glob(RUNTIME_FILES[0])
    content = {
        "modelId": checkpoint.model_id(file).hex(),
        "key": key,
        "packages": PACKAGES,
        "files": {f.name: {"bytes": f.stat().st_size, "sha256": sha256(f)} for f in listed},
    }
    (out / MANIFEST).write_text(json.dumps(content, indent=1) + "\n")


def export(file: Path, out: Path) -> None:
    """Fill the folder `out` from the checkpoint `file`; what is there and still right is kept.

    Raises ValueError for a model that cannot be exported.
    """
    out.mkdir(parents=True, exist_ok=True)
    key = key_of(file)
    manifest = out / MANIFEST
    kept = json.loads(manifest.read_text())["key"] if manifest.exists() else ""
    manifest.unlink(missing_ok=True)  # a folder without one is not whole

    # the networks in floating point
    if key != kept:
        import web_graphs  # needs onnx

        print(
            f"exporting {file.name} ({checkpoint.model_id(file).hex()}) for web pages", flush=True
        )
        web_graphs.write_graphs(Codec.from_pretrained(file), out)

    # the exact half
    write_exact(file, out / "exact.safetensors")
    wabt = NPM / "node_modules" / "wabt"
    kernel = [SOURCES / "kernel.wat", out / "kernel.wasm"]
    subprocess.run(["node", "-e", ASSEMBLE, wabt, *kernel], check=True)

    # the modules, and the runtime
    for module in sorted(SOURCES.glob("*.mjs")):
        shutil.copy(module, out)
    for name in RUNTIME_FILES:
        shutil.copy(RUNTIME / name, out)
    shutil.copy(SOURCES / "LICENSE-onnxruntime.txt", out)
    write_manifest(file, out, key)


def build(file: Path | None = None, out: Path = OUT) -> Path | None:
    """The exported folder, made or brought up to date; None, with a notice, where it cannot be."""
    install()
    reason = missing()
    if reason:
        print(f"no codec for web pages: {reason}", flush=True)
        return None
    export(file or data.path("mfca.safetensors"), out)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()

    torch.set_num_threads(1)
    folder = build(options.checkpoint, options.out)
    if folder:
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(f"{folder}: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
