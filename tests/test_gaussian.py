"""The Gaussian against scipy, the scales against the tables', and the clamp's gradient."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from mfca_tutorial.entropy.counts import SCALES
from mfca_tutorial.entropy.gaussian import bound, gaussian_bits, scale_of_index


@pytest.mark.parametrize("scale", [0.11, 1.0, 20.0, 256.0])
def test_bits_are_those_of_scipys_normal_distribution(scale):
    value = torch.linspace(-3.5, 3.5, 41, dtype=torch.float64) * scale
    away = -np.abs(value.numpy())  # in the lower tail, where the difference is exact
    mass = norm.cdf((away + 0.5) / scale) - norm.cdf((away - 0.5) / scale)
    bits = gaussian_bits(value, torch.full_like(value, scale))
    np.testing.assert_allclose(bits.numpy(), -np.log2(mass), rtol=1e-9, atol=1e-12)


def test_no_value_costs_more_than_30_bits():
    bits = gaussian_bits(torch.tensor([1e6, -1e6]), torch.tensor([0.11, 0.11]))
    assert bits.tolist() == pytest.approx([29.9, 29.9], abs=0.01)


def test_whole_indices_are_the_scales_of_the_tables():
    index = torch.arange(64, dtype=torch.float64)
    np.testing.assert_allclose(scale_of_index(index).numpy(), SCALES, atol=2.0**-17)


@pytest.mark.parametrize(
    "x, slope, expected",
    [
        pytest.param(5.0, 1.0, 1.0, id="inside"),
        pytest.param(-1.0, 1.0, 0.0, id="below, and descent would lower it"),
        pytest.param(-1.0, -1.0, -1.0, id="below, and descent raises it"),
        pytest.param(11.0, -1.0, 0.0, id="above, and descent would raise it"),
        pytest.param(11.0, 1.0, 1.0, id="above, and descent lowers it"),
    ],
)
def test_the_gradient_of_bound_leads_back_inside(x, slope, expected):
    x = torch.tensor(x, requires_grad=True)
    y = bound(x, 0.0, 10.0)
    assert 0.0 <= y.item() <= 10.0
    (slope * y).backward()
    assert x.grad.item() == expected
