"""Measures of a trained VAE: its evidence log p(x), the units it uses, and the codes it leaves the prior with.

Sums over images and over codes run in float64. `x` is a tensor (N, C, H, W) or anything with a length that gives such
batches for `x[indices]`.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from math import log
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from tqdm.auto import tqdm

from vae_tutorial.devices import fork_random_states
from vae_tutorial.likelihoods import check_pixels
from vae_tutorial.networks import products_in, resolve_precision

IMAGES = 1_000  # encoded at once
ROWS = 250  # codes held against all posteriors at once


@dataclass(frozen=True)
class Evidence:
    """Estimates of log p(x) by importance sampling, with what tells how far they can be trusted.

    Attributes:
        log_evidence: log 1/k Σ w, (N,) nats, where w = p(x|z) p(z) / q(z|x); on average never above log p(x).
        effective_samples: (Σ w)² / Σ w², (N,), between 1 and k (Kong 1992); near 1, one code outweighs all the others.
        k: codes for each image.
    """

    log_evidence: Tensor
    effective_samples: Tensor
    k: int

    @property
    def standard_error(self) -> Tensor:
        """Of log_evidence, (N,) nats, to first order; too small where few samples are effective, NaN for k = 1."""
        return ((self.k / self.effective_samples - 1).clamp_min(0) / (self.k - 1)).sqrt()


@torch.no_grad()
def estimate_evidence(
    model: Any,
    x: Any,
    k: int,
    seed: int,
    decodings: int = 250,
    progress: bool = True,
    precision: str = "float32",
    widened: float = 1.0,
    proposal: Independent | None = None,
) -> Evidence:
    """log p(x) by importance sampling from q(z|x) with k codes (Burda et al. 2016, eq. 8).

    An image's noise depends on the seed and on its place in x alone: the first images of a set get the same estimates as
    on their own, and `decodings` changes rounding only. With a Bernoulli likelihood, binarise x first: on grey pixels
    log p(x|z) is the expectation over binarised copies b of x, and what is estimated a lower bound on that of log p(b).

    Args:
        model: with `posterior`, `prior` and `likelihood`; a conditional one with one condition for all (`model.given`).
        x: images (N, C, H, W), as described above.
        k: codes for each image; 5,000 is the field's habit.
        seed: of the codes; the global random state is left as it was.
        decodings: codes decoded at once, which bounds the memory.
        progress: show a bar.
        precision: of the decoder's products, see `networks.resolve_precision`; all sums stay as they are.
        widened: factor on the standard deviations of the q(z|x) that codes are drawn from. A q that was fitted by the ELBO is
            too narrow, and weights are steadier under a wider one; the estimate is a lower bound on average with any.
        proposal: Gaussians over (N, d) to draw the codes from in place of q(z|x), such as `local_inference.fit_posteriors` finds.

    Raises:
        ValueError: k or decodings below one, a factor that is not positive, pixels outside [0, 1] under a Bernoulli
            likelihood, a condition per image, an unknown precision, proposals for other images, or a q to widen that is no Gaussian.
    """
    if k < 1 or decodings < 1:
        raise ValueError(f"k and decodings must be at least 1, got {k} and {decodings}")
    if not widened > 0:
        raise ValueError(f"widened is a factor on standard deviations and must be positive, got {widened}")
    if proposal is not None and proposal.batch_shape != (len(x),):
        raise ValueError(f"{len(x)} images want as many proposals, got {tuple(proposal.batch_shape)}")
    resolve_precision(precision)  # refuses an unknown one before any work
    estimates, effective = torch.empty(len(x), dtype=torch.float64), torch.empty(len(x), dtype=torch.float64)
    if isinstance(model, nn.Module):
        model = deepcopy(model).to(memory_format=torch.channels_last)  # transposed convolutions are 1.4 times as fast
    prior, images = model.prior, (image for batch in _batches(model, x) for image in batch.split(1))
    with fork_random_states():
        torch.manual_seed(seed)
        for n, image in enumerate(tqdm(images, total=len(x), unit="image", disable=not progress)):
            q = model.posterior(image) if proposal is None else Independent(Normal(proposal.mean[[n]], proposal.stddev[[n]]), 1)
            q = q if widened == 1 else Independent(Normal(_units(q).mean, widened * q.stddev), 1)
            z = q.sample((k,))  # (k, 1, d)
            log_joint = []
            for part in z.split(decodings):
                with products_in(precision, part.device):
                    p = model.likelihood(part)
                log_joint.append(prior.log_prob(part) + log_likelihood(p, image))
            log_weight = torch.cat(log_joint).sub(q.log_prob(z)).double()  # (k, 1)
            total = log_weight.logsumexp(0)
            estimates[n], effective[n] = total - log(k), (2 * total - (2 * log_weight).logsumexp(0)).exp()
    return Evidence(estimates, effective, k)


def log_evidence(model: Any, x: Any, k: int, seed: int, decodings: int = 250, progress: bool = True) -> Tensor:
    """The estimates of `estimate_evidence` alone: log p(x), (N,) nats. On average they lie below it, less so for larger k."""
    return estimate_evidence(model, x, k, seed, decodings, progress).log_evidence


def log_likelihood(p: Independent, x: Tensor) -> Tensor:
    """`p.log_prob(x)` of one image x (1, C, H, W), nats, for p(x|z) at codes z (…, d); returns (…).

    Bernoulli pixels take a short cut, Σ x·l − max(l, 0) − log(1 + e^−|l|) over logits l: the first sum is a matrix
    product, the last takes one logarithm for 64 pixels. Four times as fast, 1.3 times with a decoder 40-400-400-784.
    """
    if not isinstance(getattr(p, "base_dist", None), Bernoulli):
        return p.log_prob(x)
    x_logits = p.base_dist.logits.flatten(-len(p.event_shape))  # (…, D)
    factors = 1 + (-x_logits.abs()).exp()  # in (1, 2]: 64 of them multiply to 2^64 at most
    log1p = torch.stack([part.prod(-1) for part in factors.split(64, -1)], -1).log().sum(-1)
    return x_logits @ x.flatten() - x_logits.relu().sum(-1) - log1p


@torch.no_grad()
def rate_per_unit(model: Any, x: Any) -> Tensor:
    """The rate by units: the mean over x of KL(q(zᵢ|x)‖p(zᵢ)), (d,) nats; their sum is the mean rate.

    Raises:
        ValueError: a prior or a posterior that is no product of Gaussians.
    """
    prior = _units(model.prior)
    return sum(kl_divergence(_units(model.posterior(batch)), prior).double().sum(0) for batch in _batches(model, x)) / len(x)


@torch.no_grad()
def activity(model: Any, x: Any) -> Tensor:
    """The variance over x of E_q[zᵢ], (d,): how much each unit's mean says about the image (Burda et al. 2016, section 5.2).

    Raises:
        ValueError: fewer than two images, or a posterior that is no product of Gaussians.
    """
    if len(x) < 2:
        raise ValueError(f"a variance over images wants at least 2 of them, got {len(x)}")
    return _posteriors(model, x)[0].var(0)


def active_units(model: Any, x: Any, threshold: float = 0.01) -> Tensor:
    """Which units are in use, bool (d,): those whose `activity` exceeds the threshold of Burda et al. (2016); raises as it does."""
    return activity(model, x) > threshold


@dataclass(frozen=True)
class Aggregate:
    """The rate in two parts, nats: E KL(q(z|x)‖p) = I(x; z) + KL(q̄‖p) (Hoffman & Johnson 2016), q̄ the mean of q(z|x).

    Attributes:
        rate: E KL(q(z|x)‖p(z)) in closed form.
        marginal_kl: KL(q̄‖p) for the q̄ of these N images; on average above that of infinitely many.
        held_out: the same without each image's own part in q̄; on average below that of infinitely many. Where the two
            differ, N is too small to say.
        standard_error: of marginal_kl and of mutual_information, for the chance in the codes; on the safe side, as each
            image has its own.
    """

    rate: float
    marginal_kl: float
    held_out: float
    standard_error: float

    @property
    def mutual_information(self) -> float:
        """I(x; z) of image and code under q, when each of the N images is equally probable: at most log N."""
        return self.rate - self.marginal_kl


@torch.no_grad()
def aggregate_posterior(model: Any, x: Any, seed: int) -> Aggregate:
    """Compare the aggregate posterior q̄(z) = 1/N Σ q(z|x⁽ⁿ⁾) with the prior, from one code of each of N images.

    Every code is held against all N posteriors (N² densities, no minibatch), so that q̄ is exact and the estimate free
    of bias for these images. With d above a handful, N posteriors hardly overlap: mutual_information then sits at its
    ceiling log N, and only a two-sample test (`probes.classifier_two_sample`) tells q̄ from p.

    Args:
        model: its q(z|x) a diagonal Gaussian.
        x: images (N, C, H, W), as described above; at least 2.
        seed: of the codes.

    Raises:
        ValueError: fewer than two images, or a prior or a posterior that is no product of Gaussians.
    """
    if len(x) < 2:
        raise ValueError(f"the aggregate posterior wants at least 2 images, got {len(x)}")
    mu, sigma = _posteriors(model, x)  # (N, d)
    precision = sigma.pow(-2)  # (N, d)
    constant = (mu.square() * precision + sigma.square().log() + log(2 * torch.pi)).sum(1)  # (N,)
    generator = torch.Generator().manual_seed(seed)
    noise, other_noise = (torch.randn(mu.shape, generator=generator, dtype=mu.dtype).to(mu.device) for _ in range(2))

    def differences(rows: Tensor, eps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For a code of each of these images: log q̄ − log p, log q − log q̄, and log q̄ less its value without the own part."""
        z = mu[rows] + sigma[rows] * eps
        own = -0.5 * (eps.square() + sigma[rows].square().log() + log(2 * torch.pi)).sum(1)  # log q(z⁽ⁿ⁾|x⁽ⁿ⁾)
        table = -0.5 * (z.square() @ precision.T - 2 * z @ (mu * precision).T + constant)  # log q(z⁽ⁿ⁾|x⁽ᵐ⁾)
        table[torch.arange(len(rows)), rows] = -torch.inf
        without = table.logsumexp(1)
        log_q_bar = torch.logaddexp(without, own) - log(len(mu))
        return log_q_bar - model.prior.log_prob(z), own - log_q_bar, log_q_bar - without + log(len(mu) - 1)

    parts = [differences(rows, noise[rows]) for rows in torch.arange(len(mu)).split(ROWS)]
    surplus, told, own_part = (torch.cat(each) for each in zip(*parts, strict=True))  # (N,) each; told ≤ log N in every draw
    # Each of the first two has one part of the rate for its mean, and the rate gives the other. Other codes say which has less
    # chance in it: chosen by these, the smaller would be chosen for its luck.
    tried = torch.arange(0, len(mu), -(-len(mu) // ROWS))
    tried_surplus, tried_told, _ = differences(tried, other_noise[tried])
    by_told, rate = tried_told.std() < tried_surplus.std(), rate_per_unit(model, x).sum()
    marginal_kl = rate - told.mean() if by_told else surplus.mean()
    chance = (told if by_told else surplus).std() / len(mu) ** 0.5
    return Aggregate(float(rate), float(marginal_kl), float(marginal_kl - own_part.mean()), float(chance))


def _posteriors(model: Any, x: Any) -> tuple[Tensor, Tensor]:
    """Means and standard deviations of q(z|x), each (N, d) in float64."""
    each = [_units(model.posterior(batch)) for batch in _batches(model, x)]
    return torch.cat([q.loc for q in each]).double(), torch.cat([q.scale for q in each]).double()


def _units(distribution: Any) -> Normal:
    """The Gaussians of a product over units."""
    if not isinstance(getattr(distribution, "base_dist", None), Normal):
        raise ValueError(f"this wants a product of Gaussians, one for each unit, not a {type(distribution).__name__} over codes")
    return distribution.base_dist


def _batches(model: Any, x: Any) -> Iterator[Tensor]:
    condition = getattr(model, "condition", None)
    if condition is not None and condition.ndim > 1:
        raise ValueError("one condition for all images at a time: the images of one label, say, and model.given(label=3)")
    if not len(x):
        raise ValueError("no images: x is empty")
    device = next(model.parameters()).device if isinstance(model, nn.Module) else "cpu"
    for rows in torch.arange(len(x)).split(IMAGES):
        batch = x[rows].to(device)
        if getattr(model, "bounded", False):
            check_pixels(batch)
        yield batch
