"""Checks of the page Code."""

import math
from functools import cache

import torch
from torch import Tensor

from vae_tutorial import data
from vae_tutorial.exercises import agrees, choice, close, exercise


@exercise("code/untrained")
def untrained(answer: object) -> str | None:
    """Nats that an untrained decoder pays for a colour image of 32 × 32 pixels with three channels, each a coin."""
    numbers = 3 * 32 * 32
    hints = {
        numbers / 3 * math.log(2): "a colour image has three numbers in each pixel.",
        784 * math.log(2): "that is for the 784 pixels of a digit.",
        math.log(2): "that is one number of the image. They are independent, given z: their costs add up.",
        -numbers * math.log(2): "a probability is at most 1, so −log of it is never negative.",
        numbers * 0.5: "½ is the probability. What it costs is −log ½.",
    }
    return close(answer, numbers * math.log(2), tolerance=2, hints=hints)


def _gaussian(x_mean: Tensor, x: Tensor, sigma: float) -> Tensor:
    per_pixel = (x - x_mean) ** 2 / (2 * sigma**2) + 0.5 * math.log(2 * math.pi * sigma**2)
    return per_pixel.flatten(1).sum(1)


def _without_constant(x_mean: Tensor, x: Tensor, sigma: float) -> Tensor:
    return ((x - x_mean) ** 2 / (2 * sigma**2)).flatten(1).sum(1)


def _one_constant(x_mean: Tensor, x: Tensor, sigma: float) -> Tensor:
    return _without_constant(x_mean, x, sigma) + 0.5 * math.log(2 * math.pi * sigma**2)


def _sigma_not_squared(x_mean: Tensor, x: Tensor, sigma: float) -> Tensor:
    return _gaussian(x_mean, x, math.sqrt(sigma))


@exercise("code/gaussian-distortion")
def gaussian_distortion(answer: object) -> str | None:
    """−log N(x; x_mean, σ²), summed over the pixels: a function of x_mean, x and sigma."""
    generator = torch.Generator().manual_seed(0)
    x, x_mean = torch.rand(2, 3, 1, 4, 5, generator=generator)
    hints = [
        (_without_constant, "the factor 1/(2σ²) is there, the normalising constant of the density is not. It depends on σ, too."),
        (_one_constant, "the normalising constant belongs to each pixel, not once to the image."),
        (_sigma_not_squared, "σ stands where σ² should: the argument is the standard deviation."),
        (lambda *a: -_gaussian(*a), "that is the log-likelihood. The distortion is minus it."),
        (lambda *a: _gaussian(*a) / 20, "pixels are averaged. A likelihood of independent pixels is a sum of logarithms."),
        (lambda *a: _gaussian(*a).sum(), "one number per image is asked for: leave the batch alone."),
        (lambda *a: _gaussian(*a).mean(), "one number per image is asked for: leave the batch alone."),
    ]
    return agrees(answer, _gaussian, [(x_mean, x, 0.1), (x_mean, x, 1.0), (x, x, 2.0)], tolerance=1e-3, hints=hints)


@exercise("code/effective-beta")
def effective_beta(answer: object) -> str | None:
    """β of a mean squared error over 64 × 64 × 3 numbers plus 0.00025 times a summed KL, relative to Gaussian pixels with σ = 1."""
    numbers, typed = 64 * 64 * 3, 0.00025
    hints = {
        typed: "that is the β that was typed. The reductions change it.",
        typed * numbers: "nearly: a Gaussian with σ = 1 has a factor before the squared error, too.",
        typed * numbers * 2: "the factor of the Gaussian goes the other way round.",
        typed * 64 * 64 / 2: "an image has three numbers in each pixel.",
        typed * numbers / 2 / 128: "the KL is summed over the units here, not averaged.",
        typed / numbers: "the mean makes the *distortion* smaller: beside it the KL weighs more.",
    }
    return close(answer, typed * numbers / 2, tolerance=0.001, hints=hints)


@exercise("code/loss-size")
def loss_size(answer: object) -> str | None:
    """The optimiser for which a factor before the whole loss makes hardly any difference."""
    step = "its step is the gradient times the learning rate. How long is it with a gradient 784 times as large?"
    return choice(answer, "Adam", {"SGD": step})


@exercise("code/implied-sigma")
def implied_sigma(answer: object) -> str | None:
    """σ of the Gaussian pixels at which a mean squared error plus a summed KL is a VAE at β = 1, for D = 784."""
    hints = {
        392.0: "that is σ²: the standard deviation is asked for.",
        784**0.5: "mind the 2 in 1/(2σ²).",
        (1 / 784 / 2) ** 0.5: "the mean divides the squared error by D. Does a small σ divide it, or multiply it?",
        0.5**0.5: "that is the σ of a squared error summed over the pixels. Here it is a mean.",
        1.0: "σ = 1 would need the factor 1/2 before a *sum* over the pixels.",
    }
    return close(answer, (784 / 2) ** 0.5, tolerance=0.1, hints=hints)


@cache
def _grey_floor() -> float:
    x = data.load_images("mnist", split="test").x.flatten(1).double()
    return float(-(torch.xlogy(x, x) + torch.xlogy(1 - x, 1 - x)).sum(1).mean())


@exercise("code/grey-floor")
def grey_floor(answer: object) -> str | None:
    """The smallest cross-entropy that any decoder can reach on the held-out digits, nats per image."""
    floor = _grey_floor()
    hints = {
        0.0: "only for pixels that are exactly 0 or 1. Grey ones keep the randomness of their copies.",
        floor / 784: "that is a mean over the pixels: they add up.",
        floor * 1000: "that is the sum over all held-out images: take the mean of the images.",
        784 * math.log(2): "that is what a decoder pays that says ½ everywhere.",
    }
    return close(answer, floor, tolerance=0.1, hints=hints)
