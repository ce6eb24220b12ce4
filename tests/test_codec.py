"""The file is the truth: what compress wrote is what decompress reads, at every quality and size."""

import hashlib
import math

import numpy as np
import pytest
import torch

from mfca_tutorial import checkpoint, data
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import TINY, CodecConfig, lambda_of
from mfca_tutorial.container import BitstreamError, read_header, unpack
from mfca_tutorial.entropy import tables as coding
from mfca_tutorial.entropy.hyperprior import gaussian_bits, scale_of_index


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """An untrained tiny codec, through a checkpoint file."""
    torch.manual_seed(0)
    codec = Codec(TINY)
    with torch.no_grad():  # livelier than a fresh one: latents of a few steps, z that is not zero
        codec.g_a.down3.weight.mul_(60)
        codec.hyperprior.h_a[-1].weight.mul_(20)
        torch.nn.init.normal_(codec.importance.map.weight)
    path = tmp_path_factory.mktemp("tiny") / "tiny.safetensors"
    checkpoint.save_checkpoint(codec.freeze(), path)
    return Codec.from_pretrained(path)


@pytest.fixture(scope="module")
def shipped():
    return Codec.from_pretrained()


@pytest.fixture(scope="module")
def photograph():
    return data.photograph("chelsea")[:200, 100:420]


def encoded_and_decoded_latents(codec, x, quality, importance=None):
    """y_hat as the encoder had it and as it comes out of the file (untiled images)."""
    header, (tile,) = unpack(codec.compress(x, quality, importance))
    return (
        codec.analyse(x, quality, importance)["y_hat"],
        codec.latents_of(header, tile, header.height, header.width)[0],
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 130), (65, 2), (64, 64), (100, 77)])
def test_any_size_comes_back(tiny, size):
    x = torch.rand(1, 3, *size)
    file = tiny.compress(x, 50)
    x_hat = tiny.decompress(file)
    assert x_hat.shape == x.shape and (x_hat * 255).round().div(255).equal(x_hat)
    assert torch.equal(x_hat, tiny.decompress(file))


@pytest.mark.parametrize("quality", [0, 0.5, 12.5, 50, 99.5, 100])
@pytest.mark.parametrize("importance", [None, "auto", "mask"])
def test_the_file_holds_exactly_the_encoders_latents(tiny, photograph, quality, importance):
    x = data.to_tensor(photograph)
    if importance == "mask":
        importance = torch.linspace(-1, 1, x.shape[3]).expand(x.shape[2:])
    ours, theirs = encoded_and_decoded_latents(tiny, x, quality, importance)
    assert torch.equal(ours, theirs)
    assert ours.abs().max() > 1  # something was coded


def test_the_shipped_codec_too(shipped, photograph):
    x = data.to_tensor(photograph)
    assert torch.equal(*encoded_and_decoded_latents(shipped, x, 40))


def test_table_bits_agree_with_the_file_and_with_the_estimate(shipped):
    for name in ("coffee", "rocket"):
        x = data.to_tensor(data.photograph(name)[:384, :512])
        for quality in (10, 60, 95):
            a = shipped.analyse(x, quality)
            z = a["z_hat"][0].flatten(1).to(torch.int32).cpu().numpy()
            z_bits = sum(
                coding.table_bits(row, np.zeros(len(row), np.uint8), [table])
                for row, table in zip(z, shipped.tables.z, strict=True)
            )
            file = len(shipped.compress(x, quality))
            assert abs(file - (sum(a["bits_by_pass"]) + z_bits) / 8) <= 64
            y_bits = (
                gaussian_bits(a["y_hat"] - a["mean"], scale_of_index(a["index"].double()))
                .sum()
                .item()
            )
            z_estimate = shipped.hyperprior.prior.bits(a["z_hat"].float()).sum().item()
            assert abs(file - (y_bits + z_estimate) / 8) <= 0.005 * file + 64


def test_better_quality_costs_more_and_shows(shipped, photograph):
    sizes, errors = [], []
    for quality in (10, 40, 70, 100):
        file = shipped.compress(photograph, quality)
        sizes.append(len(file))
        errors.append(
            np.mean((data.to_image(shipped.decompress(file)) - photograph.astype(float)) ** 2)
        )
    assert sizes == sorted(sizes) and errors == sorted(errors, reverse=True)


def test_effort_finds_better_latents_and_the_same_every_time(shipped, photograph):
    def cost(file):  # what refine lowers: bits plus weighted squared error
        error = (shipped.decompress(file) - data.to_tensor(photograph)).square().sum().item()
        return 8 * len(file) + 255**2 / 3 * lambda_of(50) * error

    plain, state = shipped.compress(photograph, 50), torch.get_rng_state()
    searched = shipped.compress(photograph, 50, effort=5)
    assert torch.equal(state, torch.get_rng_state()) and searched == shipped.compress(
        photograph, 50, effort=5
    )
    assert cost(searched) < 0.99 * cost(plain)
    assert not any(p.grad is not None for p in shipped.parameters())


def test_importance_moves_bits_to_where_it_is_high(shipped):
    x = data.to_tensor(data.photograph("astronaut")[:256, :384])
    mask = np.full((4, 6), -1.0)
    mask[:, :3] = 1.0
    flat, moved = shipped.analyse(x, 50), None
    mask_full = torch.from_numpy(np.kron(mask, np.ones((64, 64))))
    moved = shipped.analyse(x, 50, mask_full)
    x_flat, x_moved = (
        shipped.synthesise(a["y_hat"].float(), a["local"], a["gain"]) for a in (flat, moved)
    )
    error = [((t - x) ** 2).mean((0, 1, 2)) for t in (x_flat, x_moved)]
    assert (
        error[1][:160].mean() < error[0][:160].mean()
        and error[1][224:].mean() > error[0][224:].mean()
    )


def test_grey_stays_grey_and_is_marked(tiny, shipped):
    grey = np.repeat(data.photograph("chelsea")[:96, :96, :1], 3, 2)
    file = shipped.compress(grey, 60)
    out = data.to_image(shipped.decompress(file))
    assert read_header(file).grey and (out == out[..., :1]).all()
    assert not read_header(
        tiny.compress(np.dstack([grey[..., 0], grey[..., 0], 255 - grey[..., 0]]), 60)
    ).grey


def test_large_images_go_through_tiles_without_seams(shipped):
    ramp = np.linspace(30, 220, 1100)[None, :, None] * np.ones((70, 1, 3))
    image = ramp.round().astype(np.uint8)
    file = shipped.compress(image, 60)
    assert read_header(file).tile == 1024 and len(unpack(file)[1]) == 2
    out = data.to_image(shipped.decompress(file)).astype(float)
    assert out.shape == image.shape
    error = np.abs(out - image)
    assert error[:, 500:700].mean() < error.mean() + 1  # the seam is about here


def test_it_refuses_wrong_input(tiny, photograph):
    for call in (
        lambda: tiny.compress(photograph, 101),
        lambda: tiny.compress(photograph, -1),
        lambda: tiny.compress(photograph, 50, effort=-1),
        lambda: tiny.compress(torch.rand(1, 1, 8, 8), 50),
        lambda: tiny.compress(torch.rand(1, 3, 0, 8), 50),
        lambda: tiny.compress(torch.full((1, 3, 8, 8), math.nan), 50),
        lambda: tiny.compress(torch.full((1, 3, 8, 8), math.inf), 50),
        lambda: tiny.compress(photograph, 50, "everywhere"),
        lambda: tiny.compress(photograph, 50, [[2.0]]),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(RuntimeError, match="freeze"):
        Codec(TINY).compress(photograph, 50)
    with pytest.raises(ValueError, match="not an mfca checkpoint"):
        checkpoint.read_checkpoint(__file__)
    with pytest.raises(FileNotFoundError):
        Codec.from_pretrained("nowhere.safetensors")


def test_every_cut_and_every_flipped_bit_is_noticed(tiny):
    file = tiny.compress(torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)), 0)
    damaged = [file[:n] for n in range(len(file))] + [file + b"\0"]
    damaged += [
        file[:i] + bytes([file[i] ^ 1 << bit]) + file[i + 1 :]
        for i in range(len(file))
        for bit in range(8)
    ]
    for bad in damaged:
        with pytest.raises(BitstreamError):
            tiny.decompress(bad)


def test_a_file_of_another_model_is_refused(tiny, shipped, photograph):
    with pytest.raises(BitstreamError, match="model"):
        shipped.decompress(tiny.compress(photograph, 50))


def test_a_checkpoint_keeps_every_exact_weight(tiny, tmp_path):
    again = tmp_path / "again.safetensors"
    checkpoint.save_checkpoint(tiny, again)
    assert (
        checkpoint.model_id(again)
        == tiny.model_id
        == hashlib.sha256(again.read_bytes()).digest()[:8]
    )
    assert CodecConfig.from_json(tiny.config.to_json()) == TINY


@pytest.mark.gpu
def test_files_cross_between_cpu_and_gpu(shipped, photograph):
    x = data.to_tensor(photograph)
    gpu = Codec.from_pretrained().to("cuda")
    for quality in (5, 50, 95):
        for writer, reader in ((shipped, gpu), (gpu, shipped)):
            file = writer.compress(x, quality)
            header, (tile,) = unpack(file)
            latents = [
                c.latents_of(header, tile, header.height, header.width)[0].cpu()
                for c in (writer, reader)
            ]
            assert torch.equal(*latents)
            assert (writer.decompress(file) - reader.decompress(file)).abs().max() <= 1.01 / 255
