"""Paths between two codes, and what the codes and the decoded images along them are worth."""

import torch
from torch import Tensor
from torch.distributions import kl_divergence

from vae_tutorial.models import VAE, Autoencoder


def straight(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """The straight path from a to b, (1 − t)·a + t·b.

    Args:
        a: codes (…, d) where the paths start.
        b: codes (…, d) where they end.
        t: (T,), how far along, 0 … 1.

    Returns:
        codes (…, T, d).
    """
    return (1 - t)[:, None] * a[..., None, :] + t[:, None] * b[..., None, :]


def spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """The path that turns from a to b around the origin: the direction at an even pace, the length in a straight line.

    Between codes of one length it is the great circle of Shoemake (1985), which White (2016) proposed for generative models.
    Between (nearly) opposite directions no way round is the shorter one: those stay on the straight line.

    Args:
        a: codes (…, d), none of them 0.
        b: codes (…, d), none of them 0.
        t: (T,), how far along, 0 … 1.

    Returns:
        codes (…, T, d).
    """
    length_a, length_b = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)  # (…, 1)
    from_a, to_b = a / length_a, b / length_b
    angle = (from_a * to_b).sum(-1, keepdim=True).clamp(-1, 1).acos()  # (…, 1)
    sine = angle.sin().clamp_min(1e-6)
    weight_a, weight_b = ((1 - t) * angle).sin() / sine, (t * angle).sin() / sine  # (…, T)
    direction = weight_a[..., None] * from_a[..., None, :] + weight_b[..., None] * to_b[..., None, :]
    length = (1 - t) * length_a + t * length_b
    turned = length[..., None] * direction
    return torch.where((angle.sin() > 1e-6)[..., None], turned, straight(a, b, t))


PATHS = {"straight": straight, "spherical": spherical}


@torch.no_grad()
def codes_of(model: VAE | Autoencoder, x: Tensor) -> Tensor:
    """One code for each image, (N, d): the mean of q(z|x), or the autoencoder's z."""
    code = model.encode(x)
    return code[0] if isinstance(code, tuple) else code


@torch.no_grad()
def pictures_of(model: VAE | Autoencoder, z: Tensor) -> Tensor:
    """The decoded pictures (…, C, H, W) of codes (…, d): the mean of p(x|z), or the autoencoder's pixels."""
    return model.reconstruct(z) if isinstance(model, Autoencoder) else model.likelihood(z).mean


def nearest_distance(z: Tensor, codes: Tensor) -> Tensor:
    """The Euclidean distance from each of z (…, d) to the nearest of the codes (N, d), (…)."""
    return torch.cdist(z.reshape(-1, z.shape[-1]), codes).amin(1).view(z.shape[:-1])


@torch.no_grad()
def judge_pictures(judge: VAE, x: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    """The two terms of the ELBO that a VAE gives to pictures, such as decoded ones, which it encodes again.

    Args:
        judge: the VAE, with a Bernoulli likelihood.
        x: pictures (B, C, H, W) in [0, 1].
        eps: noise (S, d) of the draws from q(z|x), the same for every picture: then their ELBOs differ by what they show only.

    Returns:
        rate and distortion, (B,) nats; the distortion is the mean over the S draws.
    """
    q = judge.posterior(x)
    distortion = torch.zeros(len(x))
    for noise in eps:
        distortion -= judge.likelihood(q.base_dist.loc + q.base_dist.scale * noise).log_prob(x) / len(eps)
    return kl_divergence(q, judge.prior), distortion


def antithetic(draws: int, latent_dim: int, seed: int) -> Tensor:
    """Noise (draws, d) in pairs of opposite sign, whose mean is exactly 0.

    Raises:
        ValueError: an odd number of draws.
    """
    if draws % 2:
        raise ValueError(f"draws come in pairs, and {draws} is odd")
    half = torch.randn(draws // 2, latent_dim, generator=torch.Generator().manual_seed(seed))
    return torch.cat([half, -half])


def ink_entropy(x: Tensor) -> Tensor:
    """The entropy of coins that show ink as often as the pixels are dark, (B,) nats: the least distortion a picture can have."""
    return (torch.special.entr(x) + torch.special.entr(1 - x)).flatten(1).sum(1)
