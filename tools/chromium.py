"""The system's own Chromium, driven by playwright, for tests, print edition and screenshots."""

import contextlib
import os
import re
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TYPESET = "!window.MathJax || !MathJax.startup || MathJax.startup.promise.then(() => true)"


def find():
    """The program's path, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextlib.contextmanager
def started():
    """A running browser, closed at the end. Exits with a one-line message if there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise SystemExit("playwright is missing: pip install playwright") from None
    if not find():
        raise SystemExit("no Chromium on this machine (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=FLAGS)
        yield browser
        browser.close()


def renderer_peak():
    """The most memory that a page's process has ever held, in MB; None where the system hides it.

    Of all processes of pages that this process has started, directly or not, and that still run.
    """
    peaks = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if "--type=renderer" not in (folder / "cmdline").read_text() or not _is_ours(folder):
                continue
            status = (folder / "status").read_text()
        except OSError:  # it has ended
            continue
        peaks += re.findall(r"^VmHWM:\s+(\d+)", status, re.M)
    return max(map(int, peaks)) / 1000 if peaks else None


def _is_ours(folder):
    """Whether a process descends from this one."""
    process = int(folder.name)
    while process > 1 and process != os.getpid():
        status = Path(f"/proc/{process}/status").read_text()
        process = int(re.search(r"^PPid:\s+(\d+)", status, re.M)[1])
    return process == os.getpid()
