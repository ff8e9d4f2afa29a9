"""Gaussians fitted to each image, against the closed forms of linear-Gaussian models."""

import numpy as np
import pytest
import torch
from linear_gaussian import as_images, example, kl_of_gaussians

from vae_tutorial.checkpoints import load_model
from vae_tutorial.data import binarize
from vae_tutorial.evaluation import estimate_evidence
from vae_tutorial.local_inference import fit_posteriors, gaussian_elbo


@pytest.mark.parametrize("correlated", [False, True])
def test_the_fit_ends_at_the_best_diagonal_gaussian(correlated):
    """Its mean is the posterior's, its variances are 1/Λᵢᵢ (Bishop 2006, section 10.1.2), whatever the encoder says."""
    truth, x = example(correlated)
    model = truth.vae(variance=np.array([0.3, 0.02]), shift=0.2)
    q = fit_posteriors(model, as_images(x), 0, steps=300, samples=1_000, lr=0.05)
    np.testing.assert_allclose(q.mean, truth.posterior_mean(x), atol=0.02)
    np.testing.assert_allclose(q.variance, np.broadcast_to(1 / np.diag(truth.precision), (4, 2)), rtol=0.05)


def test_the_elbo_is_the_evidence_less_the_kl():
    truth, x = example(correlated=True)
    mean, variance, count = truth.posterior_mean(x) + 0.1, np.array([0.2, 0.1]), 20_000
    mu, log_sigma = torch.from_numpy(mean), torch.from_numpy(np.log(variance) / 2).expand(4, 2)
    eps = torch.randn(count, 4, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    with torch.no_grad():
        drawn = gaussian_elbo(truth.vae(), as_images(x), mu, log_sigma, eps).numpy()  # (count, 4)
    gap = [kl_of_gaussians(at, variance, right, truth.covariance) for at, right in zip(mean, truth.posterior_mean(x), strict=True)]
    np.testing.assert_array_less(np.abs(drawn.mean(0) - (truth.log_evidence(x) - gap)), 4 * drawn.std(0) / count**0.5)


def test_a_real_decoder_gets_a_tighter_bound_and_steadier_weights(test_digits):
    """The first images alone are fitted as they are beside others; the global random state is left."""
    model, x = load_model("mnist-16d"), binarize(test_digits.x[:120], 0)
    state = torch.get_rng_state()
    q = fit_posteriors(model, x, 0, steps=20)
    assert torch.equal(torch.get_rng_state(), state)
    for part in (slice(0, 3), slice(110, 120)):
        torch.testing.assert_close(fit_posteriors(model, x[part], 0, steps=20).mean, q.mean[part], atol=2e-3, rtol=0)
    eps = torch.randn(32, 120, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        begin = model.posterior(x)
        before, after = (gaussian_elbo(model, x, each.mean, each.stddev.log(), eps).mean() for each in (begin, q))
    assert after > before + 0.5  # nats: the amortisation gap, or most of it
    found = [estimate_evidence(model, x, 200, 1, progress=False, proposal=each) for each in (None, q)]
    assert found[1].effective_samples.median() > 1.2 * found[0].effective_samples.median()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": -3}, "steps must be at least 0, got -3"),
        ({"samples": 0}, "a gradient wants samples >= 1, got 0"),
        ({"precision": "float8"}, "unknown precision 'float8'"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    truth, x = example(correlated=False)
    with pytest.raises(ValueError, match=message):
        fit_posteriors(truth.vae(), as_images(x), 0, **settings)


def test_proposals_replace_what_the_encoder_says():
    truth, x = example(correlated=False)
    worse, images = truth.vae(variance=0.5 / np.diag(truth.precision), shift=0.3), as_images(x)
    right = truth.vae().posterior(images)
    found = estimate_evidence(worse, images, 10, 0, progress=False, proposal=right)
    np.testing.assert_allclose(found.log_evidence, truth.log_evidence(x), rtol=1e-9)
    with pytest.raises(ValueError, match=r"3 images want as many proposals, got \(4,\)"):
        estimate_evidence(worse, images[:3], 10, 0, progress=False, proposal=right)
