"""Checks of the page Denoising."""

import math

import torch
from torch import Tensor

from vae_tutorial.exercises import agrees, close, exercise

COMPONENTS, PIXELS = 98, 784
SHARE, INK = 0.8, 0.5  # of the masked pixels, and the decoder's probability of ink


@exercise("denoising/passed")
def passed(answer: object) -> str | None:
    """The share of white noise that a projection on 98 of 784 axes lets through: 98/784."""
    share = COMPONENTS / PIXELS
    hints = {
        1 - share: "that is the share that is taken away.",
        math.sqrt(share): "that is the share of its length. The noise is counted by its square here.",
        share**2: "the projection is applied once: it leaves what lies on its axes as it is.",
        COMPONENTS: "a share lies between 0 and 1.",
    }
    return close(answer, share, tolerance=0.003, hints=hints)


@exercise("denoising/pixel")
def pixel(answer: object) -> str | None:
    """E[b|z, y] of a pixel under Gaussian noise, from π, y and σ: σ(logit π + (2y − 1)/(2σ²))."""

    def right(pi: Tensor, y: Tensor, sigma: float) -> Tensor:
        return torch.sigmoid(torch.logit(pi) + (2 * y - 1) / (2 * sigma**2))

    hints = [
        (lambda pi, y, sigma: torch.sigmoid((2 * y - 1) / (2 * sigma**2)), "what the code says of this pixel counts, too: where is π?"),
        (lambda pi, y, sigma: pi + 0 * y, "that is what the code says. The noisy pixel has been seen as well."),
        (lambda pi, y, sigma: torch.sigmoid(torch.logit(pi) + (2 * y - 1) / (2 * sigma)), "the noise enters by its variance."),
        (lambda pi, y, sigma: torch.sigmoid(torch.logit(pi) + (2 * y - 1) / sigma**2), "look at the factor of the exponent of a Gaussian."),
        (lambda pi, y, sigma: pi * torch.exp(-((y - 1) ** 2) / (2 * sigma**2)), "divide by the sum over both colours."),
        (lambda pi, y, sigma: 1 - right(pi, y, sigma), "that is the probability of a blank."),
    ]
    cases = [(torch.tensor([0.2, 0.5, 0.9]), torch.tensor([0.7, 0.1, -0.4]), sigma) for sigma in (0.4, 0.8)]
    return agrees(answer, right, cases, tolerance=1e-4, hints=hints)


@exercise("denoising/masked")
def masked(answer: object) -> str | None:
    """The probability that a blank pixel was ink, with masking probability 0.8 and π = 0.5: pπ/(pπ + 1 − π)."""
    hints = {
        INK: "that is what the code says before the pixel is seen.",
        SHARE * INK: "that is the probability of ink *and* mask. Divide by that of seeing a blank at all.",
        SHARE: "that is the chance of a mask. A blank pixel may also be blank by itself.",
        0.0: "a mask hides ink, too.",
        (1 - INK) / (SHARE * INK + 1 - INK): "that is the probability that it was blank.",
    }
    return close(answer, SHARE * INK / (SHARE * INK + 1 - INK), tolerance=0.005, hints=hints)


@exercise("denoising/tweedie")
def tweedie(answer: object) -> str | None:
    """E[x|y] from y, the score of p(y) as a function, and σ: y + σ²·score(y)."""

    def right(y: Tensor, score: object, sigma: float) -> Tensor:
        return y + sigma**2 * score(y)

    hints = [
        (lambda y, score, sigma: y + sigma * score(y), "check the units: the score is one over grey levels."),
        (lambda y, score, sigma: y + score(y), "how far to go depends on how strong the noise was."),
        (lambda y, score, sigma: y - sigma**2 * score(y), "the score points to where p is larger."),
        (lambda y, score, sigma: sigma**2 * score(y), "that is the step. Where does it begin?"),
        (lambda y, score, sigma: (y + sigma**2 * score(y)) / sigma**2, "nothing is to be divided."),
    ]
    cases = [(torch.linspace(-2, 2, 5), _bell_score, 0.5), (torch.tensor([0.3, -1.0]), _points_score, 0.7)]
    return agrees(answer, right, cases, tolerance=1e-4, hints=hints)


@exercise("denoising/draw")
def draw(answer: object) -> str | None:
    """The decibels that a draw from p(x|y) loses against the mean: 10·log₁₀ 2."""
    loss = 10 * math.log10(2)
    hints = {
        0.0: "a draw is off for two reasons: the clean image is not the mean, and neither is the draw.",
        2.0: "that is the factor of the squared error. In decibels?",
        math.log(2): "decibels count with the logarithm to base 10, times ten.",
        math.log10(2): "decibels are ten times that.",
        20 * math.log10(2): "the squared error is doubled, not the error.",
        -loss: "how many are *lost*? Give a positive number.",
    }
    return close(answer, loss, tolerance=0.05, hints=hints)


def _bell_score(y: Tensor) -> Tensor:
    return -y / 1.25


def _points_score(y: Tensor) -> Tensor:
    return (torch.tanh(y / 0.49) - y) / 0.49
