"""Give dead parts of a checkpoint a new start, so that a run that begins with it (`mfca train --init`) can use them.

    python tools/revive.py IN.safetensors OUT.safetensors

Gates that are the same for every image get new weights, near where they stood; hidden units of the post-quantisation
filter get new weights where none of them ever fires. What the codec computes stays about the same: the gates' biases
stay, and the filter starts as the constant that it was.
"""

import argparse

import skimage.data
import torch
from torch import nn

from mfca_tutorial import Codec, checkpoint, data
from mfca_tutorial.learning.health import LEAST_PQF_ALIVE, LEAST_SPREAD, health_report

# Not `data.PHOTOGRAPHS`: the shipped run began with what these seven called dead; others would call more gates so.
NAMES = (
    "astronaut",
    "cat",
    "coffee",
    "rocket",
    "retina",
    "immunohistochemistry",
    "hubble_deep_field",
)


def pictures() -> torch.Tensor:
    """(7, 3, 256, 256): the middles of scikit-image's colour photographs."""
    images = [getattr(skimage.data, name)() for name in NAMES]
    middles = [
        im[(im.shape[0] - 256) // 2 :, (im.shape[1] - 256) // 2 :][:256, :256] for im in images
    ]
    return torch.cat([data.to_tensor(m) for m in middles])


@torch.no_grad()
def revive(codec: Codec, report: dict) -> None:
    """New weights, in place, for what `health_report` calls dead."""
    for name, spread in report["gate_spread"].items():
        if spread < LEAST_SPREAD:
            gate = codec.get_submodule(name).attention
            usual = gate.fc2(torch.relu(gate.fc1.bias))  # its logits on a picture like the others
            gate.fc1.reset_parameters()
            nn.init.normal_(gate.fc2.weight, std=0.1)
            gate.fc2.bias += usual - gate.fc2(torch.relu(gate.fc1.bias))
            print(f"{name}: new weights for its gates")
    if report["pqf_alive"] < LEAST_PQF_ALIVE:
        nn.init.kaiming_normal_(codec.pqf.first.weight, nonlinearity="relu")
        nn.init.zeros_(codec.pqf.first.bias)
        nn.init.zeros_(codec.pqf.second.weight)
        print("PQF: new weights")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("out")
    args = parser.parse_args()
    torch.manual_seed(0)
    codec = Codec.from_pretrained(args.source)
    revive(codec, health_report(codec, pictures()))
    checkpoint.save_checkpoint(codec, args.out, {"revived": codec.model_id.hex()})


if __name__ == "__main__":
    main()
