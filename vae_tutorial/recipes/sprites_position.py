"""The VAE of an ellipse's place: two factors, two units, so that the code can be turned and all of it measured."""

from pathlib import Path

import torch

from vae_tutorial.data import Images
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.rotation import curves
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import fit

NAME = "sprites-position"
HIDDEN = (32, 64)  # the wide layer on the small side: the browser decodes a thousand codes for one log p(x)
ACTIVATION = "tanh"  # smooth in z, so that few grid points do
SIGMA = 0.5  # of the pixels: q(z|x) becomes wide enough to be seen, and to be covered by a coarse grid
EPOCHS = 40
BATCH_SIZE = 100
PEAK_LEARNING_RATE = 5e-3
PRECISION = "int8"
SEED = 0  # its axes come out near the factors'; of two others tried, those of one lay 30 degrees off
DATA = "places"
BINARISATION = "none"
MEASURE = negative_elbo
DEGREES = [7.5 * step for step in range(13)]
SIDE = 8  # of the lattice of pictures that the curves are averaged over


def train(images: Images, state: Path | None, seed: int = SEED) -> VAE:
    """Train on the images; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(2, HIDDEN, ACTIVATION, likelihood="gaussian", sigma=SIGMA)
    fit(
        model, images.x, MEASURE, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE), seed=seed,
        checkpoint=state,
    )  # fmt: skip
    return model


def further(model: VAE, images: Images) -> dict:
    """What turning the code does: log p(x), the ELBO of a diagonal q, and MIG over the angle."""
    return {"rotation": curves(model, SIDE, DEGREES)}
