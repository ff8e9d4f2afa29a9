"""The plain VAE of sprites with known factors: ten latent units, convolutions, a fresh drawing for every training image."""

from functools import partial
from pathlib import Path

import torch

from vae_tutorial.data import Images
from vae_tutorial.disentanglement import mutual_information
from vae_tutorial.evaluation import rate_per_unit
from vae_tutorial.ground_truth import model_on_sprites
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.recipes.measuring import MEASURING_SEED
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import Objective, fit

NAME = "sprites-vae"
LATENT_DIM = 10
CHANNELS = (16, 32, 32)
HIDDEN = (128,)
ACTIVATION = "relu"
EPOCHS = 2  # of a million drawings: 31,250 updates
BATCH_SIZE = 64
PEAK_LEARNING_RATE = 1e-3
PRODUCTS = "fast"  # see `fit`; the card says what that was
PRECISION = "int8"
SEED = 0
DATA = "sprites"
BINARISATION = "none"
MEASURE = negative_elbo  # at β = 1, whatever the training's


def train(
    images: Images, state: Path | None, seed: int = SEED, objective: Objective = negative_elbo, /, *,
    products: str = PRODUCTS, **settings: float,
) -> VAE:
    """Train on the images; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, HIDDEN, ACTIVATION, image_shape=(1, 32, 32), channels=CHANNELS)
    fit(
        model, images.x, partial(objective, **settings), epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        precision=products, seed=seed, checkpoint=state,
    )  # fmt: skip
    return model


def further(model: VAE, images: Images) -> dict:
    """What its page orders and colours the units by: the rate of each, and what it knows of each factor, in nats."""
    codes, factors = model_on_sprites(model).draw(10_000, MEASURING_SEED)
    known = mutual_information(codes, factors)  # (d, K)
    return {"rate_per_unit": rate_per_unit(model, images.x).numpy().round(4).tolist(), "mutual_information": known.round(4).tolist()}
