"""The network of `mnist-beta` with ten latent units: as β grows they die one by one."""

from pathlib import Path

from vae_tutorial.data import Images
from vae_tutorial.models import VAE
from vae_tutorial.recipes import mnist_beta
from vae_tutorial.recipes.mnist_beta import BINARISATION, DATA, EPOCHS, MEASURE, SEED, further

__all__ = ["BINARISATION", "DATA", "EPOCHS", "MEASURE", "NAME", "PRECISION", "SEED", "further", "train"]

NAME = "mnist-beta-10d"
LATENT_DIM = 10
PRECISION = "int8"  # costs 0.08 nats at β = 1, and at most 0.12 anywhere; with two units it would be 0.22, so `mnist-beta` stays float16


def train(images: Images, state: Path | None, seed: int = SEED) -> VAE:
    """Train on the images; `state` is where an interrupted training goes on from."""
    return mnist_beta.train(images, state, seed, LATENT_DIM)
