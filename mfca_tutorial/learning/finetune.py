"""The last steps of a run train the decoder alone, on the rounded latents that files hold.

Until then, bits are counted on latents with uniform noise, which stands in for rounding and has a
gradient. A file, however, holds rounded latents. Once the encoder is frozen, nothing needs the
noise any more. The probability model, the filter and g_s can then be trained on what they will be
given in use.

But: the encoder learns nothing here.

Taught in chapter 11.
"""

import torch
from torch import Tensor

from mfca_tutorial.blocks.importance import block_quality
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import MAX_QUALITY
from mfca_tutorial.entropy.gaussian import gaussian_bits


def freeze_encoder(codec: Codec, frozen: bool = True) -> None:
    """Stop g_a, h_a and the gains from learning; with frozen=False, let them learn again."""
    for part in (codec.g_a, codec.hyperprior.h_a, codec.gains):
        part.requires_grad_(not frozen)

    # in training mode, MFCA would go on updating its running mean of the usual energies
    codec.g_a.train(not frozen)


def rounded_bits(residual: Tensor, scale: Tensor) -> Tensor:
    """The bits of round(residual) under N(0, scale), with a gradient for the mean as well.

    Rounding has no gradient: a small move of the mean does not change the symbol. On average over
    all positions between two integers, however, there is a slope: bits(r + 1/2) - bits(r - 1/2).
    That is also the average gradient under uniform noise. Both arguments and the result have the
    same shape, whatever it is.
    """
    # the value, and the gradient for the scale
    bits = gaussian_bits(torch.round(residual).detach(), scale)

    # the slope along the residual, times a term that is zero but has a gradient of one
    above = gaussian_bits(residual + 0.5, scale)
    below = gaussian_bits(residual - 0.5, scale)
    slope = (above - below).detach()
    nothing = residual - residual.detach()
    return bits + slope * nothing


def decode_in_training(
    codec: Codec,
    x: Tensor,
    quality: Tensor,
    offsets: Tensor,
) -> dict:
    """The decoder's reconstruction of x, and the bits of the rounded latents: {"x_hat", "bits"}.

    The values are those of `Codec.forward` with noise=False, but the means have a gradient as well.
    The arguments are those of `Codec.forward`.
    """
    # the encoder, which is not trained any more
    blocks = block_quality(quality, offsets)
    y, _ = codec.g_a(x, blocks / MAX_QUALITY)  # (B, M, H/16, W/16)
    gain = codec.gain(blocks)  # (B, M, H/16, W/16)

    # the probability model uses float32, in training as well
    hyperprior = codec.hyperprior
    with torch.autocast(x.device.type, enabled=False):
        v = y.float() * gain
        z = hyperprior.h_a(v)  # (B, C_z, H/64, W/64)
        z_hat = torch.round(z)

        # what the decoder knows, and how many bits it takes to tell the decoder the rest
        features = hyperprior.h_s(z_hat)
        v_hat, mean, scale = hyperprior.predict(v, features)
        bits = {
            "y": rounded_bits(v - mean, scale),
            "z": hyperprior.prior.bits(z_hat),
        }

    # filter and transform
    x_hat = codec.synthesise(v_hat, blocks)
    return {"x_hat": x_hat.float(), "bits": bits}
