"""Write what the branch `student` holds: `make student`, into `_build/student`.

The buttons of the pages open the notebooks of that branch. It holds nothing that a student does not
need: the notebooks (tools/colab.py), a README, the licence, what Binder installs, and the list of
the chapters whose solutions are shown, from which the scheduled build knows whether another day has
come. No solution before its day, no guide, no tools, no tests.
"""

import shutil
from pathlib import Path

import colab
import edition as this_edition
import nbformat
from set_repo import address, forms
from shared import ROOT, render
from shown_cells import listed, released

OUT = ROOT / "_build" / "student"

# What Binder needs besides the wheel: processors only, and the widgets of the explorables.
BINDER = """--extra-index-url https://download.pytorch.org/whl/cpu
torch
ipywidgets
{wheel}
"""


def wheel_name():
    """The file name of this version's wheel."""
    return f"mfca_tutorial-{this_edition.package_version()}-py3-none-any.whl"


def wheel_address():
    """Where the published pages serve this version's wheel, whatever edition is the latest."""
    return f"{forms(address())[2]}/wheels/{wheel_name()}"


def write(folder, shown=None):
    """Write the branch's files into an empty folder.

    shown: numbers of the chapters whose solutions students see; by default, those of today.
    """
    shown = released() if shown is None else shown
    pages = this_edition.pages()
    (folder / "book").mkdir(parents=True)
    for name, notebook in colab.copies("student", pages, shown).items():
        nbformat.write(notebook, folder / "book" / name)

    (folder / "binder").mkdir()
    requirements = BINDER.format(wheel=wheel_address())
    (folder / "binder" / "requirements.txt").write_text(requirements, "utf-8")
    (folder / "binder" / "runtime.txt").write_text("python-3.12\n", "utf-8")

    readme = render(
        "student_readme.md.j2",
        pages=pages,
        wheel=wheel_address(),
        wheel_name=wheel_name(),
        version=this_edition.package_version(),
        edition=this_edition.name().lower(),
    )
    (folder / "README.md").write_text(readme, "utf-8")
    (folder / "solutions.txt").write_text(listed(shown), "utf-8")
    shutil.copy(ROOT / "LICENSE", folder)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    write(OUT)
    files = [file for file in OUT.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    print(f"{OUT.relative_to(Path.cwd())}: {len(files)} files, {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
