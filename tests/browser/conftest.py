"""A static server for the built book and a Chromium that may reach nothing else."""

import functools
import http.server
import os
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests")]
AXE = ROOT / ".npm" / "node_modules" / "axe-core" / "axe.min.js"
NOISE = ("invalid theme mode",)  # of the theme, harmless


def absent(what):
    """Skip on somebody's laptop, fail where everything is installed (continuous integration)."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


def complain(page, problem):
    if not any(noise in problem for noise in NOISE):
        page.problems.append(problem)


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def address():
    """http://127.0.0.1:port of the built book."""
    if not (SITE / "index.html").exists():
        absent("no book in _build/html; run `make book` first")
    handler = functools.partial(Handler, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    import chromium

    if not chromium.find():
        absent("no Chromium on this machine (apt-get install chromium)")
    with chromium.started() as running:
        yield running


@pytest.fixture
def visit(browser, address):
    """`visit(path, **context) -> page`.

    page.problems lists what went wrong, page.weight maps addresses to bytes.
    """
    from chromium import TYPESET

    contexts = []

    def go(path, block=None, **options):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.weight = {}

        def route(one):
            if not one.request.url.startswith((address, "data:", "blob:")):
                page.problems.append(f"outside: {one.request.url}")
                one.abort()
            elif block and block in one.request.url:
                one.fulfill(body="")
            else:
                one.continue_()

        def responded(response):
            if response.status >= 400:
                page.problems.append(f"{response.status}: {response.url}")
            elif response.url.startswith(address):
                name = response.url.removeprefix(address).split("?")[0]
                page.weight[name] = (SITE / name.lstrip("/")).stat().st_size

        def said(message):
            if message.type == "error":
                complain(page, f"console: {message.text}")

        page.route("**/*", route)
        page.on("response", responded)
        page.on("pageerror", lambda error: complain(page, f"script: {error}"))
        page.on("console", said)
        page.goto(f"{address}/{path}", wait_until="load")
        page.wait_for_function(TYPESET)
        return page

    yield go
    for context in contexts:
        context.close()


@pytest.fixture
def try_it(visit):
    """The page 'Try it' of a book that was built with the codec, before the first action."""
    from try_it_page import NAME

    if not (SITE / "web" / "manifest.json").exists():
        absent("this book was built without the codec for web pages (npm is missing)")
    page = visit(NAME)
    assert page.locator("#try-it").get_attribute("data-state") == "empty"
    return page
