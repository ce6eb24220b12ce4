"""Mutation testing: break the code in every small way, and see whether the tests notice.

    python tools/mutants.py                   all modules of MODULES
    python tools/mutants.py range_coder       only these
    python tools/mutants.py --report          the scores so far, and every survivor

Cosmic Ray says what can be broken and keeps the results; the running is done here: a process that
has imported numpy, torch and pytest once forks for each mutant, which saves four fifths of the
time. It needs no attention and can be stopped whenever you like: the next call goes on from there.
A module whose code has changed is begun anew. Where only its tests have changed, the survivors are
tried again. The broken code lives in copies under _build/mutants, never in the folder itself.
"""

import argparse
import ast
import contextlib
import difflib
import hashlib
import importlib
import os
import resource
import shutil
import signal
import sqlite3
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_build" / "mutants"
COPIED = ("mfca_tutorial", "tests", "tools", "data", "pyproject.toml")

# Each module, and the tests that answer for it (two seconds or so).
MODULES = {
    "range_coder": ("entropy/range_coder.py", "tests/test_range_coder.py"),
    "container": ("container.py", "tests/test_container.py"),
    "byte_reader": ("byte_reader.py", "tests/test_container.py"),
    "map_coder": ("entropy/map_coder.py", "tests/test_tables.py"),
    "tables": ("entropy/tables.py", "tests/test_tables.py"),
    "counts": ("entropy/counts.py", "tests/test_tables.py"),
    "escapes": ("entropy/escapes.py", "tests/test_tables.py"),
    "tiling": ("tiling.py", "tests/test_tiling.py"),
    "dct": ("blocks/dct.py", "tests/test_blocks.py"),
    "quantization": ("entropy/quantization.py", "tests/test_quantization.py"),
}
WARM = ("pytest", "numpy", "constriction", "scipy.stats", "scipy.fft", "hypothesis")
WITH_TORCH = ("tiling", "dct", "quantization")

# A mutant that needs so much longer than the code as it was is taken to run for ever.
SLOWER = 2
MORE_SECONDS = 2  # of processor time
WALL_SECONDS = 600  # and so is one that waits for something
MEMORY = 8 << 30  # bytes


# ---- one mutant


def survives(tree: Path, tests: str, seconds: int) -> bool:
    """Whether the tests pass on what lies in the tree, in a process of their own.

    seconds: of processor time, which is what they may take.
    """
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            code = _run_tests(tree, tests, seconds)
        os._exit(code)

    # wait, but not for ever
    deadline = time.monotonic() + WALL_SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _run_tests(tree: Path, tests: str, seconds: int) -> int:
    os.setsid()  # a group of its own, which can be ended as a whole
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    # nobody reads what it says
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)

    # the copy before the installed package; no cached bytecode, which would hide a new mutant
    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(tree))

    import pytest

    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", tests]))


# ---- one module


def digest(file: Path) -> str:
    """The sha256 of a file's code; comments and docstrings do not count."""
    tree = ast.parse(file.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            if ast.get_docstring(node) is not None:
                del node.body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def work_on(name: str, at_most: int | None) -> str:
    """The mutants of a module that have no result yet, in random order; returns the score."""
    from cosmic_ray.commands import init
    from cosmic_ray.work_db import WorkDB

    # a fresh copy of the folder
    module = Path("mfca_tutorial") / MODULES[name][0]
    tests = MODULES[name][1]
    tree = WORK / name
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for part in COPIED:
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tree / part)

    # what takes long to import is imported once
    os.environ["OMP_NUM_THREADS"] = "1"
    for library in WARM:
        importlib.import_module(library)
    if name in WITH_TORCH:
        importlib.import_module("torch").set_num_threads(1)

    # unbroken code must pass; what it takes is the measure for the broken
    os.chdir(tree)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    if not survives(tree, tests, seconds=WALL_SECONDS):
        raise SystemExit(f"mutants: {tests} fail on the module as it is")
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    seconds = int(SLOWER * used) + MORE_SECONDS

    # the results so far, as far as they still hold
    stamp = WORK / f"{name}.stamp"
    now = [digest(module), digest(Path(tests))]
    then = stamp.read_text().split() if stamp.exists() else ["", ""]
    database = WORK / f"{name}.sqlite"
    if now[0] != then[0]:
        database.unlink(missing_ok=True)
        stamp.unlink(missing_ok=True)
    session = WorkDB(str(database), WorkDB.Mode.create)
    if now[0] != then[0]:
        init([module], session, {})
    elif now[1] != then[1]:
        with sqlite3.connect(database) as connection:
            connection.execute("DELETE FROM work_results WHERE test_outcome = 'SURVIVED'")
    stamp.write_text("\n".join(now))

    is_alive = partial(survives, tree, tests, seconds)
    for item in session.pending_work_items[:at_most]:
        session.set_result(item.job_id, _result(item.mutations[0], module, is_alive))
    session.close()
    return score(name)


def _result(mutation, module: Path, is_alive):
    """What became of a mutant, with the difference to the code as it was."""
    from cosmic_ray.mutating import apply_mutation
    from cosmic_ray.plugins import get_operator
    from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

    whole = module.read_text("utf-8")
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    try:
        _, broken = apply_mutation(module, operator, mutation.occurrence)
        module.write_text(broken or whole, "utf-8")
        alive = is_alive()
    finally:
        module.write_text(whole, "utf-8")
    if broken is None:
        return WorkResult(worker_outcome=WorkerOutcome.NO_TEST)

    lines = difflib.unified_diff(whole.splitlines(), broken.splitlines(), lineterm="", n=1)
    return WorkResult(
        worker_outcome=WorkerOutcome.NORMAL,
        test_outcome=TestOutcome.SURVIVED if alive else TestOutcome.KILLED,
        diff="\n".join(list(lines)[2:]),
    )


# ---- the results


def outcomes(name: str) -> list[tuple[str | None, str | None]]:
    """(outcome, difference) of every mutant; (None, None) of one that was not yet tried."""
    database = WORK / f"{name}.sqlite"
    if not database.exists():
        return []
    query = (
        "SELECT test_outcome, diff FROM work_items "
        "LEFT JOIN work_results ON work_items.job_id = work_results.job_id"
    )
    with sqlite3.connect(database) as connection:
        return connection.execute(query).fetchall()


def score(name: str) -> str:
    """Example: 'container       250 of 290 killed = 86.2 %, 12 not yet tried'."""
    results = [outcome for outcome, _ in outcomes(name)]
    survived = results.count("SURVIVED")
    killed = results.count("KILLED")
    tried = survived + killed
    share = 100 * killed / max(tried, 1)
    left = len(results) - tried
    return f"{name:<14}{killed:>5} of {tried} killed = {share:.1f} %, {left} not yet tried"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", metavar="module", help=", ".join(MODULES))
    parser.add_argument("--workers", type=int, default=2, help="modules at once, default 2")
    parser.add_argument(
        "--at-most", type=int, metavar="N", help="try only N more of each module, drawn by lot"
    )
    parser.add_argument("--report", action="store_true", help="run nothing, show the results")
    arguments = parser.parse_args()
    names = arguments.modules or list(MODULES)
    for name in names:
        if name not in MODULES:
            parser.error(f"no module {name!r}: {', '.join(MODULES)}")

    if arguments.report:
        for name in names:
            survivors = [diff for outcome, diff in outcomes(name) if outcome == "SURVIVED"]
            print("\n\n".join([f"==== {name}", *filter(None, survivors)]), end="\n\n")
    else:
        WORK.mkdir(parents=True, exist_ok=True)
        with ProcessPoolExecutor(arguments.workers, mp_context=get_context("spawn")) as pool:
            for line in pool.map(partial(work_on, at_most=arguments.at_most), names):
                print(line, flush=True)
    print("\n".join(map(score, names)))


if __name__ == "__main__":
    main()
