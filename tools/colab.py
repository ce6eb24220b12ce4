"""Write the chapters as notebooks for Colab, Kaggle and Jupyter: `make colab`.

Chapters are written in MyST, whose directives and roles these programs print as source. The copies
in `_build/colab` say the same in CommonMark and `$` mathematics; what leads elsewhere leads to the
published pages. Pictures do, too: Colab shows neither attachments nor files beside a notebook.
"""

import argparse
import shutil
import time
from pathlib import Path

import edition as this_edition
import nbformat
from plain.inline import Unknown
from plain.notebook import converted, labels_of_book
from shown_cells import CHAPTERS, HIDDEN, ROOT, read
from strip_notebooks import stripped

OUT = ROOT / "_build" / "colab"


def pages_of_text():
    """{file name: text} of the book's pages that are no notebooks."""
    return {file.name: file.read_text("utf-8") for file in sorted((ROOT / "book").glob("*.md"))}


def copies(edition, pages, shown=None):
    """{file name: notebook} of all chapters, for readers without MyST.

    Args:
        edition: 'student' or 'instructor'.
        pages: the address of the published book.
        shown: numbers of the chapters whose solutions students see; by default, those of today.
    """
    chapters = {file.name: read(file, edition, shown) for file in CHAPTERS}
    cells = {name: notebook.cells for name, notebook in chapters.items()}
    labels = labels_of_book(cells, pages_of_text(), pages)
    name = f"{this_edition.name().lower()}, version {this_edition.package_version()}"
    return {
        file: stripped(converted(file, notebook, pages, labels, name))
        for file, notebook in chapters.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edition", choices=list(HIDDEN), default="student")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()

    start = time.perf_counter()
    try:
        notebooks = copies(options.edition, this_edition.pages())
    except Unknown as error:
        parser.error(str(error))

    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    for file, notebook in notebooks.items():
        nbformat.write(notebook, options.out / file)
    size = sum(file.stat().st_size for file in options.out.iterdir())
    seconds = time.perf_counter() - start
    print(f"{options.out}: {len(notebooks)} notebooks, {size / 1e6:.1f} MB, in {seconds:.1f} s")


if __name__ == "__main__":
    main()
