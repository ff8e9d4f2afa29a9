"""The plain autoencoder beside `mnist-16d`: same layers, same training, but no noise and no KL term."""

from pathlib import Path

import torch

from vae_tutorial.data import Images
from vae_tutorial.models import Autoencoder
from vae_tutorial.objectives import cross_entropy
from vae_tutorial.recipes.mnist_16d import ACTIVATION, BATCH_SIZE, EPOCHS, HIDDEN, LATENT_DIM, PEAK_LEARNING_RATE, WEIGHT_DECAY
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import fit

NAME = "mnist-16d-autoencoder"
PRECISION = "int8"
SEED = 0
DATA = "mnist"
BINARISATION = "none"
MEASURE = cross_entropy


def train(images: Images, state: Path | None, seed: int = SEED) -> Autoencoder:
    """Train on the images; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Autoencoder(LATENT_DIM, HIDDEN, ACTIVATION)
    fit(
        model, images.x, MEASURE, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        weight_decay=WEIGHT_DECAY, seed=seed, checkpoint=state,
    )  # fmt: skip
    return model
