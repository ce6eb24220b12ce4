"""The report's own system does what its text says, and its bookkeeping is right."""

import numpy as np
import pytest
import skimage.metrics
import torch
from safetensors import safe_open
from torch.utils.data import DataLoader

from mfca_tutorial import data
from mfca_tutorial.report.comparison import compare_with_jpeg
from mfca_tutorial.report.model import (
    ArithmeticDecoder,
    ArithmeticEncoder,
    CompressionAutoencoder,
    Quantizer,
    bits_read_by_decoder,
    entropy_bits,
)
from mfca_tutorial.report.training import (
    KodakDataset,
    MetricsTracker,
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
    assert out.x_hat.shape == batch.shape and 0 <= out.x_hat.min() and out.x_hat.max() <= 1
    assert out.quantized.shape == out.weighted.shape == (2, 8, 4, 4)
    assert (
        out.importance.shape == out.coded_map.shape == (2, 1, 4, 4) and 0 < out.importance.min() < 1
    )
    with pytest.raises(ValueError, match="multiples of 8"):
        model(batch[..., :31])


def test_decoder_reads_the_encoders_features(model, batch):
    """The report's skip connections: with the latents fixed, another image's skips change the reconstruction."""
    model.eval()
    features, skips, _ = model.encoder(batch)
    assert [tuple(skip.shape) for skip in skips] == [(2, 8, 32, 32), (2, 8, 16, 16), (2, 8, 8, 8)]
    with_own, with_other = (
        model.decoder(features, [skip[order] for skip in skips]) for order in ([0, 1], [1, 0])
    )
    assert (with_own - with_other).abs().max() > 1e-3


def test_every_parameter_learns(model, batch):
    model.pqf.second.weight.data.normal_(
        std=0.1
    )  # it starts at zero, which holds back the layer before it
    for block in (*model.encoder.pmcn, model.decoder.pmcn):
        block.attention.fc2.weight.data.normal_(std=0.1)  # so does the gate
    enhanced_loss(batch, model(batch))["total"].backward()
    assert [
        name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()
    ] == []


def test_quantizer_is_noise_in_training_and_rounding_after():
    y, quantizer = torch.linspace(-3, 3, 10_001), Quantizer()
    noise = quantizer(y) - y
    assert noise.abs().max() <= 0.5 + 1e-6 and abs(noise.mean()) < 0.02
    assert noise.var() == pytest.approx(1 / 12, rel=0.05)
    torch.testing.assert_close(quantizer.eval()(y), torch.round(y), rtol=0, atol=0)


def test_simulated_arithmetic_coder_keeps_eight_bits():
    importance = torch.rand(1, 1, 50, 50)
    coded = ArithmeticEncoder()(importance)
    assert (coded == coded.round()).all() and 0 <= coded.min() and coded.max() <= 255
    assert (ArithmeticDecoder()(coded) - importance).abs().max() <= 0.5 / 255 + 1e-6


def test_loss_is_the_reports_sum(model, batch):
    out = model(batch)
    parts = enhanced_loss(batch, out)
    error = (out.x_hat - batch).detach().numpy()
    quantization = ((out.quantized - out.weighted).detach().numpy() ** 2).mean()
    expected = (
        np.abs(error).mean()
        + 0.1 * (error**2).mean()
        + 0.01 * out.importance.mean().item()
        + 0.1 * quantization
    )
    assert parts["total"].item() == pytest.approx(expected, rel=1e-5)
    assert parts["rate"].item() == pytest.approx(out.importance.mean().item())


def test_dataset_from_a_folder_equals_one_from_arrays(tmp_path):
    for i, photo in enumerate(PHOTOS):
        data.write_image(photo, tmp_path / f"{i}.png")
    folder, arrays = KodakDataset(tmp_path, 24), KodakDataset(PHOTOS, 24)
    assert (
        len(folder) == len(arrays) == 2 and folder[0].shape == (3, 24, 24) and folder[0].max() <= 1
    )
    for a, b in zip(folder, arrays, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize(("side", "window"), [(64, 7), (7, 7), (6, 3), (3, 3)])
def test_calculate_metrics_uses_window_3_on_small_images(side, window):
    a, b = np.random.default_rng(0).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
    expected = (
        skimage.metrics.peak_signal_noise_ratio(a, b),
        skimage.metrics.structural_similarity(a, b, channel_axis=2, win_size=window),
    )
    assert MetricsTracker.calculate_metrics(a, b) == pytest.approx(expected, abs=1e-9)
    tensors = data.to_tensor(a), data.to_tensor(b)[0]  # (1, 3, H, W) and (3, H, W)
    assert MetricsTracker.calculate_metrics(*tensors) == pytest.approx(expected, abs=1e-9)


def test_tracker_averages_over_images(model, batch):
    tracker, out = MetricsTracker(), model(batch)
    tracker.update(batch, out)
    by_hand = [
        MetricsTracker.calculate_metrics(x, x_hat)
        for x, x_hat in zip(batch, out.x_hat, strict=True)
    ]
    bits = [entropy_bits(coded) / SIDE**2 for coded in out.coded_map]
    means = tracker.means()
    assert (means["psnr"], means["ssim"]) == pytest.approx(tuple(np.mean(by_hand, axis=0)))
    assert means["bit_rate"] == pytest.approx(np.mean(bits))


def test_entropy_bits():
    assert entropy_bits([0, 1, 0, 1]) == 4 and entropy_bits([7] * 9) == 0
    assert entropy_bits([0, 0, 0, 1]) == pytest.approx(4 * (0.75 * np.log2(4 / 3) + 0.25 * 2))


def test_what_the_decoder_reads(model, batch):
    bits = bits_read_by_decoder(model, batch[:1])
    assert bits["skips_float32"] == 32 * 8 * (
        1 + 1 / 4 + 1 / 16
    )  # 8 channels at full, half and quarter size
    assert bits["latents"] + bits["map"] < bits["skips"] <= bits["skips_float32"] / 4


def test_training_lowers_the_loss_and_keeps_the_best_model(model, batch, tmp_path):
    loader = DataLoader(KodakDataset(PHOTOS, SIDE), batch_size=2)
    history = enhanced_train_model(model, loader, 10, tmp_path / "best.safetensors", tmp_path)
    totals = [row["total"] for row in history]
    assert min(totals[5:]) < 0.9 * totals[0] and history[0]["learning_rate"] == 2e-3
    assert sorted(f.name for f in tmp_path.glob("*.png")) == ["epoch_005.png", "epoch_010.png"]
    with safe_open(tmp_path / "best.safetensors", "pt") as file:
        metadata, weight = file.metadata(), file.get_tensor("decoder.last.weight")
    best = history[int(np.argmin(totals))]
    assert {key: float(value) for key, value in metadata.items()} == pytest.approx(best)
    torch.testing.assert_close(model.decoder.last.weight.detach().cpu(), weight, rtol=0, atol=0)


def test_plain_training_is_the_same_without_metrics(batch, tmp_path):
    histories = []
    for train in (train_model, enhanced_train_model):
        torch.manual_seed(0)
        model = CompressionAutoencoder((8, 8, 8), 8)
        histories.append(train(model, [batch], 2, tmp_path / "best.safetensors"))
    assert "psnr" not in histories[0][0] and "psnr" in histories[1][0]
    assert [row["total"] for row in histories[0]] == pytest.approx(
        [row["total"] for row in histories[1]], rel=1e-4
    )


def test_learning_rate_falls_on_a_plateau(model, batch, tmp_path):
    """Without noise and with steps too small to matter the loss stands still: after 5 epochs of that, a tenth."""
    model.quantizer = torch.nn.Identity()
    history = train_model(model, [batch], 8, tmp_path / "best.safetensors", learning_rate=1e-12)
    assert [row["learning_rate"] for row in history] == pytest.approx([1e-12] * 7 + [1e-13])


def test_a_broken_loss_stops_the_training(model, batch, tmp_path):
    with pytest.raises(RuntimeError, match="epoch 1"):
        train_model(model, [batch * float("nan")], 1, tmp_path / "best.safetensors")
    assert not (tmp_path / "best.safetensors").exists()


def test_comparison_returns_what_the_titles_say(model):
    metrics, figure = compare_with_jpeg(model, PHOTOS[0], size=SIDE)
    assert set(metrics) == {"report", "jpeg", "jpeg2000"} and metrics["report"]["bytes"] is None
    assert metrics["jpeg"]["psnr"] > metrics["report"]["psnr"]  # the model is untrained
    titles = [axes.get_title() for axes in figure.axes]
    assert len(titles) == 8 and f"{metrics['jpeg']['psnr']:.2f} dB" in titles[2]
