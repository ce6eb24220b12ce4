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
from mfca_tutorial.entropy import latents
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
        return result, {
            **self.seconds,
            "the rest": total - sum(self.seconds.values()),
            "total": total,
        }


def picture():
    """uint8 (512, 768, 3): kodim01 where MFCA_KODAK names its folder, else scikit-image's coffee, mirrored out."""
    if os.environ.get("MFCA_KODAK"):
        return data.read_image(data.kodak()[0])[0]
    image = data.photograph("coffee")
    height, width = image.shape[:2]
    return np.pad(
        image, [(0, HEIGHT - height), (0, WIDTH - width), (0, 0)], mode="reflect"
    )  # (512, 768, 3)


def watch(codec):
    """A stopwatch on every stage of a codec; coding and the networks of the decoder's half apart."""
    watch = Stopwatch()
    for module, stage in (
        (codec.g_a, "g_a"),
        (codec.hyperprior.h_a, "h_a"),
        (codec.pqf, "PQF"),
        (codec.g_s, "g_s"),
    ):
        watch.wrap(module, "forward", stage)
    watch.wrap(codec.exact, "h_s", "h_s, exact")
    watch.wrap(codec.exact, "parameters_of", "context, exact")
    for owner, name in (
        (coding, "encode_indexed"),
        (coding, "decode_indexed"),
        (latents, "_encode_z"),
        (latents, "_decode_z"),
    ):
        watch.wrap(owner, name, "range coder")
    watch.wrap(coding, "table_bits", "counting table bits")
    return watch


def mbt2018_mean():
    """CompressAI's codec as (encode(image) -> coded, decode(coded) -> image)."""
    from compressai.zoo import mbt2018_mean

    torch.manual_seed(0)
    net = mbt2018_mean(quality=3, metric="mse", pretrained=False).eval()
    net.update()
    encode, decode = torch.no_grad()(net.compress), torch.no_grad()(net.decompress)
    return (
        lambda image: encode(data.to_tensor(image)),
        lambda coded: data.to_image(decode(coded["strings"], coded["shape"])["x_hat"]),
    )


def measure(coders, image, repeats):
    """{name: (encode, decode, stopwatch)} -> {name: {"encode": seconds by stage of the best run, "decode": ...}}.

    The coders take turns, so that whatever else runs on the machine slows all of them.
    """
    runs = {name: {"encode": [], "decode": []} for name in coders}
    for _ in range(repeats + 1):
        for name, (encode, decode, stopwatch) in coders.items():
            coded, seconds = stopwatch.run(lambda: encode(image))  # noqa: B023
            runs[name]["encode"].append(seconds)
            runs[name]["decode"].append(stopwatch.run(lambda: decode(coded))[1])  # noqa: B023
    return {
        name: {
            way: min(found[1:], key=lambda seconds: seconds["total"]) for way, found in ways.items()
        }
        for name, ways in runs.items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quality", type=float, default=50)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--checkpoint", help="a .safetensors file instead of the one in the package"
    )
    options = parser.parse_args()
    codec, image = Codec.from_pretrained(options.checkpoint), picture()
    coders = {
        "mfca": (
            lambda image: codec.compress(image, options.quality),
            lambda stream: data.to_image(codec.decompress(stream)),
            watch(codec),
        )
    }
    if find_spec("compressai"):
        coders["mbt2018-mean"] = (*mbt2018_mean(), Stopwatch())
    seconds = measure(coders, image, options.repeats)
    print(
        f"{image.shape[1]} x {image.shape[0]}, quality {options.quality:g}; {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}, {platform.processor() or platform.machine()}"
    )
    for way, stages in seconds["mfca"].items():
        for stage, value in sorted(stages.items(), key=lambda item: (item[0] == "total", -item[1])):
            print(f"{way}  {stage:<20} {value * 1000:8.1f} ms  {value / stages['total']:6.1%}")
    if "mbt2018-mean" not in coders:
        print(
            "compressai is not installed: no comparison (pip install compressai in an environment of its own)"
        )
        return 0
    for way, reference in seconds["mbt2018-mean"].items():
        ratio = seconds["mfca"][way]["total"] / reference["total"]
        print(
            f"{way}  mbt2018-mean {reference['total'] * 1000:8.1f} ms; mfca takes {ratio:.2f} times that "
            f"(bar: {BARS[way]})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
