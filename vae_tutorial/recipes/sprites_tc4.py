"""The β-TCVAE of sprites at β = 4 (Chen et al. 2018), otherwise as `sprites-vae`."""

from pathlib import Path

from vae_tutorial.data import Images
from vae_tutorial.models import VAE
from vae_tutorial.objectives import total_correlation
from vae_tutorial.recipes import sprites_vae
from vae_tutorial.recipes.sprites_vae import BINARISATION, DATA, EPOCHS, MEASURE, PRECISION, PRODUCTS, SEED, further

__all__ = ["BINARISATION", "DATA", "EPOCHS", "MEASURE", "NAME", "PRECISION", "PRODUCTS", "SEED", "further", "train"]

NAME = "sprites-tc4"
BETA = 4.0  # on the total correlation alone
IMAGES = 737_280  # different ones: 3 shapes, 6 scales, 40 orientations, 32 x 32 positions


def train(images: Images, state: Path | None, seed: int = SEED, products: str = PRODUCTS) -> VAE:
    """Train on the images; `state` is where an interrupted training goes on from."""
    return sprites_vae.train(images, state, seed, total_correlation, products=products, beta=BETA, images=IMAGES)
