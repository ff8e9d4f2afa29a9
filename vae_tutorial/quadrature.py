"""The evidence and the true posterior of one image by quadrature: a grid of codes, for d <= 2."""

from dataclasses import dataclass
from math import log

import torch
from torch import Tensor
from torch.distributions import kl_divergence

from vae_tutorial.likelihoods import check_pixels
from vae_tutorial.models import VAE

NEGLIGIBLE = 25.0  # nats below the peak: e^-25 a cell is nothing, even over a million cells
RESOLUTION = 0.01  # nats by which log p(x) may move without every second point; with all of them it is far closer
LEVELS = 12  # grids tried; two or three are the rule
MOST_CELLS = 3_000_000  # a minute of decoding


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
    """p(z|x) and log p(x) on grids of several levels: a coarse one finds the mass, a fine one covers just that.

    The first box is the prior's, [−extent, extent]^d; it grows where mass lies at its rim. The next keeps every cell
    within 25 nats of the best one (more where the density is rough), and so on while a side still shrinks by half. The
    last grid must give the same log p(x) from every second point along each axis, or its points are doubled. Cost:
    points^d decodings a level, which is why d > 2 is refused. A mode far narrower than the first cells can escape.

    With a Bernoulli likelihood and grey pixels, log p(x|z) is the expectation over binarised copies b of x, and
    log p(x) the log-integral of its exponential against p(z): a lower bound on the expectation of log p(b).

    Args:
        model: a VAE with d = 1 or 2.
        x: one image (1, C, H, W) or (C, H, W).
        points: grid points along each axis and level, at least 8.
        extent: half-width of the first box, in standard deviations of the prior.

    Raises:
        ValueError: d > 2, too few points, more than one image, or pixels outside [0, 1] under a Bernoulli likelihood.
        ArithmeticError: p(z|x) is too narrow for the box it spans.
    """
    d = model.latent_dim
    if d > 2:
        raise ValueError(f"a grid of {points}^{d} points is out of reach: this model has d = {d}, a grid wants d <= 2")
    if points < 8:
        raise ValueError(f"a grid wants at least 8 points along an axis, got {points}")
    x = _one_image(model, x)
    low, high = torch.full((d,), -extent), torch.full((d,), extent)
    for _ in range(LEVELS):
        step = (high - low) / points
        axes = [low[k] + (torch.arange(points) + 0.5) * step[k] for k in range(d)]  # midpoints
        z = torch.cartesian_prod(*axes).reshape(-1, d)
        log_joint = _log_joint(model, x, z)  # (points^d,)
        table = log_joint.view((points,) * d)
        dense = z[log_joint > log_joint.max() - NEGLIGIBLE]
        below, above = dense.amin(0) < low + step, dense.amax(0) > high - step  # in the box's first or last cells
        near = z[log_joint > log_joint.max() - NEGLIGIBLE - _roughness(table)]
        tight_low = torch.maximum(near.amin(0) - 2 * step, low)
        tight_high = torch.minimum(near.amax(0) + 2 * step, high)
        log_evidence = _log_integral(table, step)
        if (below | above).any():
            half = (high - low) / 2
            low, high = torch.where(below, low - half, low), torch.where(above, high + half, high)
        elif (tight_high - tight_low < 0.5 * (high - low)).any():
            low, high = tight_low, tight_high
        elif abs(_log_integral(table[(slice(None, None, 2),) * d], 2 * step) - log_evidence) < RESOLUTION:
            return GridPosterior(z, log_joint - log_evidence, float(step.prod()), log_evidence, (points,) * d)
        elif (2 * points) ** d > MOST_CELLS:
            break
        else:
            points *= 2
    raise ArithmeticError(f"p(z|x) is too narrow for {points}^{d} points: start with a smaller extent")


@dataclass(frozen=True)
class Decomposition:
    """log p(x) = gap + elbo, all in nats: gap = KL(q(z|x)‖p(z|x)), called K in the book; elbo is its L."""

    log_evidence: float
    gap: float
    elbo: float


@torch.no_grad()
def decompose_evidence(model: VAE, x: Tensor, grid: GridPosterior, points: int = 101) -> Decomposition:
    """K and L of one image: expectations under q(z|x) on a grid of its own, ±7 of its standard deviations.

    K is the expectation of log q(z|x) − log p(z|x), with log p(x) of `grid` as the normaliser of p(z|x); L is that of
    log p(x|z), minus the rate in closed form. Their sum checks the two expectations against each other, not log p(x)
    itself: for that, compare L with samples (`objectives.elbo`), and log p(x) with importance sampling.

    Args:
        model: a VAE with d = 1 or 2.
        x: the image of `grid`, (1, C, H, W) or (C, H, W).
        grid: from `grid_posterior`.
        points: grid points along each axis.

    Raises:
        ValueError: as `grid_posterior`.
    """
    x = _one_image(model, x)
    q = model.posterior(x)
    steps = (torch.arange(points) + 0.5) / points * 14 - 7
    eps = torch.cartesian_prod(*[steps] * model.latent_dim).reshape(-1, model.latent_dim)
    z = q.base_dist.loc + q.base_dist.scale * eps  # (K, d)
    log_q = q.log_prob(z).double()  # (K,)
    log_joint = _log_joint(model, x, z).double()
    weight = (log_q - log_q.logsumexp(0)).exp()  # q(z|x) dz, sums to one
    gap = (weight * (log_q - (log_joint - grid.log_evidence))).sum()
    elbo = (weight * (log_joint - model.prior.log_prob(z))).sum() - kl_divergence(q, model.prior).sum()
    return Decomposition(grid.log_evidence, float(gap), float(elbo))


def _one_image(model: VAE, x: Tensor) -> Tensor:
    if model.family == "bernoulli":
        check_pixels(x)
    if x.shape not in (model.image_shape, (1, *model.image_shape)):
        raise ValueError(f"one image of shape {model.image_shape} at a time, got {tuple(x.shape)}")
    return x.reshape(1, *model.image_shape)


def _log_joint(model: VAE, x: Tensor, z: Tensor) -> Tensor:
    """The unnormalised log p(z|x), log p(z) + log p(x|z), at codes z (K, d), in portions that fit the cache."""
    return model.prior.log_prob(z) + torch.cat([model.likelihood(part).log_prob(x) for part in z.split(4_096)])


def _log_integral(table: Tensor, step: Tensor) -> float:
    return float(table.double().logsumexp(tuple(range(table.ndim)))) + log(float(step.prod()))


def _roughness(table: Tensor) -> Tensor:
    """The largest step between neighbours where the density is high: what a peak between two points may hide."""
    floor, largest = table.max() - NEGLIGIBLE, table.new_zeros(())
    for axis in range(table.ndim):
        left, right = table.narrow(axis, 0, table.shape[axis] - 1), table.narrow(axis, 1, table.shape[axis] - 1)
        largest = torch.maximum(largest, (left - right).abs()[torch.maximum(left, right) > floor].max())
    return largest
