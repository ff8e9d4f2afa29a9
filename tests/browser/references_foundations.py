"""What the explorers of the introduction and of Foundations should show, computed by PyTorch from the settings on the screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import naive_estimates
import numpy as np
import torch
from built_site import Explorer
from scipy.special import logsumexp
from shipped import Expected, Shown, carries, exact_beta, load, pictures
from torch import Tensor

from vae_tutorial.likelihoods import gaussian


def latent_map(explorer: Explorer) -> Callable[[Shown], Expected]:
    garments = load("fashion-2d")
    models = {"decoded": garments if carries(explorer, "vae_weights", garments.decoder) else load("mnist-2d")}
    if explorer.state["autoencoder_layers"]:
        models["decodedAutoencoder"] = load("mnist-2d-autoencoder")

    def expected(shown: Shown) -> Expected:
        z = torch.tensor([shown["sliders"]["z₁"], shown["sliders"]["z₂"]])
        return {name: torch.sigmoid(model.decode(z)).flatten().numpy() for name, model in models.items()}

    return torch.no_grad()(expected)


def bottleneck(explorer: Explorer) -> Callable[[Shown], Expected]:
    autoencoder = load("mnist-bottleneck")
    x = pictures(explorer, "digits")

    def expected(shown: Shown) -> Expected:
        z = autoencoder.encode(x)
        z[:, int(shown["sliders"]["d"]) :] = 0
        return {"decoded": autoencoder.reconstruct(z).flatten().numpy()}

    return torch.no_grad()(expected)


def draw_digit(explorer: Explorer) -> Callable[[Shown], Expected]:
    vae = load("mnist-2d")

    def expected(shown: Shown) -> Expected:
        x = torch.tensor(shown["input"], dtype=torch.float32).view(1, 1, 28, 28)
        q = vae.posterior(x)
        mu, sigma = q.base_dist.loc[0], q.base_dist.scale[0]
        z = mu + sigma * torch.tensor([shown["sliders"]["ε₁"], shown["sliders"]["ε₂"]])
        terms = {"rate": torch.distributions.kl_divergence(q, vae.prior), "distortion": -vae.likelihood(z[None]).log_prob(x)}
        decoded = torch.sigmoid(vae.decode(z)).flatten()
        return {name: value.numpy() for name, value in {"mu": mu, "sigma": sigma, "z": z, "decoded": decoded, **terms}.items()}

    return torch.no_grad()(expected)


def mean_and_sample(explorer: Explorer) -> Callable[[Shown], Expected]:
    models = {"bernoulli": load("mnist-2d"), "gaussian": load("mnist-2d-gaussian")}
    originals = pictures(explorer, "digits")

    def expected(shown: Shown) -> Expected:
        z = torch.tensor([shown["sliders"]["z₁"], shown["sliders"]["z₂"]])
        model, sigma, x = models[shown["family"]], shown["sliders"]["σ"], originals[shown["digit"]]
        p_x = model.likelihood(z) if shown["family"] == "bernoulli" else gaussian(model.decode(z), sigma)
        drawn, noise = np.array(shown["decoded"]), np.array(shown["noise"])
        sample = (noise < drawn).astype(float) if shown["family"] == "bernoulli" else drawn + sigma * noise
        rms = (x - p_x.mean).square().mean().sqrt()
        outside = np.mean((np.array(shown["sample"]) < 0) | (np.array(shown["sample"]) > 1))
        terms = {"distortion": -p_x.log_prob(x), "rms": rms, "decoded": p_x.mean.flatten()}
        return {name: value.numpy() for name, value in terms.items()} | {"sample": sample, "outside": outside, "sigma": np.array(sigma)}

    return torch.no_grad()(expected)


def beta_calculator(explorer: Explorer) -> Callable[[Shown], Expected]:
    """β·(1/d if averaged over latent units) / ((1/D if averaged over pixels)·(2σ² for a bare squared error))."""

    def expected(shown: Shown) -> Expected:
        chosen = shown["fields"]
        pixels, batch, sigma = (float(chosen[label]) for label in ("D, number of pixels", "B, images per batch", "σ of the pixels"))
        distortion_weight = 1 / pixels if chosen["reduction over pixels"] == "mean" else 1.0
        if chosen["distortion per pixel"] == "squared error":
            distortion_weight *= 2 * sigma**2
        rate_weight = exact_beta(shown["sliders"]["β"])
        if chosen["reduction over latent units"] == "mean":
            rate_weight /= shown["sliders"]["d"]
        copies = batch if chosen["reduction over the batch"] == "sum" else 1.0
        return {"betaEffective": np.array(rate_weight / distortion_weight), "lossScale": np.array(distortion_weight * copies)}

    return expected


def monte_carlo(explorer: Explorer) -> Callable[[Shown], Expected]:
    def expected(shown: Shown) -> Expected:
        samples, d, readout = (shown["sliders"][label] for label in ("S", "d", "nats"))
        assert abs(shown["nats"] / readout - 1) < 0.006  # the readout has three digits
        return estimates_of(int(samples), int(d), shown["nats"], explorer.state["seed"])

    return expected


@cache
def estimates_of(samples: int, d: int, information: float, seed: int) -> Expected:
    """Exact and naive log p(x) of the Monte Carlo explorer's point, and what decides the error."""
    log_weight = naive_estimates.log_weights(d, information, samples, seed)
    exact = naive_estimates.log_evidence(d, information)
    estimates = exact + logsumexp(log_weight, axis=0) - np.log(samples)
    second_moment = d * naive_estimates.moments(information)[0]
    return {"logEvidence": np.array(exact), "logEstimates": estimates, "logSecondMoment": np.array(second_moment)}


def two_densities(explorer: Explorer) -> Callable[[Shown], Expected]:
    """KL(p‖q) and KL(q‖p) by sums over a grid of the test's own."""
    hump = explorer.state["hump"]
    z = torch.linspace(-45, 45, 30_001, dtype=torch.float64)
    step = float(z[1] - z[0])

    def expected(shown: Shown) -> Expected:
        apart, weight, mu, sigma = (shown["sliders"][label] for label in ("Δ", "w", "μ", "σ"))
        parts = torch.distributions.Normal(torch.tensor([-apart / 2, apart / 2], dtype=torch.float64), hump)
        log_p = (parts.log_prob(z[:, None]) + torch.tensor([weight, 1 - weight]).double().log()).logsumexp(1)
        log_q = torch.distributions.Normal(torch.tensor(mu).double(), sigma).log_prob(z)
        forward, reverse = log_p.exp() * (log_p - log_q), log_q.exp() * (log_q - log_p)
        return {"forward": (forward.sum() * step).numpy(), "reverse": (reverse.sum() * step).numpy()}

    return expected


def drag_q(explorer: Explorer) -> Callable[[Shown], Expected]:
    """log p(x), K, L and L_β of the shipped one-dimensional model, on a grid that follows q and one that covers the prior."""
    vae = load("spiral-1d")
    x = torch.from_numpy(np.frombuffer(explorer.bytes_of("images"), "<f4").copy()).view(-1, 1, 1, 2)
    wide = torch.linspace(-8, 8, 8_001)

    def log_joint(z: Tensor, image: Tensor) -> Tensor:
        return (vae.likelihood(z[:, None]).log_prob(image) + vae.prior.log_prob(z[:, None])).double()

    def expected(shown: Shown) -> Expected:
        image = x[int(shown["sliders"]["x"]) - 1]
        q = torch.distributions.Normal(torch.tensor(shown["sliders"]["μ"]), np.exp(shown["sliders"]["log σ"]))
        log_evidence = log_joint(wide, image).logsumexp(0) + np.log(float(wide[1] - wide[0]))
        z = q.loc + q.scale * torch.linspace(-7, 7, 1_001)
        weight = q.log_prob(z).double().softmax(0)
        gap = (weight * (q.log_prob(z).double() - log_joint(z, image) + log_evidence)).sum()
        rate = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0))
        mean = (weight * vae.likelihood(z[:, None]).log_prob(image)).sum()
        terms = {"logEvidence": log_evidence, "gap": gap, "rate": rate, "elbo": mean - rate}
        terms["elboBeta"] = mean - shown["sliders"]["β"] * rate
        return {name: value.numpy() for name, value in terms.items()}

    return torch.no_grad()(expected)


def reparameterise(explorer: Explorer) -> Callable[[Shown], Expected]:
    """Both gradient estimates from the ε shown, by automatic differentiation, and the exact value and gradient in closed form."""

    def expected(shown: Shown) -> Expected:
        mu, sigma = (torch.tensor(shown["sliders"][label]).double().requires_grad_() for label in ("μ", "σ"))
        eps = torch.tensor(shown["eps"], dtype=torch.float64)
        if len(eps) != shown["sliders"]["n"]:  # the slider has moved, the samples follow with the next frame
            return {"estimate": np.array(1e9)}
        f = _objective(mu + sigma * eps)
        path = torch.autograd.grad(f.mean(), (mu, sigma))
        z = (mu + sigma * eps).detach()
        score = torch.autograd.grad((f.detach() * torch.distributions.Normal(mu, sigma).log_prob(z)).mean(), (mu, sigma))
        exact = (mu**2 + sigma**2) / 2 + torch.exp(-2 * sigma**2) * torch.sin(2 * mu)
        slopes = torch.autograd.grad(exact, (mu, sigma))
        terms = {"exact": exact, "estimate": f.mean(), "exactMu": slopes[0], "exactSigma": slopes[1]}
        terms |= {"pathMu": path[0], "pathSigma": path[1], "scoreMu": score[0], "scoreSigma": score[1]}
        return {name: value.detach().numpy() for name, value in terms.items()}

    return expected


def _objective(z: Tensor) -> Tensor:
    return z.square() / 2 + torch.sin(2 * z)
