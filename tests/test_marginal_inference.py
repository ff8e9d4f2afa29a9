"""Marginal inference over x: the pixels' closed forms, then E[b|y] against a sum over every image, and the score of p(y)."""

import itertools

import pytest
import torch
from torch.distributions import Bernoulli, Normal

from vae_tutorial import marginal_inference
from vae_tutorial.corruptions import GaussianNoise, MaskPixels, MaskSquare, SaltAndPepper
from vae_tutorial.marginal_inference import Inferred, NoisyPixels, Observed, infer, pixel_evidence, posterior_mean
from vae_tutorial.models import VAE
from vae_tutorial.quadrature import grid_posterior

NOISES = [GaussianNoise(0.6), SaltAndPepper(0.4), MaskPixels(0.4)]
for_each_noise = pytest.mark.parametrize("noise", NOISES, ids=str)


def tiny(d: int, sharp: float = 3.0) -> VAE:
    """A VAE of images of 2 × 2 pixels whose decoder depends strongly on the code."""
    torch.manual_seed(d)
    vae = VAE(d, (6,), "tanh", image_shape=(1, 2, 2)).requires_grad_(False)
    vae.decoder[-1].weight.mul_(sharp)
    return vae


def every_image() -> torch.Tensor:
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=4))).view(16, 1, 2, 2)


def noisy(noise) -> torch.Tensor:
    return noise(torch.tensor([[1.0, 0.0], [0.0, 1.0]]).view(1, 1, 2, 2), seed=5)


def by_hand(vae: VAE, noise, y: torch.Tensor) -> tuple[float, torch.Tensor]:
    """p(y) and E[b|y] by a sum over all 16 images and a wide grid of codes of one number."""
    z = torch.linspace(-8, 8, 4_001)[:, None]
    prior = Normal(0.0, 1.0).log_prob(z[:, 0]).exp() * (z[1, 0] - z[0, 0])
    b = every_image()
    p_b = (vae.likelihood(z).log_prob(b[:, None]).exp() * prior).sum(1)  # (16,)
    if isinstance(noise, GaussianNoise):
        p_y = Normal(b, noise.sigma).log_prob(y).exp()
    elif isinstance(noise, SaltAndPepper):
        p_y = torch.where(b == y, 1 - noise.probability / 2, noise.probability / 2)
    else:
        p_y = torch.where(y == 1, b * (1 - noise.probability), torch.where(b == 1, noise.probability, 1.0))
    joint = p_b * p_y.flatten(1).prod(1)
    return float(joint.sum()), (joint[:, None, None, None] * b).sum(0) / joint.sum()


@for_each_noise
def test_the_grid_gives_the_sum_over_every_image(noise):
    vae, y = tiny(1), noisy(noise)
    evidence, mean = by_hand(vae, noise, y)
    seen = Observed(vae, noise)
    grid = grid_posterior(seen, y)
    assert grid.log_evidence == pytest.approx(torch.tensor(evidence).log().item(), abs=2e-3)
    torch.testing.assert_close(posterior_mean(seen, y, grid), mean, atol=2e-3, rtol=0)


@for_each_noise
def test_fitted_gaussians_and_weights_give_the_same(noise):
    vae, y = tiny(1), noisy(noise)
    evidence, mean = by_hand(vae, noise, y)
    start = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1)
    found = infer(Observed(vae, noise), y, start, seed=0, samples=4_000)
    assert found.log_evidence.item() == pytest.approx(torch.tensor(evidence).log().item(), abs=0.05)
    torch.testing.assert_close(found.clean[0], mean, atol=0.03, rtol=0)
    assert 400 < found.effective_samples.item() <= 4_000


def infer_from(mu: list[float], sigma: float, y: torch.Tensor, monkeypatch, **options) -> tuple[Inferred, torch.Tensor]:
    """`infer` with fits N(mu, sigma²) of one number that are given, not found; also the codes that it weighs."""
    vae, seen = tiny(1), []
    decode = vae.decode
    monkeypatch.setattr(marginal_inference, "fit_gaussians", lambda model, y, start, *_, **__: (start, torch.full_like(start, sigma)))
    monkeypatch.setattr(vae, "decode", lambda z: seen.append(z) or decode(z))
    found = infer(Observed(vae, GaussianNoise(0.6)), y, torch.tensor(mu).view(-1, 1, 1), seed=0, **options)
    return found, seen[-1]


def test_weights_are_those_written_out(monkeypatch):
    """Codes from a Gaussian 1.2 times as wide as the fit; p(y|z) by a sum over all 16 images."""
    vae, y, noise = tiny(1), noisy(GaussianNoise(0.6)), GaussianNoise(0.6)
    found, z = infer_from([0.4], 0.5, y, monkeypatch, samples=300)
    b = every_image()
    p_y_given_b = Normal(b, noise.sigma).log_prob(y).exp().flatten(1).prod(1)  # (16,)
    p_b_given_z = vae.likelihood(z).log_prob(b[:, None]).exp()  # (16, 300)
    p_y = p_y_given_b @ p_b_given_z
    weight = p_y * (Normal(0.0, 1.0).log_prob(z) - Normal(0.4, 1.2 * 0.5).log_prob(z))[:, 0].exp()
    assert found.log_evidence.item() == pytest.approx(weight.mean().log().item(), abs=1e-4)
    assert found.effective_samples.item() == pytest.approx((weight.sum() ** 2 / weight.square().sum()).item(), rel=1e-3)
    clean = torch.einsum("z,bz,bchw->chw", weight / p_y, p_y_given_b[:, None] * p_b_given_z, b) / weight.sum()
    torch.testing.assert_close(found.clean[0], clean, atol=1e-4, rtol=0)


def test_no_fit_is_left_without_codes(monkeypatch):
    """However bad it is: this one is worse by hundreds of nats."""
    _, z = infer_from([0.0, 30.0], 0.5, noisy(GaussianNoise(0.6)), monkeypatch, samples=2_000)
    assert 0.1 < (z > 15).float().mean() < 0.5  # and the better one gets more


def test_two_modes_are_weighed_by_their_mass():
    """White pixels come from either tail of the prior, z > 1 or z < −1.8, a larger and a smaller part of it."""
    vae, noise, y = tiny(1), SaltAndPepper(0.4), torch.ones(1, 1, 2, 2)
    first, last = vae.decoder[0], vae.decoder[-1]
    first.weight.copy_(torch.tensor([4.0, 4.0, 0.0, 0.0, 0.0, 0.0])[:, None])
    first.bias.copy_(torch.tensor([-4.0, 7.2, 0.0, 0.0, 0.0, 0.0]))
    last.weight.copy_(torch.tensor([4.0, -4.0, 0.0, 0.0, 0.0, 0.0]).expand(4, -1))
    last.bias.fill_(3.0)
    evidence, mean = by_hand(vae, noise, y)
    grid = grid_posterior(Observed(vae, noise), y)
    found = infer(Observed(vae, noise), y, torch.tensor([1.5, -2.0]).view(2, 1, 1), seed=0, samples=8_000, draws=4_000)
    assert found.log_evidence.item() == pytest.approx(torch.tensor(evidence).log().item(), abs=0.05)
    torch.testing.assert_close(found.clean[0], mean, atol=0.02, rtol=0)
    weight, z = grid.log_density.exp() * grid.cell, found.z[0, :, 0]
    left = float(weight[grid.z[:, 0] < 0].sum())
    assert 0.1 < left < 0.3
    assert (z < 0).float().mean().item() == pytest.approx(left, abs=0.03)
    assert z.mean().item() == pytest.approx(float(weight @ grid.z[:, 0]), abs=0.1)
    inside = weight * (grid.z[:, 0] > 0)
    centre = float(inside @ grid.z[:, 0] / inside.sum())
    spread = float(inside @ (grid.z[:, 0] - centre).square() / inside.sum()) ** 0.5
    assert z[z > 0].std().item() == pytest.approx(spread, rel=0.07)  # of the posterior, not of the wider proposal


@for_each_noise
def test_pixels_agree_with_a_sum_of_two(noise):
    y = noise((torch.rand(3, 1, 4, 5) > 0.5).float(), seed=1)
    x_logits = 4 * torch.randn(7, 1, 1, 4, 5)
    pixels, pi = NoisyPixels(x_logits, noise), torch.sigmoid(x_logits)
    black, white = (part.exp() for part in pixel_evidence(noise, y))
    expected = (pi * white + (1 - pi) * black).log().flatten(-3).sum(-1)
    torch.testing.assert_close(pixels.log_prob(y), expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(pixels.clean(y), pi * white / (pi * white + (1 - pi) * black), rtol=1e-4, atol=1e-5)


@for_each_noise
def test_the_evidence_of_a_pixel_is_what_the_corruption_draws(noise):
    count = 40_000
    for colour in (0.0, 1.0):
        y = noise(torch.full((1, 1, 1, count), colour), seed=2)
        log_p = pixel_evidence(noise, y)[int(colour)]
        if isinstance(noise, GaussianNoise):
            assert log_p.mean().item() == pytest.approx(-Normal(0.0, noise.sigma).entropy().item(), abs=0.02)
        else:
            share = (y == 1).float().mean()
            assert Bernoulli(share).entropy().item() == pytest.approx(-log_p.mean().item(), abs=0.02)
            assert torch.unique(log_p).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_what_is_cleaned_is_tweedies_step_along_the_score():
    """E[b|y] = y + σ² ∇ log p(y): a derivative of log p(y) against an integral over codes."""
    vae, noise = tiny(1), GaussianNoise(0.6)
    seen, y = Observed(vae, noise), noisy(noise)
    grid = grid_posterior(seen, y)
    y.requires_grad_()
    log_p = seen.likelihood(grid.z).log_prob(y) + vae.prior.log_prob(grid.z)
    (score,) = torch.autograd.grad(log_p.logsumexp(0), y)
    torch.testing.assert_close(y.detach()[0] + noise.sigma**2 * score[0], posterior_mean(seen, y.detach(), grid), atol=1e-3, rtol=0)


def test_gradients_stay_finite_where_the_noise_cannot_do_it():
    vae, y = tiny(2), torch.ones(1, 1, 2, 2)
    z = torch.randn(5, 2, requires_grad=True)
    log_p = Observed(vae, MaskPixels(0.5)).likelihood(z).log_prob(y)
    (gradient,) = torch.autograd.grad(log_p.sum(), z)
    assert torch.isfinite(gradient).all()
    torch.testing.assert_close(log_p, vae.likelihood(z).log_prob(y) + 4 * torch.tensor(0.5).log(), rtol=1e-4, atol=1e-4)


def test_the_seed_decides_and_the_global_state_is_left():
    vae, y = tiny(2), noisy(NOISES[0])
    state = torch.get_rng_state()
    first, again, other = (infer(Observed(vae, NOISES[0]), y, torch.zeros(1, 1, 2), seed=seed, steps=3) for seed in (0, 0, 1))
    assert torch.equal(first.clean, again.clean)
    assert not torch.equal(first.clean, other.clean)
    assert first.z.shape == (1, 8, 2)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_refused():
    with pytest.raises(ValueError, match="independently"):
        pixel_evidence(MaskSquare(3), torch.zeros(1, 1, 4, 4))
    with pytest.raises(ValueError, match="level above 0"):
        pixel_evidence(GaussianNoise(0.0), torch.zeros(1, 1, 4, 4))
    with pytest.raises(ValueError, match="not a gaussian likelihood"):
        Observed(VAE(2, (4,), likelihood="gaussian"), NOISES[0])
    with pytest.raises(ValueError, match=r"shape \(S, 1, 2\), got \(1, 2\)"):
        infer(Observed(tiny(2), NOISES[0]), noisy(NOISES[0]), torch.zeros(1, 2), seed=0)
