"""Checks of the page Generative models."""

import math
from functools import cache

import torch
from torch import Tensor

from vae_tutorial import checkpoints, laboratory
from vae_tutorial.exercises import close, exercise

SIDE = 4 * laboratory.RADIUS  # of the page's square
KNOWN = 0.6  # the number of a point that is known
AXIS = torch.linspace(-SIDE / 2, SIDE / 2, 161, dtype=torch.float64)


@exercise("generative-models/units")
def units(answer: object) -> str | None:
    """The change of log p(x), nats, when points of the plane are given in centimetres instead of metres."""
    return close(
        answer,
        -2 * math.log(100),
        tolerance=0.02,
        hints={
            -math.log(100): "that is the change for one coordinate, and a point has two.",
            math.log(100): "a point has two coordinates; and is the density *per square centimetre* larger or smaller?",
            0.0: "the probability of a region stays as it is, but a density is probability per area, and the unit of area changes.",
        },
    )


@exercise("generative-models/bits")
def bits(answer: object) -> str | None:
    """100 nats per image of 784 pixels, in bits per pixel."""
    return close(
        answer,
        100 / math.log(2) / 784,
        tolerance=0.002,
        hints={
            100 / 784: "that is nats per pixel.",
            100 / math.log(2): "that is bits per image.",
            100 * math.log(2) / 784: "a nat is more than a bit, so the same loss counts more bits than nats.",
            100 * math.log(2): "a nat is more than a bit, and the answer is asked for each pixel.",
            100 / math.log(2) / 28: "an image has 28 · 28 pixels.",
        },
    )


@exercise("generative-models/blend")
def blend(answer: object) -> str | None:
    """The most that a half-and-half blend can lose against the better of its two models, nats."""
    return close(
        answer,
        math.log(2),
        tolerance=0.005,
        hints={
            0.0: "where the other model gives x no probability at all, the blend has only half of the better one's.",
            0.5: "the blend has at least half of the *density*; the question is about its logarithm.",
            1.0: "is that in bits?",
            2.0: "that is the factor by which the density may fall; the question is about its logarithm.",
        },
    )


@cache
def _density(*free: int) -> Tensor:
    """p(x) along the page's axis for one free coordinate (0 or 1), (161,) in float64, or on its grid for both, (161²,)."""
    model, codes = checkpoints.load_model("spiral-1d"), torch.linspace(-6, 6, 601)[:, None]
    known = AXIS.new_tensor([KNOWN])
    places = torch.cartesian_prod(*(AXIS if coordinate in free else known for coordinate in (0, 1)))
    with torch.no_grad():
        centres, sigma = model.likelihood(codes).mean.view(-1, 2).double(), float(model.sigma)
        log_weight = model.prior.log_prob(codes).double().log_softmax(0)
    parts = places.split(2_000)  # in parts, for there are 601 terms to a place
    log_sums = [(log_weight - torch.cdist(part, centres).square() / (2 * sigma**2)).logsumexp(1) for part in parts]
    return torch.cat(log_sums).exp() / (2 * math.pi * sigma**2)


@exercise("generative-models/completion")
def completion(answer: object) -> str | None:
    """p(x₁ < 0 | x₂ = 0.6) under the model of the spiral."""
    across, up = _density(0), _density(1)
    step = float(AXIS[1] - AXIS[0])
    right = float(across[AXIS < 0].sum() / across.sum())
    return close(
        answer,
        right,
        tolerance=0.01,
        hints=[
            (float(across[AXIS < 0].sum()) * step, "the slice does not add up to 1 yet: divide by its own sum."),
            (float(up[AXIS < 0].sum() / up.sum()), "that is the second number, given the first: exchange the roles."),
            (1 - right, "that is the probability that it is positive."),
        ],
    )


@exercise("generative-models/rejection")
def rejection(answer: object) -> str | None:
    """The share of uniform throws that is kept with probability p(x) / p_max."""
    highest = float(_density(0, 1).max())
    return close(
        answer,
        1 / (highest * SIDE**2),
        tolerance=0.004,
        hints={
            1 / (highest * SIDE): "the throws go into a square: its area counts, not its side.",
            1 / highest: "a throw's own density counts as well: the square has an area.",
            highest: "the mean of p(x) / p_max over the throws is asked for.",
            1 / SIDE**2: "the highest density counts as well.",
        },
    )
