"""The decoder's half of a frozen hyperprior, bit-identical on every device that has float64.

It computes what `Hyperprior.parameters_of` computes, in the fixed-point arithmetic of `exact.py`,
and only for the latents of the pass in hand. At the four positions of a 2x2 square a pass codes
different channels, so the first layer and the last are taken apart by position. What they leave out
are inputs that count as zero, not being decoded yet, and outputs that nobody reads: no bit changes.

Taught in chapters 8 and 9.
"""

from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mfca_tutorial.entropy.counts import LEVELS
from mfca_tutorial.entropy.exact import FixedPoint, convolutions, weights_of
from mfca_tutorial.entropy.hyperprior import INDEX_UNIT, Hyperprior
from mfca_tutorial.entropy.passes import pass_of_latent


def part_of_layer(layer: nn.Conv2d, inputs: Tensor, outputs: Tensor) -> nn.Conv2d:
    """A smaller 1x1 convolution: only these input and output channels of the layer, by number."""
    weight, bias = weights_of(layer)  # (O, C, 1, 1) and (O,)

    # skip_init draws no random numbers for weights that are replaced at once
    part = nn.utils.skip_init(nn.Conv2d, len(inputs), len(outputs), kernel_size=1)
    rows = weight.data[outputs]  # (outputs, C, 1, 1)
    part.weight.data = rows[:, inputs]  # (outputs, inputs, 1, 1)
    part.bias.data = bias.data[outputs]
    return part


class Position(NamedTuple):
    """One of the four positions in a 2x2 square, and the part of a layer that works there."""

    row: int  # 0 or 1
    column: int  # 0 or 1
    inputs: Tensor  # numbers of the channels that are read
    outputs: Tensor  # numbers of the channels that are made
    layer: FixedPoint

    def in_every_square(self, x: Tensor) -> Tensor:
        """What stands at this position, as a view: (B, C, h, w) -> (B, C, h/2, w/2)."""
        return x[:, :, self.row :: 2, self.column :: 2]


class LayerByPosition:
    """A 1x1 layer that works position by position over the 2x2 squares.

    At each position it reads only the channels that count there, and makes only those that are
    wanted there; the other outputs are 0.

    Args:
      layer: the frozen 1x1 convolution, C -> C_out.
      inputs: bool (C, 2, 2), which channels to read at each position; the others count as 0 there.
      outputs: bool (C_out, 2, 2), which channels to make at each position.
      device: where to run.
    """

    def __init__(
        self,
        layer: nn.Conv2d,
        inputs: Tensor,
        outputs: Tensor,
        device: torch.device,
    ) -> None:
        self.channels = layer.out_channels
        self.positions: list[Position] = []
        for row, column in product(range(2), repeat=2):
            # the numbers of the channels that count here, rising
            read_here = inputs[:, row, column].nonzero().flatten()
            made_here = outputs[:, row, column].nonzero().flatten()
            if len(made_here) == 0:
                continue

            # the small layer between them
            part = part_of_layer(layer, read_here, made_here)
            position = Position(
                row,
                column,
                inputs=read_here.to(device),
                outputs=made_here.to(device),
                layer=FixedPoint(nn.Sequential(part), device),
            )
            self.positions.append(position)

    def __call__(self, x: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C_out, h, w), both multiples of 2^-8 in float64; h and w are even."""
        batch, _, height, width = x.shape
        out = x.new_zeros(batch, self.channels, height, width)
        for position in self.positions:
            # take the channels that count at this position of every square
            x_here = position.in_every_square(x)  # (B, C, h/2, w/2)
            read = x_here[:, position.inputs]  # (B, channels read, h/2, w/2)

            # `rounded`: what goes in is a multiple of 2^-8 already
            made = position.layer(read, rounded=True)  # (B, channels made, h/2, w/2)

            # put what comes out where it belongs: a view, so that this writes into `out`
            out_here = position.in_every_square(out)  # (B, C_out, h/2, w/2)
            out_here[:, position.outputs] = made
        return out


class PassNetwork(NamedTuple):
    """The exact context network of one pass: its adapter, then the trunk."""

    # the adapter's 1x1 layer reads the features, and what earlier passes decoded at each position
    first: LayerByPosition

    # the rest of the adapter looks around; the trunk goes on with every channel at every position
    middle: FixedPoint

    # the trunk's last 1x1 layer makes mean and scale of what this pass codes at each position
    last: LayerByPosition


class ExactHyperprior:
    """`h_s` and the context network of a frozen `Hyperprior`, exact.

    Raises ValueError where the hyperprior is not frozen.
    """

    def __init__(self, hyperprior: Hyperprior, device: torch.device | str = "cpu") -> None:
        self.passes = hyperprior.passes
        self.device = torch.device(device)
        self.h_s = FixedPoint(hyperprior.h_s, self.device)
        self.networks = [self._network_of_pass(p, hyperprior) for p in range(self.passes)]

    def _network_of_pass(self, p: int, hyperprior: Hyperprior) -> PassNetwork:
        config = hyperprior.config
        adapter = hyperprior.adapters[p]
        trunk = hyperprior.trunk

        # Which channels count at each position of a square: of the latents, those of earlier passes
        # are read and those of this pass are wanted; all other channels count everywhere.
        turn = pass_of_latent(config.latents, 2, 2, self.passes)  # (M, 2, 2)
        decoded = turn < p
        wanted = turn == p
        all_features = torch.ones(config.hyper_width, 2, 2, dtype=torch.bool, device="cpu")
        all_between = torch.ones(config.context_width, 2, 2, dtype=torch.bool, device="cpu")

        first = LayerByPosition(
            convolutions(adapter)[0],
            inputs=torch.cat([all_features, decoded]),  # (C_h + M, 2, 2)
            outputs=all_between,
            device=self.device,
        )

        # everything between the first layer and the last, as one network
        _, *rest_of_adapter = adapter.children()
        *front_of_trunk, _ = trunk.children()
        between = nn.Sequential(*rest_of_adapter, *front_of_trunk)
        middle = FixedPoint(between, self.device)

        last = LayerByPosition(
            convolutions(trunk)[-1],
            inputs=all_between,
            outputs=torch.cat([wanted, wanted]),  # (2 M, 2, 2): means, then scales
            device=self.device,
        )
        return PassNetwork(first, middle, last)

    def parameters_of(self, p: int, features: Tensor, decoded: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and scale index of the latents of pass p; those of other passes are 0.

        features: (B, C_h, h, w) of `h_s`. decoded: v_hat (B, M, h, w), of which only what earlier
        passes coded is read. Both are float64, multiples of 2^-8.
        Returns mean, float64 multiples of 2^-8, and index, uint8 in 0..63: (B, M, h, w) each.
        """
        network = self.networks[p]
        x = torch.cat([features, decoded], 1)  # (B, C_h + M, h, w)
        x = network.first(x)  # (B, C, h, w)
        x = network.middle(x, rounded=True)
        mean, scale_output = network.last(x).chunk(2, 1)  # (B, M, h, w) each

        # the scale is named by its index in the ladder of scales: the nearest whole one
        index = torch.floor(scale_output * INDEX_UNIT + 0.5)
        index = index.clamp(0, LEVELS - 1)
        return mean, index.to(torch.uint8)
