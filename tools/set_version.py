"""Change the version everywhere: `make set-version VERSION=1.0.0`.

The present version is read from pyproject.toml. It also stands in the package, in the citation and
in the set-up cell of every chapter, which installs just this version. The change log is left to
you. Only the Python standard library is used.
"""

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FORM = re.compile(r"\d+\.\d+\.\d+")

# Each file, and the words before the version in it.
PLACES = {
    "pyproject.toml": 'version = "',
    "CITATION.cff": "version: ",
    "mfca_tutorial/__init__.py": '__version__ = "',
    "book/_setup_cell.py": 'VERSION = "',
    "book/*.ipynb": r"VERSION = \"",
}


def present(root=ROOT):
    """The present version."""
    text = (root / "pyproject.toml").read_text("utf-8")
    return re.search(r'^version = "([^"]+)"', text, re.M)[1]


def rewrite(new, root=ROOT):
    """Replace the version in every place; return the files.

    Raises ValueError for another form than 1.0.0, or if a place does not have it once.
    """
    if not FORM.fullmatch(new):
        raise ValueError(f"not a version like 1.0.0: {new!r}")
    old = present(root)
    written = {}
    for pattern, before in PLACES.items():
        files = sorted(root.glob(pattern))
        for file in files:
            text = file.read_text("utf-8")
            if text.count(before + old) != 1:
                raise ValueError(f"{file.relative_to(root)} should have the version {old} once")
            written[file] = text.replace(before + old, before + new)
        if not files:
            raise ValueError(f"there is no {pattern}")

    # only when all places are as they should be
    for file, text in written.items():
        file.write_text(text, "utf-8")
    return list(written)


def main():
    parser = argparse.ArgumentParser(prog="make set-version", description=__doc__.splitlines()[0])
    parser.add_argument("version", metavar="VERSION=1.0.0")
    try:
        changed = rewrite(parser.parse_args().version)
    except ValueError as error:
        parser.error(str(error))
    print("\n".join(str(file.relative_to(ROOT)) for file in changed))


if __name__ == "__main__":
    main()
