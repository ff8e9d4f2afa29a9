"""Paths between codes against SciPy's, and what decoded pictures are worth against the ELBO of the library."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial import geometric_slerp
from scipy.stats import chi

from vae_tutorial import interpolation, objectives
from vae_tutorial.interpolation import spherical, straight
from vae_tutorial.models import VAE, Autoencoder

SHARES = torch.linspace(0, 1, 9)


def codes(count: int, d: int, seed: int) -> torch.Tensor:
    return torch.randn(count, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("d", [2, 3, 16])
def test_the_spherical_path_turns_as_scipys_does(d):
    a, b = codes(1, d, 0)[0], codes(1, d, 1)[0]
    path = spherical(a, b, SHARES.double())
    lengths = (1 - SHARES) * a.norm() + SHARES * b.norm()
    np.testing.assert_allclose(path.norm(dim=1), lengths, rtol=1e-6)
    expected = geometric_slerp((a / a.norm()).numpy(), (b / b.norm()).numpy(), SHARES.double().numpy())
    np.testing.assert_allclose(path / path.norm(dim=1, keepdim=True), expected, atol=1e-6)


def test_both_paths_begin_and_end_at_the_codes():
    a, b = codes(7, 5, 0), codes(7, 5, 1)
    for path in interpolation.PATHS.values():
        z = path(a, b, SHARES.double())
        assert z.shape == (7, 9, 5)
        torch.testing.assert_close(z[:, 0], a)
        torch.testing.assert_close(z[:, -1], b)
    torch.testing.assert_close(straight(a, b, SHARES.double())[:, 4], (a + b) / 2)


@pytest.mark.parametrize("factor", [1.0, 2.5, -1.0])
def test_codes_on_one_line_have_a_path_without_nan(factor):
    a = codes(1, 4, 0)[0]
    torch.testing.assert_close(spherical(a, factor * a, SHARES.double()), straight(a, factor * a, SHARES.double()))


def test_the_straight_midpoint_of_two_draws_is_short():
    """A standard normal's length follows chi with d degrees of freedom; a midpoint's is √½ of that."""
    d = 16
    a, b = codes(20_000, d, 0), codes(20_000, d, 1)
    half = torch.tensor([0.5], dtype=torch.float64)
    assert straight(a, b, half).norm(dim=-1).mean().item() == pytest.approx(chi(d).mean() / math.sqrt(2), rel=0.01)
    assert spherical(a, b, half).norm(dim=-1).mean().item() == pytest.approx(chi(d).mean(), rel=0.01)


def test_nearest_distance():
    bank = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    z = torch.tensor([[[0.0, 1.0], [3.0, 3.0]]])
    torch.testing.assert_close(interpolation.nearest_distance(z, bank), torch.ones(1, 2))


def test_pictures_are_judged_by_the_elbo():
    torch.manual_seed(0)
    judge = VAE(3, (16,))
    with torch.no_grad():
        judge.encoder[-1].weight.mul_(5)  # far from the prior, so that both terms matter
    x = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    rate, distortion = interpolation.judge_pictures(judge, x, interpolation.antithetic(2_000, 3, seed=1))
    torch.manual_seed(1)
    with torch.no_grad():
        terms = [objectives.rate_distortion(judge, x) for _ in range(400)]
    torch.testing.assert_close(rate, terms[0][0])
    many = torch.stack([one[1] for one in terms])
    assert ((distortion - many.mean(0)).abs() < 4 * many.std(0) / 20).all()
    again = interpolation.judge_pictures(judge, x[2:3], interpolation.antithetic(2_000, 3, seed=1))
    torch.testing.assert_close(again[1], distortion[2:3], rtol=1e-5, atol=0)  # a picture's ELBO does not depend on its neighbours


def test_noise_comes_in_pairs():
    eps = interpolation.antithetic(6, 4, seed=0)
    assert eps.shape == (6, 4)
    torch.testing.assert_close(eps.sum(0), torch.zeros(4))
    assert not torch.equal(eps, interpolation.antithetic(6, 4, seed=1))
    with pytest.raises(ValueError, match="5 is odd"):
        interpolation.antithetic(5, 4, seed=0)


def test_ink_entropy_is_the_least_distortion():
    x = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0)).clamp(0.01, 0.99)
    least = -torch.distributions.Bernoulli(probs=x, validate_args=False).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(interpolation.ink_entropy(x), least)
    assert (interpolation.ink_entropy(torch.ones(1, 1, 28, 28)) == 0).all()


def test_codes_and_pictures_of_both_kinds_of_model():
    torch.manual_seed(0)
    vae, autoencoder = VAE(3, (16,)), Autoencoder(3, (16,))
    x = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(interpolation.codes_of(vae, x), vae.posterior(x).mean)
    torch.testing.assert_close(interpolation.codes_of(autoencoder, x), autoencoder.encode(x))
    for model in (vae, autoencoder):
        pictures = interpolation.pictures_of(model, interpolation.codes_of(model, x))
        torch.testing.assert_close(pictures, torch.sigmoid(model.decode(interpolation.codes_of(model, x))))
