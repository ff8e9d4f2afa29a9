"""What training minimises, per example and in nats; the batch is averaged once, visibly, in `training.fit`.

A loss function takes `(model, x, **settings)` and returns named terms of shape (B,), among them `"loss"`. KL warm-up
needs no function of its own: `fit(…, negative_elbo, settings={"beta": schedules.warm_up(1.0, until=0.3)})`. Objectives that
hold the rate or the distortion at a target stand in `constraints`.
"""

from collections.abc import Callable
from math import log

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits

from vae_tutorial.models import VAE, Autoencoder
from vae_tutorial.networks import BETA_RANGE

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
    """−(β·rate + distortion), (B,) nats: the evidence lower bound at β = 1 (Kingma & Welling 2014, eq. 3).

    Raises:
        ValueError: a negative beta.
    """
    _check_price(beta)
    rate, distortion = rate_distortion(model, x)
    return -(beta * rate + distortion)


def negative_elbo(model: VAE, x: Tensor, beta: float = 1.0, label: Tensor | None = None) -> Terms:
    """Loss terms of a VAE: β·rate + distortion (Higgins et al. 2017, eq. 4), rate and distortion, each (B,) nats.

    Args:
        model: the VAE; one conditioned on `"beta"` is given this β, one conditioned on `"label"` the labels.
        x: images (B, C, H, W).
        beta: weight of the rate.
        label: classes (B,) for a conditional VAE (Sohn et al. 2015); `fit(…, labels=y)` passes them on.

    Raises:
        ValueError: a negative beta, or a model whose β is fixed already.
    """
    _check_price(beta)
    if label is not None:
        model = model.given(label=label)
    elif model.conditioned_on == "beta":
        if model.condition is not None:
            raise ValueError("this model's β is fixed already: pass the model itself, and beta= beside it")
        model = model.given(beta=beta)
    rate, distortion = rate_distortion(model, x)
    return {"loss": beta * rate + distortion, "rate": rate, "distortion": distortion}


def _check_price(beta: float) -> None:
    if not beta >= 0:
        raise ValueError(f"beta is the price of a nat and must not be negative, got {beta}")


def multi_rate(model: VAE, x: Tensor) -> Terms:
    """Loss terms of one network for every β (Bae et al. 2023): β log-uniform in `BETA_RANGE`, drawn anew for each image.

    (β·rate + distortion)/√(1 + β): without the divisor the gradients of large β drown those of small ones (a trial of 60
    epochs ended 1.5 nats worse at β = 1).
    """
    low, high = BETA_RANGE
    beta = low * (high / low) ** torch.rand(len(x), 1, dtype=x.dtype, device=x.device)  # (B, 1)
    rate, distortion = rate_distortion(model.given(beta=beta), x)
    price = beta[:, 0]
    return {"loss": (price * rate + distortion) / (1 + price).sqrt(), "rate": rate, "distortion": distortion}


def free_bits(model: VAE, x: Tensor, floor: float) -> Terms:
    """Loss terms with a rate that is not pushed below `floor` nats per unit (Kingma et al. 2016, free bits).

    The floor holds for a unit's mean over the batch; `"rate"` is the true one.

    Raises:
        ValueError: a negative floor.
    """
    if not floor >= 0:
        raise ValueError(f"the floor is a number of nats and must not be negative, got {floor}")
    q = model.posterior(x)
    distortion = -model.likelihood(q.rsample()).log_prob(x)  # (B,)
    per_unit = kl_divergence(q.base_dist, model.prior.base_dist)  # (B, d)
    charged = per_unit.mean(0).clamp_min(floor).sum()
    return {"loss": distortion + charged, "rate": per_unit.sum(1), "distortion": distortion}


def controlled_capacity(model: VAE, x: Tensor, capacity: float, gamma: float = 1_000.0) -> Terms:
    """Loss terms that hold the batch's mean rate at `capacity` nats: distortion + γ·|rate − C| (Burgess et al. 2018).

    Raises:
        ValueError: a negative capacity or γ.
    """
    if not (capacity >= 0 and gamma >= 0):
        raise ValueError(f"capacity (nats) and gamma must not be negative, got {capacity} and {gamma}")
    rate, distortion = rate_distortion(model, x)
    return {"loss": distortion + gamma * (rate.mean() - capacity).abs(), "rate": rate, "distortion": distortion}


def total_correlation(model: VAE, x: Tensor, images: int, beta: float = 1.0) -> Terms:
    """Loss terms of the β-TCVAE (Chen et al. 2018, eq. 4): the rate in three parts, β on the second.

    rate = mutual information log q(z|x)/q(z) + total correlation log q(z)/∏ q(zⱼ) + dimension-wise KL ∏ q(zⱼ)/p(zⱼ),
    each at one sample. q(z) = 1/N Σ q(z|xₙ) over the N training images is estimated from the batch: an image's own
    posterior has its true weight 1/N, the others of the batch share the rest (unbiased for q(z), not for its logarithm).

    Args:
        model: the VAE.
        x: the batch (B, C, H, W), drawn without replacement, B > 1.
        images: N.
        beta: weight of the total correlation.

    Raises:
        ValueError: a negative beta, a batch of one image, or fewer images than in the batch.
    """
    _check_price(beta)
    if not 1 < len(x) <= images:
        raise ValueError(f"the total correlation wants at least 2 images in a batch, and at most N = {images} of them, got {len(x)}")
    q = model.posterior(x)
    z = q.rsample()  # (B, d)
    distortion = -model.likelihood(z).log_prob(x)
    pairs = Normal(q.mean, q.stddev, validate_args=False).log_prob(z[:, None])  # (B, B, d): log q(zᵢ|xⱼ), unit by unit
    others = (1 - 1 / images) / (len(x) - 1)
    weight = torch.full((len(x), len(x)), others, dtype=z.dtype).fill_diagonal_(1 / images).log().to(z.device)
    log_q_x = q.log_prob(z)  # log q(z|x)
    log_q = (pairs.sum(2) + weight).logsumexp(1)  # log q(z)
    log_product = (pairs + weight[:, :, None]).logsumexp(1).sum(1)  # log ∏ q(zⱼ)
    parts = {
        "mutual_information": log_q_x - log_q,
        "total_correlation": log_q - log_product,
        "dimension_wise_kl": log_product - model.prior.log_prob(z),
    }
    loss = distortion + parts["mutual_information"] + beta * parts["total_correlation"] + parts["dimension_wise_kl"]
    return {"loss": loss, "rate": kl_divergence(q, model.prior), "distortion": distortion, **parts}


def iwae_bound(model: VAE, x: Tensor, k: int) -> Tensor:
    """log 1/k Σ p(x, zᵢ)/q(zᵢ|x) with k samples zᵢ ~ q(z|x), (B,) nats (Burda et al. 2016, eq. 8): the ELBO at k = 1.

    Raises:
        ValueError: k < 1.
    """
    return _log_weights(model, x, k).logsumexp(0) - log(k)


def negative_iwae_bound(model: VAE, x: Tensor, k: int) -> Terms:
    """Loss terms of an importance-weighted autoencoder: minus the bound, and minus the ELBO averaged over the k samples."""
    log_weights = _log_weights(model, x, k)
    return {"loss": log(k) - log_weights.logsumexp(0), "negative_elbo": -log_weights.mean(0)}


def _log_weights(model: VAE, x: Tensor, k: int) -> Tensor:
    """log p(x, z) − log q(z|x) at k samples, (k, B)."""
    if k < 1:
        raise ValueError(f"the importance-weighted bound wants k >= 1 samples, got {k}")
    q = model.posterior(x)
    z = q.rsample((k,))  # (k, B, d)
    return model.likelihood(z).log_prob(x) + model.prior.log_prob(z) - q.log_prob(z)


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


def sparse(model: Autoencoder, x: Tensor, weight: float) -> Terms:
    """Squared error + `weight`·Σ|zⱼ|, both (B,): an L1 penalty on the code (Goodfellow et al. 2016, section 14.2.1).

    Raises:
        ValueError: a negative weight.
    """
    if not weight >= 0:
        raise ValueError(f"weight is the price of a unit of |z| and must not be negative, got {weight}")
    z = model.encode(x)
    error, penalty = (x - model.reconstruct(z)).square().flatten(1).sum(1), z.abs().sum(1)
    return {"loss": error + weight * penalty, "error": error, "penalty": penalty}


def denoising(model: Autoencoder, x: Tensor, corrupt: Callable[[Tensor], Tensor]) -> Terms:
    """Squared error (B,) between the clean x and the reconstruction of its corrupted copy (Vincent et al. 2008).

    `corrupt` is drawn anew at each call: `functools.partial(denoising, corrupt=…)` with one of `corruptions`.
    """
    return {"loss": (x - model(corrupt(x))).square().flatten(1).sum(1)}


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
