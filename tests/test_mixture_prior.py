"""The learned mixture prior: against SciPy's densities, and what training does to it."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch.distributions import kl_divergence

from vae_tutorial.mixture_prior import MixturePriorVAE, sampled_rate_elbo
from vae_tutorial.models import VAE
from vae_tutorial.training import fit


def test_the_prior_is_the_mixture_that_its_parameters_say():
    torch.manual_seed(0)
    model = MixturePriorVAE(2, (8,), components=3)
    with torch.no_grad():
        model.log_vars.normal_(std=0.5)
        model.weight_logits.normal_()
    z = torch.randn(20, 2)
    weights = np.exp(model.weight_logits.detach().double().numpy())
    each = zip(weights / weights.sum(), model.means.detach().double().numpy(), model.log_vars.detach().double().exp().numpy(), strict=True)
    density = sum(weight * multivariate_normal(mean, np.diag(variance)).pdf(z.double().numpy()) for weight, mean, variance in each)
    np.testing.assert_allclose(model.prior.log_prob(z).detach(), np.log(density), rtol=1e-5)


def test_the_sampled_rate_is_the_kl_on_average(test_digits):
    torch.manual_seed(1)
    model = VAE(3, (16,))
    x = test_digits.x[:1].expand(20_000, -1, -1, -1)
    with torch.no_grad():
        terms = sampled_rate_elbo(model, x, beta=2.0)
        exact = kl_divergence(model.posterior(x[:1]), model.prior)
    assert float(terms["rate"].mean()) == pytest.approx(float(exact), abs=0.02)
    torch.testing.assert_close(terms["loss"], 2 * terms["rate"] + terms["distortion"])


def test_training_moves_the_prior_to_the_codes(train_digits):
    torch.manual_seed(2)
    model = MixturePriorVAE(2, (64,), components=5)
    start = model.means.clone()
    fit(model, train_digits.x[:1_000], sampled_rate_elbo, epochs=6, batch_size=50, learning_rate=3e-3, seed=0, progress=False)
    with torch.no_grad():
        z = model.posterior(train_digits.x[1_000:2_000]).sample()
        fresh = MixturePriorVAE(2, (64,), components=5)
        fresh.means.copy_(start)
        assert (model.prior.log_prob(z) - fresh.prior.log_prob(z)).mean() > 0.2
    assert model.prior.sample((7,)).shape == (7, 2)
    assert model.weight_logits.std() > 0.01  # weights and widths move as well as means
    assert model.log_vars.std() > 0.01


def test_no_component_is_refused():
    with pytest.raises(ValueError, match="at least one component"):
        MixturePriorVAE(2, (8,), components=0)
