"""One 2-D VAE for every β from 0.03 to 100: layers gated by log β (Bae et al. 2023), trained on all of them at once."""

from pathlib import Path

import torch

from vae_tutorial.data import Images
from vae_tutorial.evaluation import rate_per_unit
from vae_tutorial.models import VAE
from vae_tutorial.networks import BETA_RANGE
from vae_tutorial.objectives import multi_rate, negative_elbo
from vae_tutorial.recipes.measuring import MEASURING_SEED
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import evaluate, fit

NAME = "mnist-beta"
LATENT_DIM = 2
HIDDEN = (256, 128)
ACTIVATION = "silu"
EPOCHS = 150
BATCH_SIZE = 256
PEAK_LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
PRECISION = "float16"
SEED = 0
DATA = "mnist"
BINARISATION = "none"
MEASURE = negative_elbo  # at β = 1
CURVE = [BETA_RANGE[0] * (BETA_RANGE[1] / BETA_RANGE[0]) ** (step / 40) for step in range(41)]


def train(images: Images, state: Path | None, seed: int = SEED, latent_dim: int = LATENT_DIM) -> VAE:
    """Train on the images; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(latent_dim, HIDDEN, ACTIVATION, conditioned_on="beta")
    fit(
        model, images.x, multi_rate, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        weight_decay=WEIGHT_DECAY, seed=seed, checkpoint=state,
    )  # fmt: skip
    return model


def further(model: VAE, images: Images) -> dict:
    """The rate-distortion curve on held-out images, for the page that lets β slide: nats per image, and per unit."""
    curve = []
    for beta in CURVE:
        numbers = evaluate(model, images.x, negative_elbo, settings={"beta": beta}, seed=MEASURING_SEED)
        units = rate_per_unit(model.given(beta=beta), images.x)
        curve.append({"beta": beta, "rate": numbers["rate"], "distortion": numbers["distortion"], "rate_per_unit": units.tolist()})
    return {"curve": [{key: _rounded(value) for key, value in point.items()} for point in curve]}


def _rounded(value: float | list[float]) -> float | list[float]:
    return [round(each, 4) for each in value] if isinstance(value, list) else round(value, 4)
