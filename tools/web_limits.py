"""What the codec costs in a web page, next to the package: `make web-limits`.

One run, on one machine, with one thread each: a photograph of 768 x 512 pixels is coded and
decoded by the package and by `web/worker.mjs` in Chromium. They take turns, so that anything else
running on the machine slows both, and the fastest of several runs counts. What a page holds in
memory is measured apart, in a fresh browser each: with that photograph, and with a file of two
tiles. Written to data/results/web_limits.json, which the page 'Try it' quotes; needs npm and
Chromium, and Linux for the memory.
"""

import argparse
import base64
import functools
import gzip
import http.server
import json
import platform
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import bench
import chromium
import export_web
import numpy as np
import torch

from mfca_tutorial import Codec

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "data" / "results" / "web_limits.json"
COMMAND = "python tools/web_limits.py"
QUALITY = 50
REPEATS = 3
TILED = (1984, 1024)  # pixels: two tiles of the largest size

# the worker in a page, as a function that one awaits: seconds, and the size of a file
PAGE = """
const worker = new Worker("worker.mjs", { type: "module" });
const ask = (task, values) =>
  new Promise((resolve, reject) => {
    worker.onerror = reject;
    worker.onmessage = ({ data }) => {
      if (data.type === "done") resolve(data.result);
      if (data.type === "error") reject(new Error(data.message));
    };
    worker.postMessage({ id: 1, task, ...values });
  });
window.unpack = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
window.seconds = async (task, values) => {
  const start = performance.now();
  await ask(task, values);
  return (performance.now() - start) / 1000;
};
window.keep = (text, width, height) => ask("picture", { pixels: unpack(text), width, height });
window.read = (text) => ask("read", { bytes: unpack(text) });
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing about it."""

    def log_message(self, *args):
        pass


@contextmanager
def page_of(folder):
    """A page of a browser of its own, beside the exported codec in `folder`."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with chromium.started() as browser:
            page = browser.new_page()
            page.set_default_timeout(0)
            page.goto(f"http://127.0.0.1:{server.server_port}/{export_web.MANIFEST}")
            page.add_script_tag(content=PAGE)
            yield page
        server.shutdown()


def keep(page, picture):
    """Hand a picture, uint8 (H, W, 3), to the worker."""
    height, width = picture.shape[:2]
    opaque = np.full((height, width, 1), 255, np.uint8)
    pixels = np.concatenate([picture, opaque], axis=2)  # (H, W, 4)
    text = base64.b64encode(pixels.tobytes()).decode()
    page.evaluate("([text, width, height]) => keep(text, width, height)", [text, width, height])


def seconds_of(work, *values):
    """How long a function takes with some values, and what it returns."""
    start = time.perf_counter()
    result = work(*values)
    return time.perf_counter() - start, result


def measure_times(codec, folder):
    """Seconds {"encode", "decode"} -> {"package", "page"}, the page's MB, the browser's version."""
    picture = bench.picture()
    found = {way: {"package": [], "page": []} for way in ("encode", "decode")}
    with page_of(folder) as page:
        version = page.context.browser.version
        for _ in range(1 + REPEATS):  # the first is a warm-up
            # a new picture each time: one that was seen before would not be analysed again
            keep(page, picture)
            seconds, file = seconds_of(codec.compress, picture, QUALITY)
            found["encode"]["package"].append(seconds)
            task = {"quality": QUALITY}
            found["encode"]["page"].append(page.evaluate("(t) => seconds('encode', t)", task))

            # the page decodes the package's file
            seconds, _ = seconds_of(codec.decode_pixels, file)
            found["decode"]["package"].append(seconds)
            text = base64.b64encode(file).decode()
            task = "(text) => seconds('read', { bytes: unpack(text) })"
            reading = page.evaluate(task, text)
            showing = page.evaluate("() => seconds('reconstruct', {})")
            found["decode"]["page"].append(reading + showing)
        memory = chromium.renderer_peak()
    best = {
        way: {who: round(min(runs[1:]), 2) for who, runs in both.items()}
        for way, both in found.items()
    }
    return best, memory, version


def measure_tiles(codec, folder):
    """The memory of a page, in MB, that decodes a file of two tiles."""
    width, height = TILED
    photograph = bench.picture()
    repeats = (-(-height // photograph.shape[0]), -(-width // photograph.shape[1]), 1)
    file = codec.compress(np.tile(photograph, repeats)[:height, :width], QUALITY)
    with page_of(folder) as page:
        page.evaluate("(text) => read(text)", base64.b64encode(file).decode())
        page.evaluate("() => seconds('reconstruct', {})")
        return chromium.renderer_peak()


def measure_download(folder):
    """The exported files as they are, and as a server compresses them, in MB."""
    contents = [file.read_bytes() for file in folder.iterdir()]
    sent = [gzip.compress(content, 6) for content in contents]
    return {
        "raw_MB": round(sum(map(len, contents)) / 1e6, 1),
        "gzip_MB": round(sum(map(len, sent)) / 1e6, 1),
    }


def measure(folder):
    """Everything that the page quotes, for the codec exported to `folder`."""
    torch.set_num_threads(1)
    codec = Codec.from_pretrained()
    times, memory, version = measure_times(codec, folder)
    height, width = bench.picture().shape[:2]
    return {
        "checkpoint": codec.model_id.hex(),
        "command": COMMAND,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "chromium": version,
            "packages": export_web.PACKAGES,
        },
        "quality": QUALITY,
        "width": width,
        "height": height,
        "seconds": times,
        "memory_MB": {"picture": round(memory), "two_tiles": round(measure_tiles(codec, folder))},
        "two_tiles": TILED,
        "download": measure_download(folder),
    }


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    folder = export_web.build()
    if folder is None or not chromium.find():
        sys.exit("web_limits: nothing was measured")
    result = measure(folder)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
