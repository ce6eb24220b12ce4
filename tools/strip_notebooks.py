"""Remove outputs and counts from notebooks, except in cells whose printed result is checked.

`python tools/strip_notebooks.py FILES` rewrites the notebooks; `--check` only reports. nbstripout
does the work, but it would also remove the execution counts of the checked cells (tag
`nbval-check-output`). nbval would then skip the check, because it does not compare cells without a
count.
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
    "metadata.language_info.codemirror_mode",
    "metadata.language_info.file_extension",
    "metadata.language_info.mimetype",
    "metadata.language_info.nbconvert_exporter",
    "metadata.language_info.pygments_lexer",
    "metadata.language_info.version",
    "cell.metadata.collapsed",
    "cell.metadata.ExecuteTime",
    "cell.metadata.execution",
]


def stripped(notebook):
    """A copy without outputs, counts and needless metadata, except in the checked cells."""
    result = strip_output(
        copy.deepcopy(notebook), keep_output=False, keep_count=False, keep_id=True, extra_keys=EXTRA
    )
    for before, after in zip(notebook.cells, result.cells):
        if KEPT & set(before.metadata.get("tags", [])):
            after.outputs = before.outputs
            after.execution_count = before.execution_count and 1  # the same after every run
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing, only report")
    options = parser.parse_args()

    notebooks = {file: nbformat.read(file, as_version=4) for file in options.files}
    unclean = [file for file, notebook in notebooks.items() if stripped(notebook) != notebook]
    for file in unclean:
        if options.check:
            print(f"{file}: contains outputs; run tools/strip_notebooks.py on it")
        else:
            nbformat.write(stripped(notebooks[file]), file)
            print(f"{file}: stripped")
    return 1 if unclean else 0


if __name__ == "__main__":
    sys.exit(main())
