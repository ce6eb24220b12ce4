"""The codec in a worker of Chromium: files that Python reads, progress, cancelling, errors.

It is served from `_build/web` (`make web`), without the book.
"""

import base64
import functools
import http.server
import json
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from conftest import absent

from mfca_tutorial import data
from mfca_tutorial.codec import Codec

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import chromium  # noqa: E402
import export_web  # noqa: E402

# What a page does with the worker: `ask(task, values)` -> the last message, `progress` on the way.
PAGE = """
window.worker = new Worker("worker.mjs", { type: "module" });
window.progress = [];
const waiting = new Map();
let last = 0;
worker.onmessage = ({ data }) => {
  if (data.type === "progress") progress.push(data);
  else waiting.get(data.id)(data);
};
window.ask = (task, values = {}) => {
  const id = (last += 1);
  const answer = new Promise((resolve) => waiting.set(id, resolve));
  worker.postMessage({ id, task, ...values });
  return Object.assign(answer, { id });
};
window.base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
window.unbase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def exported():
    if not (export_web.OUT / export_web.MANIFEST).exists():
        absent("no exported codec; run `make web` first")
    return export_web.OUT


@pytest.fixture(scope="module")
def page(browser, exported):
    """A page of its own beside the exported files, from which nothing leads out."""
    handler = functools.partial(Quiet, directory=str(exported))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        home = f"http://127.0.0.1:{server.server_port}/"
        page = browser.new_page()
        page.outside = []

        def route(request):
            if request.request.url.startswith(home):
                request.continue_()
            else:
                page.outside.append(request.request.url)
                request.abort()

        page.context.route("**/*", route)
        page.goto(home + export_web.MANIFEST)
        page.evaluate(PAGE)
        yield page
        page.close()
        server.shutdown()


@pytest.fixture(scope="module")
def picture():
    """384 x 256 pixels."""
    return data.photograph("chelsea")[20:276, 40:424]


@pytest.fixture(scope="module")
def drawn(page, picture):
    """The page, with the picture in the worker."""
    alpha = np.full((*picture.shape[:2], 1), 255, np.uint8)
    pixels = np.concatenate([picture, alpha], 2)
    height, width = picture.shape[:2]
    answer = page.evaluate(
        "([text, width, height]) => ask('picture', { pixels: unbase64(text), width, height })",
        [base64.b64encode(pixels.tobytes()).decode(), width, height],
    )
    assert answer["type"] == "done"
    return page


def encode(page, **options):
    """The answer to `encode`, its bytes as bytes."""
    answer = page.evaluate(
        """async (options) => {
          const answer = await ask("encode", options);
          if (answer.result) answer.result.bytes = base64(answer.result.bytes);
          return answer;
        }""",
        options,
    )
    if answer["type"] == "done":
        answer["result"]["bytes"] = base64.b64decode(answer["result"]["bytes"])
    return answer


def shown(page):
    """What `reconstruct` shows, (H, W, 3)."""
    result = page.evaluate(
        """async () => {
          const { result } = await ask("reconstruct");
          return { ...result, pixels: base64(result.pixels) };
        }"""
    )
    pixels = np.frombuffer(base64.b64decode(result["pixels"]), np.uint8)
    return pixels.reshape(result["height"], result["width"], 4)[:, :, :3]


def test_python_reads_what_the_worker_wrote_and_sees_the_same(drawn, picture):
    answer = encode(drawn, quality=50)
    codec = Codec.from_pretrained()
    file = answer["result"]["bytes"]
    pixels = codec.decode_pixels(file).astype(int)
    assert pixels.shape == picture.shape
    assert np.abs(pixels - shown(drawn)).max() <= 1

    # the size is that of Python's own file, but for roundings in the encoder
    assert abs(len(codec.compress(picture, 50)) - len(file)) <= 8
    parts = answer["result"]["parts"]
    assert sum(parts["passes"]) + parts["header"] + parts["z"] == pytest.approx(len(file))


def test_the_worker_reads_what_python_wrote(page, picture):
    codec = Codec.from_pretrained()
    file = codec.compress(picture, 70, importance="auto")
    text = base64.b64encode(file).decode()
    answer = page.evaluate("(text) => ask('read', { bytes: unbase64(text) })", text)
    result = answer["result"]
    assert result["header"]["quality"] == 70
    assert result["header"]["hasMap"]
    assert np.abs(codec.decode_pixels(file).astype(int) - shown(page)).max() <= 1

    # the fields cover the file without a gap
    ends = [0] + [field["end"] for field in result["fields"]]
    assert [field["start"] for field in result["fields"]] == ends[:-1]
    assert ends[-1] == len(file)


def test_progress_is_told_stage_by_stage(drawn):
    encode(drawn, quality=20)  # loads the networks, if no other test has
    drawn.evaluate("progress.length = 0")
    encode(drawn, quality=20, map="auto")
    stages = [message["stage"] for message in drawn.evaluate("progress")]
    assert [stage for k, stage in enumerate(stages) if stage != stages[k - 1] or k == 0] == [
        "analyse",
        "code",
    ]
    assert all(0 <= m["done"] <= m["total"] for m in drawn.evaluate("progress"))


def test_a_task_can_be_cancelled_and_the_next_one_works(drawn):
    drawn.evaluate(
        """() => {
          window.first = ask("encode", { quality: 33 });
          window.second = ask("encode", { quality: 66 });
          worker.postMessage({ id: first.id, task: "cancel" });
        }"""
    )
    assert drawn.evaluate("first")["type"] == "cancelled"
    assert drawn.evaluate("second.then(({ type }) => type)") == "done"


@pytest.mark.parametrize(
    ("task", "values", "name", "words"),
    [
        ("read", "{ bytes: new Uint8Array([1, 2, 3]) }", "BitstreamError", "not a .mfca file"),
        ("read", "{ bytes: new Uint8Array(0) }", "BitstreamError", "not a .mfca file"),
        ("encode", "{ quality: 101 }", "RangeError", "0..100"),
        ("encode", "{ quality: 50, map: new Uint8Array(3) }", "RangeError", "blocks"),
    ],
)
def test_errors_come_back_in_words(drawn, task, values, name, words):
    answer = drawn.evaluate(f"ask('{task}', {values})")
    assert (answer["type"], answer["name"]) == ("error", name)
    assert words in answer["message"]


def test_nothing_leaves_the_site_and_memory_is_bounded(drawn):
    """The resident peak of the page's process, printed; the bar is the project's own."""
    encode(drawn, quality=50)
    shown(drawn)
    assert drawn.outside == []
    peak = chromium.renderer_peak()
    if not peak:
        pytest.skip("this system does not tell")
    print(json.dumps({"renderer_peak_MB": peak}))
    assert peak < 900
