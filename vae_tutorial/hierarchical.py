"""Two stochastic layers, z₂ → z₁ → x, with a bottom-up posterior q(z₁|x) q(z₂|z₁): the smallest hierarchical VAE.

    p(x, z₁, z₂) = p(x|z₁) p(z₁|z₂) p(z₂)        q(z₁, z₂|x) = q(z₁|x) q(z₂|z₁)

All four conditionals over codes are diagonal Gaussians from networks (Sønderby et al. 2016 call it a VAE without a ladder).
Seen from outside it is a VAE whose code is the pair z = (z₁, z₂), (…, d₁ + d₂): `posterior`, `prior` and `likelihood` serve
`objectives.iwae_bound` and `evaluation.estimate_evidence` as they are.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal, kl_divergence

from vae_tutorial.devices import fork_random_states
from vae_tutorial.likelihoods import bernoulli
from vae_tutorial.networks import mlp
from vae_tutorial.objectives import Terms

IMAGES = 1_000  # measured at once


class Chain:
    """The distribution of a pair (z₁, z₂), one part drawn first and the other given it.

    `bottom` is d₁, the length of z₁; `downward`: z₂ is drawn first, as the model does, and not z₁, as the posterior does.
    """

    def __init__(self, first: Independent, second: Callable[[Tensor], Independent], bottom: int, downward: bool) -> None:
        self.first, self.second, self.bottom, self.downward = first, second, bottom, downward

    def rsample(self, shape: Sequence[int] = ()) -> Tensor:
        """z = (z₁, z₂), (*shape, …, d₁ + d₂), with gradients."""
        drawn = self.first.rsample(torch.Size(shape))
        given = self.second(drawn).rsample()
        return torch.cat([given, drawn] if self.downward else [drawn, given], -1)

    @torch.no_grad()
    def sample(self, shape: Sequence[int] = ()) -> Tensor:
        """As `rsample`, without gradients."""
        return self.rsample(shape)

    def log_prob(self, z: Tensor) -> Tensor:
        """Of z (…, d₁ + d₂): (…), nats."""
        z1, z2 = z.tensor_split([self.bottom], -1)
        drawn, given = (z2, z1) if self.downward else (z1, z2)
        return self.first.log_prob(drawn) + self.second(drawn).log_prob(given)


class HierarchicalVAE(nn.Module):
    """p(x, z₁, z₂) and q(z₁, z₂|x) with Bernoulli pixels.

    Args:
        latent_dims: d₁ and d₂, the lengths of z₁ (next to the image) and z₂ (on top).
        hidden: widths of the hidden layers between x and z₁; the decoder mirrors them.
        top_hidden: widths of the hidden layers between z₁ and z₂, in either direction.
        activation: see `networks.ACTIVATIONS`.
        image_shape: (C, H, W).

    Raises:
        ValueError: an unknown activation, or a size below one.
    """

    bounded = True  # x must lie in [0, 1]

    def __init__(
        self, latent_dims: Sequence[int] = (32, 16), hidden: Sequence[int] = (200, 200), top_hidden: Sequence[int] = (100,),
        activation: str = "relu", image_shape: Sequence[int] = (1, 28, 28),
    ) -> None:  # fmt: skip
        super().__init__()
        self.latent_dims, self.image_shape = tuple(latent_dims), tuple(image_shape)
        bottom, top = self.latent_dims
        pixels = torch.Size(self.image_shape).numel()
        self.encoder = mlp([pixels, *hidden, 2 * bottom], activation)  # x → q(z₁|x)
        self.top_encoder = mlp([bottom, *top_hidden, 2 * top], activation)  # z₁ → q(z₂|z₁)
        self.top_decoder = mlp([top, *reversed(top_hidden), 2 * bottom], activation)  # z₂ → p(z₁|z₂)
        self.decoder = mlp([bottom, *reversed(hidden), pixels], activation)  # z₁ → p(x|z₁)

    def bottom_posterior(self, x: Tensor) -> Independent:
        """q(z₁|x) over (B, d₁), for x (B, C, H, W)."""
        return _gaussian(self.encoder(x.flatten(-3)))

    def top_posterior(self, z1: Tensor) -> Independent:
        """q(z₂|z₁) over (…, d₂)."""
        return _gaussian(self.top_encoder(z1))

    def bottom_prior(self, z2: Tensor) -> Independent:
        """p(z₁|z₂) over (…, d₁): the prior that z₁ meets is learned."""
        return _gaussian(self.top_decoder(z2))

    @property
    def top_prior(self) -> Independent:
        """p(z₂) = N(0, I) over (d₂,)."""
        zeros = next(self.parameters()).new_zeros(self.latent_dims[1])
        return _gaussian(torch.cat([zeros, zeros]))

    def posterior(self, x: Tensor) -> Chain:
        """q(z₁, z₂|x)."""
        return Chain(self.bottom_posterior(x), self.top_posterior, self.latent_dims[0], downward=False)

    @property
    def prior(self) -> Chain:
        """p(z₁, z₂)."""
        return Chain(self.top_prior, self.bottom_prior, self.latent_dims[0], downward=True)

    def likelihood(self, z: Tensor) -> Independent:
        """p(x|z₁), for z = (z₁, z₂) or z₁ alone (…, at least d₁)."""
        x_logits = self.decoder(z[..., : self.latent_dims[0]])
        return bernoulli(x_logits.unflatten(-1, self.image_shape), len(self.image_shape))


def negative_elbo(model: HierarchicalVAE, x: Tensor, beta: float = 1.0) -> Terms:
    """Loss terms, each (B,) nats: β·rate + distortion, with one z₁ and one z₂, and the rate by layers.

    rate_2 = KL(q(z₂|z₁)‖p(z₂)) in closed form; rate_1 = log q(z₁|x) − log p(z₁|z₂) at the sample, as z₂ depends on z₁.
    """
    q1 = model.bottom_posterior(x)
    z1 = q1.rsample()
    q2 = model.top_posterior(z1)
    z2 = q2.rsample()
    distortion = -model.likelihood(z1).log_prob(x)
    rate_1 = q1.log_prob(z1) - model.bottom_prior(z2).log_prob(z1)
    rate_2 = kl_divergence(q2, model.top_prior)
    rate = rate_1 + rate_2
    return {"loss": beta * rate + distortion, "rate": rate, "distortion": distortion, "rate_1": rate_1, "rate_2": rate_2}


@torch.no_grad()
def top_units(model: HierarchicalVAE, x: Tensor, samples: int, seed: int) -> tuple[Tensor, Tensor]:
    """The units of z₂: their rates and their activities, each (d₂,).

    The rate of a unit is the mean of KL(q(z₂ⱼ|z₁)‖p(z₂ⱼ)), nats. Its activity is the variance over x of E[z₂ⱼ|x] (Burda et
    al. 2016), and that mean over z₁ is known from samples only: the covariance of two halves of them has no bias.

    `samples` is the number of codes z₁ for each image; the global random state is left as it was.

    Raises:
        ValueError: an odd number of samples, or none; fewer than two images.
    """
    if len(x) < 2:
        raise ValueError(f"a covariance over images wants at least 2 of them, got {len(x)}")
    if samples < 2 or samples % 2:
        raise ValueError(f"top_units wants an even number of samples, got {samples}")
    rates, halves = [], []
    with fork_random_states():
        torch.manual_seed(seed)
        for batch in x.split(IMAGES):
            q2 = model.top_posterior(model.bottom_posterior(batch).sample((samples,)))  # over (samples, B, d₂)
            rates.append(kl_divergence(q2.base_dist, model.top_prior.base_dist).mean(0).double())
            halves.append(q2.mean.double().unflatten(0, (2, samples // 2)).mean(1))
    first, second = torch.cat(halves, 1)  # each (N, d₂)
    covariance = ((first - first.mean(0)) * (second - second.mean(0))).sum(0) / (len(x) - 1)
    return torch.cat(rates).mean(0), covariance


def _gaussian(parameters: Tensor) -> Independent:
    """N(mu, diag(sigma²)) from mu and log_var side by side, (…, 2d)."""
    mu, log_var = parameters.chunk(2, dim=-1)
    return Independent(Normal(mu, torch.exp(0.5 * log_var), validate_args=False), 1, validate_args=False)
