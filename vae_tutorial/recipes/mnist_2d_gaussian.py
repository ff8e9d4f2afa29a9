"""A 2-D VAE of grey digits whose pixels are Gaussian, with one σ for all of them, learned: its loss in nats may be negative."""

from pathlib import Path

import torch

from vae_tutorial.data import Images
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import fit

NAME = "mnist-2d-gaussian"
HIDDEN = (256, 128)  # its page ships the decoder's half beside that of `mnist-2d`
ACTIVATION = "silu"  # smooth in z, so the map is smooth
EPOCHS = 60  # enough to compare a mean with a sample
BATCH_SIZE = 256
PEAK_LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05  # as `mnist-2d`; on log σ its pull is lost in the gradient's noise
PRECISION = "int8"
SEED = 0
DATA = "mnist"
BINARISATION = "none"
MEASURE = negative_elbo


def train(images: Images, state: Path | None, seed: int = SEED) -> VAE:
    """Train on the images; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(2, HIDDEN, ACTIVATION, likelihood="gaussian", sigma="learned")
    fit(
        model, images.x, MEASURE, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        weight_decay=WEIGHT_DECAY, seed=seed, checkpoint=state,
    )  # fmt: skip
    return model
