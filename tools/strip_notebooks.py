"""Strip notebooks of outputs and counts, except in cells whose printed result is checked (tag `nbval-check-output`).

`python tools/strip_notebooks.py FILES` rewrites them, `--check` only tells. The work is nbstripout's; it would also
drop the execution counts of the kept cells, and nbval passes a cell without a count unchecked.
"""

import argparse
import copy
import sys
from pathlib import Path

import nbformat
from nbstripout import strip_output

KEPT = {"nbval-check-output", "keep_output"}
EXTRA = [
    "metadata.widgets",
    "metadata.signature",
    "cell.metadata.collapsed",
    "cell.metadata.ExecuteTime",
    "cell.metadata.execution",
    *(
        f"metadata.language_info.{key}"
        for key in (
            "codemirror_mode",
            "file_extension",
            "mimetype",
            "nbconvert_exporter",
            "pygments_lexer",
            "version",
        )
    ),
]


def stripped(notebook):
    """The notebook with the outputs, counts and noisy metadata of all but the checked cells gone."""
    result = strip_output(
        copy.deepcopy(notebook), keep_output=False, keep_count=False, keep_id=True, extra_keys=EXTRA
    )
    for i, cell in enumerate(notebook.cells):
        if KEPT & set(cell.metadata.get("tags", [])):
            result.cells[i].outputs = cell.outputs
            result.cells[i].execution_count = cell.execution_count and 1  # the same after every run
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument(
        "--check", action="store_true", help="change nothing, exit 1 if something would change"
    )
    options = parser.parse_args()
    found = False
    for file in options.files:
        before = nbformat.read(file, as_version=4)
        after = stripped(before)
        if after == before:
            continue
        found = True
        print(
            f"{file}: {'holds outputs; run tools/strip_notebooks.py on it' if options.check else 'stripped'}"
        )
        if not options.check:
            nbformat.write(after, file)
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
