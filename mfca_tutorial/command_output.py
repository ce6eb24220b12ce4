"""What the commands print: results on standard output, everything else on standard error.

Taught in chapters 0, 9 and 12.
"""

import json
import sys
from collections.abc import Iterable
from typing import TypeVar

from mfca_tutorial.command_files import STREAM

T = TypeVar("T")


def report(target: str, message: str) -> None:
    """Say what has been written: on stderr, if the file itself went to standard output."""
    if target == STREAM:
        print(f"standard output: {message}", file=sys.stderr)
    else:
        print(f"{target}: {message}")


def note(message: str) -> None:
    """Tell the user something that is not an error."""
    print(f"mfca: note: {message}", file=sys.stderr)


def progress_bar(work: Iterable[T]) -> Iterable[T]:
    """Show progress over tiles or search steps, once the work has taken two seconds."""
    from tqdm import tqdm

    # disable=None: draw on a terminal only
    return tqdm(work, delay=2, leave=False, disable=None)


def print_json(values: dict[str, object]) -> None:
    """Print values for other programs to read."""
    print(json.dumps(values, indent=1))


def print_facts(facts: dict[str, object]) -> None:
    """Print one fact per line, in two columns."""
    for key, value in facts.items():
        shown = f"{value:.4f}" if key == "bpp" else str(value)
        print(f"{key:<11} {shown}")


def print_curve(settings: list[float], columns: list[list[float | None]]) -> None:
    """Print a table with one line per setting; `columns` are in the order of `rd.MEANS`."""
    print(" setting      bpp  PSNR dB  MS-SSIM  encode s  decode s")
    for setting, row in zip(settings, zip(*columns, strict=True), strict=True):
        bpp, psnr, _, ms_ssim, encoding, decoding = row
        shown = "-" if ms_ssim is None else f"{ms_ssim:.5f}"
        print(f"{setting:8g} {bpp:8.4f} {psnr:8.3f} {shown:>8} {encoding:9.3f} {decoding:9.3f}")
