"""Two stochastic layers, against quadrature in NumPy that shares no code with the package."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from vae_tutorial import evaluation, hierarchical, objectives
from vae_tutorial.hierarchical import HierarchicalVAE, negative_elbo, top_units
from vae_tutorial.training import fit

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)  # of a standard Gaussian
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@pytest.fixture(scope="module")
def model() -> HierarchicalVAE:
    """One unit in either layer, six pixels, weights large enough that everything depends on everything."""
    torch.manual_seed(5)
    tiny = HierarchicalVAE((1, 1), (4,), (3,), "tanh", (1, 2, 3)).eval()
    with torch.no_grad():
        for parameter in tiny.parameters():
            parameter.mul_(1.5)
    return tiny


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return torch.bernoulli(torch.full((4, 1, 2, 3), 0.5), generator=torch.Generator().manual_seed(2))


def forward(network: torch.nn.Sequential, inputs: np.ndarray) -> np.ndarray:
    """Linear, tanh, linear, from the weights alone: inputs (…, n)."""
    first, second = (layer for layer in network if isinstance(layer, torch.nn.Linear))
    arrays = [parameter.detach().double().numpy() for layer in (first, second) for parameter in (layer.weight, layer.bias)]
    return np.tanh(inputs @ arrays[0].T + arrays[1]) @ arrays[2].T + arrays[3]


def log_normal(z: np.ndarray, mu: np.ndarray, log_var: np.ndarray) -> np.ndarray:
    return -0.5 * ((z - mu) ** 2 / np.exp(log_var) + log_var + np.log(2 * np.pi))


@dataclass
class Exact:
    """By quadrature, one number for each image: nats, and the mean of z₂ given x."""

    evidence: np.ndarray
    distortion: np.ndarray
    rate_1: np.ndarray
    rate_2: np.ndarray
    top_mean: np.ndarray


def log_bernoulli(model: HierarchicalVAE, z1: np.ndarray, image: np.ndarray) -> np.ndarray:
    logits = forward(model.decoder, z1[..., None])
    return (image * logits - np.logaddexp(0, logits)).sum(-1)


@pytest.fixture(scope="module")
def exact(model, x) -> Exact:
    rows = []
    prior = forward(model.top_decoder, NODES[:, None])  # of p(z₁|z₂) at the nodes of z₂
    drawn = prior[:, :1] + np.exp(prior[:, 1:] / 2) * NODES  # z₁, (nodes of z₂, nodes of z₁)
    for image in x.double().flatten(1).numpy():
        evidence = np.log(WEIGHTS @ np.exp(log_bernoulli(model, drawn, image)) @ WEIGHTS)
        mu1, log_var1 = forward(model.encoder, image)
        z1 = mu1 + np.exp(log_var1 / 2) * NODES
        mu2, log_var2 = forward(model.top_encoder, z1[:, None]).T
        z2 = mu2[:, None] + np.exp(log_var2 / 2)[:, None] * NODES  # (nodes of z₁, nodes of z₂)
        given = forward(model.top_decoder, z2[..., None])
        rate_1 = log_normal(z1, mu1, log_var1)[:, None] - log_normal(z1[:, None], given[..., 0], given[..., 1])
        rate_2 = log_normal(z2, mu2[:, None], log_var2[:, None]) - log_normal(z2, np.zeros(1), np.zeros(1))
        rows.append(
            (evidence, -WEIGHTS @ log_bernoulli(model, z1, image), WEIGHTS @ rate_1 @ WEIGHTS, WEIGHTS @ rate_2 @ WEIGHTS, WEIGHTS @ mu2)
        )
    return Exact(*np.array(rows).T)


def test_the_bound_and_its_parts_are_those_of_quadrature(model, x, exact):
    copies = 20_000
    with torch.no_grad():
        terms = negative_elbo(model, x.repeat_interleave(copies, 0))
    for name, expected in (("distortion", exact.distortion), ("rate_1", exact.rate_1), ("rate_2", exact.rate_2)):
        each = terms[name].view(len(x), copies).double()
        error = (each.mean(1).numpy() - expected) / (each.std(1).numpy() / copies**0.5)
        assert np.abs(error).max() < 4, name
    torch.testing.assert_close(terms["loss"], terms["distortion"] + terms["rate_1"] + terms["rate_2"])
    torch.testing.assert_close(terms["rate"], terms["rate_1"] + terms["rate_2"])


def test_the_elbo_lies_below_the_evidence_and_many_samples_reach_it(model, x, exact):
    elbo = -(exact.distortion + exact.rate_1 + exact.rate_2)
    assert (elbo < exact.evidence - 0.01).all()
    estimate = evaluation.estimate_evidence(model, x, 20_000, seed=0, progress=False)
    assert (np.abs(estimate.log_evidence.numpy() - exact.evidence) < 5 * estimate.standard_error.numpy()).all()
    torch.manual_seed(0)
    with torch.no_grad():
        bounds = [objectives.iwae_bound(model, x.repeat_interleave(4_000, 0), k).view(len(x), -1).mean(1).numpy() for k in (1, 5)]
    np.testing.assert_allclose(bounds[0], elbo, atol=0.1)
    assert (bounds[1] > bounds[0]).all()
    assert (bounds[1] < exact.evidence + 0.02).all()


def test_the_top_units_are_those_of_quadrature(model, x, exact):
    rate, activity = top_units(model, x, 20_000, seed=0)
    assert rate.item() == pytest.approx(exact.rate_2.mean(), rel=0.02)
    assert activity.item() == pytest.approx(exact.top_mean.var(ddof=1), rel=0.05, abs=2e-4)


def test_few_samples_do_not_make_a_dead_unit_active(x):
    """z₂'s mean follows z₁, and z₁ is the same noise for every x: the naive variance would be far from 0."""
    torch.manual_seed(0)
    model = HierarchicalVAE((2, 1), (4,), (3,), "tanh", (1, 2, 3)).eval()
    with torch.no_grad():
        model.encoder[-1].weight.zero_()
        model.encoder[-1].bias.zero_()
        for parameter in model.top_encoder.parameters():
            parameter.mul_(3)
        naive = model.top_posterior(model.bottom_posterior(x).sample((2,))).mean.mean(0).var(0)
    many = x.repeat(500, 1, 1, 1)
    assert naive.item() > 0.05
    assert abs(top_units(model, many, 2, seed=0)[1].item()) < 0.03


def test_measuring_leaves_the_random_state_alone_and_wants_two_halves(model, x):
    before = torch.get_rng_state()
    first = top_units(model, x, 4, seed=1)
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one, other) for one, other in zip(first, top_units(model, x, 4, seed=1), strict=True))
    for samples in (0, 3):
        with pytest.raises(ValueError, match="even number of samples"):
            top_units(model, x, samples, seed=0)
    with pytest.raises(ValueError, match="at least 2 of them, got 1"):
        top_units(model, x[:1], 4, seed=0)


def test_both_chains_have_the_density_that_they_draw_from():
    torch.manual_seed(1)
    model, x = HierarchicalVAE((3, 2), (8,), (5,), image_shape=(1, 2, 3)), torch.rand(7, 1, 2, 3)
    z = model.posterior(x).rsample((4,))
    assert z.shape == (4, 7, 5)
    z1, z2 = z[..., :3], z[..., 3:]
    q1, q2, p1 = model.bottom_posterior(x).base_dist, model.top_posterior(z1).base_dist, model.bottom_prior(z2).base_dist
    log_q = Normal(q1.loc, q1.scale).log_prob(z1).sum(-1) + Normal(q2.loc, q2.scale).log_prob(z2).sum(-1)
    log_p = Normal(p1.loc, p1.scale).log_prob(z1).sum(-1) + Normal(0.0, 1.0).log_prob(z2).sum(-1)
    torch.testing.assert_close(model.posterior(x).log_prob(z), log_q)
    torch.testing.assert_close(model.prior.log_prob(z), log_p)
    assert model.prior.sample((6,)).shape == (6, 5)
    assert not model.prior.sample().requires_grad
    torch.testing.assert_close(model.likelihood(z).mean, model.likelihood(z1).mean)


def test_beta_weighs_both_rates_and_every_network_learns(test_digits):
    torch.manual_seed(0)
    model, x = HierarchicalVAE((4, 3), (16,), (8,)), torch.bernoulli(test_digits.x[:200])
    torch.manual_seed(3)
    weighted = negative_elbo(model, x, beta=0.25)
    torch.testing.assert_close(weighted["loss"], weighted["distortion"] + 0.25 * (weighted["rate_1"] + weighted["rate_2"]))
    weighted["loss"].mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    history = fit(model, x, hierarchical.negative_elbo, epochs=4, batch_size=50, learning_rate=1e-2, progress=False)
    assert history.train["loss"][-1] < history.train["loss"][0] - 20
