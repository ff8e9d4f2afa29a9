"""Checks of the page Introducing the VAE."""

import math
from functools import cache

import torch
from torch import Tensor

from vae_tutorial import checkpoints, data, quadrature
from vae_tutorial.exercises import agrees, choice, close, exercise

UNITS = 50
DRAWS = 20_000


@exercise("introducing-the-vae/outputs")
def outputs(answer: object) -> str | None:
    """How many numbers an encoder's last layer puts out for d = 50: with a diagonal, and with a full covariance."""
    full = UNITS * (UNITS + 1) // 2
    no_mean = "those are the numbers of the covariance. The encoder has to say the mean as well."
    symmetric = "a covariance matrix is symmetric: it has fewer free numbers than entries."
    hints = [
        ([UNITS, full], no_mean),
        ([2 * UNITS, full], "the diagonal one is right. The full one needs a mean, too."),
        ([UNITS, UNITS + full], "the full one is right. The diagonal one needs a mean, too."),
        ([2 * UNITS, UNITS**2], symmetric),
        ([2 * UNITS, UNITS + UNITS**2], symmetric),
        ([UNITS, UNITS**2], symmetric),
        ([UNITS + full, 2 * UNITS], "the other way round: diagonal first."),
    ]
    return close(answer, [2 * UNITS, UNITS + full], tolerance=0, hints=hints)


def _rate(mu: Tensor, log_var: Tensor) -> Tensor:
    return 0.5 * (mu.square() + log_var.exp() - 1 - log_var).sum(1)


@exercise("introducing-the-vae/rate")
def rate(answer: object) -> str | None:
    """KL of a diagonal Gaussian from the standard one, a function of mu and log_var, (B, d) each → (B,)."""
    generator = torch.Generator().manual_seed(0)
    cases = [(torch.randn(4, d, generator=generator), torch.randn(4, d, generator=generator)) for d in (2, 3)]
    taken_for = "the network's second output is log σ². You use it as if it were"
    hints = [
        (lambda mu, log_var: 2 * _rate(mu, log_var), "what about the ½ in front?"),
        (lambda mu, log_var: _rate(mu, 2 * log_var), f"{taken_for} log σ."),
        (lambda mu, log_var: 0.5 * (mu.square() + log_var - 1 - log_var.log()).sum(1), f"{taken_for} σ²."),
        (lambda mu, log_var: _rate(mu, log_var) / mu.shape[1], "sum over the units. A mean over them changes what β means."),
        (lambda mu, log_var: _rate(mu, log_var).mean(), "one number per image is asked for: leave the batch alone."),
        (lambda mu, log_var: _rate(mu, log_var).sum(), "one number per image is asked for: leave the batch alone."),
        (lambda mu, log_var: 0.5 * (mu.square() + log_var.exp() - 1 - log_var), "that is each unit's share. Add the units of an image."),
        (lambda mu, log_var: -_rate(mu, log_var), "a KL divergence is never negative."),
        (lambda mu, log_var: 0.5 * (mu.square() + log_var.exp() - 1 - 0.5 * log_var).sum(1), "the last term is log σ², not log σ."),
    ]
    return agrees(answer, _rate, cases, tolerance=1e-4, hints=hints)


@cache
@torch.no_grad()
def _first_digit() -> tuple[float, float, float]:
    """Of the first held-out digit under `mnist-2d`: log p(x), the ELBO, and the mean logarithm of the exercise's weights."""
    vae, image = checkpoints.load_model("mnist-2d"), data.load_images("mnist", split="test").x[:1]
    parts = quadrature.decompose_evidence(vae, image, quadrature.grid_posterior(vae, image, points=61))
    q = vae.posterior(image).base_dist
    eps = torch.randn(4_000, 2, generator=torch.Generator().manual_seed(0))
    z = q.loc + 2 * q.scale * eps
    log_r = vae.prior.log_prob(eps) - (2 * q.scale).log().sum()
    log_weight = vae.prior.log_prob(z) + vae.likelihood(z).log_prob(image) - log_r
    return parts.log_evidence, parts.elbo, float(log_weight.mean())


@exercise("introducing-the-vae/second-road")
def second_road(answer: object) -> str | None:
    """log p(x) of the first held-out digit, by importance sampling with 20,000 draws."""
    evidence, elbo, mean_log_weight = _first_digit()
    hints = {
        elbo: "that is L, the bound. The weights' mean estimates p(x) itself.",
        mean_log_weight: "average the weights and then take the logarithm, not the other way round.",
        evidence + math.log(DRAWS): "that is the logarithm of the weights' *sum*. A mean divides by the number of draws.",
        evidence - math.log(DRAWS): "the logarithm of the number of draws is taken away twice.",
    }
    return close(answer, evidence, tolerance=0.2, hints=hints)


@exercise("introducing-the-vae/whose-fault")
def whose_fault(answer: object) -> str | None:
    """To whom most of the largest gap belongs."""
    left = "how much of the gap is left with the best Gaussian for this image? That one is of the same family."
    return choice(answer, "encoder", {"family": left})


@exercise("introducing-the-vae/hump")
def hump(answer: object) -> str | None:
    """K in nats when q fits one hump perfectly that holds 0.2 of the true posterior."""
    share = 0.2
    hints = {
        math.log(2): "that is for two humps of equal size.",
        -math.log(1 - share): "that is for a q on the larger hump.",
        share: "that is the share of the belief. K is a mean of a difference of logarithms.",
        -share * math.log(share): "the mean is taken under q, and q lies on one hump with all its weight.",
        -math.log(share) * share - math.log(1 - share) * (1 - share): "that is the entropy of which hump it is. q never asks.",
    }
    return close(answer, -math.log(share), tolerance=0.01, hints=hints)
