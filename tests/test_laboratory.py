"""The laboratory: points on a spiral, and the exact answers of its shipped model against independent ones."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from vae_tutorial import checkpoints, evaluation, laboratory, quadrature


def test_points_lie_around_the_spiral_as_evenly_as_said():
    points = laboratory.spiral(20_000, seed=3).view(-1, 2).double()
    share = torch.linspace(laboratory.INNER, 1, 4_001, dtype=torch.float64)
    angle = 2 * torch.pi * laboratory.TURNS * share
    curve = laboratory.RADIUS * share[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    distance, nearest = torch.cdist(points, curve).min(1)
    assert float(distance.median()) == pytest.approx(laboratory.NOISE * norm.ppf(0.75), rel=0.05)  # of |N(0, NOISE²)|
    inside = float((share[nearest] < 0.5).double().mean())
    assert inside == pytest.approx(0.25, abs=0.04)  # half the radius holds about a quarter of the length, so of the points


def test_a_seed_decides_the_points():
    assert torch.equal(laboratory.spiral(5, seed=1), laboratory.spiral(5, seed=1))
    assert not torch.equal(laboratory.spiral(5, seed=1), laboratory.spiral(5, seed=2))
    assert laboratory.spiral(5, seed=1).shape == (5, 1, 1, 2)


@pytest.fixture(scope="module")
def model():
    return checkpoints.load_model("spiral-1d")


def test_the_grids_evidence_is_scipys(model):
    """The shipped model's p(x), by an adaptive rule on the decoder's curve and scipy's own Gaussians."""
    for x in laboratory.spiral(5, seed=7):

        def joint(z, x=x):
            p = model.likelihood(torch.tensor([[z]], dtype=torch.float32))
            mean, sigma = p.mean.flatten().detach().numpy(), float(p.stddev.flatten()[0].detach())
            return norm.pdf(z) * np.prod(norm.pdf(x.flatten().numpy(), mean, sigma))

        pieces = [quad(joint, low, low + 0.5, limit=200)[0] for low in np.arange(-6, 6, 0.5)]
        assert quadrature.grid_posterior(model, x).log_evidence == pytest.approx(np.log(sum(pieces)), abs=1e-3)


def test_importance_sampling_agrees_with_the_grid(model):
    x = laboratory.spiral(200, seed=8)
    exact = np.array([quadrature.grid_posterior(model, one).log_evidence for one in x])
    estimate = evaluation.estimate_evidence(model, x, 2_000, seed=1, progress=False)
    error = estimate.log_evidence.numpy() - exact
    assert abs(np.median(error)) < 0.01
    assert np.mean(np.abs(error) < 5 * estimate.standard_error.numpy() + 0.01) > 0.9


def test_between_two_arms_the_posterior_has_two_humps(model):
    """What the pages show: some points have a p(z|x) that no Gaussian fits."""
    x = laboratory.spiral(300, seed=9)
    gaps = np.array([quadrature.decompose_evidence(model, one, quadrature.grid_posterior(model, one)).gap for one in x])
    assert gaps.min() > -1e-3
    assert np.median(gaps) < 0.1
    assert gaps.max() > 0.4
