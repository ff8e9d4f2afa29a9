"""A denoising autoencoder for any level of Gaussian noise up to 1: damage the input, reconstruct the clean digit."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from vae_tutorial.corruptions import GaussianNoise
from vae_tutorial.data import Images
from vae_tutorial.models import Autoencoder
from vae_tutorial.objectives import denoising
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import fit

NAME = "mnist-denoising"
LATENT_DIM = 64
HIDDEN = (300,)
ACTIVATION = "silu"
HIGHEST_SIGMA = 1.0  # the slider's end: a digit is hardly seen there
EPOCHS = 60
BATCH_SIZE = 256
PEAK_LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.01
PRECISION = "int8"
SEED = 0
DATA = "mnist"
BINARISATION = "none"
MEASURE = partial(denoising, corrupt=GaussianNoise(0.5))


def noise_of_any_level(x: Tensor) -> Tensor:
    """x + σ·ε with σ uniform on [0, HIGHEST_SIGMA], drawn anew for each image."""
    sigma = HIGHEST_SIGMA * torch.rand(len(x), 1, 1, 1, device=x.device)
    return x + sigma * torch.randn_like(x)


def train(images: Images, state: Path | None, seed: int = SEED, corrupt: Callable[[Tensor], Tensor] = noise_of_any_level) -> Autoencoder:
    """Train on the images; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Autoencoder(LATENT_DIM, HIDDEN, ACTIVATION)
    fit(
        model, images.x, partial(denoising, corrupt=corrupt), epochs=EPOCHS, batch_size=BATCH_SIZE,
        learning_rate=one_cycle(PEAK_LEARNING_RATE), weight_decay=WEIGHT_DECAY, seed=seed, checkpoint=state,
    )  # fmt: skip
    return model
