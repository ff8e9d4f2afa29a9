"""Turn the code of a VAE with d = 2, z' = R z, and its decoder back: p(x) stays as it is, a diagonal q(z'|x) cannot follow.

The world is two factors, the places of one upright ellipse; the model `sprites-position` was trained on pictures of it.
"""

from collections.abc import Iterator
from math import log, pi

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vae_tutorial import sprites
from vae_tutorial.disentanglement import mig
from vae_tutorial.models import VAE

SIZE = 28  # pixels along a side
SPREAD, FARTHEST = (1.7, 1.5), 2.5  # of the places: pixels, and how many such at most
HALF_WIDTH, STEP = 6.0, 1.0  # of grids, in standard deviations: a sum over a Gaussian is then exact to eight digits
CLASSES, SIDE = 16, 64  # MIG counts 64 x 64 places, in 16 classes along each axis


def pictures(place: Tensor) -> Tensor:
    """Pictures (N, 1, 28, 28) of an ellipse whose places (N, 2) are given by their ranks in [0, 1]²: to the right, and downwards.

    The places themselves are Gaussian around the middle, with a standard deviation of `SPREAD` in each direction. The two differ
    on purpose: were all directions of the code alike, a diagonal q could be turned at no cost. Wider spreads are no use: the
    two largest principal components are then both about the same direction, and a trial's net of codes was bent into a ring.
    """
    shape = torch.tensor([1.0, 1.0, pi / 2]).expand(len(place), 3)  # ellipse, scale 1, upright
    away = torch.special.ndtri(place.double()).clamp(-FARTHEST, FARTHEST).float() * torch.tensor(SPREAD)  # pixels
    return sprites.render(torch.cat([shape, 0.5 + away / (SIZE / 2)], 1), SIZE)  # centres may move over half of the frame


def lattice(side: int) -> Tensor:
    """Ranks (side², 2), evenly spread, those of one row of the picture after each other."""
    steps = (torch.arange(side) + 0.5) / side
    return torch.cartesian_prod(steps, steps).flip(1)


def rotation_matrix(degrees: float) -> Tensor:
    """R, (2, 2): the coordinates z' = R z of a point z along axes that are turned anticlockwise by the angle."""
    angle = torch.tensor(degrees * pi / 180, dtype=torch.float64)
    return torch.stack([torch.stack([angle.cos(), angle.sin()]), torch.stack([-angle.sin(), angle.cos()])]).float()


class Rotated:
    """A VAE with d = 2 whose code is z' = R z: the same p(z') = N(0, I), p(x|z') = p(x|z = Rᵀz'), and a q that is still diagonal.

    It has what `quadrature` and `evaluation` ask of a model.

    Raises:
        ValueError: another latent dimension.
    """

    def __init__(self, model: VAE, degrees: float) -> None:
        if model.latent_dim != 2:
            raise ValueError(f"one angle turns a code of two numbers, not of {model.latent_dim}")
        self.model, self.matrix = model, rotation_matrix(degrees).to(next(model.parameters()).dtype)
        self.latent_dim, self.image_shape, self.family, self.bounded = 2, model.image_shape, model.family, model.bounded
        self.prior = model.prior

    def decode(self, z: Tensor) -> Tensor:
        """z' (…, 2) → the likelihood's parameter, by turning back: z = Rᵀz'."""
        return self.model.decode(z @ self.matrix)

    def likelihood(self, z: Tensor) -> Independent:
        """p(x|z') for z' of shape (…, 2)."""
        return self.model.likelihood(z @ self.matrix)

    def posterior(self, x: Tensor) -> Independent:
        """The diagonal Gaussian nearest to the turned q(z|x): mean R mu, and sigma'ᵢ⁻² the diagonal of R diag(sigma⁻²) Rᵀ.

        Of all diagonal q', it has the least KL(q'‖turned q).
        """
        q = self.model.posterior(x)
        precision = q.stddev.pow(-2) @ self.matrix.square().T  # (B, 2)
        return Independent(Normal(q.mean @ self.matrix.T, precision.pow(-0.5), validate_args=False), 1, validate_args=False)


@torch.no_grad()
def log_evidence(model: Rotated, x: Tensor) -> Tensor:
    """log p(x), (N,) nats, of pictures x (N, C, H, W), each on a grid of its own.

    The grid lies along the axes of z' around q's mean, and covers each to `HALF_WIDTH` standard deviations of the turned q,
    in steps of the narrowest.
    """
    return torch.stack([log_joint.logsumexp(0) + 2 * log(step) for _, log_joint, step in _grids(model, x)])


@torch.no_grad()
def posterior_moments(model: Rotated, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (N, 2) and covariance (N, 2, 2) of the true posterior p(z'|x), on the same grids."""
    means, covariances = [], []
    for z, log_joint, _ in _grids(model, x):
        weight = log_joint.softmax(0)
        means.append(weight @ z.double())
        away = z - means[-1]
        covariances.append((away * weight[:, None]).T @ away)
    return torch.stack(means), torch.stack(covariances)


def _grids(model: Rotated, x: Tensor) -> Iterator[tuple[Tensor, Tensor, float]]:
    """For each picture the grid's points z' (K, 2), log p(x, z') there in float64, and the step."""
    q = model.model.posterior(x)
    centre, narrowest = q.mean @ model.matrix.T, q.stddev.amin(1)
    reach = HALF_WIDTH * (q.stddev.square() @ model.matrix.square().T).sqrt()  # (N, 2): the shadows of the turned q on the axes
    for image, middle, step, half in zip(x, centre, STEP * narrowest, reach, strict=True):
        counts = [int(h / step) + 1 for h in half]
        z = torch.cartesian_prod(*(torch.arange(-n, n + 1) * step + m for n, m in zip(counts, middle, strict=True)))
        yield z, (model.likelihood(z).log_prob(image) + model.prior.log_prob(z)).double(), float(step)


@torch.no_grad()
def diagonal_elbo(model: Rotated, x: Tensor) -> Tensor:
    """The ELBO of the diagonal q', (N,) nats: the distortion on a grid of q', the rate in closed form."""
    q = model.posterior(x)
    steps = torch.arange(-HALF_WIDTH, HALF_WIDTH + STEP / 2, STEP)
    eps = torch.cartesian_prod(steps, steps)  # (K, 2)
    weight = (-eps.double().square().sum(1) / 2).softmax(0)  # (K,), sums to one
    expected = [
        (weight * model.likelihood(mu + sigma * eps).log_prob(image).double()).sum()
        for image, mu, sigma in zip(x, q.mean, q.stddev, strict=True)
    ]
    return torch.stack(expected) - kl_divergence(q, model.prior).double()


@torch.no_grad()
def codes_and_classes(model: VAE) -> tuple[Tensor, np.ndarray]:
    """What MIG counts: posterior means (4096, 2) of a lattice of ranks, and each rank's class along both axes, integers."""
    place = lattice(SIDE)
    return model.posterior(pictures(place)).mean, (place * CLASSES).long().numpy()


def curves(model: VAE, side: int, degrees: list[float]) -> dict[str, list[float]]:
    """log p(x), ELBO (means over a lattice of side² pictures, nats) and MIG at every angle."""
    x, (codes, classes) = pictures(lattice(side)), codes_and_classes(model)
    found: dict[str, list[float]] = {"degrees": degrees, "log_evidence": [], "elbo": [], "mig": []}
    for angle in degrees:
        turned = Rotated(model, angle)
        found["log_evidence"].append(round(float(log_evidence(turned, x).mean()), 5))
        found["elbo"].append(round(float(diagonal_elbo(turned, x).mean()), 5))
        found["mig"].append(round(mig((codes @ turned.matrix.T).numpy(), classes), 4))
    return found
