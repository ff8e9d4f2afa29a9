"""Denoising black-and-white digits: narrow and wide autoencoders, PCA, a median filter, a VAE's two networks and marginal inference."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from vae_tutorial.corruptions import Corruption, GaussianNoise, MaskPixels, SaltAndPepper
from vae_tutorial.data import load_images
from vae_tutorial.denoisers import SIZES, OneLayer, PrincipalComponents, best_of, median, passed_noise
from vae_tutorial.marginal_inference import Observed, infer
from vae_tutorial.models import VAE
from vae_tutorial.objectives import denoising, negative_elbo, squared_error
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.schedules import one_cycle
from vae_tutorial.sweeps import grid
from vae_tutorial.training import fit

NAME = "denoising"
DATA = "embedded"
WIDTHS = {"narrow": 64, "wide": 1024}  # units of one hidden layer; an image has 784 pixels
PASSES = {"narrow": 15, "wide": 5}  # over the 4,000 digits: a narrow network learns more slowly, and is cheap
PEAK_LEARNING_RATE = 4e-3
LATENT_DIM, HIDDEN, VAE_EPOCHS, VAE_LEARNING_RATE = 16, (200, 100), 20, 2e-3
BATCH_SIZE = 100
LEVELS = {"gaussian": (0.25, 0.5, 0.75, 1.0), "salt-and-pepper": (0.1, 0.3, 0.6), "masking": (0.1, 0.3, 0.6)}
KINDS: dict[str, Callable[[float], Corruption]] = {"gaussian": GaussianNoise, "salt-and-pepper": SaltAndPepper, "masking": MaskPixels}
HIGHEST = {"gaussian": 1.0, "salt-and-pepper": 0.8, "masking": 0.8}  # training draws a level up to this for every image
COMPONENTS = (5, 10, 20, 40, 80, 160, 320)  # of PCA, chosen for each kind and level on training images
TUNED = 1_000  # of them
IMAGES = 50  # held out, others for every seed
STARTS, STEPS, SAMPLES = 3, 60, 100  # of marginal inference: a code from the encoder and two from the prior
SETTINGS = grid(seed=range(1, 6))
MINUTES = 0.6


def any_level(kind: str, x: Tensor) -> Tensor:
    """Noise of one kind, its level uniform on [0, HIGHEST], drawn anew for each image."""
    level = HIGHEST[kind] * torch.rand(len(x), 1, 1, 1, device=x.device)
    if kind == "gaussian":
        return x + level * torch.randn_like(x)
    draw = torch.rand_like(x)
    value = (draw < level / 2).to(x.dtype) if kind == "salt-and-pepper" else torch.zeros_like(x)
    return torch.where(draw < level, value, x)


def trained(x: Tensor, size: str, kind: str | None, seed: int) -> OneLayer:
    """One hidden layer, trained to clean one kind of noise, or (None) to reconstruct clean digits."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = OneLayer(WIDTHS[size])
    objective = squared_error if kind is None else partial(denoising, corrupt=partial(any_level, kind))
    schedule = one_cycle(PEAK_LEARNING_RATE)
    fit(model, x, objective, epochs=PASSES[size], batch_size=BATCH_SIZE, learning_rate=schedule, seed=seed, progress=False)
    return model


def trained_vae(x: Tensor, seed: int) -> VAE:
    """The VAE of the last two methods: it never sees noise."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, HIDDEN, "silu")
    fit(
        model, x, negative_elbo, epochs=VAE_EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(VAE_LEARNING_RATE),
        seed=seed, progress=False,
    )  # fmt: skip
    return model.requires_grad_(False)


def starts(vae: VAE, y: Tensor, seed: int) -> Tensor:
    """Where `infer` begins, (STARTS, N, d): the encoder's answer to y, and draws from the prior."""
    draws = torch.randn(STARTS - 1, len(y), vae.latent_dim, generator=torch.Generator().manual_seed(seed))
    return torch.cat([vae.posterior(y.clamp(0, 1)).mean[None], draws])


def decibels(x: Tensor, cleaned: Tensor) -> float:
    """PSNR of the mean squared error over all images, after what lies outside [0, 1] is cut off."""
    return round(float(-10 * (x - cleaned.clamp(0, 1)).square().mean().log10()), 3)


@torch.no_grad()
def run(seed: int, root: str | None = None) -> dict[str, float | list[float]]:
    """Train, then for every kind and method the PSNR at each of `LEVELS`; how much noise passes; how well clean images are copied."""
    x = (training_images(DATA, root, seed).x > 0.5).float()
    held = at_hand(DATA).x
    held = (held[torch.randperm(len(held), generator=torch.Generator().manual_seed(seed))[:IMAGES]] > 0.5).float()
    garments = (load_images("fashion-mnist", "test").x[:IMAGES] > 0.5).float()
    with torch.enable_grad():
        copies = {size: trained(x, size, None, seed) for size in WIDTHS}
        cleaners = {(size, kind): trained(x, size, kind, seed) for size in WIDTHS for kind in KINDS}
        vae = trained_vae(x, seed)
    pca = PrincipalComponents(x)
    results: dict[str, float | list[float]] = {}
    for kind, corruption in KINDS.items():
        for level in LEVELS[kind]:
            noise = corruption(level)
            y, spoilt = noise(held, seed=MEASURING_SEED + seed), noise(x[:TUNED], seed=seed)
            choose = {
                "pca": {k: partial(pca.project, components=k) for k in COMPONENTS},
                "median": {size: partial(median, size=size) for size in SIZES},
            }
            cleaned = {name: best_of(methods, x[:TUNED], spoilt)(y) for name, methods in choose.items()}
            cleaned |= {"noisy": y} | {f"{size}_copy": model(y) for size, model in copies.items()}
            cleaned |= {size: cleaners[size, kind](y) for size in copies}
            cleaned["wrong"] = cleaners["wide", "gaussian"](y)  # trained on Gaussian noise, whatever the kind
            cleaned["two_networks"] = vae.likelihood(vae.posterior(y.clamp(0, 1)).mean).mean
            cleaned["marginal"] = infer(Observed(vae, noise), y, starts(vae, y, seed), seed=seed, steps=STEPS, samples=SAMPLES).clean
            for name, images in cleaned.items():
                results.setdefault(f"{kind}_{name}", []).append(decibels(held, images))
    y = GaussianNoise(0.75)(held, seed=MEASURING_SEED + seed)
    networks = {f"{size}_copy": model for size, model in copies.items()} | {size: cleaners[size, "gaussian"] for size in copies}
    for name, model in networks.items():
        results[f"passed_{name}"] = round(passed_noise(model, held, y), 4)
        results |= {f"clean_{name}": decibels(held, model(held)), f"garments_{name}": decibels(garments, model(garments))}
    return results
