"""Where a training step's time goes: python tools/profile_step.py DIR_OR_TAR --out FILE.json (needs an NVIDIA GPU).

Times each part's forward and backward pass by CUDA events, compiled as in training, and a whole captured step.
"""

import argparse
import json

import torch

from mfca_tutorial.learning.crops import read_photographs
from mfca_tutorial.learning.recipe import Recipe
from mfca_tutorial.learning.step import capture
from mfca_tutorial.learning.trainer import Trainer

REPEATS = 20


def milliseconds(function) -> float:
    for _ in range(3):
        function()
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    start.record()
    for _ in range(REPEATS):
        function()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / REPEATS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source")
    parser.add_argument("--out", default="profile.json")
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    trainer = Trainer(Recipe(args.source, steps=1), read_photographs(args.source, 32))
    codec, (x, quality, offsets) = trainer.codec, trainer.draw()
    codec.g_a.compile()
    codec.g_s.compile()
    step = capture(trainer.update, (x, quality, offsets))
    table = {
        "whole step (CUDA graph)": milliseconds(lambda: step(x, quality, offsets)),
        "drawing a batch": milliseconds(trainer.draw),
    }
    with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
        y = codec.g_a(x)[0].detach().float()
        local, gain = (t.detach() for t in codec.gain_of(quality, offsets))

        def forward_backward(function, *inputs):
            inputs = [t.detach().requires_grad_(True) for t in inputs]

            def run():
                out = function(*inputs)
                torch.autograd.backward(out, torch.ones_like(out))
                for p in codec.parameters():
                    p.grad = None

            return milliseconds(capture(run, ()))

        table["g_a"] = forward_backward(lambda t: codec.g_a(t)[0], x)
        table["g_s"] = forward_backward(codec.g_s, y)
        table["PQF"] = forward_backward(lambda t: codec.pqf(t, local / 100), y)
    table["hyperprior and context"] = forward_backward(
        lambda t: codec.hyperprior(t)["bits"]["y"].sum(), y * gain
    )
    for p in trainer.parameters:
        p.grad = torch.randn_like(p)
    for optimizer in trainer.optimizers:
        table[type(optimizer).__name__] = milliseconds(capture(optimizer.step, ()))
    print(json.dumps(table, indent=1))
    with open(args.out, "w") as file:
        machine = {"device": torch.cuda.get_device_name(), "torch": torch.__version__}
        json.dump(machine | {"milliseconds": table}, file, indent=1)


if __name__ == "__main__":
    main()
