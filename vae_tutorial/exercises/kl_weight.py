"""Checks of the page The KL weight during training."""

import math
from functools import cache

import torch
from torch import Tensor

from vae_tutorial import data
from vae_tutorial.exercises import agrees, choice, close, exercise


@exercise("kl-weight/survivors")
def survivors(answer: object) -> str | None:
    """Units of a linear model with σ = 0.5 that survive β = 4, of eigenvalues 9, 4, 2, 1 and 0.5."""
    hints = {
        5: "each unit has to pay for itself: compare its eigenvalue with βσ².",
        4: "look at the eigenvalue that equals βσ²: how long is that column of W, and how large its rate?",
        1: "that compares with β itself. The noise of the pixels is in it, too.",
        2: "did you use σ where σ² belongs?",
    }
    return close(answer, 3, tolerance=0, hints=hints)


def _price(eigenvalues: Tensor, rate: float, sigma: float) -> float:
    for count in range(1, len(eigenvalues) + 1):  # units in use, the largest eigenvalues first
        level = math.exp((float(eigenvalues[:count].log().sum()) - 2 * rate) / count)
        if count == len(eigenvalues) or level >= eigenvalues[count]:
            return level / sigma**2
    raise AssertionError("unreachable")


def _all_in_use(eigenvalues: Tensor, rate: float, sigma: float) -> float:
    return math.exp((float(eigenvalues.log().sum()) - 2 * rate) / len(eigenvalues)) / sigma**2


@exercise("kl-weight/price")
def price(answer: object) -> str | None:
    """The β at which the best linear model has a given rate: a function of the eigenvalues (falling), the rate and σ."""
    hints = [
        (lambda e, r, s: _price(e, r, s) * s**2, "that is the water level βσ². The price is asked for."),
        (lambda e, r, s: _price(e, r / 2, s), "a unit's rate has a factor ½ before the logarithm."),
        (_all_in_use, "not all units are in use at this β: leave out those whose eigenvalue lies below βσ²."),
        (lambda e, r, s: _price(e, r, s**0.5), "σ stands where σ² should."),
        (lambda e, r, s: 1 / _price(e, r, s), "turned upside down: a higher rate is bought at a lower price."),
    ]
    eigenvalues = torch.tensor([5.2, 3.8, 1.1, 0.6, 0.05], dtype=torch.float64)
    cases = [(eigenvalues, 3.0, 1.0), (eigenvalues, 0.1, 0.5), (eigenvalues, 8.0, 0.7), (eigenvalues[:2], 2.0, 2.0)]
    return agrees(answer, _price, cases, tolerance=2e-3, hints=hints)


@exercise("kl-weight/switch-off")
def switch_off(answer: object) -> str | None:
    """A unit with λ = 3 in a model with σ² = 0.25 and β = 1 is switched off: nats that the distortion rises, and that the rate falls."""
    eigenvalue, noise = 3.0, 0.25
    rise, saved = (eigenvalue - noise) / (2 * noise), 0.5 * math.log(eigenvalue / noise)
    hints = [
        ([saved, rise], "the two are the wrong way round: first the distortion, then the rate."),
        ([eigenvalue / (2 * noise), saved], "nearly: while the unit was on, its axis was not free of error. How much was left?"),
        ([eigenvalue - noise, saved], "the squared error rises by this much. What does it cost in nats?"),
        ([rise, 2 * saved], "the rate has a factor ½."),
        ([rise, -saved], "sizes are asked for: by how much does the rate *fall*?"),
    ]
    return close(answer, [rise, saved], tolerance=0.005, hints=hints)


@cache
def _fashion_spectra() -> tuple[float, float, float]:
    """The largest eigenvalues of Fashion-MNIST: relative to the Bernoulli variance, plain, and of the correlations."""
    x = data.load_images("fashion-mnist", "test").x.flatten(1).double()
    mean, covariance = x.mean(0), x.T.cov(correction=0)

    def largest(variance: Tensor) -> float:
        kept = variance > 0
        scale = variance[kept].rsqrt()
        return float(torch.linalg.eigvalsh(scale[:, None] * covariance[kept][:, kept] * scale)[-1])

    return largest(mean * (1 - mean)), largest(torch.ones_like(mean)), largest(covariance.diagonal())


@exercise("kl-weight/fashion-collapse")
def fashion_collapse(answer: object) -> str | None:
    """The β at which the last unit of a Bernoulli VAE dies on the 1,000 embedded images of Fashion-MNIST."""
    right, plain, correlation = _fashion_spectra()
    hints = {
        plain: "that is an eigenvalue of the plain covariance. A Bernoulli pixel has noise of its own, π(1 − π): measure in its units.",
        correlation: "that is for correlations: each pixel over the variance that it *has*. Take the one that a coin with its mean has.",
        right**0.5: "that is the root of it.",
    }
    return close(answer, right, tolerance=0.01 * right, hints=hints)


@exercise("kl-weight/rising-loss")
def rising_loss(answer: object) -> str | None:
    """Why the training loss of a KL warm-up can rise while nothing is wrong."""
    wrong = {
        "overfitting": "overfitting shows in held-out numbers, while the training loss goes on falling.",
        "learning rate": "a learning rate that is too high makes the loss jump. Here it climbs steadily, and stops with the warm-up.",
        "collapse": "a collapse lowers the rate, and would lower this loss. What is it that this loss is made of?",
    }
    return choice(answer, "schedule", wrong)
