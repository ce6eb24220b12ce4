"""z and y to bytes and back: the one loop that encoder and decoder run alike.

Both walk through the same passes with the same exact networks; one puts symbols into the range coder, the other takes
them out. It makes no decision about quality and never sees a pixel.

Taught in chapters 8 and 9.
"""

from typing import NamedTuple

import numpy as np
import torch

from mfca_tutorial.entropy import tables as coding
from mfca_tutorial.entropy.exact import LIMIT
from mfca_tutorial.entropy.hyperprior import ExactHyperprior, pass_of_latent


class Tables(NamedTuple):
    """The integer tables that travel in the checkpoint: one a scale index for y, one a channel for z."""

    y: list[coding.Table]
    z: list[coding.Table]


class Coded(NamedTuple):
    """What `encode_latents` made: the two streams, what the decoder will have, and how it came about."""

    z_bytes: bytes
    y_bytes: bytes
    z_hat: torch.Tensor  # (1, C_z, h/4, w/4)
    y_hat: torch.Tensor  # (1, M, h, w) float64
    mean: torch.Tensor  # (1, M, h, w) float64
    index: torch.Tensor  # (1, M, h, w) uint8
    bits_by_pass: list[float]  # by the integer tables, escapes included


def _encode_z(z_hat: torch.Tensor, tables: list[coding.Table]) -> bytes:
    encoder = coding.new_encoder()
    symbols = z_hat[0].flatten(1).to(torch.int32).cpu().numpy()  # (C_z, h w)
    for row, table in zip(symbols, tables, strict=True):
        coding.encode_group(encoder, row, table)
    return coding.finish(encoder)


def _decode_z(data: bytes, tables: list[coding.Table], height: int, width: int) -> torch.Tensor:
    decoder = coding.new_decoder(data)
    rows = [coding.decode_group(decoder, height * width, table) for table in tables]
    coding.check_finished(decoder)
    return torch.from_numpy(np.stack(rows).astype(np.float64)).reshape(1, -1, height, width)


def encode_latents(exact: ExactHyperprior, tables: Tables, y: torch.Tensor, z: torch.Tensor, quantise) -> Coded:
    """y (1, M, h, w) times its gain and z (1, C_z, h/4, w/4), not rounded -> two byte strings and what they decode to.

    quantise(residual, index) -> integers, of the same shape: plain rounding or a dead zone (chapter 6).
    Taught in chapter 8."""
    z_hat = torch.round(z.double()).clamp(-LIMIT, LIMIT).to(exact.device)
    y = y.double().clamp(-LIMIT, LIMIT).to(exact.device)
    features, y_hat = exact.h_s(z_hat), torch.zeros_like(y)
    mean, index = torch.zeros_like(y), torch.zeros_like(y, dtype=torch.uint8)
    turn = pass_of_latent(*y.shape[1:], exact.passes, exact.device)[None]  # (1, M, h, w)
    encoder, bits = coding.new_encoder(), []
    for p in range(exact.passes):
        mask = turn == p
        mean_p, index_p = exact.parameters_of(p, features, y_hat)
        residual = quantise(y[mask] - mean_p[mask], index_p[mask])  # (latents of this pass,)
        y_hat[mask] = residual + mean_p[mask]
        mean[mask], index[mask] = mean_p[mask], index_p[mask]
        symbols, indices = residual.to(torch.int32).cpu().numpy(), index_p[mask].cpu().numpy()
        coding.encode_indexed(encoder, symbols, indices, tables.y)
        bits.append(coding.table_bits(symbols, indices, tables.y))
    return Coded(_encode_z(z_hat, tables.z), coding.finish(encoder), z_hat, y_hat, mean, index, bits)


def decode_latents(exact: ExactHyperprior, tables: Tables, z_bytes: bytes, y_bytes: bytes, channels: int, height: int,
                   width: int) -> torch.Tensor:
    """The two byte strings -> y_hat (1, M, h, w) float64, bit for bit what the encoder had.

    Raises BitstreamError where the bytes cannot have come from this model. Taught in chapter 8."""
    z_hat = _decode_z(z_bytes, tables.z, height // 4, width // 4).to(exact.device)
    features = exact.h_s(z_hat.clamp(-LIMIT, LIMIT))
    y_hat = torch.zeros(1, channels, height, width, dtype=torch.float64, device=exact.device)
    turn = pass_of_latent(channels, height, width, exact.passes, exact.device)[None]  # (1, M, h, w)
    decoder = coding.new_decoder(y_bytes)
    for p in range(exact.passes):
        mask = turn == p
        mean_p, index_p = exact.parameters_of(p, features, y_hat)
        symbols = coding.decode_indexed(decoder, index_p[mask].cpu().numpy(), tables.y)
        y_hat[mask] = torch.from_numpy(symbols.astype(np.float64)).to(exact.device) + mean_p[mask]
    coding.check_finished(decoder)
    return y_hat
