"""Fixed-point networks carried in float64: the same bits on every machine.

The decoder's tables depend on what h_s and the context network compute. Floating-point sums depend on their order, and
the order on threads, libraries and devices; one different scale index ruins the rest of a file. Here weights are
multiples of 2^-12 and activations multiples of 2^-8, rounded after every layer and clamped to +-2^15. Every product is
then a multiple of 2^-20 and every partial sum below 2^33, so each fits the 53 bits of a float64 exactly: no order of
summation, fused multiply-add or device can change a bit. It does not train: freeze first.

Taught in chapter 9.
"""

import torch
import torch.nn.functional as F
from torch import nn

WEIGHT_UNIT, BIAS_UNIT, ACTIVATION_UNIT = 2.0**-12, 2.0**-20, 2.0**-8
LIMIT = 2.0**15  # activations are clamped to +-LIMIT
WEIGHT_LIMIT, BIAS_LIMIT = 8.0, 16.0  # int16 in units of 2^-12; float32 still holds multiples of 2^-20 below 16


def round_to(x: torch.Tensor, unit: float) -> torch.Tensor:
    """The nearest multiple of unit, a power of two; halves go up. Example: round_to(0.3, 0.25) is 0.25.

    Taught in chapter 9."""
    return torch.floor(x / unit + 0.5) * unit


@torch.no_grad()
def freeze(network: nn.Module) -> None:
    """Round the weights of every convolution to fixed point, in place. Once, after training. Taught in chapter 9."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            unit = WEIGHT_UNIT
            layer.weight.copy_(round_to(layer.weight.double(), unit).clamp(-WEIGHT_LIMIT, WEIGHT_LIMIT - unit))
            layer.bias.copy_(round_to(layer.bias.double(), BIAS_UNIT).clamp(-BIAS_LIMIT, BIAS_LIMIT - BIAS_UNIT))


class FixedPoint:
    """Runs a frozen nn.Sequential of Conv2d (1x1, dense k x k, depthwise), ReLU and PixelShuffle exactly.

    Raises ValueError where the weights are not frozen or where a sum could leave 53 bits. Input and output are float64,
    (B, C, h, w), multiples of 2^-8; the input is rounded and clamped to that. Taught in chapter 9."""

    def __init__(self, network: nn.Sequential, device: torch.device | str = "cpu"):
        self.layers = []
        for layer in network:
            if isinstance(layer, nn.Conv2d):
                weight, bias = self._check(layer)
                self.layers.append((weight.to(device), bias.to(device), layer.groups))
            elif isinstance(layer, (nn.ReLU, nn.PixelShuffle)):
                self.layers.append(layer)
            else:
                raise ValueError(f"no exact form of {layer}")

    @staticmethod
    def _check(layer: nn.Conv2d):
        weight, bias = layer.weight.detach().cpu().double(), layer.bias.detach().cpu().double()
        for values, unit in ((weight, WEIGHT_UNIT), (bias, BIAS_UNIT)):
            if not torch.equal(values, round_to(values, unit)):
                raise ValueError("the weights of this network are not frozen to fixed point")
        if float((weight.abs().sum((1, 2, 3)) * LIMIT + bias.abs()).max()) >= 2.0**33:
            raise ValueError("a sum in this network could leave the 53 bits of a float64")
        return weight, bias[:, None, None]

    @torch.no_grad()
    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        x = round_to(x.double(), ACTIVATION_UNIT).clamp(-LIMIT, LIMIT)
        for layer in self.layers:
            if isinstance(layer, tuple):
                x = round_to(convolve(x, *layer), ACTIVATION_UNIT).clamp_(-LIMIT, LIMIT)
            else:
                x = layer(x)
        return x


def convolve(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, groups: int) -> torch.Tensor:
    """'Same' convolution by matrix products and shifted sums only: no FFT, no Winograd, whose sums are not exact.

    x (B, C, h, w); weight (O, C / groups, k, k) with groups 1 or C; bias (O, 1, 1). Taught in chapter 9."""
    batch, _, height, width = x.shape
    k = weight.shape[-1]
    if groups == 1:
        columns = x.flatten(2) if k == 1 else F.unfold(x, k, padding=k // 2)  # (B, C k k, h w)
        return (weight.flatten(1) @ columns).reshape(batch, -1, height, width) + bias
    padded = F.pad(x, (k // 2,) * 4)
    out = bias.expand(batch, -1, height, width).clone()
    for i in range(k):
        for j in range(k):
            out.addcmul_(padded[:, :, i:i + height, j:j + width], weight[:, :, i, j, None])
    return out
