"""The report's own system does what its text says, and its bookkeeping is right."""

import numpy as np
import pytest
import skimage.metrics
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch.utils.data import DataLoader

from mfca_tutorial import data, whole_files
from mfca_tutorial.report.comparison import compare_with_jpeg
from mfca_tutorial.report.model import (
    ArithmeticDecoder,
    ArithmeticEncoder,
    CompressionAutoencoder,
    Quantizer,
    bits_read_by_decoder,
    entropy_bits,
)
from mfca_tutorial.report.tracker import MetricsTracker
from mfca_tutorial.report.training import (
    KodakDataset,
    enhanced_loss,
    enhanced_train_model,
    train_model,
)

SIDE = 32
PHOTOS = [data.photograph(name)[100:200, 100:220] for name in ("astronaut", "coffee")]


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CompressionAutoencoder((8, 8, 8), 8)


@pytest.fixture(scope="module")
def batch():
    return torch.stack(list(KodakDataset(PHOTOS, SIDE)))  # (2, 3, 32, 32)


def test_shapes_and_ranges(model, batch):
    out = model(batch)
    assert out.x_hat.shape == batch.shape
    assert out.x_hat.min() >= 0
    assert out.x_hat.max() <= 1
    assert out.quantized.shape == out.weighted.shape == (2, 8, 4, 4)
    assert out.importance.shape == out.coded_map.shape == (2, 1, 4, 4)
    assert out.importance.min() > 0
    assert out.importance.max() < 1


@pytest.mark.parametrize("cut", [np.s_[..., :31], np.s_[..., :31, :]])
def test_sides_must_be_multiples_of_8(model, batch, cut):
    with pytest.raises(ValueError, match="multiples of 8"):
        model(batch[cut])


def test_decoder_reads_the_encoders_features(model, batch):
    """With the latents fixed, the skips of another image change the reconstruction."""
    model.eval()
    features, skips, _ = model.encoder(batch)
    assert [tuple(skip.shape) for skip in skips] == [(2, 8, 32, 32), (2, 8, 16, 16), (2, 8, 8, 8)]
    with_own = model.decoder(features, skips)
    with_other = model.decoder(features, [skip.flip(0) for skip in skips])
    assert (with_own - with_other).abs().max() > 1e-3


def test_every_parameter_learns(model, batch):
    # the PQF and the gates start at zero, which holds back the layers before them
    model.pqf.second.weight.data.normal_(std=0.1)
    for block in (*model.encoder.pmcn, model.decoder.pmcn):
        block.attention.fc2.weight.data.normal_(std=0.1)

    enhanced_loss(batch, model(batch))["total"].backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


def test_quantizer_is_noise_in_training_and_rounding_after():
    y = torch.linspace(-3, 3, 10_001)
    quantizer = Quantizer()
    noise = quantizer(y) - y
    assert noise.abs().max() <= 0.5 + 1e-6
    assert abs(noise.mean()) < 0.02
    assert noise.var() == pytest.approx(1 / 12, rel=0.05)
    torch.testing.assert_close(quantizer.eval()(y), torch.round(y), rtol=0, atol=0)


def test_simulated_arithmetic_coder_keeps_eight_bits():
    importance = torch.rand(1, 1, 50, 50)
    coded = ArithmeticEncoder()(importance)
    assert (coded == coded.round()).all()
    assert coded.min() >= 0
    assert coded.max() <= 255
    assert coded.unique().numel() > 200  # all 256 levels are there to be used
    assert (ArithmeticDecoder()(coded) - importance).abs().max() <= 0.5 / 255 + 1e-6


def test_loss_is_the_reports_sum(model, batch):
    out = model(batch)
    parts = enhanced_loss(batch, out)
    error = (out.x_hat - batch).detach().numpy()
    l1 = np.abs(error).mean()
    mse = (error**2).mean()
    rate = out.importance.mean().item()
    quantization = ((out.quantized - out.weighted).detach().numpy() ** 2).mean()
    total = l1 + 0.1 * mse + 0.01 * rate + 0.1 * quantization
    expected = {
        "total": total,
        "reconstruction": l1,
        "perceptual": mse,
        "rate": rate,
        "quantization": quantization,
    }
    assert {key: part.item() for key, part in parts.items()} == pytest.approx(expected, rel=1e-5)


def test_dataset_from_a_folder_equals_one_from_arrays(tmp_path):
    for i, photo in enumerate(PHOTOS):
        data.write_image(photo, tmp_path / f"{i}.png")
    folder = KodakDataset(tmp_path, 24)
    arrays = KodakDataset(PHOTOS, 24)
    assert len(folder) == len(arrays) == 2
    assert folder[0].shape == (3, 24, 24)
    assert 0.5 < folder[0].max() <= 1
    for a, b in zip(folder, arrays, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize(("side", "window"), [(64, 7), (7, 7), (6, 3), (3, 3)])
def test_calculate_metrics_uses_window_3_on_small_images(side, window):
    a, b = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    psnr = skimage.metrics.peak_signal_noise_ratio(a, b)
    ssim = skimage.metrics.structural_similarity(a, b, channel_axis=2, win_size=window)
    expected = (psnr, ssim)
    assert MetricsTracker.calculate_metrics(a, b) == pytest.approx(expected, abs=1e-9)

    # tensors as well, with and without the axis of the batch
    batch = data.to_tensor(a)  # (1, 3, H, W)
    single = data.to_tensor(b)[0]  # (3, H, W)
    assert MetricsTracker.calculate_metrics(batch, single) == pytest.approx(expected, abs=1e-9)


def test_tracker_averages_over_images(model, batch):
    tracker = MetricsTracker()
    out = model(batch)
    tracker.update(batch, out)
    means = tracker.means()

    pairs = zip(batch, out.x_hat, strict=True)
    by_hand = [MetricsTracker.calculate_metrics(x, x_hat) for x, x_hat in pairs]
    psnr, ssim = np.mean(by_hand, axis=0)
    bit_rates = [entropy_bits(coded) / SIDE**2 for coded in out.coded_map]
    assert means["psnr"] == pytest.approx(psnr)
    assert means["ssim"] == pytest.approx(ssim)
    assert means["bit_rate"] == pytest.approx(np.mean(bit_rates))

    # after a reset the old images do not count
    tracker.reset()
    tracker.update(batch, out._replace(x_hat=batch))
    assert tracker.means()["psnr"] == 100


@pytest.mark.parametrize(
    ("symbols", "bits"),
    [
        ([0, 1, 0, 1], 4),
        ([7] * 9, 0),
        ([0, 0, 0, 1], 4 * (0.75 * np.log2(4 / 3) + 0.25 * 2)),
    ],
)
def test_entropy_bits(symbols, bits):
    assert entropy_bits(symbols) == pytest.approx(bits)


def test_what_the_decoder_reads(model, batch):
    bits = bits_read_by_decoder(model, batch[:1])
    # 8 channels at full, half and quarter size
    assert bits["skips_float32"] == 32 * 8 * (1 + 1 / 4 + 1 / 16)
    # at 8 bits per value, entropy coded, at most a quarter of it
    assert bits["skips"] <= bits["skips_float32"] / 4
    assert bits["latents"] + bits["map"] < bits["skips"]


def test_training_lowers_the_loss_and_keeps_the_best_model(model, batch, tmp_path):
    loader = DataLoader(KodakDataset(PHOTOS, SIDE), batch_size=2)
    history = enhanced_train_model(model, loader, 10, tmp_path / "best.safetensors", tmp_path)
    totals = [row["total"] for row in history]
    assert min(totals[5:]) < 0.9 * totals[0]
    assert history[0]["learning_rate"] == 2e-3
    assert sorted(f.name for f in tmp_path.glob("*.png")) == ["epoch_005.png", "epoch_010.png"]
    with safe_open(tmp_path / "best.safetensors", "pt") as file:
        metadata = file.metadata()
        weight = file.get_tensor("decoder.last.weight")
    best = history[int(np.argmin(totals))]
    assert {key: float(value) for key, value in metadata.items()} == pytest.approx(best)
    torch.testing.assert_close(model.decoder.last.weight.detach().cpu(), weight, rtol=0, atol=0)


def test_plain_training_is_the_same_without_metrics(batch, tmp_path):
    def history_of(train):
        torch.manual_seed(0)
        model = CompressionAutoencoder((8, 8, 8), 8)
        return train(model, [batch], 2, tmp_path / "best.safetensors")

    plain = history_of(train_model)
    enhanced = history_of(enhanced_train_model)
    assert "psnr" not in plain[0]
    assert "psnr" in enhanced[0]
    totals = [row["total"] for row in enhanced]
    assert [row["total"] for row in plain] == pytest.approx(totals, rel=1e-4)


def test_learning_rate_falls_on_a_plateau(model, batch, tmp_path):
    """Without noise and with tiny steps the loss stands still: after 5 epochs, a tenth of the rate.

    PyTorch waits for one epoch more than its `patience`.
    """
    model.quantizer = torch.nn.Identity()
    history = train_model(model, [batch], 8, tmp_path / "best.safetensors", learning_rate=1e-12)
    assert [row["learning_rate"] for row in history] == pytest.approx([1e-12] * 7 + [1e-13])


def test_a_broken_loss_stops_the_training(model, batch, tmp_path):
    with pytest.raises(RuntimeError, match="epoch 1"):
        train_model(model, [batch * float("nan")], 1, tmp_path / "best.safetensors")
    assert not (tmp_path / "best.safetensors").exists()


def test_stopped_while_it_saves_the_training_leaves_the_weights_before(
    model, batch, tmp_path, monkeypatch
):
    """Weights are written beside the old ones, and take their place in one step."""
    best = tmp_path / "best.safetensors"
    saved = []
    replace = whole_files.os.replace

    def stopped_at_the_second(temporary, target):
        assert load_file(temporary).keys() == model.state_dict().keys()
        if saved:
            raise KeyboardInterrupt
        saved.append(model.decoder.last.weight.detach().clone())
        replace(temporary, target)

    monkeypatch.setattr(whole_files.os, "replace", stopped_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        train_model(model, [batch], 10, best)
    assert torch.equal(load_file(best)["decoder.last.weight"], saved[0].cpu())
    assert list(tmp_path.iterdir()) == [best]


def test_comparison_returns_what_the_titles_say(model):
    metrics, figure = compare_with_jpeg(model, PHOTOS[0], size=SIDE)
    assert set(metrics) == {"report", "jpeg", "jpeg2000"}
    assert metrics["report"]["bytes"] is None
    assert metrics["jpeg"]["bytes"] > 0
    assert metrics["jpeg"]["psnr"] > metrics["report"]["psnr"]  # the model is untrained
    titles = [axes.get_title() for axes in figure.axes]
    assert len(titles) == 8
    assert titles[1].startswith("the model, no file\n")
    assert f"{metrics['report']['psnr']:.2f} dB" in titles[1]
    assert f"{metrics['jpeg']['psnr']:.2f} dB" in titles[2]
