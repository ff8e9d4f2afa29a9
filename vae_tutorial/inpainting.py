"""Images of which a part is covered: the posterior given the visible pixels on a grid of codes, its modes, and what they complete.

The pixels are independent given z, so that a covered one simply drops out: p(z|visible) ∝ p(z) ∏ p(x_j|z) over visible j.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.distributions import Independent
from torch.nn.functional import softplus

from vae_tutorial.likelihoods import bernoulli, check_pixels
from vae_tutorial.models import VAE

SIDES = ("left", "right", "top", "bottom")
POINTS, EXTENT = 64, 3.0  # of the grid: a browser decodes it in seconds; 98 of 100 codes lie inside, masses come out to some per cent


def visible(side: str, covered: int, shape: tuple[int, int] = (28, 28)) -> Tensor:
    """Which pixels (H, W) are seen where so many rows or columns are covered from one side, bool.

    Raises:
        ValueError: an unknown side, or more rows or columns than there are.
    """
    if side not in SIDES:
        raise ValueError(f"unknown side {side!r}: choose from {SIDES}")
    size = shape[1] if side in ("left", "right") else shape[0]
    if not 0 <= covered <= size:
        raise ValueError(f"from the {side}, 0 … {size} pixels can be covered, not {covered}")
    place = torch.arange(size)
    seen = place >= covered if side in ("left", "top") else place < size - covered
    return (seen[None, :] if side in ("left", "right") else seen[:, None]).expand(shape).clone()


class VisiblePixels:
    """A VAE's prior and p(x_V|z) of the visible pixels alone, x_V as an image (1, 1, V): what `quadrature.grid_posterior` takes.

    Raises:
        ValueError: another family of likelihood.
    """

    def __init__(self, model: VAE, seen: Tensor) -> None:
        if model.family != "bernoulli":
            raise ValueError(f"the likelihood of visible pixels is written for Bernoulli pixels, not for {model.family} ones")
        self.model, self.seen = model, seen
        self.latent_dim, self.prior, self.family = model.latent_dim, model.prior, model.family
        self.image_shape = (1, 1, int(seen.sum()))

    def of(self, x: Tensor) -> Tensor:
        """The visible pixels (1, 1, 1, V) of one image (1, H, W)."""
        return x[..., self.seen].view(1, *self.image_shape)

    def likelihood(self, z: Tensor) -> Independent:
        """p(x_V|z) for codes z (…, d)."""
        return bernoulli(self.model.decode(z)[..., self.seen].unflatten(-2, (1, 1)))


@dataclass(frozen=True)
class Mode:
    """A summit of a gridded posterior: its code (2,), its cell's index, and the mass of all cells that lead uphill to it."""

    z: Tensor
    index: int
    mass: float


class CodeGrid:
    """The decoded pictures of a square grid of codes, for any number of images and covers: one decoding serves them all.

    Cells run as in a picture: row by row from the top, z₂ falling; z₁ grows along a row.

    Args:
        model: a VAE with two latent dimensions and Bernoulli pixels.
        points: cells along each axis.
        extent: half-width of the grid, in standard deviations of p(z).

    Raises:
        ValueError: another model.
    """

    @torch.no_grad()
    def __init__(self, model: VAE, points: int = POINTS, extent: float = EXTENT) -> None:
        if model.latent_dim != 2 or model.family != "bernoulli":
            raise ValueError(f"a grid of codes wants d = 2 and Bernoulli pixels, not d = {model.latent_dim} and {model.family} pixels")
        self.points = points
        middles = extent * ((2 * torch.arange(points) + 1) / points - 1)
        self.z = torch.stack([middles.repeat(points), middles.flip(0).repeat_interleave(points)], 1)  # (K, 2)
        self.logits = torch.cat([model.decode(part) for part in self.z.split(1_024)]).flatten(1)  # (K, D)
        self.log_prior = model.prior.log_prob(self.z).log_softmax(0)  # of the cells, (K,)

    def log_likelihood(self, x: Tensor, pixels: Tensor) -> Tensor:
        """log p(x_j, j among the pixels | z) of images x (N, 1, H, W) at every code, (N, K) nats; pixels bool (H, W)."""
        check_pixels(x)
        chosen = self.logits[:, pixels.flatten()]
        return x.flatten(1)[:, pixels.flatten()] @ chosen.T - softplus(chosen).sum(1)

    def log_posterior(self, x: Tensor, seen: Tensor) -> Tensor:
        """The log-mass of every cell under p(z|visible pixels), (N, K)."""
        return (self.log_likelihood(x, seen) + self.log_prior).log_softmax(1)

    def modes(self, log_posterior: Tensor, least: float = 0.02) -> list[Mode]:
        """The summits of one posterior (K,), the heaviest first; those that hold less than `least` of the mass are left out.

        Every cell climbs to the highest of its eight neighbours until none is higher.
        """
        table = log_posterior.view(1, 1, self.points, self.points).double()
        _, uphill = torch.nn.functional.max_pool2d(table, 3, stride=1, padding=1, return_indices=True)
        top = uphill.flatten()
        while not torch.equal(top, top[top]):
            top = top[top]
        mass = torch.zeros(len(top), dtype=torch.float64).index_add_(0, top, log_posterior.double().exp())
        heavy = (mass >= least).nonzero().flatten().tolist()
        return [Mode(self.z[index], index, float(mass[index])) for index in sorted(heavy, key=lambda index: -mass[index])]

    def complete(self, x: Tensor, seen: Tensor, index: int | Tensor) -> Tensor:
        """One image (1, H, W) with its covered pixels replaced by the mean of p(x|z) at the cells' codes, (…, 1, H, W)."""
        pictures = torch.sigmoid(self.logits[index]).unflatten(-1, x.shape)
        return torch.where(seen, x, pictures)


def hidden_nats(grid: CodeGrid, x: Tensor, seen: Tensor, log_weight: Tensor) -> Tensor:
    """−log of the probability of the covered pixels when z is drawn by `log_weight` (N, K), log-masses: (N,) nats."""
    return -(log_weight + grid.log_likelihood(x, ~seen)).logsumexp(1)
