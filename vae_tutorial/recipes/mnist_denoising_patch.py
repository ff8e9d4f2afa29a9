"""The network of `mnist-denoising`, trained to fill in a black square instead of removing noise."""

from functools import partial
from pathlib import Path

from vae_tutorial.corruptions import MaskSquare
from vae_tutorial.data import Images
from vae_tutorial.models import Autoencoder
from vae_tutorial.objectives import denoising
from vae_tutorial.recipes import mnist_denoising
from vae_tutorial.recipes.mnist_denoising import BINARISATION, DATA, EPOCHS, PRECISION, SEED

__all__ = ["BINARISATION", "DATA", "EPOCHS", "MEASURE", "NAME", "PRECISION", "SEED", "train"]

NAME = "mnist-denoising-patch"
DAMAGE = MaskSquare(10)  # an eighth of the image
MEASURE = partial(denoising, corrupt=DAMAGE)


def train(images: Images, state: Path | None, seed: int = SEED) -> Autoencoder:
    """Train on the images; `state` is where an interrupted training goes on from."""
    return mnist_denoising.train(images, state, seed, DAMAGE)
