"""The arms of the ablation: codecs that differ from the plain one in a single part.

The plain codec is the tiny preset without attention. Each arm starts from the same weights, and
then one part is exchanged or added. Two arms of the same seed therefore share everything else:
initial weights, crops, qualities, maps and noise.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mfca_tutorial.blocks.mfca import FLOOR, MFCA, USUAL_RATE, QualityMFCA, spread
from mfca_tutorial.blocks.pmcn import PMCN
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import MAX_QUALITY, TINY, CodecConfig
from mfca_tutorial.transforms import Stage

PLAIN = replace(TINY, attention=False)

# ---- attention


class Windows(nn.Module):
    """The energy of each channel's frequency, around each 8x8 window of features.

    x (B, C, H, W) -> (B, C, H/8, W/8): the log of the energy, averaged over 3x3 windows, minus its
    usual value.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.dct = MFCA(channels, descriptor="signed")  # used only for its coefficients
        self.dct.requires_grad_(False)
        self.register_buffer("usual", torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        energy = self.dct.coefficients_fast_on_cpu(x).square()  # (B, C, H/8, W/8)
        energy = F.avg_pool2d(energy, 3, stride=1, padding=1, count_include_pad=False)
        log_energy = torch.log(energy + FLOOR)
        unusual = log_energy - self.usual[:, None, None]
        if self.training:
            self.usual.lerp_(log_energy.detach().mean((0, 2, 3)), USUAL_RATE)
        return unusual


class Gate(nn.Module):
    """gate = 2 sigmoid(W2 relu(sum of the parts + b1) + b2); every gate starts at 1."""

    def __init__(self, channels: int, energies: bool, quality: bool):
        super().__init__()
        hidden = max(channels // 8, 8)
        self.windows = Windows(channels) if energies else None
        self.from_energies = nn.Conv2d(channels, hidden, 1) if energies else None
        self.from_quality = nn.Conv2d(2, hidden, 1) if quality else None
        self.to_gates = nn.Conv2d(hidden, channels, 1)
        if self.from_quality is not None:
            nn.init.normal_(self.from_quality.weight)
        for parameter in self.to_gates.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, quality_map: Tensor) -> Tensor:
        parts = []
        if self.windows is not None:
            parts.append(self.from_energies(self.windows(x) / 2))
        if self.from_quality is not None:
            t = 2 * quality_map - 1
            parts.append(self.from_quality(torch.cat([t, t.square()], 1)))

        # spread the quality of the blocks over the windows
        if len(parts) == 2 and parts[1].shape[2:] != (1, 1):
            parts[1] = spread(parts[1], *parts[0].shape[2:])
        gates = 2 * torch.sigmoid(self.to_gates(F.relu(sum(parts))))
        if gates.shape[2:] != (1, 1):
            gates = spread(gates, *x.shape[2:])
        return gates * x


class Divisive(nn.Module):
    """Generalised divisive normalisation (Balle et al. 2016) in frequency windows.

    gate_c = sqrt((b_c + sum_k G_ck) / (b_c + sum_k G_ck u_k)), where u_k is an energy divided by
    its usual value. A gate is 1 where all energies have their usual values. With `quality`, the
    gate of `Gate(quality=True)` is a further factor.
    """

    def __init__(self, channels: int, quality: bool = False):
        super().__init__()
        self.windows = Windows(channels)
        self.b = nn.Parameter(torch.zeros(channels))
        self.G = nn.Parameter(torch.full((channels, channels), -5.0) + 4 * torch.eye(channels))
        self.quality = Gate(channels, energies=False, quality=True) if quality else None

    def forward(self, x: Tensor, quality_map: Tensor) -> Tensor:
        ratio = torch.exp(self.windows(x).clamp(-8, 8))  # (B, C, H/8, W/8)
        b = F.softplus(self.b)
        G = F.softplus(self.G)
        pool = F.conv2d(ratio, G[:, :, None, None], b)
        usual = (b + G.sum(1))[:, None, None]
        gates = torch.sqrt(usual / pool)
        h = spread(gates, *x.shape[2:]) * x
        return h if self.quality is None else self.quality(h, quality_map)


def with_attention(make: Callable[[int], nn.Module]) -> Callable[[CodecConfig], Codec]:
    """Give every PMCN block make(channels) as its attention."""

    def build(config: CodecConfig) -> Codec:
        codec = Codec(config)
        for block in codec.modules():
            if isinstance(block, PMCN):
                block.attention = make(block.mix_in.out_channels)
        return codec

    return build


# ---- convolutions


class Plain(nn.Module):
    """conv3x3 - GELU - conv3x3 + input, of the width that gives it PMCN's MACs (7.25 C^2)."""

    def __init__(self, channels: int):
        super().__init__()
        hidden = round(7.25 * channels / 18)
        self.first = nn.Conv2d(channels, hidden, 3, padding=1)
        self.second = nn.Conv2d(hidden, channels, 3, padding=1, bias=False)

    def forward(self, x: Tensor, quality_map: Tensor) -> Tensor:
        return x + self.second(F.gelu(self.first(x)))


def plain_blocks(config: CodecConfig) -> Codec:
    """Replace each PMCN block with a plain residual block."""
    codec = Codec(config)
    for stage in codec.modules():
        if isinstance(stage, Stage):
            for i, block in enumerate(stage):
                stage[i] = Plain(block.mix_in.out_channels)
    return codec


def kernels_of(k: int) -> Callable[[CodecConfig], Codec]:
    """Give all four groups of PMCN kernels of the same size."""

    def build(config: CodecConfig) -> Codec:
        codec = Codec(config)
        for block in codec.modules():
            if isinstance(block, PMCN):
                group = block.branches[0].out_channels
                convolutions = [nn.Conv2d(group, group, k, padding=k // 2) for _ in range(4)]
                block.branches = nn.ModuleList(convolutions)
        return codec

    return build


# ---- the filter after quantisation


class NoFilter(nn.Module):
    """The identity, in place of the post-quantisation filter."""

    def forward(self, y_hat: Tensor, side: Tensor) -> Tensor:
        return y_hat


def no_filter(config: CodecConfig) -> Codec:
    """Remove the post-quantisation filter."""
    codec = Codec(config)
    codec.pqf = NoFilter()
    return codec


def centroid(residual: Tensor, scale: Tensor) -> Tensor:
    """The mean of N(0, scale) on [residual - 1/2, residual + 1/2] (Lloyd 1982)."""
    low = (residual.abs() - 0.5) / scale
    high = (residual.abs() + 0.5) / scale
    root = 0.5**0.5
    mass = 0.5 * (torch.erfc(low * root) - torch.erfc(high * root))
    density = (torch.exp(-low.square() / 2) - torch.exp(-high.square() / 2)) * 0.3989423
    mean = scale * density / mass.clamp_min(1e-9)
    inside = mean.clamp(residual.abs() - 0.5, residual.abs() + 0.5)
    return torch.sign(residual) * torch.where(mass > 1e-6, inside, residual.abs())


class ScaleFilterCodec(Codec):
    """A filter that sees not only the latents, but also the scale with which each was coded.

    filtered = (v_hat + pull (centroid(r, s) - r)) / gain
               + conv(gelu(conv(v_hat / gain, quality) + conv1x1(log s)))
    """

    def __init__(self, config: CodecConfig):
        super().__init__(config)
        self.pull = nn.Parameter(torch.zeros(config.latents, 1, 1))
        self.from_scale = nn.Conv2d(config.latents, config.pqf_width, 1)

    def quantise_and_reconstruct(self, y: Tensor, blocks: Tensor, noise: bool = True) -> dict:
        gain = self.gain(blocks)
        coded = self.hyperprior(y * gain, noise)
        scale = coded["scale"].detach()
        residual = (coded["v_hat"] - coded["mean"]).detach()

        # pull towards the centroid of the interval that was rounded to this integer
        shift = centroid(torch.round(residual), scale) - torch.round(residual)
        y_hat = coded["v_hat"] / gain
        pulled = (coded["v_hat"] + self.pull * shift) / gain

        # the report's filter, which here also sees how certain the model was
        quality_map = blocks / MAX_QUALITY
        side = F.interpolate(quality_map, size=y_hat.shape[2:], mode="nearest")
        h = self.pqf.first(torch.cat([y_hat, side], 1)) + self.from_scale(scale.log())
        x_hat = self.g_s(pulled + self.pqf.second(F.gelu(h)), quality_map)
        return {"x_hat": x_hat} | {key: coded[key] for key in ("bits", "v_hat", "z_hat")}


# ---- the list


@dataclass(frozen=True)
class Arm:
    """One row of the table: what is changed, and how many seeds it is run with."""

    what: str
    build: Callable[[CodecConfig], Codec] = Codec
    config: CodecConfig = PLAIN
    muon: bool = True
    seeds: int = 1


def squeeze_and_excitation(channels: int) -> nn.Module:
    """Hu et al. 2018: the gates see the mean of each channel."""
    return MFCA(channels, [(0, 0)], window=None, descriptor="signed")


ARMS = {
    "no attention": Arm("the plain codec, with which all other arms are compared", seeds=3),
    "quality": Arm(
        "gates that know the quality alone",
        with_attention(lambda c: Gate(c, energies=False, quality=True)),
        seeds=3,
    ),
    "energies": Arm(
        "gates that know the energies of the surrounding windows",
        with_attention(lambda c: Gate(c, energies=True, quality=False)),
        seeds=3,
    ),
    "divisive energies": Arm(
        "gates that divide by the energies of the surrounding windows",
        with_attention(Divisive),
        seeds=3,
    ),
    "divisive energies and quality": Arm(
        "gates that divide by these energies, times gates that know the quality",
        with_attention(lambda c: Divisive(c, quality=True)),
        seeds=3,
    ),
    "energies and quality": Arm(
        "gates that know the energies of the picture and the quality",
        with_attention(QualityMFCA),
    ),
    "local energies and quality": Arm(
        "gates that know the energies of the surrounding windows and the quality",
        with_attention(lambda c: Gate(c, energies=True, quality=True)),
    ),
    "squeeze-and-excitation": Arm(
        "gates that know the mean of each channel", with_attention(squeeze_and_excitation)
    ),
    "low frequencies": Arm(
        "gates that know the energies of the picture at low frequencies, and the quality",
        with_attention(lambda c: QualityMFCA(c, "low")),
    ),
    "plain blocks": Arm(
        "two plain 3x3 convolutions of equal MACs in place of PMCN", plain_blocks, seeds=3
    ),
    "3x3 only": Arm("3x3 kernels in all groups of PMCN", kernels_of(3)),
    "7x7 only": Arm("7x7 kernels in all groups of PMCN", kernels_of(7)),
    "no filter": Arm("without the post-quantisation filter", no_filter),
    "filter with scales": Arm("a filter that also sees the scale of each latent", ScaleFilterCodec),
    "one pass": Arm("no context: all latents in one pass", config=replace(PLAIN, passes=1)),
    "two passes": Arm(
        "a checkerboard of two passes in place of four", config=replace(PLAIN, passes=2)
    ),
    "Adam alone": Arm("Adam in place of Muon", muon=False),
}
