"""Marginal inference over x: what a clean black-and-white image looks like, given a noisy copy y of it and a VAE.

The model is z ~ p(z), b ~ p(b|z) (Bernoulli pixels, 0 or 1), y ~ p(y|b) (a corruption of each pixel on its own). The unknown
b is summed out pixel by pixel, so y has a likelihood p(y|z) of its own, and `Observed` is a model of y like any other:

    seen = Observed(vae, GaussianNoise(0.5))
    grid = grid_posterior(seen, y)          # p(z|y), d <= 2
    clean = posterior_mean(seen, y, grid)   # E[b|y]

For more dimensions, `infer` fits Gaussians to p(z|y) by gradients and corrects them by importance sampling.
"""

from dataclasses import dataclass
from math import log, pi

import torch
from torch import Tensor
from torch.distributions import Independent, Normal
from torch.nn.functional import softplus

from vae_tutorial.corruptions import Corruption, GaussianNoise, MaskPixels, SaltAndPepper
from vae_tutorial.local_inference import fit_gaussians, gaussian_elbo
from vae_tutorial.models import VAE
from vae_tutorial.quadrature import GridPosterior


def pixel_evidence(noise: Corruption, y: Tensor) -> tuple[Tensor, Tensor]:
    """log p(y|b = 0) and log p(y|b = 1) of every pixel, nats, each of y's shape; −∞ where the noise cannot do that.

    Raises:
        ValueError: a corruption whose pixels are not damaged independently, or of level zero under Gaussian noise.
    """
    if isinstance(noise, GaussianNoise) and noise.sigma > 0:
        normaliser = log(noise.sigma) + 0.5 * log(2 * pi)
        black, white = (-0.5 * ((y - value) / noise.sigma).square() - normaliser for value in (0, 1))
        return black, white
    if isinstance(noise, SaltAndPepper):
        flipped, kept = (torch.full_like(y, chance).log() for chance in (noise.probability / 2, 1 - noise.probability / 2))
        return torch.where(y > 0.5, flipped, kept), torch.where(y > 0.5, kept, flipped)
    if isinstance(noise, MaskPixels):
        masked, kept = (torch.full_like(y, chance).log() for chance in (noise.probability, 1 - noise.probability))
        return torch.where(y > 0.5, -torch.inf, 0.0), torch.where(y > 0.5, kept, masked)
    raise ValueError(f"{noise}: only noise that damages pixels independently, with a level above 0, can be summed out pixel by pixel")


class NoisyPixels:
    """p(y|z) = Π_j [(1 − π_j) p(y_j|0) + π_j p(y_j|1)], with π the Bernoulli likelihood's probabilities at z.

    Args:
        x_logits: of π, (…, C, H, W).
        noise: the corruption.
    """

    def __init__(self, x_logits: Tensor, noise: Corruption) -> None:
        self.x_logits, self.noise = x_logits, noise

    def log_prob(self, y: Tensor) -> Tensor:
        """log p(y|z), nats, (…), for y (…, C, H, W) that broadcasts."""
        black, white = pixel_evidence(self.noise, y)
        against = torch.where(black >= white, self.x_logits, -self.x_logits)  # of the colour that y speaks against
        likelier, odds = torch.maximum(black, white), -(white - black).abs()  # odds may be −∞
        return (likelier - softplus(against) + softplus(against + odds)).flatten(-3).sum(-1)

    def clean(self, y: Tensor) -> Tensor:
        """E[b|z, y], (…, C, H, W): π once the pixel itself has been seen as well."""
        black, white = pixel_evidence(self.noise, y)
        return torch.sigmoid(self.x_logits + white - black)


class Observed:
    """A VAE seen through noise: the same prior and codes, but its likelihood is that of y.

    Args:
        vae: a model with Bernoulli pixels.
        noise: what damages each of its pixels.

    Raises:
        ValueError: another family of likelihood.
    """

    family = "observed"

    def __init__(self, vae: VAE, noise: Corruption) -> None:
        if vae.family != "bernoulli":
            raise ValueError(f"the sum over black and white wants Bernoulli pixels, not a {vae.family} likelihood")
        self.vae, self.noise = vae, noise
        self.latent_dim, self.image_shape, self.prior = vae.latent_dim, vae.image_shape, vae.prior

    def likelihood(self, z: Tensor) -> NoisyPixels:
        """p(y|z) for z of shape (…, d)."""
        return NoisyPixels(self.vae.decode(z), self.noise)


@torch.no_grad()
def posterior_mean(model: Observed, y: Tensor, grid: GridPosterior) -> Tensor:
    """E[b|y] = ∫ E[b|z, y] p(z|y) dz on a grid, (C, H, W): the image with the least expected squared error.

    Args:
        model: the VAE behind its noise.
        y: the noisy image of `grid`, (1, C, H, W) or (C, H, W).
        grid: `quadrature.grid_posterior(model, y)`.
    """
    y = y.reshape(1, *model.image_shape)
    weight = grid.log_density.double().softmax(0).float()  # (K,)
    heavy = weight > 1e-9
    parts = zip(grid.z[heavy].split(4_096), weight[heavy].split(4_096), strict=True)
    return sum(torch.einsum("k,kchw->chw", w, model.likelihood(z).clean(y)) for z, w in parts)


@dataclass(frozen=True)
class Inferred:
    """What `infer` finds, for every image.

    Attributes:
        clean: E[b|y], (N, C, H, W).
        log_evidence: log p(y), (N,) nats, by importance sampling; on average never above log p(y).
        effective_samples: of the importance weights, (N,), between 1 and the number of samples.
        z: codes drawn from p(z|y), (N, draws, d), as far as the samples reach.
    """

    clean: Tensor
    log_evidence: Tensor
    effective_samples: Tensor
    z: Tensor


def infer(model: Observed, y: Tensor, start: Tensor, *, seed: int, steps: int = 100, samples: int = 200, draws: int = 8) -> Inferred:
    """p(z|y) and E[b|y] in any dimension: Gaussians fitted by gradients from several starts, then importance sampling.

    Each fit maximises E_q[log p(y|z)] − KL(q‖p), the ELBO of y, and ends in one mode of p(z|y). Codes are drawn from a mixture
    of all fits and weighted by p(y, z) over the mixture's density, which corrects what Gaussians cannot say. A mode that no
    start leads to is missed, and nothing says so: `effective_samples` only tells how well the found ones are covered.

    Args:
        model: the VAE behind its noise; its weights should need no gradients.
        y: noisy images (N, C, H, W).
        start: where the means begin, (S, N, d).
        seed: of all draws; the global random state is left as it was.
        steps: of Adam.
        samples: importance samples for each image.
        draws: codes to return for each image.

    Raises:
        ValueError: a start of another shape.
    """
    if start.shape[1:] != (len(y), model.latent_dim):
        raise ValueError(f"start must have shape (S, {len(y)}, {model.latent_dim}), got {tuple(start.shape)}")
    generator = torch.Generator().manual_seed(seed)

    def draw(samples: int = 1) -> Tensor:
        return torch.randn(samples, *start.shape, generator=generator)

    mu, sigma = fit_gaussians(model, y, start, torch.full_like(start, -1.5), draw, steps=steps, lr=0.1)
    with torch.no_grad():
        bound = gaussian_elbo(model, y, mu, sigma.log(), draw(8)).mean(0)  # (S, N)
        share = 0.5 / len(start) + 0.5 * bound.softmax(0)  # of the mixture: better fits get more, none gets nothing
        sigma = 1.2 * sigma  # a little wider than the fits, so that no weight is huge
        parts = zip(y, mu.unbind(1), sigma.unbind(1), share.unbind(1), strict=True)
        found = [_importance(model, image, *mixture, samples, draws, generator) for image, *mixture in parts]
    return Inferred(*(torch.stack(part) for part in zip(*found, strict=True)))


def _importance(
    model: Observed, y: Tensor, mu: Tensor, sigma: Tensor, share: Tensor, samples: int, draws: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Self-normalised importance sampling for one image y from the mixture Σ share · N(mu, diag(sigma²)), mu (S, d)."""
    part = torch.multinomial(share, samples, replacement=True, generator=generator)
    z = mu[part] + sigma[part] * torch.randn(samples, mu.shape[1], generator=generator)  # (samples, d)
    log_parts = Independent(Normal(mu, sigma), 1).log_prob(z[:, None])  # (samples, S)
    p_y = model.likelihood(z)
    log_weight = (p_y.log_prob(y) + model.prior.log_prob(z) - (log_parts + share.log()).logsumexp(1)).double()
    weight = log_weight.softmax(0)
    chosen = torch.multinomial(weight, draws, replacement=True, generator=generator)
    clean = torch.einsum("k,kchw->chw", weight.float(), p_y.clean(y))
    return clean, log_weight.logsumexp(0) - log(samples), 1 / weight.square().sum(), z[chosen]
