"""The β-VAE of sprites at β = 16 (Higgins et al. 2017), otherwise as `sprites-vae`."""

from pathlib import Path

from vae_tutorial.data import Images
from vae_tutorial.models import VAE
from vae_tutorial.recipes import sprites_vae
from vae_tutorial.recipes.sprites_vae import BINARISATION, DATA, EPOCHS, MEASURE, PRECISION, PRODUCTS, SEED, further

__all__ = ["BINARISATION", "DATA", "EPOCHS", "MEASURE", "NAME", "PRECISION", "PRODUCTS", "SEED", "further", "train"]

NAME = "sprites-beta16"
BETA = 16.0


def train(images: Images, state: Path | None, seed: int = SEED, products: str = PRODUCTS) -> VAE:
    """Train on the images; `state` is where an interrupted training goes on from."""
    return sprites_vae.train(images, state, seed, products=products, beta=BETA)
