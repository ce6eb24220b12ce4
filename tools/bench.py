"""Seconds to encode and to decode one 768x512 image on this machine, by stage, in one process, after a warm-up.

From pixels to the bytes of the file and back; the best of some runs. Where the package `compressai` is installed, its
`mbt2018-mean` (quality 3, untrained weights: the shape sets the time) codes the same image for comparison.
"""

import argparse
import os
import platform
import sys
import time
from collections import defaultdict
from importlib.util import find_spec

import numpy as np
import torch

from mfca_tutorial import Codec, data
from mfca_tutorial.entropy import tables as coding

WIDTH, HEIGHT = 768, 512
BARS = {"encode": 1.3, "decode": 0.7}  # at most this times mbt2018-mean


class Stopwatch:
    """Adds up the seconds spent in callables, by stage; the wrapped ones must not call one another."""

    def __init__(self):
        self.seconds = defaultdict(float)

    def wrap(self, owner, name, stage):
        inner = getattr(owner, name)

        def timed(*args, **kwargs):
            start = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                self.seconds[stage] += time.perf_counter() - start
        setattr(owner, name, timed)

    def run(self, work):
        """-> (result, seconds by stage, with what is left over as 'the rest' and all as 'total')."""
        self.seconds.clear()
        start = time.perf_counter()
        result = work()
        total = time.perf_counter() - start
        return result, {**self.seconds, "the rest": total - sum(self.seconds.values()), "total": total}


def picture():
    """uint8 (512, 768, 3): kodim01 where MFCA_KODAK names its folder, else scikit-image's coffee, mirrored out."""
    if os.environ.get("MFCA_KODAK"):
        return data.read_image(data.kodak()[0])[0]
    image = data.photograph("coffee")
    height, width = image.shape[:2]
    return np.pad(image, [(0, HEIGHT - height), (0, WIDTH - width), (0, 0)], mode="reflect")  # (512, 768, 3)


def watch(codec):
    """A stopwatch on every stage of a codec; coding and the networks of the decoder's half apart."""
    watch = Stopwatch()
    for module, stage in ((codec.g_a, "g_a"), (codec.hyperprior.h_a, "h_a"), (codec.pqf, "PQF"), (codec.g_s, "g_s")):
        watch.wrap(module, "forward", stage)
    watch.wrap(codec.exact, "h_s", "h_s, exact")
    watch.wrap(codec.exact, "parameters_of", "context, exact")
    for name in ("encode_indexed", "encode_group", "decode_indexed", "decode_group", "finish"):
        watch.wrap(coding, name, "range coder")
    watch.wrap(coding, "table_bits", "counting table bits")
    return watch


def best(runs):
    """The run with the smallest total."""
    return min(runs, key=lambda seconds: seconds["total"])


def ours(codec, image, quality, repeats):
    """-> {"encode": seconds by stage, "decode": ...}, bytes of the file."""
    stopwatch = watch(codec)
    runs = {"encode": [], "decode": []}
    for _ in range(repeats + 1):
        stream, encoding = stopwatch.run(lambda: codec.compress(image, quality))
        _, decoding = stopwatch.run(lambda: data.to_image(codec.decompress(stream)))  # noqa: B023
        runs["encode"].append(encoding)
        runs["decode"].append(decoding)
    return {way: best(seconds[1:]) for way, seconds in runs.items()}, len(stream)


def theirs(image, repeats):
    """CompressAI's mbt2018-mean on the same image -> {"encode": seconds, "decode": seconds}."""
    from compressai.zoo import mbt2018_mean
    torch.manual_seed(0)
    net = mbt2018_mean(quality=3, metric="mse", pretrained=False).eval()
    net.update()
    runs = {"encode": [], "decode": []}
    with torch.no_grad():
        for _ in range(repeats + 1):
            start = time.perf_counter()
            coded = net.compress(data.to_tensor(image))
            middle = time.perf_counter()
            data.to_image(net.decompress(coded["strings"], coded["shape"])["x_hat"])
            runs["encode"].append(middle - start)
            runs["decode"].append(time.perf_counter() - middle)
    return {way: min(seconds[1:]) for way, seconds in runs.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quality", type=float, default=50)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--checkpoint", help="a .safetensors file instead of the one in the package")
    options = parser.parse_args()
    codec, image = Codec.from_pretrained(options.checkpoint), picture()
    seconds, size = ours(codec, image, options.quality, options.repeats)
    print(f"{image.shape[1]} x {image.shape[0]}, quality {options.quality:g}: {size} bytes; "
          f"{torch.get_num_threads()} threads, torch {torch.__version__}, {platform.processor() or platform.machine()}")
    for way, stages in seconds.items():
        for stage, value in sorted(stages.items(), key=lambda item: (item[0] == "total", -item[1])):
            print(f"{way}  {stage:<20} {value * 1000:8.1f} ms  {value / stages['total']:6.1%}")
    if not find_spec("compressai"):
        print("compressai is not installed: no comparison (pip install compressai in an environment of its own)")
        return 0
    for way, reference in theirs(image, options.repeats).items():
        ratio = seconds[way]["total"] / reference
        print(f"{way}  mbt2018-mean {reference * 1000:8.1f} ms; ours is {ratio:.2f} times that (bar: {BARS[way]})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
