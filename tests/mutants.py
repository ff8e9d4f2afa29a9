"""Six broken VAEs, in the forms in which they are met: each runs, and most of them train without complaint.

A mutant names the checks of `vae_checks` that must turn red.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence
from vae_checks import LIBRARY, Implementation

from vae_tutorial.data import Images, load_images
from vae_tutorial.models import VAE
from vae_tutorial.objectives import Terms, negative_elbo
from vae_tutorial.training import History, fit


@dataclass(frozen=True)
class Mutant:
    """A broken implementation, and the checks that must notice."""

    made: Implementation
    noticed_by: tuple[str, ...]


def terms_of(model: VAE, x: Tensor, z: Tensor, rate: Tensor, beta: float) -> Terms:
    distortion = -model.likelihood(z).log_prob(x)
    return {"loss": beta * rate + distortion, "rate": rate, "distortion": distortion}


def sigma_is_exp_log_var(model: VAE, x: Tensor, beta: float = 1.0) -> Terms:
    """σ = exp(log_var), a variance taken for a standard deviation, beside the usual log-variance KL."""
    mu, log_var = model.encode(x)
    z = mu + log_var.exp() * torch.randn_like(mu)
    return terms_of(model, x, z, -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(-1), beta)


def frozen_eps(model: VAE, x: Tensor, beta: float = 1.0) -> Terms:
    """ε drawn once, from a generator that starts anew at every step."""
    q = model.posterior(x)
    eps = torch.randn(q.mean.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    return terms_of(model, x, q.mean + q.stddev * eps, kl_divergence(q, model.prior), beta)


def eps_shared_by_the_batch(model: VAE, x: Tensor, beta: float = 1.0) -> Terms:
    """One ε for all images of a batch."""
    q = model.posterior(x)
    return terms_of(model, x, q.mean + q.stddev * torch.randn(model.latent_dim, dtype=x.dtype), kl_divergence(q, model.prior), beta)


def kl_averaged_over_latents(model: VAE, x: Tensor, beta: float = 1.0) -> Terms:
    """The KL averaged over latents beside a likelihood summed over pixels: the β trained is β/d."""
    q = model.posterior(x)
    return terms_of(model, x, q.rsample(), kl_divergence(q, model.prior) / model.latent_dim, beta)


def likelihood_averaged_over_pixels(model: VAE, x: Tensor, beta: float = 1.0) -> Terms:
    """The likelihood averaged over pixels beside a summed KL: the β trained is β·D."""
    terms = negative_elbo(model, x, beta)
    distortion = terms["distortion"] / x[0].numel()
    return {"loss": beta * terms["rate"] + distortion, "rate": terms["rate"], "distortion": distortion}


def beta_unused(model: VAE, x: Tensor, beta: float = 1.0) -> Terms:
    """β is accepted and forgotten."""
    return negative_elbo(model, x)


def fit_without_settings(model: VAE, x: Tensor, objective: Callable[..., Terms], settings: Any = None, **options: Any) -> History:
    """β is given to the training, which does not hand it on."""
    return fit(model, x, objective, **options)


def images_normalised(*arguments: Any, **options: Any) -> Images:
    """The mean-and-deviation habit of classifier tutorials."""
    images = load_images(*arguments, **options)
    return Images((images.x - 0.1307) / 0.3081, images.y, images.source)


def images_in_8_bits(*arguments: Any, **options: Any) -> Images:
    """Nobody divided by 255."""
    images = load_images(*arguments, **options)
    return Images(255 * images.x, images.y, images.source)


def fit_without_looking(model: VAE, x: Tensor, objective: Callable[..., Terms], *, epochs: int, batch_size: int, **_: Any) -> History:
    """The textbook loop: any numbers will do."""
    optimizer = torch.optim.Adam(model.parameters())
    for _epoch in range(epochs):
        for batch in x.split(batch_size):
            optimizer.zero_grad()
            objective(model, batch)["loss"].mean().backward()
            optimizer.step()
    return History()


def noise_off_in_training(model: VAE, x: Tensor, beta: float = 1.0) -> Terms:
    """z = μ: an autoencoder with a penalty."""
    q = model.posterior(x)
    return terms_of(model, x, q.mean, kl_divergence(q, model.prior), beta)


def noise_off_in_evaluation(model: VAE, x: Tensor, beta: float = 1.0) -> Terms:
    """`.eval()` swaps the sample for the mean, and the reported ELBO is too good."""
    return negative_elbo(model, x, beta) if model.training else noise_off_in_training(model, x, beta)


class NoiseOnInPictures(VAE):
    """`encode` gives a sample where maps and pictures expect the mean."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mu, log_var = super().encode(x)
        return mu + torch.exp(0.5 * log_var) * torch.randn_like(mu), log_var


class LogSigmaHead(VAE):
    """No mutant: σ = exp(head) *consistently*, so that the head is log σ and the model as valid as ever."""

    def posterior(self, x: Tensor) -> Independent:
        mu, log_sigma = self.encode(x)
        return Independent(Normal(mu, log_sigma.exp(), validate_args=False), 1, validate_args=False)


def with_loss(loss: Callable[..., Terms], *noticed_by: str) -> Mutant:
    return Mutant(replace(LIBRARY, negative_elbo=loss), noticed_by)


VALID_VARIANT = replace(LIBRARY, vae=LogSigmaHead)

MUTANTS: dict[str, Mutant] = {
    "sigma = exp(log_var)": with_loss(
        sigma_is_exp_log_var,
        "check_rate_is_the_divergence_of_what_is_decoded",
        "check_elbo_bounds_the_evidence",
        "check_elbo_is_the_hand_computed_one",
    ),
    "frozen eps": with_loss(frozen_eps, "check_noise_is_fresh"),
    "frozen eps, shared by the batch": with_loss(eps_shared_by_the_batch, "check_noise_is_fresh", "check_elbo_is_the_hand_computed_one"),
    "mean/sum mix: KL averaged over latents": with_loss(
        kl_averaged_over_latents, "check_rate_is_summed_over_latents", "check_elbo_bounds_the_evidence"
    ),
    "mean/sum mix: likelihood averaged over pixels": with_loss(likelihood_averaged_over_pixels, "check_distortion_is_summed_over_pixels"),
    "beta unused by the loss": with_loss(beta_unused, "check_beta_weighs_the_rate", "check_fit_uses_beta"),
    "beta unused by the training": Mutant(replace(LIBRARY, fit=fit_without_settings), ("check_fit_uses_beta",)),
    "wrong input range: normalised": Mutant(replace(LIBRARY, load_images=images_normalised), ("check_images_lie_in_the_unit_interval",)),
    "wrong input range: 8 bits": Mutant(replace(LIBRARY, load_images=images_in_8_bits), ("check_images_lie_in_the_unit_interval",)),
    "wrong input range, nobody looks": Mutant(replace(LIBRARY, fit=fit_without_looking), ("check_wrong_range_is_refused",)),
    "noise off in training": with_loss(
        noise_off_in_training, "check_noise_is_fresh", "check_elbo_is_the_hand_computed_one", "check_elbo_bounds_the_evidence"
    ),
    "noise off in evaluation": with_loss(noise_off_in_evaluation, "check_evaluation_keeps_the_noise"),
    "noise left on in pictures": Mutant(replace(LIBRARY, vae=NoiseOnInPictures), ("check_pictures_have_no_noise",)),
}
