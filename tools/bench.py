"""Seconds to encode and to decode one 768x512 image on this machine, by stage.

It times the way from pixels to the bytes of the file and back, in one process, and reports the best
of several runs after a warm-up. If the package `compressai` is installed, its `mbt2018-mean` codes
the same image for comparison (at quality 3, with untrained weights, since only the shapes of the
layers determine the time).
"""

import argparse
import os
import time
from collections import Counter, defaultdict
from importlib.util import find_spec

import numpy as np
import torch

from mfca_tutorial import Codec, data
from mfca_tutorial.entropy import latents, tables

REPEATS = 5
BARS = {"encode": 1.3, "decode": 0.7}  # at most this many times as long as mbt2018-mean


class Stopwatch:
    """Adds up the seconds spent in functions, by stage; these must not call one another."""

    def __init__(self):
        self.seconds = Counter()

    def watch(self, owner, name, stage):
        """Replace owner.name with a function that does the same and is timed."""
        function = getattr(owner, name)

        def timed(*args, **kwargs):
            start = time.perf_counter()
            result = function(*args, **kwargs)
            self.seconds[stage] += time.perf_counter() - start
            return result

        setattr(owner, name, timed)

    def time(self, work, argument):
        """Return work(argument) and the seconds by stage; 'the rest' is the time of no stage."""
        self.seconds.clear()
        start = time.perf_counter()
        result = work(argument)
        total = time.perf_counter() - start
        self.seconds["the rest"] = total - self.seconds.total()
        return result, self.seconds.copy()


def picture():
    """uint8 (512, 768, 3): kodim01 if MFCA_KODAK names its folder, else coffee, mirror-padded."""
    if os.environ.get("MFCA_KODAK"):
        return data.read_image(data.kodak()[0])[0]
    image = data.photograph("coffee")  # (400, 600, 3)
    return np.pad(image, [(0, 112), (0, 168), (0, 0)], mode="reflect")


def mfca(codec, quality):
    """Our codec, with every stage timed -> (encode, decode, stopwatch)."""
    stopwatch = Stopwatch()
    for owner, name, stage in (
        (codec.g_a, "forward", "g_a"),
        (codec.hyperprior.h_a, "forward", "h_a"),
        (codec.pqf, "forward", "PQF"),
        (codec.g_s, "forward", "g_s"),
        (codec.exact, "h_s", "h_s, exact"),
        (codec.exact, "parameters_of", "context, exact"),
        (tables, "encode_indexed", "range coder"),
        (tables, "decode_indexed", "range coder"),
        (latents, "_encode_z", "range coder"),
        (latents, "_decode_z", "range coder"),
        (tables, "table_bits", "counting table bits"),
    ):
        stopwatch.watch(owner, name, stage)
    return (
        lambda image: codec.compress(image, quality),
        lambda stream: data.to_image(codec.decompress(stream)),
        stopwatch,
    )


def mbt2018_mean():
    """CompressAI's codec -> (encode, decode, stopwatch)."""
    from compressai.zoo import mbt2018_mean

    torch.manual_seed(0)
    net = mbt2018_mean(quality=3, metric="mse", pretrained=False).eval()
    net.update()

    @torch.no_grad()
    def encode(image):
        return net.compress(data.to_tensor(image))

    @torch.no_grad()
    def decode(coded):
        return data.to_image(net.decompress(coded["strings"], coded["shape"])["x_hat"])

    return encode, decode, Stopwatch()


def measure(coders, image):
    """{name: (encode, decode, stopwatch)} -> {(name, way): seconds by stage of the best run}.

    The coders take turns, so that anything else running on the machine slows all of them.
    """
    runs = defaultdict(list)
    for _ in range(1 + REPEATS):
        for name, (encode, decode, stopwatch) in coders.items():
            coded, encoding = stopwatch.time(encode, image)
            _, decoding = stopwatch.time(decode, coded)
            runs[name, "encode"].append(encoding)
            runs[name, "decode"].append(decoding)

    # The first run is a warm-up.
    return {key: min(seconds[1:], key=Counter.total) for key, seconds in runs.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quality", type=float, default=50)
    parser.add_argument("--checkpoint", help="a .safetensors file in place of the package's own")
    options = parser.parse_args()

    coders = {"mfca": mfca(Codec.from_pretrained(options.checkpoint), options.quality)}
    if find_spec("compressai"):
        coders["mbt2018-mean"] = mbt2018_mean()
    seconds = measure(coders, picture())

    print(
        f"quality {options.quality:g}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
    for way, bar in BARS.items():
        stages = seconds["mfca", way]
        total = stages.total()
        for stage, value in [("total", total), *stages.most_common()]:
            print(f"{way}  {stage:<20} {1000 * value:8.1f} ms  {value / total:6.1%}")
        if "mbt2018-mean" in coders:
            other = seconds["mbt2018-mean", way].total()
            print(f"{way}  mbt2018-mean         {1000 * other:8.1f} ms")
            print(f"{way}  mfca takes {total / other:.2f} times that (bar: {bar})")


if __name__ == "__main__":
    main()
