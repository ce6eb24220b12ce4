"""The last steps of a run, for the decoder alone: it learns from what it will find in a file.

Until then bits are counted on latents with uniform noise, which stands for rounding and has a
gradient. A file holds rounded latents. With the encoder frozen nothing needs the noise any more,
and the probability model, the filter and g_s can meet what they will meet.

Taught in chapter 11.
"""

import torch

from mfca_tutorial.blocks.importance import block_quality
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import MAX_QUALITY
from mfca_tutorial.entropy.gaussian import gaussian_bits


def freeze_encoder(codec: Codec, frozen: bool = True) -> None:
    """Stop g_a, h_a and the gains from learning; with frozen=False let them learn again."""
    for part in (codec.g_a, codec.hyperprior.h_a, codec.gains):
        part.requires_grad_(not frozen)

    # MFCA in training mode would still follow the usual energies
    codec.g_a.train(not frozen)


def rounded_bits(residual: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Bits of round(residual) under N(0, scale), with a gradient for the mean as well.

    Rounding has none: a small move of the mean leaves the symbol what it is. On average over all
    places between two integers it does have one: bits(r + 1/2) - bits(r - 1/2), which is what the
    noise gives on average, too. Both arguments have any one shape, and so has the result.
    """
    # the value, and the gradient for the scale
    bits = gaussian_bits(torch.round(residual).detach(), scale)

    # the slope along the residual, times what is zero but has a gradient of one
    above = gaussian_bits(residual + 0.5, scale)
    below = gaussian_bits(residual - 0.5, scale)
    slope = (above - below).detach()
    nothing = residual - residual.detach()
    return bits + slope * nothing


def decode_in_training(
    codec: Codec,
    x: torch.Tensor,
    quality: torch.Tensor,
    offsets: torch.Tensor,
) -> dict:
    """What the decoder makes of x, and the bits of the rounded latents: {"x_hat", "bits"}.

    The values are those of `Codec.forward` with noise=False; the gradient for the means is there
    as well. The arguments are those of `Codec.forward`.
    """
    # the encoder, which has no gradient any more
    blocks = block_quality(quality, offsets)
    y, _ = codec.g_a(x, blocks / MAX_QUALITY)  # (B, M, H/16, W/16)
    gain = codec.gain(blocks)  # (B, M, H/16, W/16)

    # the probability model is in float32 in training, too
    hyperprior = codec.hyperprior
    with torch.autocast(x.device.type, enabled=False):
        v = y.float() * gain
        z = hyperprior.h_a(v)  # (B, C_z, H/64, W/64)
        z_hat = torch.round(z)

        # what the decoder knows, and what it costs to tell it
        features = hyperprior.h_s(z_hat)
        v_hat, mean, scale = hyperprior.predict(v, features)
        bits = {
            "y": rounded_bits(v - mean, scale),
            "z": hyperprior.prior.bits(z_hat),
        }

    # filter and transform
    x_hat = codec.synthesise(v_hat, blocks)
    return {"x_hat": x_hat.float(), "bits": bits}
