"""The VAE of the interpolation page: 16 latent dimensions, in as few weights as a page can carry beside its autoencoder."""

from pathlib import Path

import torch

from vae_tutorial.data import Images
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import fit

NAME = "mnist-16d"
LATENT_DIM = 16  # enough for a Gaussian's mass to sit on a shell, which is what the page is about
HIDDEN = (120, 64)  # 207 k weights: 0.22 MB at 8 bits, encoder and decoder together
ACTIVATION = "silu"
EPOCHS = 100
BATCH_SIZE = 256
PEAK_LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.01
PRECISION = "int8"
SEED = 0
DATA = "mnist"
BINARISATION = "none"
MEASURE = negative_elbo


def train(images: Images, state: Path | None, seed: int = SEED) -> VAE:
    """Train on the images; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, HIDDEN, ACTIVATION)
    fit(
        model, images.x, MEASURE, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        weight_decay=WEIGHT_DECAY, seed=seed, checkpoint=state,
    )  # fmt: skip
    return model
