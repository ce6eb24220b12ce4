"""The system's own Chromium, driven by playwright, for tests, print edition and screenshots."""

import contextlib
import shutil

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
