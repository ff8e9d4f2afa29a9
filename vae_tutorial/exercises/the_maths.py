"""Checks of the page The maths."""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations
from math import log

import torch
from torch import Tensor
from torch.distributions import Normal

from vae_tutorial.exercises import agrees, close, exercise
from vae_tutorial.models import VAE


@exercise("the-maths/three-codes")
def three_codes(answer: object) -> str | None:
    """K in bits of q = (0, ½, ½) against the posterior (¼, ½, ¼)."""
    return close(
        float(answer) if isinstance(answer, Fraction) else answer,  # the page counts in fractions
        0.5,
        tolerance=1e-3,
        hints={
            0.5 * log(2): "that is in nats; bits are asked for.",
            1.0: "that is the KL divergence from the prior, the rate. K compares q with the true posterior.",
            -3.5: "that is L.",
            3.5: "that is L with its sign turned round.",
            -3.0: "that is the logarithm of p(x), the sum of K and L.",
            0.25: "that is K of the guess above; now q has changed.",
        },
    )


@exercise("the-maths/two-gaussians")
def two_gaussians(answer: object) -> str | None:
    """KL(N(mu_q, sigma_q²) ‖ N(mu_p, sigma_p²)) as a function of four tensors."""

    def formula(mu_q: Tensor, sigma_q: Tensor, mu_p: Tensor, sigma_p: Tensor) -> Tensor:
        return torch.log(sigma_p / sigma_q) + (sigma_q**2 + (mu_q - mu_p) ** 2) / (2 * sigma_p**2) - 0.5

    values = [[1.0, 0.5, 0.0, 1.0], [0.3, 2.0, -0.4, 0.7], [-2.0, 0.1, 1.0, 3.0], [[1.0, 0.3], [0.5, 2.0], [0.0, -0.4], [1.0, 0.7]]]
    return agrees(
        answer,
        formula,
        [tuple(torch.tensor(value, dtype=torch.float64) for value in case) for case in values],
        tolerance=1e-6,
        hints=[
            (lambda m, s, n, t: formula(n, t, m, s), "the two are exchanged: KL(q‖p) averages under q."),
            (
                lambda m, s, n, t: formula(m, s.sqrt(), n, t.sqrt()),
                "the sigmas are standard deviations; you have taken them for variances.",
            ),
            (lambda m, s, n, t: 2 * formula(m, s, n, t), "a factor of one half is missing."),
            (lambda m, s, n, t: -formula(m, s, n, t), "the sign is turned round: a KL divergence is never negative."),
            (
                lambda m, s, n, t: formula(m, s, n, t) + 0.5,
                "it is not 0 when both Gaussians are the same: E_q of log q has a constant, too.",
            ),
            (
                lambda m, s, n, t: formula(m, s, m, t),
                "the means are missing: how far is z from mu_p on average, squared, when z comes from q?",
            ),
            (
                lambda m, s, n, t: formula(m, s, m * 0, m * 0 + 1),
                "that is the divergence from N(0, 1). Here p has a mean and a width of its own.",
            ),
            (
                lambda m, s, n, t: formula(m, s, n, t) - 2 * torch.log(t / s),
                "the ratio in the logarithm is upside down: a narrow q has a high log q, and must cost more.",
            ),
            (
                lambda m, s, n, t: torch.log(t / s) + (s**2 + m**2 - n**2) / (2 * t**2) - 0.5,
                "the squared distance of the means is wanted, not the difference of their squares.",
            ),
        ],
    )


@exercise("the-maths/three-humps")
def three_humps(answer: object) -> str | None:
    """The smallest K of one bell against humps of 0.7, 0.2 and 0.1."""
    shares = (0.7, 0.2, 0.1)
    return close(
        answer,
        -log(0.7),
        tolerance=0.01,
        hints={
            log(2): "that is for two equal humps. How much of the posterior is on the hump that the bell keeps?",
            log(3): "that is for three equal humps. Which hump will a bell choose if they are not equal?",
            -log(0.1): "that is for sitting on the smallest hump.",
            -log(0.2): "that is for sitting on the middle hump.",
            -sum(share * log(share) for share in shares): "that is the entropy of the three shares. The bell sits on one hump only.",
            0.7: "that is the share itself; take the logarithm of what q/p is on that hump.",
            0.3: "that is the share left out; K is the mean of log(q/p) where q has its mass.",
            -log(0.3): "that takes the share left out. How high is q over p on the hump that it keeps?",
        },
    )


def _elbo(faults: frozenset[str]) -> Callable[[VAE, Tensor, Tensor], Tensor]:
    """The ELBO of Gaussian pixels at one draw each, with some of the colleague's mistakes."""

    def elbo(model: VAE, x: Tensor, eps: Tensor) -> Tensor:
        mu, log_var = model.encode(x)
        z = mu + torch.exp(log_var if "sigma" in faults else 0.5 * log_var) * eps
        per_unit = 0.5 * (mu.square() + log_var.exp() - 1 - log_var)
        rate = per_unit.mean(1) if "units" in faults else per_unit.sum(1)
        per_pixel = -Normal(model.decode(z), model.sigma).log_prob(x).flatten(1)
        return -(rate + (per_pixel.mean(1) if "pixels" in faults else per_pixel.sum(1)))

    return elbo


MISTAKES = {
    "sigma": "look at what multiplies eps: is it a standard deviation?",
    "units": "look at the rate of a model with more than one unit: do the units add up?",
    "pixels": "look at the distortion: is -log p(x|z) the sum over independent pixels, or their mean?",
}


@exercise("the-maths/debug")
def debug(answer: object) -> str | None:
    """The colleague's ELBO, mended: as a function of model, x and eps."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        cases = []
        for d, shape in ((1, (1, 1, 2)), (3, (1, 2, 2))):
            model = VAE(d, (8,), "tanh", likelihood="gaussian", sigma=0.3, image_shape=shape).double()
            cases.append((model, torch.randn(5, *shape, dtype=torch.float64), torch.randn(5, d, dtype=torch.float64)))
    faults = [frozenset(some) for count in (1, 2, 3) for some in combinations(MISTAKES, count)]
    more = {1: "", 2: " (And there is one more.)", 3: " (And there are two more.)"}
    hints = [(_elbo(some), next(MISTAKES[name] for name in MISTAKES if name in some) + more[len(some)]) for some in faults]
    return agrees(answer, _elbo(frozenset()), cases, tolerance=1e-6, hints=hints)


@exercise("the-maths/baseline")
def baseline(answer: object) -> str | None:
    """Single score-function estimates with the mean of the other draws as baseline."""

    def reference(f: Tensor, score: Tensor) -> Tensor:
        return (f - (f.sum() - f) / (len(f) - 1)) * score

    generator = torch.Generator().manual_seed(0)
    cases = [tuple(torch.randn(2, count, generator=generator, dtype=torch.float64) + 2) for count in (3, 8)]
    return agrees(
        answer,
        reference,
        cases,
        tolerance=1e-6,
        hints=[
            (lambda f, score: (f - f.mean()) * score, "the mean over all draws knows the draw itself, which makes the estimate biased."),
            (lambda f, score: f * score, "there is no baseline in it yet."),
            (lambda f, score: reference(f, score).mean(), "give the single estimates; the mean is taken later."),
            (lambda f, score: (f - (f.sum() - f) / len(f)) * score, "how many other draws are there?"),
            (lambda f, score: f * score - (f * score).mean(), "the baseline is subtracted from f, before it meets the score."),
            (lambda f, score: f - (f.sum() - f) / (len(f) - 1), "the score is missing: without it there is no gradient."),
        ],
    )


@exercise("the-maths/chain-rule")
def chain_rule(answer: object) -> str | None:
    """KL of the joints, of the marginals of x, and the mean KL of the conditionals, for the page's two tables."""
    q = torch.tensor([[0.3, 0.1, 0.1], [0.1, 0.2, 0.2]], dtype=torch.float64)
    p = torch.tensor([[0.2, 0.1, 0.1], [0.3, 0.1, 0.2]], dtype=torch.float64)

    def three(q: Tensor, p: Tensor, weight: Tensor | None = None) -> Tensor:
        in_q, in_p = q / q.sum(1, keepdim=True), p / p.sum(1, keepdim=True)
        weight = q.sum(1) if weight is None else weight
        marginal = (q.sum(1) * (q.sum(1) / p.sum(1)).log()).sum()
        return torch.stack([(q * (q / p).log()).sum(), marginal, weight @ (in_q * (in_q / in_p).log()).sum(1)])

    return close(
        answer,
        three(q, p),
        tolerance=2e-4,
        hints=[
            (three(p, q), "the two are exchanged: average under q."),
            (
                three(q, p, torch.ones(2, dtype=torch.float64)),
                "the last one is a mean over x: each row counts by its probability under the data.",
            ),
            (three(q, p, p.sum(1)), "the last one is a mean over the data, not over the model's x."),
            (three(q.T, p.T), "rows are x and columns are z: the marginal of x sums over z."),
            (three(q, p)[[0, 2, 1]], "the order is joint, marginal, conditional."),
            (three(q, p) / log(2), "that is in bits; the book counts in nats."),
        ],
    )
