"""Build the published book: `python tools/build_book.py [--edition student|instructor]`.

Every notebook is executed once, in `_build/executed`, and again only when the notebook, the package
or the data change. The student edition (`_build/html`) is built from copies without the cells
tagged `solution`, except for the chapters whose day has come (`teaching/solution_dates.yml`), and
without the instructor's guide. The instructor's edition (`_build/html-instructor`) has both.
Neither shows the cells tagged `trial`, in which a chapter tries the checks of its exercises.
Neither build runs a cell. A warning from Sphinx is an error. After the build, the downloadable
notebooks are those for Colab and Jupyter, figures become lossless WebP, MathJax is reduced to what
pages load, and a 404 page, a sitemap and, where there is npm, the codec for web pages
(`export_web.py`) are added. Finally, every page is checked to load nothing from any other site.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from multiprocessing import Pool
from pathlib import Path
from urllib.parse import urlsplit

import colab
import edition as this_edition
import export_web
import landing
import nbformat
import try_it
import yaml
from gallery import Gallery
from mend_pages import mend
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from published_cells import dress
from search_scorer import scorer
from shown_cells import CHAPTERS, FOR_INSTRUCTORS, contents, read
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
EXECUTED = BUILD / "executed"
TARGET = {"student": BUILD / "html", "instructor": BUILD / "html-instructor"}
TIMEOUT = 300  # seconds per cell
RECORD = "2"  # raise it when `run` in an executed notebook gets new fields

# What would make a page load something from another site.
EXTERNAL = re.compile(
    r"""<(?:script|img|iframe|source|video|audio)\b[^>]*?\bsrc=["']?(?:https?:)?//|
    <link\b(?=[^>]*\brel=["']?(?:stylesheet|preload|icon|modulepreload))[^>]*?\bhref=["']?(?:https?:)?//|
    @import\s+(?:url\()?["']?(?:https?:)?//|url\(["']?(?:https?:)?//""",
    re.X | re.I,
)


def digest(files):
    """The sha256 of the files' names and contents."""
    state = hashlib.sha256()
    for file in sorted(files):
        state.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return state.hexdigest()


def package_digest():
    """A digest of what all chapters depend on: the package and the data, without Kodak's images."""
    files = [*(ROOT / "mfca_tutorial").rglob("*"), *(ROOT / "data").rglob("*")]
    left_out = {"__pycache__", "kodak"}
    return digest(
        file
        for file in files
        if file.is_file() and not left_out & set(file.parts) and file.suffix != ".tar"
    )


def kernel_connection(folder):
    """How to reach a kernel: by Unix sockets in `folder`, else, under Windows, by TCP.

    Of two kernels that start at once, each may choose the TCP port of the other.
    """
    if os.name != "posix":
        return Config()
    return Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"})


def execute(job):
    """Run one notebook if its key has changed. Return an error message, or '' if there is none."""
    file, key = job
    target = EXECUTED / file.name
    if target.exists() and f'"key": "{key}"' in target.read_text("utf-8"):
        return ""

    print(f"executing {file.stem}", flush=True)
    notebook = nbformat.read(file, as_version=4)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as sockets:
        client = NotebookClient(
            notebook,
            timeout=TIMEOUT,
            kernel_name="python3",
            resources={"metadata": {"path": file.parent}},
            extra_arguments=["--IPKernelApp.log_level=40"],
            config=kernel_connection(sockets),
        )
        try:
            client.execute()
        except (CellExecutionError, TimeoutError, RuntimeError) as error:
            return f"{file.name}:\n{error}"

    seconds = round(time.perf_counter() - start, 1)
    notebook.metadata["run"] = {"key": key, "seconds": seconds, **this_edition.run()}
    nbformat.write(notebook, target)
    return ""


def execute_all():
    """Execute every chapter, two at a time, with one thread each. Exit if a cell fails."""
    EXECUTED.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "MFCA_PUBLISHED": "1",
        "OMP_NUM_THREADS": "1",
        "TQDM_DISABLE": "1",
        "PYTHONWARNINGS": "ignore",
    }
    os.environ.pop("MPLBACKEND", None)  # if it were set, figures would not reach the notebook
    package = package_digest()
    jobs = [(file, digest([file]) + package + RECORD) for file in CHAPTERS]
    with Pool(2) as pool:
        errors = list(filter(None, pool.map(execute, jobs, chunksize=1)))
    if errors:
        sys.exit("\n".join(errors))


def status_table():
    """The table of the page on the build's status, in Markdown."""
    lines = [
        "| chapter | run on | seconds | code cells | figures | explorables | exercises |",
        "|:--|:--|--:|--:|--:|--:|--:|",
    ]
    for file in CHAPTERS:
        notebook = nbformat.read(EXECUTED / file.name, as_version=4)
        text = "\n".join(cell.source for cell in notebook.cells)
        code = sum(cell.cell_type == "code" for cell in notebook.cells)
        figures = sum("figure" in cell.metadata.get("mystnb", {}) for cell in notebook.cells)
        explorables = len(re.findall(r"^(?:Explorable|Curtain)\(", text, re.M))
        exercises = text.count("{exercise-start}")
        run = notebook.metadata["run"]
        lines.append(
            f"| [{file.stem}]({file.name}) | {run['date']} | {run['seconds']} "
            f"| {code} | {figures} | {explorables} | {exercises} |"
        )
    return "\n".join(lines)


def runs():
    """{page: what is known of its last run}; `book/_ext/page_foot.py` shows it on the page."""
    found = {}
    for file in CHAPTERS:
        run = nbformat.read(EXECUTED / file.name, as_version=4).metadata["run"]
        found[f"book/{file.stem}"] = {key: run[key] for key in ("date", "seconds", "versions")}
    return found


def stage(edition):
    """Prepare a folder that jupyter-book can build without running anything."""
    folder = BUILD / f"source-{edition}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "_assets", folder / "_assets")
    unwanted = shutil.ignore_patterns("*.ipynb", "__pycache__", ".*")
    shutil.copytree(ROOT / "book", folder / "book", ignore=unwanted)
    for name in ("index.md", "genindex.md", "references.bib"):
        shutil.copy(ROOT / name, folder)
    toc = contents((ROOT / "_toc.yml").read_text("utf-8"), edition)
    (folder / "_toc.yml").write_text(toc, "utf-8")
    if edition == "student":
        for page in FOR_INSTRUCTORS:
            (folder / f"{page}.md").unlink()

    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    config["execute"]["execute_notebooks"] = "off"
    config["sphinx"]["config"]["book_version"] = this_edition.package_version()
    config["sphinx"]["config"]["book_date"] = this_edition.commit()[0]
    config["sphinx"]["config"]["book_folder"] = this_edition.folder()
    config["repository"]["branch"] = this_edition.branch()  # where the Colab buttons point
    config["sphinx"]["config"]["html_search_scorer"] = "scorer.js"
    glossary = (ROOT / "book" / "notation.md").read_text("utf-8")
    (folder / "scorer.js").write_text(scorer(glossary), "utf-8")
    (folder / "_config.yml").write_text(yaml.safe_dump(config), "utf-8")

    gallery = Gallery(folder)
    for file in CHAPTERS:
        chapter = dress(read(EXECUTED / file.name, edition))
        gallery.add(chapter, file.stem)
        nbformat.write(chapter, folder / "book" / file.name)
    (folder / "runs.json").write_text(json.dumps(runs()), "utf-8")
    gallery.write()
    landing.write(folder, CHAPTERS, BUILD / "landing", edition)
    try_it.write(folder)
    status = folder / "book" / "status.md"
    text = status.read_text("utf-8")
    text = text.replace("```{nb-exec-table}\n```", status_table())
    text = text.replace("<!-- edition -->", this_edition.table())
    status.write_text(text, "utf-8")
    return folder


def sphinx(folder, builder="html"):
    """Run jupyter-book, with every warning an error. Return the folder of the result."""
    program = Path(sys.executable).with_name("jupyter-book")
    command = [program, "build", ".", "-W", "--keep-going", "--all", "--builder", builder]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    out = folder / "_build" / builder
    if done.returncode or not (out / "index.html").exists():
        warnings = re.findall(r".*\b(?:WARNING|ERROR|CRITICAL):.*", done.stdout)
        end = f"The book did not build (exit {done.returncode})."
        sys.exit("\n".join([*warnings, done.stdout[-3000:], end]))
    return out


def finish(site, edition):
    """Add what a host needs besides the pages: notebooks, 404 page, sitemap, the codec."""
    home = this_edition.pages()
    for name, notebook in colab.copies(edition, home).items():
        nbformat.write(notebook, site / "_sources" / "book" / name)
    (site / ".nojekyll").touch()
    pages = [site / "index.html", *sorted((site / "book").glob("*.html"))]
    entries = [
        f"<url><loc>{home}/{page.relative_to(site).as_posix()}</loc></url>" for page in pages
    ]
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    start = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    (site / "sitemap.xml").write_text("\n".join([head, start, *entries, "</urlset>", ""]), "utf-8")

    # a host shows this page at any address, so it carries its colours itself
    missing = (ROOT / "_assets" / "404.html").read_text("utf-8")
    tokens = (ROOT / "_assets" / "tokens.css").read_text("utf-8")
    missing = missing.replace("TOKENS", tokens[tokens.index(":root {") :])
    (site / "404.html").write_text(missing.replace("HOME", urlsplit(home).path + "/"), "utf-8")

    try_it.connect(site, export_web.build())


def check(site, edition):
    """Check that pages load nothing from elsewhere, and that no student source has a solution."""
    for file in [*site.rglob("*.html"), *site.rglob("*.css")]:
        outside = EXTERNAL.search(file.read_text("utf-8"))
        if outside and "mathjax" not in file.parts:
            sys.exit(f"{file.relative_to(site)} would load from another site: {outside.group()}")
    for file in (site / "_sources" / "book").glob("*.ipynb"):
        text = file.read_text("utf-8")
        if edition == "student" and "{solution" in text:
            sys.exit(f"{file.name}: a solution is left in the sources of the student edition")
        if "trial(" in text:
            sys.exit(f"{file.name}: a trial of wrong answers is left in the sources")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edition", choices=list(TARGET), default="student")
    options = parser.parse_args()

    start = time.perf_counter()
    execute_all()
    site = sphinx(stage(options.edition))
    mend(site)
    finish(site, options.edition)
    check(site, options.edition)

    target = TARGET[options.edition]
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(site, target)
    seconds = time.perf_counter() - start
    print(f"{target.relative_to(ROOT)}/index.html in {seconds:.0f} s")


if __name__ == "__main__":
    main()
