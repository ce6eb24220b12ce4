"""The same bits under other versions: the format's tests in an environment for each.

    python tools/matrix.py                                  all of ENVIRONMENTS
    python tools/matrix.py --python 3.12 --torch 2.6.0      one

Each environment is made once, in _build/matrix, and kept. A Python that is not installed is passed
over. Where no CPU build of that torch is within reach (the plain one for Linux brings 3 GB of CUDA;
`--plain` takes it nevertheless), the tests that need no torch are run, and the line says so.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_build" / "matrix"
CPU_BUILDS = "https://download.pytorch.org/whl/cpu"

# Python, torch: the oldest torch that pyproject.toml allows, and the newest there is.
OLDEST = "2.6.0"
NEWEST = "newest"
ENVIRONMENTS = [("3.11", OLDEST), ("3.11", NEWEST), ("3.12", NEWEST), ("3.13", NEWEST)]

WITHOUT_TORCH = ["test_container.py", "test_tables.py", "test_range_coder.py"]
WITH_TORCH = [*WITHOUT_TORCH, "test_exact.py", "test_golden.py", "test_portability.py"]
WITH_TORCH += ["test_fuzz.py", "test_codec.py"]
TOOLS = ["pytest>=8.3", "hypothesis>=6.120", "jinja2>=3.1"]
LIGHT = ("numpy", "scipy", "constriction", "pillow")  # what the tests without torch import


def interpreter(version: str) -> str | None:
    """A Python of this version that can make environments: on the path, or one of pyenv's."""
    name = f"python{version}"
    of_pyenv = Path.home().glob(f".pyenv/versions/{version}*/bin/{name}")
    for program in [shutil.which(name), *map(str, of_pyenv)]:
        if program is None:
            continue
        probe = subprocess.run([program, "-c", "import venv, ensurepip"], capture_output=True)
        if probe.returncode == 0:
            return program
    return None


def requirements() -> list[str]:
    """The package's own, as pyproject.toml has them, but for torch."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [line for line in project["dependencies"] if not line.startswith("torch")]


def pip(python: Path, *arguments: str) -> bool:
    """Whether pip could do it."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run = subprocess.run([*command, *arguments], capture_output=True, text=True)
    return run.returncode == 0


def install_torch(python: Path, version: str, plain: bool) -> bool:
    """The CPU build, or with `plain` whatever pip finds. Whether there is one now."""
    wanted = "torch" if version == NEWEST else f"torch=={version}"
    if plain:
        return pip(python, wanted)

    # ask first: an index that is not within reach leaves pip with others, and with 3 GB of CUDA
    quick = ["--retries", "0", "--timeout", "5", "--index-url", CPU_BUILDS]
    command = [str(python), "-m", "pip", "install", "--no-deps", "--dry-run", "--ignore-installed"]
    command += ["--quiet", "--report", "-", *quick, wanted]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode != 0:
        return False
    found = json.loads(run.stdout)["install"][0]["metadata"]["version"]
    if sys.platform == "linux" and not found.endswith("+cpu"):
        return False

    # then exactly this one, and what it needs
    exactly = f"torch=={found}"
    return pip(python, "--no-deps", *quick, exactly) and pip(python, exactly)


def environment(version: str, torch: str, plain: bool) -> tuple[Path, bool] | str:
    """Its Python, and whether it has torch; or why there is none."""
    folder = WORK / f"python{version}-torch{torch}"
    python = folder / "bin" / "python"
    if not python.exists():
        program = interpreter(version)
        if program is None:
            return f"Python {version} is not installed"
        subprocess.run([program, "-m", "venv", str(folder)], check=True)

    # the rest first: it is needed in any case
    has_torch = install_torch(python, torch, plain)
    needed = requirements()
    if not has_torch:
        needed = [line for line in needed if line.startswith(LIGHT)]
    if not pip(python, *needed, *TOOLS):
        return "its packages cannot be installed"
    return python, has_torch


def run(version: str, torch: str, plain: bool) -> tuple[str, bool]:
    """A line for the table, and whether nothing failed."""
    name = f"Python {version}, torch {torch}"
    made = environment(version, torch, plain)
    if isinstance(made, str):
        return f"{name}: not tried, {made}", True
    python, has_torch = made

    files = WITH_TORCH if has_torch else WITHOUT_TORCH
    command = [str(python), "-m", "pytest", "-p", "no:cacheprovider"]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "MFCA_MATRIX": "1"}
    tests = [f"tests/{file}" for file in files]
    tested = subprocess.run(
        [*command, *tests], cwd=ROOT, env=settings, text=True, stdout=subprocess.PIPE
    )
    print(tested.stdout, flush=True)

    # which versions these were, and what became of them
    names = ["numpy", "constriction"] + ["torch"] * has_torch
    code = f"import importlib.metadata as m; print(*[n + ' ' + m.version(n) for n in {names}])"
    versions = subprocess.run([str(python), "-c", code], capture_output=True, text=True).stdout
    ending = tested.stdout.strip().splitlines()[-1]
    missing = "" if has_torch else ", no CPU build of torch within reach: only what needs none"
    return f"{name} ({versions.strip()}): {ending}{missing}", tested.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", help="for instance 3.12")
    parser.add_argument("--torch", help=f"for instance {OLDEST}")
    parser.add_argument("--plain", action="store_true", help="take a torch with CUDA, too")
    arguments = parser.parse_args()
    chosen = ENVIRONMENTS
    if arguments.python or arguments.torch:
        chosen = [(arguments.python or "3.11", arguments.torch or NEWEST)]

    results = [run(version, torch, arguments.plain) for version, torch in chosen]
    for line, _ in results:
        print(line)
    sys.exit(0 if all(passed for _, passed in results) else 1)


if __name__ == "__main__":
    main()
