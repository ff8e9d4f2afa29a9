"""What experiments measure, on small inputs for which the answer is known; the experiments themselves are in `test_experiments`."""

import numpy as np
import pytest
import torch
from linear_gaussian import kl_of_gaussians

from vae_tutorial.data import Images
from vae_tutorial.experiments import anomaly, collapse, few_labels, holes
from vae_tutorial.models import VAE


@pytest.mark.parametrize("seed", range(3))
def test_few_labels_are_drawn_from_other_digits_than_those_that_are_named(seed, embedded_digits, monkeypatch):
    """As many as there can be of each class, so that a draw from all digits would meet some that are tested."""
    x, y = embedded_digits.x.flatten(1), embedded_digits.y
    drawn: list[torch.Tensor] = []

    def spying(codes: torch.Tensor, labels: torch.Tensor, chosen: torch.Tensor) -> list[tuple[str, float]]:
        drawn.append(chosen)
        return []

    monkeypatch.setattr(few_labels, "representations", lambda root: {"pixels": x})
    monkeypatch.setattr(few_labels, "accuracies", spying)
    few_labels.run(labels=100, seed=seed)
    assert drawn[0].unique().tolist() == sorted(drawn[0].tolist())
    assert y[drawn[0]].bincount().tolist() == [100] * 10
    assert drawn[0].max() < 4_000  # the last 1,000 of the 5,000 are tested


def test_an_anomaly_score_is_the_mean_over_its_draws():
    """The codes drawn one after the other, the terms written out."""
    torch.manual_seed(1)
    model, x = VAE(2, (8,)), torch.rand(5, 1, 28, 28)
    found = anomaly.scores(model, x, draws=4, seed=7)
    torch.manual_seed(7)
    mu, log_var = model.encode(x)
    distortion = torch.zeros(5)
    for _ in range(4):
        pixels = model.decode(mu + torch.exp(log_var / 2) * torch.randn(5, 2)).sigmoid()
        distortion -= (x * pixels.log() + (1 - x) * (1 - pixels).log()).sum((1, 2, 3)) / 4
    rate = 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(1)
    torch.testing.assert_close(found["reconstruction"], distortion)
    torch.testing.assert_close(found["rate"], rate)
    torch.testing.assert_close(found["elbo"], rate + distortion)


def test_a_pixel_of_a_small_digit_is_white_where_more_than_half_of_its_ink_is_there():
    x = torch.zeros(1, 1, 28, 28)
    for column, ink in enumerate(([0.4] * 4, [1.0, 1.0, 0.0, 0.0], [0.6] * 4, [1.0, 1.0, 0.4, 0.0], [1.0, 0.6, 0.0, 0.0])):
        x[0, 0, :2, 2 * column : 2 * column + 2] = torch.tensor(ink).view(2, 2)
    small = collapse.small_digits(x)
    assert small.shape == (1, 1, 14, 14)
    assert small[0, 0, 0, :5].tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]
    assert small.sum() == 2


def test_a_fitted_gaussian_gains_the_divergence_of_the_codes_from_the_prior(test_digits, monkeypatch):
    """An encoder that gives every image N((2, 0), ¼ I), so that the aggregate posterior is that, too."""
    few = Images(test_digits.x[:500], test_digits.y[:500], "a few digits")

    def set_encoder(model: VAE, *_: object, **__: object) -> None:
        with torch.no_grad():
            model.encoder[-1].weight.zero_()
            model.encoder[-1].bias.copy_(torch.tensor([2.0, 0.0, *[torch.tensor(0.25).log()] * 2]))

    for name, value in {"LATENT_DIM": 2, "HIDDEN": (4,), "COMPONENTS": (1,), "MADE": 20}.items():
        monkeypatch.setattr(holes, name, value)
    monkeypatch.setattr(holes, "digit_confidence", lambda pictures: torch.zeros(len(pictures)))  # slow, and not asked for here
    monkeypatch.setattr(holes, "class_entropy", lambda pictures: 0.0)
    monkeypatch.setattr(holes, "classifier_two_sample", lambda codes, others: 0.5)
    monkeypatch.setattr(holes, "training_images", lambda *_: few)
    monkeypatch.setattr(holes, "held_out", lambda *_: {"official_test": few})
    monkeypatch.setattr(holes, "fit", set_encoder)
    found = holes.run(beta=1.0, seed=0)
    exact = kl_of_gaussians(np.array([2.0, 0.0]), np.array([0.25, 0.25]), np.zeros(2), np.eye(2))
    assert found["rate"] == pytest.approx(exact, abs=1e-3)
    assert found["mixture_1_gain"] == pytest.approx(exact, abs=0.2)
