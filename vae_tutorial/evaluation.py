"""Measures of trained models."""

from dataclasses import dataclass
from math import log

import torch
from torch import Tensor

from vae_tutorial.likelihoods import check_pixels
from vae_tutorial.models import VAE


@dataclass(frozen=True)
class GridPosterior:
    """The true posterior p(z|x) of one image, and log p(x), by quadrature on a grid of codes.

    Attributes:
        z: grid points (K, d), each the centre of a cell.
        log_density: log p(z|x) at the grid points (K,).
        cell: volume of one cell.
        log_evidence: log p(x) in nats.
        shape: points along each axis, for reshaping to a picture (indexing "ij").
    """

    z: Tensor
    log_density: Tensor
    cell: float
    log_evidence: float
    shape: tuple[int, ...]


@torch.no_grad()
def grid_posterior(model: VAE, x: Tensor, points: int = 201, extent: float = 6.0) -> GridPosterior:
    """p(z|x) and log p(x) on a two-level grid: a coarse one finds the mass, a fine one covers just that.

    The coarse grid is the prior's box [−extent, extent]^d; the fine box keeps every coarse cell within 25 nats of the
    best one, plus a margin, and is refined again while it still shrinks by half. Cost: points^d decodings a level,
    which is why d > 2 is refused.

    Args:
        model: a VAE with d = 1 or 2.
        x: one image (1, C, H, W) or (C, H, W).
        points: grid points along each axis and level.
        extent: half-width of the first box, in standard deviations of the prior.

    Raises:
        ValueError: d > 2.
    """
    if model.latent_dim > 2:
        raise ValueError(f"a grid of {points}^{model.latent_dim} points is out of reach: this model has d = {model.latent_dim}, a grid wants d <= 2")
    check_pixels(x)
    d = model.latent_dim
    low, high = torch.full((d,), -extent), torch.full((d,), extent)
    for _ in range(8):
        step = (high - low) / points
        axes = [low[k] + (torch.arange(points) + 0.5) * step[k] for k in range(d)]  # midpoints
        z = torch.cartesian_prod(*axes).reshape(-1, d)
        log_joint = model.prior.log_prob(z) + torch.cat([model.likelihood(part).log_prob(x) for part in z.split(4_096)])  # (K,)
        near = z[log_joint > log_joint.max() - 25]
        tight_low, tight_high = near.amin(0) - 2 * step, near.amax(0) + 2 * step
        if ((tight_high - tight_low) > 0.5 * (high - low)).all():
            break
        low, high = tight_low, tight_high
    cell = float(step.prod())
    log_evidence = float(log_joint.double().logsumexp(0)) + log(cell)
    return GridPosterior(z, log_joint - log_evidence, cell, log_evidence, (points,) * d)


@dataclass(frozen=True)
class Decomposition:
    """log p(x) = gap + elbo, all in nats: gap = KL(q(z|x)‖p(z|x)), called K in the book; elbo is its L."""

    log_evidence: float
    gap: float
    elbo: float


@torch.no_grad()
def decompose_evidence(model: VAE, x: Tensor, grid: GridPosterior, points: int = 201) -> Decomposition:
    """K and L of one image by quadrature: both integrals on a grid laid over q(z|x), log p(x) from `grid`.

    K and L are integrated separately, so that K + L = log p(x) is a check and not a definition.

    Args:
        model: a VAE with d = 1 or 2.
        x: the image of `grid`, (1, C, H, W).
        grid: from `grid_posterior`.
        points: grid points along each axis over ±7 standard deviations of q.
    """
    q = model.posterior(x.reshape(1, *model.image_shape))
    mu, sigma = q.base_dist.loc[0], q.base_dist.scale[0]  # (d,)
    steps = (torch.arange(points) + 0.5) / points * 14 - 7
    z = mu + sigma * torch.cartesian_prod(*[steps] * model.latent_dim).reshape(-1, model.latent_dim)  # (K, d)
    log_q = q.log_prob(z)
    log_prior = model.prior.log_prob(z)
    log_likelihood = torch.cat([model.likelihood(part).log_prob(x) for part in z.split(4_096)])
    weight = (log_q.double() - log_q.double().logsumexp(0)).exp()  # q(z|x) dz, sums to one
    gap = (weight * (log_q - (log_prior + log_likelihood - grid.log_evidence))).sum()
    elbo = (weight * log_likelihood).sum() - (weight * (log_q - log_prior)).sum()
    return Decomposition(grid.log_evidence, float(gap), float(elbo))
