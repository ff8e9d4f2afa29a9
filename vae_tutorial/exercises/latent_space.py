"""Checks of the page Latent space."""

import math

import torch
from torch import Tensor

from vae_tutorial.exercises import agrees, choice, close, exercise

SPREAD, NOISE, WIDER = 3.0, 0.1, 3.0


def _best_scale(mu: Tensor, log_var: Tensor) -> Tensor:
    return (mu.square() + log_var.exp()).mean().rsqrt()


@exercise("latent-space/best-scale")
def best_scale(answer: object) -> str | None:
    """The factor for all codes that makes the mean rate smallest, a function of mu and log_var, (N, d) each → a number."""
    generator = torch.Generator().manual_seed(0)
    sizes = [(3.0, -1.0), (0.2, -3.0), (20.0, 1.0)]
    cases = [
        (spread * torch.randn(50, d, generator=generator), shift + torch.randn(50, d, generator=generator))
        for (spread, shift), d in zip(sizes, (2, 10, 3), strict=True)
    ]
    hints = [
        (lambda mu, log_var: 1 / _best_scale(mu, log_var), "that is how wide the codes are. By what do you multiply to undo it?"),
        (lambda mu, log_var: _best_scale(mu, log_var) ** 2, "the derivative gives the square of the factor."),
        (lambda mu, log_var: mu.square().mean().rsqrt(), "the noise is multiplied, too: σ² belongs beside μ²."),
        (lambda mu, log_var: (mu.square() + log_var.exp()).sum(1).mean().rsqrt(), "one factor for d units: there are d logarithms."),
        (lambda mu, log_var: (mu.square() + (2 * log_var).exp()).mean().rsqrt(), "you take log σ² for log σ."),
        (lambda mu, log_var: (mu.square() + (log_var / 2).exp()).mean().rsqrt(), "σ² is asked for in the sum, not σ."),
        (lambda mu, log_var: (mu.square() + log_var.exp()).mean(0).rsqrt(), "that is one factor for each unit; one for all is asked for."),
    ]
    return agrees(answer, _best_scale, cases, tolerance=1e-4, hints=hints)


@exercise("latent-space/not-scale")
def not_scale(answer: object) -> str | None:
    """The rate that is left of one unit after the best scaling, for spread 3 and noise 0.1, nats."""
    total = SPREAD**2 + NOISE**2
    before = 0.5 * (total - 1 - math.log(NOISE**2))
    after = 0.5 * math.log(total / NOISE**2)
    hints = {
        before: "that is the rate as it stands, before any scaling.",
        before - after: "that is what scaling saves.",
        2 * after: "what about the ½ in front?",
        0.5 * math.log(total / NOISE): "σ is a standard deviation, and the rate has the logarithm of the variance.",
        0.0: "scaling changes spread and noise by the same factor: their ratio stays.",
    }
    return close(answer, after, tolerance=0.005, hints=hints)


def _perplexity(p: Tensor) -> Tensor:
    return torch.exp(-torch.xlogy(p, p).sum(1))


@exercise("latent-space/perplexity")
def perplexity(answer: object) -> str | None:
    """The perplexity of each row of probabilities (N, K) → (N,)."""
    draws = torch.randn(5, 8, generator=torch.Generator().manual_seed(0))
    cases = [(torch.full((2, 4), 0.25),), ((2 * draws).softmax(1),), (torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]),)]
    hints = [
        (lambda p: -torch.xlogy(p, p).sum(1), "that is the entropy: a number of nats, not of neighbours."),
        (lambda p: 2 ** (-torch.xlogy(p, p).sum(1)), "2 belongs to bits: with the natural logarithm the base is e."),
        (lambda p: torch.exp(torch.xlogy(p, p).sum(1)), "the sign: an entropy is never negative, so a perplexity is at least 1."),
        (lambda p: 1 / p.square().sum(1), "that is another effective number; this one is the exponential of the entropy."),
        (lambda p: torch.exp(-torch.xlogy(p, p).sum()), "one number for each row is asked for."),
    ]
    return agrees(answer, _perplexity, cases, tolerance=1e-4, hints=hints)


@exercise("latent-space/told-apart")
def told_apart(answer: object) -> str | None:
    """The best AUROC that tells N(0, 3²) from N(0, 1)."""
    share = 2 / math.pi * math.atan(WIDER)
    hints = {
        0.5: "their means are equal; but the far ones are rarely from the prior.",
        1.0: "they overlap: a number near 0 may come from either.",
        WIDER / (1 + WIDER): "look at the angle, not at the length: where in the plane of both draws is the one farther out?",
        1 - share: "that is the chance that the prior's draw lies farther out.",
        2 * share - 1: "0.5 is chance in an AUROC: do not rescale it.",
        share / 2: "only half of the angles counted: there are draws on both sides of 0.",
    }
    return close(answer, share, tolerance=0.005, hints=hints)


@exercise("latent-space/unchanged")
def unchanged(answer: object) -> str | None:
    """Which of four changes of the codes t-SNE's affinities notice."""
    stays = {
        "shift": "all differences between codes stay as they were.",
        "turn": "a rotation keeps every distance.",
        "scale": "every distance is multiplied by the same factor, and each bandwidth follows.",
    }
    return choice(answer, "stretch", stays)
