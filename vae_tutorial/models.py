"""The autoencoder and the VAE, each a pair of MLPs around a code z of d numbers."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from vae_tutorial.likelihoods import bernoulli, gaussian
from vae_tutorial.networks import mlp


class Autoencoder(nn.Module):
    """x → z → x̂: both networks deterministic, the code wherever training puts it.

    Args:
        latent_dim: d, the length of z.
        hidden: widths of the encoder's hidden layers; the decoder mirrors them.
        activation: see `networks.ACTIVATIONS`.
        output: `"sigmoid"` (pixels from logits) or `"none"` (the decoder's numbers are the pixels, as PCA's are).
        image_shape: (C, H, W).

    Raises:
        ValueError: an unknown output.
    """

    def __init__(
        self,
        latent_dim: int,
        hidden: Sequence[int] = (400,),
        activation: str = "relu",
        output: str = "sigmoid",
        image_shape: Sequence[int] = (1, 28, 28),
    ) -> None:
        super().__init__()
        if output not in ("sigmoid", "none"):
            raise ValueError(f"unknown output {output!r}: choose 'sigmoid' or 'none'")
        self.configuration = {
            "latent_dim": latent_dim, "hidden": list(hidden), "activation": activation,
            "output": output, "image_shape": list(image_shape),
        }  # fmt: skip
        self.latent_dim, self.image_shape, self.output = latent_dim, tuple(image_shape), output
        self.encoder = mlp([prod(image_shape), *hidden, latent_dim], activation)
        self.decoder = mlp([latent_dim, *reversed(hidden), prod(image_shape)], activation)

    def encode(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) → z (B, d)."""
        return self.encoder(x.flatten(-3))

    def decode(self, z: Tensor) -> Tensor:
        """z (…, d) → (…, C, H, W): x_logits if the output is a sigmoid, else the pixels."""
        return self.decoder(z).unflatten(-1, self.image_shape)

    def reconstruct(self, z: Tensor) -> Tensor:
        """z (…, d) → pixels (…, C, H, W)."""
        decoded = self.decode(z)
        return torch.sigmoid(decoded) if self.output == "sigmoid" else decoded

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction x̂, of x's shape."""
        return self.reconstruct(self.encode(x))


class VAE(nn.Module):
    """The variational autoencoder (Kingma & Welling 2014; Rezende et al. 2014).

    Args:
        latent_dim: d, the length of z.
        hidden: widths of the encoder's hidden layers; the decoder mirrors them.
        activation: see `networks.ACTIVATIONS`.
        likelihood: `"bernoulli"` or `"gaussian"`.
        sigma: standard deviation of a Gaussian likelihood's pixels.
        image_shape: (C, H, W).

    Raises:
        ValueError: an unknown likelihood, or a sigma that is not positive.
    """

    def __init__(
        self,
        latent_dim: int,
        hidden: Sequence[int] = (400,),
        activation: str = "relu",
        likelihood: str = "bernoulli",
        sigma: float = 1.0,
        image_shape: Sequence[int] = (1, 28, 28),
    ) -> None:
        super().__init__()
        if likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(f"unknown likelihood {likelihood!r}: choose 'bernoulli' or 'gaussian'")
        if not sigma > 0:
            raise ValueError(f"sigma is a standard deviation and must be positive, got {sigma}")
        self.configuration = {
            "latent_dim": latent_dim, "hidden": list(hidden), "activation": activation,
            "likelihood": likelihood, "sigma": sigma, "image_shape": list(image_shape),
        }  # fmt: skip
        self.latent_dim, self.image_shape = latent_dim, tuple(image_shape)
        self.family, self.sigma = likelihood, sigma
        self.encoder = mlp([prod(image_shape), *hidden, 2 * latent_dim], activation)  # → mu and log_var
        self.decoder = mlp([latent_dim, *reversed(hidden), prod(image_shape)], activation)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, C, H, W) → mu and log_var, each (B, d)."""
        mu, log_var = self.encoder(x.flatten(-3)).chunk(2, dim=-1)
        return mu, log_var

    def posterior(self, x: Tensor) -> Independent:
        """q(z|x) = N(mu, diag(sigma²)), the approximate posterior, over (B, d)."""
        mu, log_var = self.encode(x)
        sigma = torch.exp(0.5 * log_var)  # a standard deviation: half the log-variance
        return Independent(Normal(mu, sigma, validate_args=False), 1, validate_args=False)

    @property
    def prior(self) -> Independent:
        """p(z) = N(0, I) over (d,)."""
        zeros = next(self.parameters()).new_zeros(self.latent_dim)
        return Independent(Normal(zeros, torch.ones_like(zeros), validate_args=False), 1, validate_args=False)

    def decode(self, z: Tensor) -> Tensor:
        """z (…, d) → the likelihood's parameter (…, C, H, W): logits (Bernoulli) or means (Gaussian)."""
        return self.decoder(z).unflatten(-1, self.image_shape)

    def likelihood(self, z: Tensor) -> Independent:
        """p(x|z) for z of shape (…, d); its mean is what pictures show."""
        parameter = self.decode(z)
        if self.family == "bernoulli":
            return bernoulli(parameter, len(self.image_shape))
        return gaussian(parameter, self.sigma, len(self.image_shape))
