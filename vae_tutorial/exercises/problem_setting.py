"""Checks of the page Problem setting."""

import math

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vae_tutorial import checkpoints
from vae_tutorial.exercises import agrees, close, exercise


@exercise("problem-setting/draws")
def draws(answer: object) -> str | None:
    """Draws for a relative error of 0.1, where 200 give 0.4."""
    return close(
        answer,
        3_200,
        tolerance=0.5,
        hints={
            800: "that would be right if the error fell as 1/S. It falls as one over the root of S.",
            400: "that is the root of the factor; the factor enters squared.",
            50: "the error must become smaller, so the draws must become more.",
            12.5: "the error must become smaller, so the draws must become more.",
            16: "that is the factor by which the draws grow. How many draws is it?",
        },
    )


@exercise("problem-setting/largest-grid")
def largest_grid(answer: object) -> str | None:
    """The largest d with 50^d at most an hour's decodings at 10 million a second."""
    return close(
        answer,
        6,
        tolerance=0.01,
        hints={
            math.log(3.6e10) / math.log(50): "a dimension is a whole number, and the next larger one no longer fits.",
            6.2: "a dimension is a whole number, and the next larger one no longer fits.",
            7: "does that many points to the power of your answer still fit into one hour's decodings?",
            4: "that is what one second allows. You have an hour.",
            5: "one more dimension still fits into the hour.",
            math.log10(3.6e10): "the base is the number of points along an axis, not 10.",
            720: "that is the hour's decodings divided by 50 and by a million: a grid has 50 to the power of d codes, not 50 times d.",
        },
    )


@exercise("problem-setting/log-evidence")
def log_evidence(answer: object) -> str | None:
    """log p(x) of the point (0.9, −0.9) in the laboratory."""
    z, step, centres, sigma = _laboratory()
    log_likelihood = _cloud(centres, sigma).log_prob(torch.tensor([0.9, -0.9]))
    log_prior = Normal(0.0, 1.0).log_prob(z[:, 0])
    right = float((log_likelihood + log_prior).logsumexp(0)) + math.log(step)
    wrong = [
        (math.exp(right), "that is the density itself: its logarithm is asked for."),
        (float(log_likelihood.logsumexp(0)) + math.log(step), "the prior is missing: every term is the product of likelihood and prior."),
        (float((log_likelihood + log_prior).max()), "that is the largest term alone: add up all of them, times the step of the grid."),
        (float(log_likelihood.max()), "that is log p(x|z) at the best code. All codes count, each by its prior probability."),
    ]
    hint = close(answer, right, 0.01, [(value, text) for value, text in wrong if abs(value - right) > 0.011])
    return f"{hint} Did you multiply the sum by the step of your grid?" if hint and hint.startswith("it is too") else hint


@exercise("problem-setting/denoise")
def denoise(answer: object) -> str | None:
    """E[x|y] in the laboratory for y = (0.2, 1.1), y = x + 0.4 η."""
    z, _, centres, sigma = _laboratory()
    tau, y = 0.4, torch.tensor([0.2, 1.1])
    log_prior = Normal(0.0, 1.0).log_prob(z[:, 0])

    def given(spread: float) -> Tensor:
        return (_cloud(centres, spread).log_prob(y) + log_prior).softmax(0)

    both = sigma**2 + tau**2
    weight = given(math.sqrt(both))
    right = weight @ (tau**2 * centres + sigma**2 * y) / both
    hints = [
        (weight @ centres, "that is the mean of the decoded points. Given z, x still has a spread, and y says something about it."),
        (y, "that is y itself: nothing has been cleaned."),
        (given(sigma) @ (tau**2 * centres + sigma**2 * y) / both, "given z, y is spread wider than x: mind both variances in p(y|z)."),
        (given(sigma + tau) @ (tau**2 * centres + sigma**2 * y) / both, "variances add up, standard deviations do not."),
        (weight @ (sigma**2 * centres + tau**2 * y) / both, "the weights are exchanged: the noisier y, the more the decoded point counts."),
    ]
    distinct = [(value, text) for value, text in hints if (value - right).abs().max() > 0.011]
    return close(answer, right, 0.01, distinct)


@exercise("problem-setting/chi-square")
def chi_square(answer: object) -> str | None:
    """1 + χ²(N(m, v)‖N(0, 1)) as a function of m and v."""

    def right(m: float, v: float) -> float:
        return math.exp(m**2 / (2 - v)) / math.sqrt(v * (2 - v))

    wrong = [
        (lambda m, v: right(m, v) - 1, "that is χ² itself; asked for is 1 + χ²."),
        (lambda m, v: right(m, v * v), "v is the variance already: do not square it."),
        (lambda m, v: right(0.0, v), "the mean of the posterior counts, too: complete the square once more."),
        (lambda m, v: math.exp(m**2 / (2 - v)) / (v * (2 - v)), "the integral of exp(−a u²) is the root of π/a: mind the root."),
        (lambda m, v: math.log(right(m, v)), "that is its logarithm."),
        (lambda m, v: math.exp(0.5 * (v + m**2 - 1 - math.log(v))), "that is e to the information, which 1 + χ² is never below."),
    ]
    return agrees(answer, right, [(0.0, 1.0), (0.5, 0.5), (0.9, 0.1), (-1.5, 0.3), (0.2, 1.4)], 1e-4, wrong)


def _laboratory() -> tuple[Tensor, float, Tensor, float]:
    """Codes on a fine grid (K, 1), its step, the decoder's points (K, 2) and σ."""
    model = checkpoints.load_model("spiral-1d").requires_grad_(False)
    z = torch.linspace(-6, 6, 2_401)[:, None]
    return z, float(z[1] - z[0]), model.decode(z).flatten(1), float(model.sigma)


def _cloud(centres: Tensor, sigma: float) -> Independent:
    return Independent(Normal(centres, sigma), 1)
