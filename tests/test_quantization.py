"""Rounding and gains: values and gradients by hand, and by a loop in numpy."""

import numpy as np
import pytest
import torch

from mfca_tutorial.entropy.quantization import Gains, add_uniform_noise, round_straight_through


def test_rounding_straight_through_has_the_gradient_of_the_identity():
    x = torch.tensor([-1.6, -0.4, 0.5, 1.5, 2.51, 300.3], requires_grad=True)
    rounded = round_straight_through(x)
    assert torch.equal(rounded, torch.tensor([-2.0, 0.0, 0.0, 2.0, 3.0, 300.0]))
    slopes = torch.arange(6.0)
    (rounded * slopes).sum().backward()
    assert torch.equal(x.grad, slopes)


def test_noise_is_uniform_in_half_a_step_to_each_side():
    torch.manual_seed(0)
    x = torch.randn(200_000, requires_grad=True)
    noisy = add_uniform_noise(x)
    noise = (noisy - x).detach()
    assert noise.abs().max() <= 0.5 + 1e-6
    assert abs(noise.mean()) < 0.005
    shares = torch.histc(noise, bins=10, min=-0.5, max=0.5) / len(noise)
    assert (shares - 0.1).abs().max() < 0.005
    assert abs(np.corrcoef(x.detach(), noise)[0, 1]) < 0.01
    noisy.sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))


def test_untrained_gains_are_alike_and_run_from_lowest_to_highest():
    assert Gains(3).log_gain.shape == (8, 3)
    gains = Gains(3)(torch.tensor([0.0, 50.0, 100.0]).reshape(3, 1, 1, 1))
    expected = torch.tensor([0.5, np.sqrt(0.5 * 7.0), 7.0])
    assert gains.shape == (3, 3, 1, 1)
    torch.testing.assert_close(gains[:, :, 0, 0], expected[:, None].expand(3, 3).float())
    other = Gains(2, anchors=2, lowest=0.1, highest=3.0)(torch.zeros(1, 1, 1, 1))
    torch.testing.assert_close(other.flatten(), torch.tensor([0.1, 0.1]))


@pytest.mark.parametrize("anchors", [2, 3, 8])
def test_gains_are_interpolated_in_the_log_domain(anchors):
    rng = np.random.default_rng(anchors)
    gains = Gains(4, anchors)
    log_gain = rng.normal(size=(anchors, 4))
    gains.log_gain.data = torch.tensor(log_gain, dtype=torch.float32)

    # two pictures with a map each, beyond both ends as well
    quality = rng.uniform(-20, 120, (2, 1, 3, 5))
    quality[0, 0, 0] = [0, 100, 50, 100 / 3, -1000]
    made = gains(torch.tensor(quality, dtype=torch.float32))
    assert made.shape == (2, 4, 3, 5)
    places = np.linspace(0, 100, anchors)
    for b, i, j in np.ndindex(2, 3, 5):
        for channel in range(4):
            expected = np.exp(np.interp(quality[b, 0, i, j], places, log_gain[:, channel]))
            assert made[b, channel, i, j].item() == pytest.approx(expected, rel=1e-5)


def test_gains_learn_from_the_two_anchors_beside_a_quality_only():
    gains = Gains(2, anchors=5)
    gains(torch.full((1, 1, 1, 1), 60.0)).sum().backward()  # 2.4 of 0..4
    touched = gains.log_gain.grad.abs().sum(1)
    assert (touched > 0).tolist() == [False, False, True, True, False]
    assert (touched[2] / touched[3]).item() == pytest.approx(0.6 / 0.4, rel=1e-4)
