"""The files of a command line: which may be written, and '-' for the standard streams.

A file whose name is '-' can be given as './-'.

Taught in chapters 0 and 9.
"""

import os
import sys
from pathlib import Path

from mfca_tutorial.whole_files import write_atomic

STREAM = "-"  # as a file name: standard input or output
SUFFIX = ".mfca"


def check_output(file: str, *inputs: str | None, may_be_stdout: bool = False) -> None:
    """Check, before any work is done, that the output can be written. Raises OSError if not.

    Raises ValueError if the output is one of the inputs, which would be overwritten.

    Args:
        file: the output, by name, or '-'.
        inputs: the files that the command reads; None and names of no file are ignored.
        may_be_stdout: whether '-' is allowed, which stands for standard output.
    """
    if file == STREAM:
        if not may_be_stdout:
            raise ValueError("-: standard output is not possible here; name a file")

        # bytes would only confuse a terminal
        if sys.stdout is None or sys.stdout.isatty():
            raise ValueError("-: standard output must be a file or a pipe, not a terminal")
        return

    # the folder must exist, and the output must not itself be a folder
    target = Path(file)
    folder = target.resolve().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"{file}: no such folder")
    if target.is_dir():
        raise IsADirectoryError(f"{file}: is a folder")

    # devices and pipes are written as they are, and may be read at the same time
    if target.exists() and not target.is_file():
        return

    # a new file takes the place of the old one, so neither it nor the folder may be read-only
    for place in (folder, target):
        if place.exists() and not os.access(place, os.W_OK):
            raise PermissionError(f"{file}: {place} is read-only")

    # one file may have two names
    for name in inputs:
        if name and target.exists() and Path(name).exists() and target.samefile(name):
            raise ValueError(f"{file}: input and output are the same file")


def refuse_picture_name(file: str, advice: str) -> None:
    """Refuse an output with the suffix of a picture format. Raises ValueError with `advice`."""
    from PIL import Image

    # every suffix that Pillow knows, whether it is for reading or for writing
    suffix = Path(file).suffix.lower()
    if suffix != SUFFIX and suffix in Image.registered_extensions():
        raise ValueError(f"{file}: {suffix} is the name of another format; {advice}")


def read_input(file: str) -> bytes:
    """Read the bytes of a file or, for '-', of standard input."""
    if file == STREAM:
        return sys.stdin.buffer.read()
    return Path(file).read_bytes()


def write_output(file: str, content: bytes) -> None:
    """Write a file whole or not at all or, for '-', write to standard output."""
    if file == STREAM:
        sys.stdout.buffer.write(content)
    else:
        write_atomic(file, content)
