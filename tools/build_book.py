"""Build the published book: `python tools/build_book.py [--edition student|instructor]`.

Every notebook is executed once, in `_build/executed`, and again only when it, the package or the data change. The
student edition (`_build/html`) is built from copies without the cells tagged `solution`, the instructor's
(`_build/html-instructor`) from whole ones; neither runs a cell. A warning of Sphinx is an error. After the build:
sources for download stripped, pictures as lossless WebP, MathJax reduced to what pages load, 404 page and sitemap
added, and every page proved to ask no other site for anything.
"""

import argparse
import copy
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from multiprocessing import Pool
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import yaml
from PIL import Image
from set_repo import address, forms
from strip_notebooks import stripped

ROOT = Path(__file__).resolve().parent.parent
EXECUTED = ROOT / "_build" / "executed"
TARGET = {"student": ROOT / "_build" / "html", "instructor": ROOT / "_build" / "html-instructor"}
TIMEOUT = 300  # seconds a cell
LOADED = (
    "tex-chtml.js",
    "output/chtml",
    "input/tex/extensions",
    "ui",
    "LICENSE",
)  # of MathJax; menus ask for `ui`
MENDED = [  # what screen readers stumble over in the theme: names that differ from the text, roles that do not fit
    (r'(<button class="btn search-button-field[^>]*?) aria-label="Search"', r"\1"),
    (r'(<i class="theme-switch[^>]*?) title="[^"]*"', r"\1"),
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    (r'<div role="list" class="citation-list">', '<div class="citation-list">'),
    (r'(<div class="citation"[^>]*?) role="doc-biblioentry"', r"\1"),
    (
        r"<script defer src=\"[^\"]*fontawesome\.js[^>]*></script>",
        "",
    ),  # 1.5 MB; the icon font draws the same icons
    (
        r"(?s)(<script>const THEBE_JS_URL[^\n]*</script>)(.*?)\1",
        r"\1\2",
    ),  # the same constant, declared twice
]
EXTERNAL = re.compile(
    r"""<(?:script|img|iframe|source|video|audio)\b[^>]*?\bsrc=["']?(?:https?:)?//|
    <link\b(?=[^>]*\brel=["']?(?:stylesheet|preload|icon|modulepreload))[^>]*?\bhref=["']?(?:https?:)?//|
    @import\s+(?:url\()?["']?(?:https?:)?//|url\(["']?(?:https?:)?//""",
    re.X | re.I,
)


def chapters():
    """The notebooks of `_toc.yml`, in order."""
    found = re.findall(
        r"^\s*-?\s*(?:file|root):\s*(\S+)", (ROOT / "_toc.yml").read_text("utf-8"), re.M
    )
    return [ROOT / f"{name}.ipynb" for name in found if (ROOT / f"{name}.ipynb").exists()]


def digest(files):
    """sha256 over names and contents."""
    state = hashlib.sha256()
    for file in sorted(files):
        state.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return state.hexdigest()


def package_digest():
    """What chapters depend on beside themselves: package and data (without test images that somebody keeps there)."""
    files = [f for top in ("mfca_tutorial", "data") for f in (ROOT / top).rglob("*") if f.is_file()]
    return digest(
        f for f in files if not {"__pycache__", "kodak"} & set(f.parts) and f.suffix != ".tar"
    )


def execute(job):
    """Run one notebook where its key has changed. Returns (name, seconds, error or '')."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    file, key = job
    target, record = EXECUTED / file.name, EXECUTED / f"{file.stem}.json"
    if target.exists() and record.exists():
        known = json.loads(record.read_text("utf-8"))
        if known["key"] == key:
            return file.stem, known["seconds"], ""
    print(f"executing {file.stem}", flush=True)
    notebook, start = nbformat.read(file, as_version=4), time.perf_counter()
    options = {
        "resources": {"metadata": {"path": file.parent}},
        "extra_arguments": ["--IPKernelApp.log_level=40"],
    }
    try:
        NotebookClient(notebook, timeout=TIMEOUT, kernel_name="python3", **options).execute()
    except (CellExecutionError, TimeoutError, RuntimeError) as error:
        return file.stem, 0.0, f"{file.name}:\n{error}"
    seconds = round(time.perf_counter() - start, 1)
    nbformat.write(notebook, target)
    record.write_text(json.dumps({"key": key, "seconds": seconds}), "utf-8")
    return file.stem, seconds, ""


def execute_all(processes):
    """Every chapter once, two at a time, one thread each. Returns {name: seconds}; exits on a failing cell."""
    EXECUTED.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        MFCA_PUBLISHED="1", OMP_NUM_THREADS="1", TQDM_DISABLE="1", PYTHONWARNINGS="ignore"
    )
    os.environ.pop("MPLBACKEND", None)  # or figures would not reach the notebook
    package = package_digest()
    jobs = [(file, digest([file]) + package) for file in chapters()]
    with Pool(processes) as pool:
        results = pool.map(execute, jobs, chunksize=1)
    errors = [error for _, _, error in results if error]
    if errors:
        sys.exit("\n".join(errors))
    return {name: seconds for name, seconds, _ in results}


def without_solutions(notebook):
    """A copy without the cells tagged `solution`."""
    result = copy.deepcopy(notebook)
    result.cells = [
        cell for cell in result.cells if "solution" not in cell.metadata.get("tags", [])
    ]
    return result


def status_table(seconds):
    """The build status page's table, in Markdown."""
    rows = [
        "| chapter | seconds | code cells | figures | explorables | exercises |",
        "|:--|--:|--:|--:|--:|--:|",
    ]
    for file in chapters():
        cells = nbformat.read(file, as_version=4).cells
        text = "\n".join(c.source for c in cells)
        counts = [
            sum(c.cell_type == "code" for c in cells),
            sum("figure" in c.metadata.get("mystnb", {}) for c in cells),
            len(re.findall(r"^(?:Explorable|Curtain)\(", text, re.M)),
            text.count("{exercise-start}"),
        ]
        numbers = " | ".join(str(n) for n in [seconds[file.stem], *counts])
        rows.append(f"| [{file.stem}]({file.stem}.ipynb) | {numbers} |")
    return "\n".join(rows)


def stage(edition, seconds):
    """A folder that jupyter-book builds without running anything: configuration, pages, executed notebooks."""
    folder = ROOT / "_build" / f"source-{edition}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "_assets", folder / "_assets")
    shutil.copytree(
        ROOT / "book",
        folder / "book",
        ignore=shutil.ignore_patterns("*.ipynb", "__pycache__", ".*"),
    )
    for name in ("_toc.yml", "index.md", "genindex.md", "references.bib"):
        shutil.copy(ROOT / name, folder)
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    config["execute"]["execute_notebooks"] = "off"
    if edition == "student":
        config["repository"]["branch"] = "student"  # where the Colab buttons point
    (folder / "_config.yml").write_text(yaml.safe_dump(config), "utf-8")
    for file in chapters():
        notebook = nbformat.read(EXECUTED / file.name, as_version=4)
        nbformat.write(
            without_solutions(notebook) if edition == "student" else notebook,
            folder / "book" / file.name,
        )
    status = folder / "book" / "status.md"
    if status.exists():
        text = status.read_text("utf-8")
        status.write_text(
            re.sub(r"```\{nb-exec-table\}\s*```", lambda _: status_table(seconds), text), "utf-8"
        )
    return folder


def sphinx(folder, builder="html"):
    """jupyter-book, every warning an error; prints its output only when it fails. Returns the folder of the result."""
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", ".", "-W", "--keep-going", "--all", "--builder", builder]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    out = folder / "_build" / builder
    if done.returncode or not (out / "index.html").exists():
        warnings = [
            line
            for line in done.stdout.splitlines()
            if re.search(r"\b(WARNING|ERROR|CRITICAL):", line)
        ]
        sys.exit(
            "\n".join(
                [
                    *warnings,
                    done.stdout[-3000:],
                    f"The book did not build (exit {done.returncode}).",
                ]
            )
        )
    return out


def slim(site):
    """MathJax without what no page loads; figures as lossless WebP; accessible names; no build leftovers."""
    mathjax = site / "_static" / "mathjax"
    for file in [f for f in mathjax.rglob("*") if f.is_file()]:
        if not file.relative_to(mathjax).as_posix().startswith(LOADED):
            file.unlink()
    names = {}
    for file in (site / "_images").glob("*.png"):
        Image.open(file).save(
            file.with_suffix(".webp"), lossless=True, quality=60, method=4, exact=True
        )
        names[file.name] = file.with_suffix(".webp").name
        file.unlink()
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        text = re.sub(r"(_images/)([\w.-]+\.png)", lambda m: m[1] + names.get(m[2], m[2]), text)
        for wrong, right in MENDED:
            text = re.sub(wrong, right, text)
        page.write_text(text, "utf-8")
    for name in (".buildinfo", "objects.inv"):
        (site / name).unlink(missing_ok=True)


def finish(site, edition):
    """What a host needs beside the pages: stripped sources, 404 page, sitemap."""
    for file in chapters():
        notebook = nbformat.read(file, as_version=4)
        notebook = without_solutions(notebook) if edition == "student" else notebook
        nbformat.write(stripped(notebook), site / "_sources" / "book" / file.name)
    home = forms(address())[2]
    (site / ".nojekyll").touch()
    pages = {
        p.relative_to(site).as_posix() for p in site.rglob("*.html") if "_static" not in p.parts
    }
    pages -= {"search.html", "genindex.html"}
    entries = "".join(f"<url><loc>{home}/{page}</loc></url>\n" for page in sorted(pages))
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    (site / "sitemap.xml").write_text(f"{head}{entries}</urlset>\n", "utf-8")
    missing = (ROOT / "_assets" / "404.html").read_text("utf-8")
    (site / "404.html").write_text(missing.replace("HOME", urlsplit(home).path + "/"), "utf-8")


def check(site, edition):
    """Pages exist, load nothing from elsewhere, and the student edition names no solution."""
    assert (site / "index.html").exists()
    files = [
        f for f in site.rglob("*") if f.suffix in (".html", ".css") and "mathjax" not in f.parts
    ]
    outside = [
        f"{f.relative_to(site)}: {m.group()}"
        for f in files
        if (m := EXTERNAL.search(f.read_text("utf-8")))
    ]
    if outside:
        sys.exit("Pages that would load from another site:\n" + "\n".join(outside))
    sources = (site / "_sources" / "book").glob("*.ipynb")
    if edition == "student" and any("{solution" in f.read_text("utf-8") for f in sources):
        sys.exit("A solution is left in the sources of the student edition.")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edition", choices=list(TARGET), default="student")
    parser.add_argument("--processes", type=int, default=2, help="notebooks executed at a time")
    options = parser.parse_args()
    start = time.perf_counter()
    seconds = execute_all(options.processes)
    site = sphinx(stage(options.edition, seconds))
    slim(site)
    finish(site, options.edition)
    check(site, options.edition)
    shutil.rmtree(TARGET[options.edition], ignore_errors=True)
    shutil.move(site, TARGET[options.edition])
    (TARGET[options.edition].parent / f"seconds-{options.edition}.json").write_text(
        json.dumps(seconds), "utf-8"
    )
    print(
        f"{TARGET[options.edition].relative_to(ROOT)}/index.html in {time.perf_counter() - start:.0f} s"
    )


if __name__ == "__main__":
    main()
