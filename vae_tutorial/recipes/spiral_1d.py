"""The laboratory's VAE: a code of one number for points on a spiral, so that every probability has an exact value."""

from pathlib import Path

import torch

from vae_tutorial.data import Images
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import fit

NAME = "spiral-1d"
HIDDEN = (32, 32)
ACTIVATION = "tanh"  # smooth in z, so that few grid points do
EPOCHS = 40
BATCH_SIZE = 100
PEAK_LEARNING_RATE = 1e-2
PRECISION = "float16"  # 2,300 weights
SEED = 0
DATA = "spiral"
BINARISATION = "none"
MEASURE = negative_elbo


def train(images: Images, state: Path | None, seed: int = SEED) -> VAE:
    """Train on the points; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(1, HIDDEN, ACTIVATION, likelihood="gaussian", sigma="learned", image_shape=(1, 1, 2))
    fit(
        model, images.x, MEASURE, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE), seed=seed,
        checkpoint=state,
    )  # fmt: skip
    return model
