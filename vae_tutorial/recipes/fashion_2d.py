"""The network of `mnist-2d`, trained on Fashion-MNIST: where a map of two dimensions blurs most."""

from pathlib import Path

from vae_tutorial.data import Images
from vae_tutorial.models import VAE
from vae_tutorial.recipes import mnist_2d
from vae_tutorial.recipes.mnist_2d import BINARISATION, EPOCHS, MEASURE, PRECISION, SEED

__all__ = ["BINARISATION", "DATA", "EPOCHS", "MEASURE", "NAME", "PRECISION", "SEED", "train"]

NAME = "fashion-2d"
DATA = "fashion-mnist"


def train(images: Images, state: Path | None, seed: int = SEED) -> VAE:
    """Train on the images; `state` is where an interrupted training goes on from."""
    return mnist_2d.train(images, state, seed)
