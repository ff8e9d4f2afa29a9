"""p(x|z) families against SciPy and torch's own, validated distributions."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats

from vae_tutorial import likelihoods


def test_bernoulli_is_scipys_on_binary_pixels():
    x_logits = torch.randn(5, 2, 3, 4, dtype=torch.float64)
    x = torch.randint(0, 2, (5, 2, 3, 4)).double()
    expected = stats.bernoulli.logpmf(x.numpy(), torch.sigmoid(x_logits).numpy()).sum((1, 2, 3))
    np.testing.assert_allclose(likelihoods.bernoulli(x_logits).log_prob(x).numpy(), expected, rtol=1e-9)


def test_bernoulli_on_grey_pixels_is_the_expectation_over_binarised_copies():
    x_logits = torch.tensor([[[-2.0, 0.3, 1.7, 4.0]]], dtype=torch.float64)
    x = torch.tensor([[[0.0, 0.25, 0.9, 1.0]]], dtype=torch.float64)
    p_x = likelihoods.bernoulli(x_logits)
    expectation = 0.0
    for bits in product((0.0, 1.0), repeat=4):  # all 16 copies, each with its probability
        copy = torch.tensor(bits, dtype=torch.float64).view(1, 1, 4)
        expectation += float((x * copy + (1 - x) * (1 - copy)).prod() * p_x.log_prob(copy))
    assert float(p_x.log_prob(x)) == pytest.approx(expectation, rel=1e-12)


def test_bernoulli_stays_finite_at_extreme_logits():
    p_x = likelihoods.bernoulli(torch.tensor([[[200.0, -200.0]]]))
    assert float(p_x.log_prob(torch.tensor([[[1.0, 0.0]]]))) == pytest.approx(0.0, abs=1e-6)
    assert float(p_x.log_prob(torch.tensor([[[0.0, 1.0]]]))) == pytest.approx(-400.0, rel=1e-6)


@pytest.mark.parametrize("sigma", [0.1, 1.0, 2.5])
def test_gaussian_is_scipys(sigma):
    mean, x = torch.randn(2, 5, 1, 3, 4, dtype=torch.float64)
    expected = stats.norm(mean.numpy(), sigma).logpdf(x.numpy()).sum((1, 2, 3))
    np.testing.assert_allclose(likelihoods.gaussian(mean, sigma).log_prob(x).numpy(), expected, rtol=1e-9)


def test_gaussian_is_the_squared_error_over_two_variances():
    mean, x = torch.randn(2, 5, 1, 3, 4, dtype=torch.float64)
    expected = (x - mean).square().sum((1, 2, 3)) / (2 * 0.4**2) + 12 / 2 * np.log(2 * np.pi * 0.4**2)
    torch.testing.assert_close(-likelihoods.gaussian(mean, 0.4).log_prob(x), expected)


def test_gaussian_takes_a_sigma_of_its_own_for_each_pixel():
    mean, x = torch.randn(2, 5, 1, 2, 2, dtype=torch.float64)
    sigma = torch.tensor([[0.5, 1.0], [2.0, 0.1]], dtype=torch.float64)
    expected = stats.norm(mean.numpy(), sigma.numpy()).logpdf(x.numpy()).sum((1, 2, 3))
    np.testing.assert_allclose(likelihoods.gaussian(mean, sigma).log_prob(x).numpy(), expected, rtol=1e-9)


@pytest.mark.parametrize(
    "family", [likelihoods.bernoulli, lambda parameter: likelihoods.gaussian(parameter, 1.0)], ids=["bernoulli", "gaussian"]
)
def test_leading_dimensions_are_batches_and_the_last_three_one_image(family):
    p_x = family(torch.zeros(7, 5, 1, 2, 3))
    assert p_x.batch_shape == (7, 5)
    assert p_x.event_shape == (1, 2, 3)
    assert p_x.log_prob(torch.rand(5, 1, 2, 3)).shape == (7, 5)


def test_the_mean_of_a_bernoulli_is_the_sigmoid():
    x_logits = torch.randn(2, 1, 2, 3)
    torch.testing.assert_close(likelihoods.bernoulli(x_logits).mean, 1 / (1 + torch.exp(-x_logits)))


def test_grey_levels_pass_and_anything_else_is_refused():
    likelihoods.check_pixels(torch.tensor([0.0, 0.5, 1.0]))
    for wrong in (255.0, -1.0, 1.0001, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"\[0, 1\].*divide 8-bit images by 255, undo any normalisation"):
            likelihoods.check_pixels(torch.tensor([0.0, wrong, 1.0]))
    with pytest.raises(ValueError, match=r"got torch.uint8: for 8-bit images take x.float\(\) / 255"):
        likelihoods.check_pixels(torch.zeros(1, 1, 2, 2, dtype=torch.uint8))
    with pytest.raises(ValueError, match="no images"):
        likelihoods.check_pixels(torch.zeros(0, 1, 2, 2))
