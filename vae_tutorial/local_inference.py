"""q(z|x) fitted to each image by gradients, instead of asked of an encoder: slow, and without the amortisation gap.

    q = fit_posteriors(vae, x, seed=0)
    evidence = estimate_evidence(vae, x, 5_000, seed=1, proposal=q)  # another seed: codes that the fit has not seen

An encoder answers for all images at once and gives each a worse Gaussian than it could have (Cremer et al. 2018).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Independent, Normal

from vae_tutorial.models import VAE
from vae_tutorial.networks import products_in

IMAGES = 100  # fitted at once, which bounds the memory


def fit_gaussians(
    model: Any, x: Tensor, mu: Tensor, log_sigma: Tensor, draw: Callable[[], Tensor], *, steps: int, lr: float
) -> tuple[Tensor, Tensor]:
    """Diagonal Gaussians that maximise the ELBO of each image, E_q[log p(x|z)] − KL(q‖p), from where they are given.

    Args:
        model: with a `likelihood`; its prior is N(0, I), and its weights should need no gradients.
        x: images (N, C, H, W).
        mu: where the means begin, (…, N, d); several starts may stand in front.
        log_sigma: where the logarithms of the standard deviations begin, the same shape.
        draw: gives the noise of a step's codes, (samples, …, N, d); with 1 in place of N all images share it.
        steps: of Adam.
        lr: its first step size, in units of mu and log_sigma; it falls to a twentieth.

    Returns:
        mu and sigma, in the shapes given.

    Raises:
        ValueError: a negative number of steps.
    """
    if steps < 0:
        raise ValueError(f"steps must be at least 0, got {steps}")
    mu, log_sigma = mu.detach().clone().requires_grad_(), log_sigma.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([mu, log_sigma], lr=lr)
    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    with torch.enable_grad():
        for _ in range(steps):
            loss = -gaussian_elbo(model, x, mu, log_sigma, draw()).mean(0).sum()
            mu.grad, log_sigma.grad = torch.autograd.grad(loss, (mu, log_sigma))
            optimizer.step()
            decay.step()
    return mu.detach(), log_sigma.detach().exp()


def gaussian_elbo(model: Any, x: Tensor, mu: Tensor, log_sigma: Tensor, eps: Tensor) -> Tensor:
    """The ELBO of x with the codes mu + exp(log_sigma)·eps, nats; mu (…, N, d) and eps that broadcast → (…, N)."""
    rate = 0.5 * (mu.square() + (2 * log_sigma).exp() - 1 - 2 * log_sigma).sum(-1)
    return model.likelihood(mu + log_sigma.exp() * eps).log_prob(x) - rate


def fit_posteriors(
    model: VAE, x: Tensor, seed: int, *, steps: int = 50, samples: int = 8, lr: float = 0.02, precision: str = "float32"
) -> Independent:
    """The best q(z|x) for each image, found from the encoder's answer on; it costs `steps` × `samples` decodings, forth and back.

    Args:
        model: one condition for all images; its weights stay as they are.
        x: images (N, C, H, W).
        seed: of the codes that the fit draws; the global random state is left as it was. Measure q with another seed: with this
            one the noise that q was fitted to comes again, and what is found need not be a lower bound on average.
        steps: of Adam.
        samples: codes for each gradient.
        lr: first step size, as in `fit_gaussians`.
        precision: of the decoder's products, see `networks.resolve_precision`.

    Returns:
        One Gaussian over (N, d) for each image, whatever other images stand beside it.

    Raises:
        ValueError: a negative number of steps, no samples, or an unknown precision.
    """
    if samples < 1:
        raise ValueError(f"a gradient wants samples >= 1, got {samples}")
    fitted = []
    for part in x.split(IMAGES):
        generator = torch.Generator().manual_seed(seed)

        def draw(generator: torch.Generator = generator) -> Tensor:
            return torch.randn(samples, 1, model.latent_dim, generator=generator).to(x.device)

        with torch.no_grad():
            begin = model.posterior(part)
        with products_in(precision, x.device):
            fitted.append(fit_gaussians(model, part, begin.mean, begin.stddev.log(), draw, steps=steps, lr=lr))
    return Independent(Normal(*(torch.cat(each) for each in zip(*fitted, strict=True))), 1)
