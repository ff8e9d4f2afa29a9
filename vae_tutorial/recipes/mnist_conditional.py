"""A conditional VAE of the digits: told the class, its six units are left with the handwriting (Sohn et al. 2015)."""

from pathlib import Path

import torch

from vae_tutorial.data import Images
from vae_tutorial.evaluation import rate_per_unit
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import fit

NAME = "mnist-conditional"
LATENT_DIM = 6  # a slider each: few enough to play with, enough for slant, width, weight and loops
HIDDEN = (120, 64)  # 206 k weights: 0.21 MB at 8 bits; a page carries the decoder alone
ACTIVATION = "silu"
EPOCHS = 50
BATCH_SIZE = 256
PEAK_LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.01
PRECISION = "int8"
SEED = 0
DATA = "mnist"
BINARISATION = "none"
LABELLED = True  # the objective is given the classes
MEASURE = negative_elbo


def train(images: Images, state: Path | None, seed: int = SEED) -> VAE:
    """Train on the images and their labels; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, HIDDEN, ACTIVATION, conditioned_on="label")
    fit(
        model, images.x, MEASURE, labels=images.y, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        weight_decay=WEIGHT_DECAY, seed=seed, checkpoint=state,
    )  # fmt: skip
    return model


def further(model: VAE, images: Images) -> dict:
    """What its page orders the sliders by: the rate of each unit, every image under its own class."""
    sums = [rate_per_unit(model.given(label=label), images.x[images.y == label]) * (images.y == label).sum() for label in range(10)]
    return {"rate_per_unit": (sum(sums) / len(images)).numpy().round(4).tolist()}
