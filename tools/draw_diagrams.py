"""Draw the book's diagrams: `python tools/draw_diagrams.py` writes them to _assets/diagrams/.

With --markdown it prints, for each of them, the line that shows it in a chapter instead.
"""

import argparse
import html
import re
from pathlib import Path

from diagrams.catalogue import all_files

FOLDER = Path(__file__).resolve().parent.parent / "_assets" / "diagrams"


def name_of(svg):
    """The accessible name of a diagram."""
    return html.unescape(re.search(r'aria-label="([^"]+)"', svg)[1])


def markdown(file, svg):
    """The line that shows a diagram in a chapter, here and in Jupyter."""
    return f"![{name_of(svg)}](../_assets/diagrams/{file})"


def write(folder=FOLDER):
    """Write all diagrams, and remove what is none any more."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = all_files()
    for old in folder.glob("*.svg"):
        if old.name not in drawn:
            old.unlink()
    for file, svg in drawn.items():
        (folder / file).write_text(svg, "utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", action="store_true", help="print lines for chapters")
    if parser.parse_args().markdown:
        for file, svg in all_files().items():
            if not file.endswith("-phone.svg"):
                print(markdown(file, svg))
    else:
        write()


if __name__ == "__main__":
    main()
