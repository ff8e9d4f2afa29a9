"""Quadrature of the evidence and of p(z|x) against linear-Gaussian closed forms."""

import numpy as np
import pytest
import torch
from linear_gaussian import LinearGaussian, as_images, example, kl_of_gaussians
from scipy.stats import norm
from torch.distributions import Independent, Normal

from vae_tutorial.models import VAE
from vae_tutorial.quadrature import decompose_evidence, grid_posterior

CASES = [
    pytest.param(correlated, d, sigma, id=f"d={d} sigma={sigma} {'correlated' if correlated else 'diagonal'}")
    for correlated, d, sigma in [(False, 1, 0.3), (False, 1, 0.03), (False, 2, 0.3), (True, 2, 0.3), (True, 2, 0.05), (True, 2, 3.0)]
]


def single_precision(truth: LinearGaussian, **options) -> VAE:
    return truth.vae(dtype=torch.float32, **options)


@pytest.mark.parametrize(("correlated", "d", "sigma"), CASES)
def test_grid_finds_evidence_and_posterior(correlated, d, sigma):
    truth, x = example(correlated, d, sigma)
    for row in x[:2]:
        grid = grid_posterior(single_precision(truth), as_images(row[None], torch.float32))
        assert grid.log_evidence == pytest.approx(truth.log_evidence(row).item(), abs=1e-3)
        weight = grid.log_density.double().exp().numpy() * grid.cell
        z = grid.z.double().numpy()
        assert weight.sum() == pytest.approx(1.0, abs=1e-3)
        mean = weight @ z / weight.sum()
        covariance = (weight[:, None] * (z - mean)).T @ (z - mean)
        deviation = np.sqrt(np.diag(truth.covariance))
        np.testing.assert_allclose(mean, truth.posterior_mean(row[None])[0], atol=2e-3 * deviation.max())
        np.testing.assert_allclose(covariance, truth.covariance, atol=5e-3 * deviation.max() ** 2)


@pytest.mark.parametrize(("correlated", "d", "sigma"), CASES)
@pytest.mark.parametrize(("stretch", "shift"), [(1.0, 0.0), (4.0, 0.5)])
def test_evidence_decomposes_into_the_closed_forms(correlated, d, sigma, stretch, shift):
    truth, x = example(correlated, d, sigma)
    variance = stretch / np.diag(truth.precision)
    shift *= float(np.sqrt(variance.min()))
    model, image = single_precision(truth, variance=variance, shift=shift), as_images(x[:1], torch.float32)
    grid = grid_posterior(model, image)
    found = decompose_evidence(model, image, grid)
    mean = truth.posterior_mean(x[:1])
    gap = kl_of_gaussians(mean[0] + shift, variance, mean[0], truth.covariance)
    rate = kl_of_gaussians(mean[0] + shift, variance, np.zeros(d), np.eye(d))
    distortion = truth.expected_distortion(x[:1], mean + shift, variance[None]).item()
    assert found.gap == pytest.approx(gap, abs=2e-3)
    assert found.elbo == pytest.approx(-(rate + distortion), abs=2e-3)
    assert found.log_evidence == pytest.approx(truth.log_evidence(x[0]).item(), abs=1e-3)
    assert found.gap + found.elbo == pytest.approx(found.log_evidence, abs=2e-3)


def test_a_posterior_beyond_the_first_box_is_found():
    truth, _ = example(correlated=True, sigma=0.1)
    far = truth.bias + np.array([9.0, -8.0]) @ truth.weight.T
    grid = grid_posterior(single_precision(truth), as_images(far[None], torch.float32))
    assert grid.log_evidence == pytest.approx(truth.log_evidence(far).item(), abs=1e-3 * abs(truth.log_evidence(far).item()))
    best = grid.z[grid.log_density.argmax()].numpy()
    np.testing.assert_allclose(best, truth.posterior_mean(far[None])[0], atol=0.1)


class Peaks:
    """p(x|z) = ½ Σ N(z; mₖ, s²) for whatever x, and so p(x) = ½ Σ N(mₖ; 0, 1 + s²): two peaks as narrow as is wanted.

    With d = 2 the same in z₂ alone.
    """

    image_shape, family = (1, 1, 1), "peaks"

    def __init__(self, means: tuple[float, float], s: float, d: int) -> None:
        self.means, self.s, self.latent_dim = torch.tensor(means), s, d
        self.prior = Independent(Normal(torch.zeros(d), torch.ones(d)), 1)

    def likelihood(self, z: torch.Tensor) -> "Peaks":
        self.z = z
        return self

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        return Normal(self.means, self.s).log_prob(self.z[:, -1:]).logsumexp(1) - np.log(2)

    @property
    def log_evidence(self) -> float:
        return np.log(norm(0, np.hypot(1, self.s)).pdf(self.means.numpy()).mean())


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize(
    ("places", "s"),
    [
        pytest.param((80.5, 130.0), 0.003, id="one on a point of the first grid, one hidden between two, 50 nats lower"),
        pytest.param((50.3, 150.1), 0.02, id="the points first given are too few"),
        pytest.param((100.2, 101.6), 0.01, id="close together"),
    ],
)
def test_two_narrow_peaks_are_both_found_and_resolved(places, s, d):
    """Their places in cells of the first grid, 12/201 wide, from −6 on; its points lie in the cells' middles."""
    model = Peaks(tuple(12 * place / 201 - 6 for place in places), s, d)
    grid = grid_posterior(model, torch.zeros(1, 1, 1))
    assert grid.log_evidence == pytest.approx(model.log_evidence, abs=1e-3)
    assert float(grid.log_density.double().exp().sum()) * grid.cell == pytest.approx(1.0, abs=1e-3)


def test_a_decoder_that_ignores_z_leaves_the_prior():
    truth, x = example(correlated=False)
    blind = LinearGaussian(0 * truth.weight, truth.bias, truth.sigma)
    grid = grid_posterior(single_precision(blind), as_images(x[:1], torch.float32))
    assert grid.log_evidence == pytest.approx(blind.log_evidence(x[0]).item(), abs=1e-3)
    expected = -(grid.z.square().sum(1) + 2 * np.log(2 * np.pi)) / 2
    torch.testing.assert_close(grid.log_density, expected, atol=1e-3, rtol=0)


def test_evidence_of_a_bernoulli_vae_agrees_with_importance_sampling():
    torch.manual_seed(2)
    model = VAE(2, (16,), "tanh").eval()
    with torch.no_grad():
        model.decoder[-1].weight.mul_(4)
        x = (torch.rand(1, 1, 28, 28) < 0.3).float()
        grid = grid_posterior(model, x)
        z = model.prior.sample((10_000,))
        log_weight = model.likelihood(z).log_prob(x).double()
    weight = (log_weight - log_weight.max()).exp()
    estimate = weight.mean().log() + log_weight.max()
    error = weight.std() / weight.mean() / 10_000**0.5
    assert 0 < error < 0.1
    assert abs(grid.log_evidence - estimate.item()) < 4 * error.item()


def test_grid_is_laid_out_as_its_shape_says():
    truth, x = example(correlated=True)
    grid = grid_posterior(single_precision(truth), as_images(x[:1], torch.float32), points=50)
    rows = grid.z.view(*grid.shape, 2)
    assert (rows[:, :, 0] == rows[:, :1, 0]).all()  # z₁ along the first axis
    assert (rows[:, :, 1] == rows[:1, :, 1]).all()
    step = [float(rows[1, 0, 0] - rows[0, 0, 0]), float(rows[0, 1, 1] - rows[0, 0, 1])]
    assert step[0] * step[1] == pytest.approx(grid.cell, rel=1e-3)


@pytest.mark.parametrize(
    ("d", "x", "options", "message"),
    [
        (3, torch.full((1, 1, 28, 28), 0.5), {}, "d = 3.*d <= 2"),
        (2, torch.full((2, 1, 28, 28), 0.5), {}, "one image"),
        (2, torch.full((1, 1, 28, 28), 255.0), {}, "divide 8-bit images"),
        (2, torch.full((1, 1, 28, 28), 0.5), {"points": 3}, "at least 8 points"),
    ],
    ids=["three dimensions", "two images", "8 bits", "few points"],
)
def test_impossible_grids_are_refused(d, x, options, message):
    with pytest.raises(ValueError, match=message):
        grid_posterior(VAE(d, (8,)), x, **options)
