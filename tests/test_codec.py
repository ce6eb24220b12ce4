"""The file is the truth: what compress wrote is what decompress reads, at every quality."""

import hashlib
import json
import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from mfca_tutorial import checkpoint, data
from mfca_tutorial.blocks.importance import MapRequest
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import TINY, CodecConfig, lambda_of
from mfca_tutorial.container import BitstreamError, read_header, unpack
from mfca_tutorial.entropy import tables as coding
from mfca_tutorial.entropy.gaussian import gaussian_bits, scale_of_index


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


def latents_both_ways(codec, x, quality, importance=None):
    """v_hat as the encoder had it and as it comes out of the file (untiled images)."""
    file = codec.compress(x, quality, importance=importance)
    header, (tile,) = unpack(file)
    encoded = codec.encode_tile(x, quality, importance).coded.v_hat
    decoded, _ = codec.latents_of(header, tile, header.height, header.width)
    return encoded, decoded


@pytest.mark.parametrize("size", [(1, 1), (1, 130), (65, 2), (64, 64), (100, 77)])
def test_any_size_comes_back(tiny, size):
    x = torch.rand(1, 3, *size)
    file = tiny.compress(x, 50)
    x_hat = tiny.decompress(file)
    assert x_hat.shape == x.shape
    assert torch.equal(x_hat, (x_hat * 255).round() / 255)
    assert torch.equal(x_hat, tiny.decompress(file))


@pytest.mark.parametrize("quality", [0, 0.5, 12.5, 50, 99.5, 100])
@pytest.mark.parametrize("importance", [None, "auto", "mask"])
def test_the_file_holds_exactly_the_encoders_latents(tiny, photograph, quality, importance):
    x = data.to_tensor(photograph)
    if importance == "mask":
        importance = torch.linspace(-1, 1, x.shape[3]).expand(x.shape[2:])
    encoded, decoded = latents_both_ways(tiny, x, quality, importance)
    assert torch.equal(encoded, decoded)
    assert encoded.abs().max() > 1  # something was coded


def test_the_shipped_codec_too(shipped, photograph):
    encoded, decoded = latents_both_ways(shipped, data.to_tensor(photograph), 40)
    assert torch.equal(encoded, decoded)


@pytest.mark.parametrize("importance", [None, "auto"])
def test_gates_that_know_the_quality_make_files_too(photograph, importance):
    torch.manual_seed(0)
    codec = Codec(replace(TINY, gates="quality"))
    for name, weight in codec.named_parameters():
        if name.endswith("fc2.weight"):  # zero at the start: nothing would be known
            torch.nn.init.normal_(weight, std=0.2)
    torch.nn.init.normal_(codec.importance.map.weight)
    codec.g_a.down3.weight.data.mul_(60)
    codec.freeze()
    x = data.to_tensor(photograph)

    encoded, decoded = latents_both_ways(codec, x, 60, importance)
    assert torch.equal(encoded, decoded)

    # the same latents, the same gain, another quality in the gates: another picture
    blocks = torch.full((1, 1, 1, 1), 60.0)
    picture = codec.g_s(encoded.float(), blocks / 100)
    assert not torch.allclose(picture, codec.g_s(encoded.float(), blocks / 200))


@pytest.mark.parametrize("quality", [10, 60, 95])
@pytest.mark.parametrize("name", ["coffee", "rocket"])
def test_table_bits_agree_with_the_file_and_with_the_estimate(shipped, name, quality):
    x = data.to_tensor(data.photograph(name)[:384, :512])
    coded = shipped.encode_tile(x, quality).coded
    size = len(shipped.compress(x, quality))  # bytes

    # by the integer tables
    z = coded.z_hat[0].flatten(1).to(torch.int32).cpu().numpy()  # (C_z, h w)
    z_bits = 0.0
    for row, table in zip(z, shipped.tables.z, strict=True):
        z_bits += coding.table_bits(row, np.zeros(len(row), np.uint8), [table])
    assert abs(size - (sum(coded.bits_by_pass) + z_bits) / 8) <= 64

    # by the densities that training uses
    scale = scale_of_index(coded.index.double())
    y_estimate = gaussian_bits(coded.v_hat - coded.mean, scale).sum().item()
    z_estimate = shipped.hyperprior.prior.bits(coded.z_hat.float()).sum().item()
    assert abs(size - (y_estimate + z_estimate) / 8) <= 0.005 * size + 64


def test_better_quality_costs_more_and_shows(shipped, photograph):
    sizes = []
    errors = []
    for quality in (10, 40, 70, 100):
        file = shipped.compress(photograph, quality)
        decoded = data.to_image(shipped.decompress(file))
        sizes.append(len(file))
        errors.append(np.mean((decoded - photograph.astype(float)) ** 2))
    assert sizes == sorted(sizes)
    assert errors == sorted(errors, reverse=True)


def cost(codec, photograph, file):
    """What the search lowers: bits plus weighted squared error, at quality 50."""
    error = (codec.decompress(file) - data.to_tensor(photograph)).square().sum().item()
    return 8 * len(file) + 255**2 / 3 * lambda_of(50) * error


def test_effort_finds_better_latents_and_the_same_every_time(shipped, photograph):
    plain = shipped.compress(photograph, 50)
    state = torch.get_rng_state()
    searched = shipped.compress(photograph, 50, effort=5)
    assert torch.equal(state, torch.get_rng_state())
    assert searched == shipped.compress(photograph, 50, effort=5)
    assert cost(shipped, photograph, searched) < 0.99 * cost(shipped, photograph, plain)
    assert not any(p.grad is not None for p in shipped.parameters())


def test_importance_moves_bits_to_where_it_is_high(shipped):
    x = data.to_tensor(data.photograph("astronaut")[:256, :384])
    mask = np.full((256, 384), -1.0)
    mask[:, :192] = 1.0

    errors = []
    for importance in (None, mask):
        tile = shipped.encode_tile(x, 50, importance)
        x_hat = shipped.synthesise(tile.coded.v_hat.float(), tile.blocks)
        errors.append((x_hat - x).square().mean((0, 1, 2)))  # (W,)
    flat, moved = errors
    assert moved[:160].mean() < flat[:160].mean()
    assert moved[224:].mean() > flat[224:].mean()


def test_the_importance_argument_is_understood_once():
    assert MapRequest.of(None, 8, 8).flat
    assert MapRequest.of("flat", 8, 8).flat
    assert MapRequest.of("auto", 8, 8).learned
    mask = MapRequest.of(np.array([[0.0, 1.0]]), 4, 8)
    assert not mask.flat
    assert mask.mask.shape == (4, 8)
    assert MapRequest.of(mask, 99, 99) is mask
    assert torch.equal(mask.window(1, 2, 3, 5).mask, mask.mask[1:4, 2:7])
    assert MapRequest().window(1, 2, 3, 5).flat


def test_old_positional_arguments_still_work_and_warn(tiny, photograph):
    file = tiny.compress(photograph, 30, importance="auto", effort=1)
    with pytest.warns(DeprecationWarning, match="importance, progress, effort"):
        assert tiny.compress(photograph, 30, "auto", iter, 1) == file
    with pytest.warns(DeprecationWarning, match="progress"):
        tiny.decompress(file, iter)
    with pytest.raises(TypeError):
        tiny.compress(photograph, 30, None, iter, 0, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tiny.decompress(file, progress=iter)


def test_grey_stays_grey_and_is_marked(tiny, shipped):
    grey = np.repeat(data.photograph("chelsea")[:96, :96, :1], 3, 2)
    file = shipped.compress(grey, 60)
    out = data.to_image(shipped.decompress(file))
    assert read_header(file).grey
    assert (out == out[..., :1]).all()

    coloured = grey.copy()
    coloured[..., 2] = 255 - coloured[..., 2]
    assert not read_header(tiny.compress(coloured, 60)).grey


def test_large_images_go_through_tiles_without_seams(shipped):
    ramp = np.linspace(30, 220, 1100)[None, :, None] * np.ones((70, 1, 3))
    image = ramp.round().astype(np.uint8)
    file = shipped.compress(image, 60)
    assert read_header(file).tile == 1024
    assert len(unpack(file)[1]) == 2

    out = data.to_image(shipped.decompress(file)).astype(float)
    assert out.shape == image.shape
    error = np.abs(out - image)
    assert error[:, 500:700].mean() < error.mean() + 1  # the seam is about here


BAD_CALLS = {
    "quality above 100": ([0.5], {"quality": 101}),
    "quality below 0": ([0.5], {"quality": -1}),
    "negative effort": ([0.5], {"effort": -1}),
    "one channel": (torch.rand(1, 1, 8, 8), {}),
    "no rows": (torch.rand(1, 3, 0, 8), {}),
    "not a number": (torch.full((1, 3, 8, 8), math.nan), {}),
    "infinite": (torch.full((1, 3, 8, 8), math.inf), {}),
    "unknown map": ([0.5], {"importance": "everywhere"}),
    "mask out of range": ([0.5], {"importance": [[2.0]]}),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_it_refuses_wrong_input(tiny, name):
    x, arguments = BAD_CALLS[name]
    if isinstance(x, list):
        x = torch.full((1, 3, 8, 8), x[0])
    arguments = {"quality": 50} | arguments
    with pytest.raises(ValueError):
        tiny.compress(x, arguments.pop("quality"), **arguments)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_a_codec_that_is_not_frozen_writes_no_files(mode, photograph):
    codec = getattr(Codec(TINY), mode)()
    with pytest.raises(RuntimeError, match="freeze"):
        codec.compress(photograph, 50)
    with pytest.raises(RuntimeError, match="freeze"):
        codec.exact  # noqa: B018


def test_it_refuses_what_is_no_checkpoint():
    with pytest.raises(ValueError, match="not an mfca checkpoint"):
        checkpoint.read_checkpoint(__file__)
    with pytest.raises(FileNotFoundError):
        Codec.from_pretrained("nowhere.safetensors")


def test_every_cut_and_every_flipped_bit_is_noticed(tiny):
    x = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    file = tiny.compress(x, 0)
    damaged = [file[:n] for n in range(len(file))] + [file + b"\0"]
    for i, byte in enumerate(file):
        for bit in range(8):
            damaged.append(file[:i] + bytes([byte ^ 1 << bit]) + file[i + 1 :])
    for bad in damaged:
        with pytest.raises(BitstreamError):
            tiny.decompress(bad)


def test_a_file_of_another_model_is_refused(tiny, shipped, photograph):
    with pytest.raises(BitstreamError, match="model"):
        shipped.decompress(tiny.compress(photograph, 50))


def test_a_checkpoint_keeps_every_exact_weight(tiny, tmp_path):
    again = tmp_path / "again.safetensors"
    checkpoint.save_checkpoint(tiny, again)
    assert checkpoint.model_id(again) == tiny.model_id
    assert tiny.model_id == hashlib.sha256(again.read_bytes()).digest()[:8]
    assert CodecConfig.from_json(tiny.config.to_json()) == TINY


def test_a_checkpoint_without_gates_is_of_the_first_form():
    fields = json.loads(TINY.to_json())
    del fields["gates"]
    assert CodecConfig.from_json(json.dumps(fields)).gates == "energy"


@pytest.mark.gpu
@pytest.mark.parametrize("quality", [5, 50, 95])
@pytest.mark.parametrize("writes", ["cpu", "gpu"])
def test_files_cross_between_cpu_and_gpu(shipped, photograph, quality, writes):
    gpu = Codec.from_pretrained().to("cuda")
    writer, reader = (gpu, shipped) if writes == "gpu" else (shipped, gpu)
    file = writer.compress(data.to_tensor(photograph), quality)
    header, (tile,) = unpack(file)
    ours, _ = writer.latents_of(header, tile, header.height, header.width)
    theirs, _ = reader.latents_of(header, tile, header.height, header.width)
    assert torch.equal(ours.cpu(), theirs.cpu())
    assert (writer.decompress(file) - reader.decompress(file)).abs().max() <= 1.01 / 255
