"""Files that are written whole or not at all.

The new content goes into a temporary file beside the old one and takes its place in one step of the
file system. Whatever happens before that step (a full disk, Ctrl-C) leaves the old file as it was,
and no temporary file.

But: a power cut, or a kill that cannot be caught, may leave the temporary file behind.

Taught in chapter 9.
"""

import os
import secrets
import shutil
from pathlib import Path

AnyPath = str | os.PathLike[str]

LONGEST_START = 40  # characters of a name that its temporary name begins with: it, too, has limits


def write_atomic(file: AnyPath, content: bytes) -> None:
    """Write bytes whole or not at all. Raises OSError, which names the file.

    A file that is replaced passes on its permissions; one that is read-only is not replaced.
    """
    # a link stays a link: the file that it points to is replaced
    target = Path(os.path.realpath(file))

    try:
        # a pipe or a device cannot be replaced
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            _replace(target, content)
    except BrokenPipeError:
        raise  # not a matter of this file: nobody reads the pipe any more
    except OSError as error:
        # the file that was asked for, not the temporary one; and a full disk names no file at all
        raise type(error)(error.errno, error.strerror, os.fspath(file)) from error


def _replace(target: Path, content: bytes) -> None:
    # replacing needs no permission to write the old file, but the user may have meant to protect it
    is_there = target.exists()
    if is_there and not os.access(target, os.W_OK):
        raise PermissionError(13, "the file is read-only", str(target))

    temporary = temporary_name(target)
    try:
        # A new file beside the target: exist_ok=False, since a link of that name would lead
        # elsewhere. Until it has the permissions of the old file, nobody else may read it.
        temporary.touch(mode=0o600 if is_there else 0o666, exist_ok=False)
        temporary.write_bytes(content)
        if is_there:
            shutil.copymode(target, temporary)

        # it takes the target's place in one step of the file system
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_name(target: Path) -> Path:
    """Where the content of a file is until it is complete: hidden, beside it, never used before."""
    start = target.name[:LONGEST_START]
    return target.with_name(f".{start}.{secrets.token_hex(4)}.tmp")


def remove_leftovers(target: Path) -> None:
    """Remove what other processes that wrote this file have left because they were killed."""
    for leftover in target.parent.glob(f".{target.name}.*.tmp"):
        leftover.unlink(missing_ok=True)
