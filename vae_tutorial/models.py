"""The autoencoder and the VAE, each a pair of networks around a code z of d numbers."""

from collections.abc import Sequence
from copy import copy
from math import prod

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal
from torch.nn.functional import one_hot

from vae_tutorial.likelihoods import bernoulli, gaussian
from vae_tutorial.networks import BETA_RANGE, conv_decoder, conv_encoder, gated_mlp, mlp


def checked_shape(image_shape: Sequence[int]) -> tuple[int, ...]:
    """An image's shape (C, H, W) as a tuple.

    Raises:
        ValueError: another number of sizes; (28, 28) would hold every image against every code.
    """
    if len(image_shape) != 3:
        raise ValueError(f"image_shape is (C, H, W), such as (1, 28, 28), not {tuple(image_shape)}")
    return tuple(image_shape)


class Autoencoder(nn.Module):
    """x → z → x̂: both networks deterministic, the code wherever training puts it.

    Args:
        latent_dim: d, the length of z.
        hidden: widths of the encoder's hidden layers; the decoder mirrors them.
        activation: see `networks.ACTIVATIONS`.
        output: `"sigmoid"` (pixels from logits) or `"none"` (the decoder's numbers are the pixels, as PCA's are).
        image_shape: (C, H, W).

    Raises:
        ValueError: an unknown output or activation, a size below one, or an image_shape that is not (C, H, W).
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
        self.latent_dim, self.image_shape, self.output = latent_dim, checked_shape(image_shape), output
        self.encoder = mlp([prod(image_shape), *hidden, latent_dim], activation)
        self.decoder = mlp([latent_dim, *reversed(hidden), prod(image_shape)], activation)

    @property
    def bounded(self) -> bool:
        """Whether x must lie in [0, 1]."""
        return self.output == "sigmoid"

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
        hidden: widths of the encoder's hidden dense layers; the decoder mirrors them.
        activation: see `networks.ACTIVATIONS`.
        likelihood: `"bernoulli"` or `"gaussian"`.
        sigma: standard deviation of a Gaussian likelihood's pixels, or `"learned"`: one for all, trained with the weights.
        image_shape: (C, H, W).
        channels: of convolutions below the encoder's dense layers, mirrored in the decoder; none by default.
        conditioned_on: `"beta"`, a network for every β (Bae et al. 2023), or `"label"`, a conditional VAE (Sohn et al.
            2015); such a model is used through `given`.
        labels: number of classes of a conditional VAE.

    Raises:
        ValueError: an unknown likelihood, activation or condition, a size below one, an image_shape that is not (C, H, W), a
            sigma that is not positive, or convolutions with a condition.
    """

    def __init__(
        self,
        latent_dim: int,
        hidden: Sequence[int] = (400,),
        activation: str = "relu",
        likelihood: str = "bernoulli",
        sigma: float | str = 1.0,
        image_shape: Sequence[int] = (1, 28, 28),
        channels: Sequence[int] = (),
        conditioned_on: str | None = None,
        labels: int = 10,
    ) -> None:
        super().__init__()
        if likelihood not in ("bernoulli", "gaussian"):
            raise ValueError(f"unknown likelihood {likelihood!r}: choose 'bernoulli' or 'gaussian'")
        if sigma != "learned" and not (isinstance(sigma, int | float) and sigma > 0):
            raise ValueError(f"sigma is a standard deviation and must be positive, or 'learned', got {sigma!r}")
        if conditioned_on not in (None, "beta", "label"):
            raise ValueError(f"unknown condition {conditioned_on!r}: choose 'beta' or 'label', or leave it out")
        if channels and conditioned_on:
            raise ValueError("only dense networks take a condition: leave out channels or conditioned_on")
        self.configuration = {
            "latent_dim": latent_dim, "hidden": list(hidden), "activation": activation, "likelihood": likelihood, "sigma": sigma,
            "image_shape": list(image_shape), "channels": list(channels), "conditioned_on": conditioned_on, "labels": labels,
        }  # fmt: skip
        self.latent_dim, self.image_shape = latent_dim, checked_shape(image_shape)
        self.family, self.conditioned_on, self.labels = likelihood, conditioned_on, labels
        self.log_sigma = nn.Parameter(torch.zeros(())) if sigma == "learned" else None
        self.fixed_sigma = sigma
        extra, pixels = labels if conditioned_on == "label" else 0, prod(image_shape)
        down, up = [*hidden, 2 * latent_dim], [latent_dim + extra, *reversed(hidden)]  # the encoder ends in mu and log_var
        if channels:
            self.encoder = conv_encoder(image_shape, channels, down, activation)
            self.decoder = conv_decoder(image_shape, channels[::-1], up, activation)
        else:
            dense = gated_mlp if conditioned_on == "beta" else mlp
            self.encoder = dense([pixels + extra, *down], activation)
            self.decoder = dense([*up, pixels], activation)
        self.condition: Tensor | None = None  # log β (…, 1) or a one-hot label (…, labels)

    @property
    def bounded(self) -> bool:
        """Whether x must lie in [0, 1]."""
        return self.family == "bernoulli"

    @property
    def sigma(self) -> float | Tensor:
        """Standard deviation of a Gaussian likelihood's pixels."""
        return self.fixed_sigma if self.log_sigma is None else self.log_sigma.exp()

    def given(self, *, beta: float | Tensor | None = None, label: int | Tensor | None = None) -> "VAE":
        """The same model, its weights shared, with the condition fixed.

        Args:
            beta: in `networks.BETA_RANGE`, one for all or (B, 1), for a model conditioned on `"beta"`.
            label: a class, one for all or (B,), for a model conditioned on `"label"`.

        Raises:
            ValueError: not exactly the condition that the model was built for, or a value outside its range.
        """
        named = {name for name, value in (("beta", beta), ("label", label)) if value is not None}
        if named != {self.conditioned_on}:
            raise ValueError(f"this model is conditioned on {self.conditioned_on or 'nothing'}, but given {sorted(named) or 'nothing'}")
        view = copy(self)  # shares parameters
        like = next(self.parameters())
        if beta is not None:
            beta = torch.as_tensor(beta, dtype=like.dtype, device=like.device)
            low, high = BETA_RANGE
            if not ((beta >= low * (1 - 1e-6)) & (beta <= high * (1 + 1e-6))).all():
                raise ValueError(f"networks gated by beta know it from {low} to {high:g}")
            view.condition = beta.log().reshape(-1, 1) if beta.ndim else beta.log().reshape(1)
        else:
            label = torch.as_tensor(label, device=like.device)
            if label.is_floating_point() or label.ndim > 1:
                raise ValueError(f"labels are classes, one for all images or one for each (B,), got {label.dtype} {tuple(label.shape)}")
            if not ((label >= 0) & (label < self.labels)).all():
                raise ValueError(f"labels run from 0 to {self.labels - 1}")
            view.condition = one_hot(label.long(), self.labels).to(like.dtype)
        return view

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """x (B, C, H, W) → mu and log_var, each (B, d)."""
        mu, log_var = self._through(self.encoder, x.flatten(-3)).chunk(2, dim=-1)
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
        return self._through(self.decoder, z).unflatten(-1, self.image_shape)

    def likelihood(self, z: Tensor) -> Independent:
        """p(x|z) for z of shape (…, d); its mean is what pictures show."""
        parameter = self.decode(z)
        if self.family == "bernoulli":
            return bernoulli(parameter, len(self.image_shape))
        return gaussian(parameter, self.sigma, len(self.image_shape))

    def _through(self, network: nn.Module, flat: Tensor) -> Tensor:
        """A network's output (…, m) for input (…, n) under the condition, in the input's precision (autocast lowers it)."""
        if self.conditioned_on is not None and self.condition is None:
            raise ValueError(f"this model is conditioned on {self.conditioned_on}: call model.given({self.conditioned_on}=…) first")
        if self.conditioned_on == "beta":
            out = network(flat, self.condition)
        elif self.conditioned_on == "label":
            out = network(torch.cat([flat, self.condition.expand(*flat.shape[:-1], self.labels)], dim=-1))
        else:
            out = network(flat)
        return out.to(flat.dtype)
