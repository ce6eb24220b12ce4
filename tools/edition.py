"""Which edition of the book this is, and what it was made with: a table of the status page.

Nothing in the table is typed. The edition's name is the first heading of `book/what_changed.md`,
the version that of the package, the address that of these pages below the book's own, the date that
of the last commit. The rest is read where it is used.
"""

import os
import platform
import re
import subprocess
import tomllib
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path

from set_repo import address, forms
from shared import model_id

ROOT = Path(__file__).resolve().parent.parent

# What decides about numbers and pictures.
LIBRARIES = (
    "torch",
    "numpy",
    "scipy",
    "scikit-image",
    "pillow",
    "constriction",
    "matplotlib",
    "jupyter-book",
)


def name():
    """The edition's name, such as 'Second edition'."""
    text = (ROOT / "book" / "what_changed.md").read_text("utf-8")
    return re.search(r"^## (.+)$", text, re.M).group(1)


def package_version():
    """The version of the package in this folder."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def commit(root=ROOT):
    """(date, short hash) of the last commit; today and '' where there is no git."""
    command = ["git", "log", "-1", "--format=%cs %h"]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return date.today().isoformat(), ""
    day, short = done.stdout.split()
    return day, short


def folder(release=None):
    """Where this edition stands below the published address: 'v1' for a release, else 'latest'.

    release: the tag of a release, such as v1.0.2; by default, what BOOK_RELEASE says, which only
    the building of a release sets. A later v1.0.3 takes the place of v1.0.2.

    Raises ValueError for a tag that is not the package's version.
    """
    release = os.environ.get("BOOK_RELEASE", "") if release is None else release
    if not release:
        return "latest"
    if release != f"v{package_version()}":
        raise ValueError(f"the release is {release}, but the package's version {package_version()}")
    return release.split(".")[0]


def branch():
    """The branch that holds the student notebooks of this edition: 'student' or 'student-v1'."""
    return "student" if folder() == "latest" else f"student-{folder()}"


def pages():
    """The address of this edition's pages, without '/' at its end."""
    return f"{forms(address())[2]}/{folder()}"


def run():
    """What is noted when a chapter is run: the day, in UTC, and the versions that decide."""
    shown = [f"{library} {version(library)}" for library in ("torch", "numpy")]
    python = f"Python {platform.python_version()}"
    package = f"mfca_tutorial {package_version()}"
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": ", ".join([python, *shown, package, f"checkpoint {model_id()}"]),
    }


def environment():
    """Operating system, processor, Python and libraries, in one line."""
    machine = f"{platform.system()} on {platform.machine()}, Python {platform.python_version()}"
    libraries = [f"{library} {version(library)}" for library in LIBRARIES]
    return ", ".join([machine, *libraries])


def table():
    """The table, in Markdown."""
    day, short = commit()
    rows = [
        ("edition", f"{name()}, version {package_version()}"),
        ("address", f"`/{folder()}/`"),
        ("date", f"{day}, commit `{short}`" if short else day),
        ("checkpoint", f"`{model_id()}`"),
        ("environment", environment()),
    ]
    lines = [f"| {key} | {value} |" for key, value in rows]
    return "\n".join(["| entry | value |", "|:--|:--|", *lines])
