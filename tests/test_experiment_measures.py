"""What experiments measure, on small inputs for which the answer is known; the experiments themselves are in `test_experiments`."""

import pytest
import torch

from vae_tutorial.experiments import anomaly, collapse, few_labels
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
