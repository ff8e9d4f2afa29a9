"""What training minimises, per example and in nats; the batch is averaged once, visibly, in `training.fit`.

A loss function takes `(model, x, **settings)` and returns named terms of shape (B,), among them `"loss"`.
"""

import torch
from torch import Tensor
from torch.distributions import kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits

from vae_tutorial.models import VAE, Autoencoder

Terms = dict[str, Tensor]


def rate_distortion(model: VAE, x: Tensor) -> tuple[Tensor, Tensor]:
    """The two terms of the ELBO, with one sample z ~ q(z|x).

    Args:
        model: the VAE.
        x: images (B, C, H, W).

    Returns:
        rate = KL(q(z|x)‖p(z)), in closed form, and distortion = −log p(x|z), both (B,) nats.
    """
    q = model.posterior(x)  # q(z|x), a diagonal Gaussian
    z = q.rsample()  # z = mu + sigma * eps
    distortion = -model.likelihood(z).log_prob(x)  # (B,) nats
    rate = kl_divergence(q, model.prior)  # (B,) nats
    return rate, distortion


def elbo(model: VAE, x: Tensor, beta: float = 1.0) -> Tensor:
    """−(β·rate + distortion), (B,) nats: the evidence lower bound at β = 1 (Kingma & Welling 2014, eq. 3)."""
    rate, distortion = rate_distortion(model, x)
    return -(beta * rate + distortion)


def negative_elbo(model: VAE, x: Tensor, beta: float = 1.0) -> Terms:
    """Loss terms of a VAE: β·rate + distortion (Higgins et al. 2017, eq. 4), rate and distortion, each (B,) nats."""
    rate, distortion = rate_distortion(model, x)
    return {"loss": beta * rate + distortion, "rate": rate, "distortion": distortion}


def cross_entropy(model: Autoencoder, x: Tensor) -> Terms:
    """Loss of an autoencoder with a sigmoid output: Bernoulli cross-entropy summed over pixels, (B,) nats.

    Raises:
        ValueError: an autoencoder whose decoder gives pixels instead of logits.
    """
    if model.output != "sigmoid":
        raise ValueError(f"cross-entropy wants logits: build the autoencoder with output='sigmoid', not {model.output!r}")
    x_logits = model.decode(model.encode(x))
    return {"loss": binary_cross_entropy_with_logits(x_logits, x, reduction="none").flatten(1).sum(1)}


def squared_error(model: Autoencoder, x: Tensor) -> Terms:
    """Loss of an autoencoder: ‖x − x̂‖² summed over pixels, (B,)."""
    return {"loss": (x - model(x)).square().flatten(1).sum(1)}


def nested_dropout(model: Autoencoder, x: Tensor) -> Terms:
    """Squared error (B,) from the first k units of the code only, k drawn anew for each image (Rippel et al. 2014).

    The units come out ordered: one network serves every bottleneck width, by setting the units from k on to zero.
    k is uniform on 1 … d for half of the images and log-uniform for the others, because the error bends at small k.
    """
    z = model.encode(x)  # (B, d)
    position = torch.rand(len(z), 1, device=z.device)  # (B, 1)
    kept = 1 + (model.latent_dim * position).floor()  # whole numbers 1 … d
    kept[::2] = ((model.latent_dim + 1) ** position[::2]).floor()
    z = z * (torch.arange(model.latent_dim, device=z.device) < kept)
    return {"loss": (x - model.reconstruct(z)).square().flatten(1).sum(1)}
