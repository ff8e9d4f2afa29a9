"""Losses against hand computations, and the ELBO against the exact evidence of linear-Gaussian models."""

import numpy as np
import pytest
import torch
from linear_gaussian import as_images, example, kl_of_gaussians
from torch.distributions import kl_divergence

from vae_tutorial import objectives
from vae_tutorial.models import VAE, Autoencoder


@pytest.fixture
def cubature(monkeypatch):
    """Replace ε by the 2d points ±√d eᵢ, over which the mean of a quadratic is its exact Gaussian expectation."""

    def points(shape: torch.Size, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        count, d = shape
        assert count == 2 * d
        return torch.cat([torch.eye(d, dtype=dtype), -torch.eye(d, dtype=dtype)]) * d**0.5

    monkeypatch.setattr("torch.distributions.normal._standard_normal", points)


def exact_elbo(model: VAE, x: np.ndarray) -> np.ndarray:
    """E_q of `objectives.elbo` for images x (N, D): no noise is left under `cubature`."""
    points = 2 * model.latent_dim
    return np.array([objectives.elbo(model, as_images(row[None]).expand(points, -1, -1, -1)).detach().mean().item() for row in x])


@pytest.mark.parametrize("d", [1, 2])
def test_elbo_is_the_evidence_where_the_posterior_is_diagonal(d, cubature):
    truth, x = example(correlated=False, d=d)
    np.testing.assert_allclose(exact_elbo(truth.vae(), x), truth.log_evidence(x), atol=1e-9)


def test_elbo_of_the_best_diagonal_q_is_short_by_half_the_log_ratio_of_determinants(cubature):
    truth, x = example(correlated=True)
    precision = truth.precision
    gap = (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1]) / 2
    assert gap > 0.1
    np.testing.assert_allclose(truth.log_evidence(x) - exact_elbo(truth.vae(), x), gap, atol=1e-9)


@pytest.mark.parametrize("factor", [0.5, 0.9, 1.1, 2.0])
def test_no_other_diagonal_q_comes_closer(factor, cubature):
    truth, x = example(correlated=True)
    best, variance = exact_elbo(truth.vae(), x), 1 / np.diag(truth.precision)
    for i in range(2):
        changed = variance.copy()
        changed[i] *= factor
        assert (exact_elbo(truth.vae(variance=changed), x) < best).all()


@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize(("variance", "shift"), [((1.0, 1.0), 0.0), ((0.01, 0.5), 0.3), ((2.0, 0.1), -1.0)])
def test_elbo_falls_short_by_the_divergence_from_the_true_posterior(correlated, variance, shift, cubature):
    truth, x = example(correlated)
    model = truth.vae(variance=np.array(variance), shift=shift)
    means = truth.posterior_mean(x)
    gaps = [kl_of_gaussians(mean + shift, np.array(variance), mean, truth.covariance) for mean in means]
    found = exact_elbo(model, x)
    assert (found < truth.log_evidence(x)).all()
    np.testing.assert_allclose(truth.log_evidence(x) - found, gaps, rtol=1e-9)


def test_rate_is_torchs_scipys_and_the_samples_kl():
    model, x = VAE(4, (16,)).double(), torch.rand(3, 1, 28, 28, dtype=torch.float64)
    rate, _ = objectives.rate_distortion(model, x)
    q = model.posterior(x)
    mean, variance = q.mean.detach(), q.variance.detach()
    expected = [kl_of_gaussians(m, v, np.zeros(4), np.eye(4)) for m, v in zip(mean.numpy(), variance.numpy(), strict=True)]
    np.testing.assert_allclose(rate.detach().numpy(), expected, rtol=1e-9)
    torch.testing.assert_close(rate, kl_divergence(q.base_dist, torch.distributions.Normal(0.0, 1.0)).sum(-1))
    z = q.sample((50_000,))
    ratio = (q.log_prob(z) - model.prior.log_prob(z)).detach()
    assert ((ratio.mean(0) - rate).abs() < 4 * ratio.std(0) / 50_000**0.5).all()


def test_elbo_of_a_bernoulli_vae_is_the_hand_computed_one():
    model, x = VAE(2, (8,)), torch.rand(5, 1, 28, 28)
    torch.manual_seed(1)
    found = objectives.elbo(model, x, beta=0.7)
    torch.manual_seed(1)
    eps = torch.randn(5, 2)
    mu, log_var = model.encoder(x.flatten(1)).split(2, dim=1)
    pixels = torch.sigmoid(model.decoder(mu + torch.exp(log_var / 2) * eps)).view_as(x)
    likelihood = (x * pixels.log() + (1 - x) * (1 - pixels).log()).sum((1, 2, 3))
    rate = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
    torch.testing.assert_close(found, likelihood - 0.7 * rate)
    torch.manual_seed(1)
    torch.testing.assert_close(objectives.negative_elbo(model, x, beta=0.7)["loss"], -found)


def test_terms_are_per_image():
    model, x = VAE(2, (8,)), torch.rand(5, 1, 28, 28)
    terms = objectives.negative_elbo(model, x, beta=2.0)
    assert {name: term.shape for name, term in terms.items()} == dict.fromkeys(("loss", "rate", "distortion"), (5,))
    autoencoder = Autoencoder(2, (8,))
    for loss in (objectives.cross_entropy, objectives.squared_error, objectives.nested_dropout):
        assert loss(autoencoder, x)["loss"].shape == (5,)


def test_autoencoder_losses_are_the_textbook_sums():
    model, x = Autoencoder(3, (8,)).double(), torch.rand(5, 1, 28, 28, dtype=torch.float64)
    pixels, target = model(x).detach().numpy(), x.numpy()
    entropy = -(target * np.log(pixels) + (1 - target) * np.log(1 - pixels)).sum((1, 2, 3))
    np.testing.assert_allclose(objectives.cross_entropy(model, x)["loss"].detach().numpy(), entropy)
    np.testing.assert_allclose(objectives.squared_error(model, x)["loss"].detach().numpy(), ((target - pixels) ** 2).sum((1, 2, 3)))


def test_cross_entropy_refuses_a_decoder_without_logits():
    with pytest.raises(ValueError, match="output='sigmoid', not 'none'"):
        objectives.cross_entropy(Autoencoder(2, output="none"), torch.rand(3, 1, 28, 28))


def test_nested_dropout_keeps_a_first_part_of_the_code_and_every_width_occurs():
    d = 6
    model, x = Autoencoder(d, (8,)).double(), torch.rand(4, 1, 28, 28, dtype=torch.float64)
    z = model.encode(x)
    truncated = []
    for k in range(1, d + 1):
        first = z.clone()
        first[:, k:] = 0
        truncated.append((x - model.reconstruct(first)).square().sum((1, 2, 3)))
    by_width = torch.stack(truncated)  # (d, 4): the error with the first k units
    counts = torch.zeros(d, 4)
    for _ in range(400):
        loss = objectives.nested_dropout(model, x)["loss"]
        match = (by_width - loss).abs() < 1e-12
        assert match.any(0).all()
        counts += match
    assert (counts > 0).all()  # every width, at every place in the batch
    assert (counts.sum(1)[:-1] >= 0.5 * counts.sum(1)[1:]).all()  # small widths are not neglected
