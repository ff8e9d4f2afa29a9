"""One autoencoder for every bottleneck width d = 1 … 64: ordered units, trained with nested dropout."""

from pathlib import Path

import torch

from vae_tutorial.data import Images
from vae_tutorial.models import Autoencoder
from vae_tutorial.objectives import nested_dropout, squared_error
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import fit

NAME = "mnist-bottleneck"
LATENT_DIM = 64  # the widest code that the slider reaches
HIDDEN = (400, 200)  # a page ships the decoder's half
ACTIVATION = "silu"
EPOCHS = 100
BATCH_SIZE = 256
PEAK_LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.01
PRECISION = "int8"
SEED = 0
DATA = "mnist"
BINARISATION = "none"
MEASURE = squared_error  # with all 64 units


def train(images: Images, state: Path | None, seed: int = SEED) -> Autoencoder:
    """Train on the images; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Autoencoder(LATENT_DIM, HIDDEN, ACTIVATION)
    fit(
        model, images.x, nested_dropout, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        weight_decay=WEIGHT_DECAY, seed=seed, checkpoint=state,
    )  # fmt: skip
    return model
