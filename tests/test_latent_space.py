"""The measures of the experiment on latent spaces, on codes whose numbers are known."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vae_tutorial.data import Images
from vae_tutorial.experiments import latent_space
from vae_tutorial.experiments.latent_space import encode, probe, rescaled_rate
from vae_tutorial.models import VAE, Autoencoder
from vae_tutorial.recipes import measuring


def codes(count: int, d: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return 3 * torch.randn(count, d, generator=draw) + 1, (torch.randn(count, d, generator=draw) - 2).exp()


def test_no_shift_and_scale_gives_a_lower_rate():
    mu, sigma = codes(200, 3, seed=0)

    def rate(shift, scale):
        q = Normal(scale * (mu - shift), scale * sigma)
        return kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean()

    lowest = rescaled_rate(mu, sigma)
    scale = (mu.var(0, correction=0) + sigma.square().mean(0)).rsqrt()
    torch.testing.assert_close(rate(mu.mean(0), scale), lowest)
    for factor in (0.9, 1.1):
        assert rate(mu.mean(0), factor * scale) > lowest
        assert rate(factor * mu.mean(0), scale) > lowest
    torch.testing.assert_close(rescaled_rate(50 * mu - 7, 50 * sigma), lowest, rtol=1e-4, atol=1e-4)


def test_codes_from_the_prior_are_not_told_apart_and_wide_ones_are(monkeypatch):
    monkeypatch.setattr(latent_space, "PROBED", 600)
    monkeypatch.setattr(latent_space, "TSNE_IMAGES", 100)
    z = torch.randn(600, 2, generator=torch.Generator().manual_seed(3))
    images = Images(torch.zeros(600, 1, 1, 1), torch.arange(600) % 10, "labels by chance")
    same, wide = probe(images, z, z), probe(images, 5 * z + 1, 5 * z + 1)
    assert same["told_apart"] == pytest.approx(0.5, abs=4 * (1_201 / (12 * 600**2)) ** 0.5)
    assert wide["told_apart"] > 0.8
    assert wide["told_apart_rescaled"] == pytest.approx(same["told_apart"], abs=0.1)
    assert wide["spread"] == pytest.approx(5 * float(same["spread"]), rel=1e-5)
    assert same["knn_means"] == pytest.approx(0.1, abs=0.06)


def test_an_autoencoder_has_codes_and_no_noise():
    x = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    mu, sigma = encode(VAE(3, (8,)), x)
    assert mu.shape == sigma.shape == (4, 3)
    assert encode(Autoencoder(3, (8,)), x)[1] is None


def test_the_autoencoder_is_trained_and_probed_too(train_digits, monkeypatch):
    few = Images(train_digits.x[:200], train_digits.y[:200], "a few digits")
    monkeypatch.setattr(measuring, "load_images", lambda *given, **options: few)
    monkeypatch.setattr(latent_space, "EPOCHS", 2)
    found = latent_space.run(2, None, seed=0)
    assert not {"rate", "noise", "information"} & set(found)
    assert 0 < found["at_mean"] < 784 * math.log(2)
