"""What each explorer should show, computed by PyTorch from the shipped checkpoints and the settings on the screen."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import naive_estimates
import numpy as np
import torch
from built_site import Explorer
from scipy.special import logsumexp
from torch import Tensor

from vae_tutorial import checkpoints
from vae_tutorial.likelihoods import gaussian

Shown = dict[str, Any]
Expected = dict[str, np.ndarray]


def reference(explorer: Explorer) -> Callable[[Shown], Expected]:
    """The function from what an explorer shows (sliders, input) to the numbers that PyTorch gives for it."""
    return REFERENCES[explorer.kind](explorer)


def latent_map(explorer: Explorer) -> Callable[[Shown], Expected]:
    models = {"decoded": load("mnist-2d")}
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


def exact_beta(readout: float) -> float:
    """The value behind the three digits that a logarithmic slider shows: its steps are 10^0.05."""
    return 10 ** (round(np.log10(readout) / 0.05) * 0.05)


def pictures(explorer: Explorer, trait: str) -> Tensor:
    """The pictures that an explorer carries, (M, 1, 28, 28) in [0, 1]."""
    grey = np.frombuffer(explorer.bytes_of(trait), np.uint8).astype(np.float32)
    return torch.from_numpy(grey / 255).view(-1, 1, 28, 28)


@cache
def load(name: str) -> Any:
    return checkpoints.load_model(name)


REFERENCES = {
    "LatentMap": latent_map,
    "Bottleneck": bottleneck,
    "DrawDigit": draw_digit,
    "BetaCalculator": beta_calculator,
    "MonteCarlo": monte_carlo,
    "MeanAndSample": mean_and_sample,
}
