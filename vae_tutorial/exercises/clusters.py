"""Checks of the page Clusters."""

import math

import torch
from torch import Tensor

from vae_tutorial.exercises import agrees, choice, close, exercise


@exercise("clusters/which-corner")
def which_corner(answer: object) -> str | None:
    """A training that reports next to no KL and reconstructs as well as the plain autoencoder."""
    return choice(
        answer,
        "KL alone",
        {
            "neither": "without a KL in the loss nothing would have made the KL small.",
            "noise alone": "without a price the clouds keep moving away from the prior, and the KL, where one computes it, grows.",
            "both": "with noise the KL is the rate, and a code that tells so little cannot bring the image back.",
        },
    )


@exercise("clusters/wire")
def wire(answer: object) -> str | None:
    """The nats through the one-number wire at its optimum, for τ = 0.2 and β = 3."""
    return close(
        answer,
        0.5 * math.log(1 / (3 * 0.2**2)),
        tolerance=0.01,
        hints={
            0.5 * math.log(1 / 0.2**2): "that is the answer at β = 1.",
            math.log(1 / (3 * 0.2**2)): "is a factor missing before the logarithm?",
            0.5 * math.log(1 / (3 * 0.2)): "τ is a standard deviation; the variance is asked for in the formula.",
            0.5 * math.log(3 / 0.2**2): "a higher price buys fewer nats.",
            0.5 * math.log(3 * 0.2**2): "information is never negative: is the fraction upside down?",
        },
    )


def _best_scales(mu: Tensor, sigma: Tensor) -> Tensor:
    return (mu.square() + sigma.square()).mean(0).rsqrt()


@exercise("clusters/best-scales")
def best_scales(answer: object) -> str | None:
    """The factor of every unit that makes the mean rate smallest, (d,), from mu and sigma (N, d)."""
    draw = torch.Generator().manual_seed(0)
    cases = [
        (torch.tensor(scales) * torch.randn(50, len(scales), generator=draw), width * (0.2 + torch.rand(50, len(scales), generator=draw)))
        for scales, width in (((3.0, 0.5), 0.1), ((0.2, 1.0, 4.0), 0.5), ((10.0, 0.1, 2.0, 1.0), 2.0))
    ]
    return agrees(
        answer,
        _best_scales,
        cases,
        tolerance=1e-3,
        hints=[
            (lambda mu, sigma: (mu.square() + sigma.square()).mean(0).reciprocal(), "these are the squares of the factors."),
            (lambda mu, sigma: (mu.square() + sigma.square()).mean(0).sqrt(), "that is what they have to be divided by."),
            (lambda mu, sigma: mu.square().mean(0).rsqrt(), "the noise is scaled together with the means, and takes part in the rate."),
            (lambda mu, sigma: sigma.square().mean(0).rsqrt(), "the means pay as well."),
            (lambda mu, sigma: (mu.square() + sigma.square()).mean().rsqrt(), "that is one factor for all units: each may have its own."),
            (lambda mu, sigma: (mu.square() + sigma.square()).rsqrt(), "one factor serves all images: average over them."),
            (lambda mu, sigma: (mu.square() + sigma.square()).mean(1).rsqrt(), "average over the images, not over the units."),
            (lambda mu, sigma: mu.std(0).reciprocal(), "a shifted mean pays, too, and so does the noise: the prior's middle is 0."),
        ],
    )


@exercise("clusters/enough-images")
def enough_images(answer: object) -> str | None:
    """The smallest number of images among which a code can tell 9 nats."""
    return close(
        answer,
        math.ceil(math.exp(9)),
        tolerance=1.0,
        hints={
            2**9: "that would be 9 bits.",
            math.log(9): "turn the logarithm round.",
            9: "to name one of N images takes log N nats.",
            10**9: "which logarithm counts nats?",
        },
    )


@exercise("clusters/close-the-gap")
def close_the_gap(answer: object) -> str | None:
    """The noise on two heaps of standard deviation 0.5, 3 apart, from which on there is no gap between them."""
    return close(
        answer,
        math.sqrt(1.5**2 - 0.5**2),
        tolerance=0.02,
        hints={
            1.5: "the heaps have a width of their own before noise is added.",
            1.0: "variances add, standard deviations do not.",
            2.0: "variances add: take the root at the end.",
            3.0: "compare with half the distance.",
            math.sqrt(3**2 - 0.5**2): "compare with half the distance.",
            2.5: "compare with half the distance; and variances add, standard deviations do not.",
        },
    )
