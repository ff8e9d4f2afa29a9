"""How much the seed decides: the recipes of the shipped models, each trained from two seeds more, rounded and measured as shipped."""

import tempfile
from pathlib import Path

from vae_tutorial.recipes.__main__ import load_recipes
from vae_tutorial.recipes.__main__ import run as run_recipe
from vae_tutorial.sweeps import grid

NAME = "recipe-seeds"
DATA = "as the recipe's"
RECIPES = (  # the quick ones first
    "spiral-1d", "sprites-position", "mnist-replay", "mnist-conditional", "mnist-16d-autoencoder", "mnist-16d", "mnist-vq",
    "mnist-2d-gaussian", "fashion-2d", "mnist-beta-10d", "mnist-2d", "mnist-2d-autoencoder",
    "mnist-denoising-patch", "mnist-bottleneck", "mnist-denoising", "sprites-beta16", "mnist-likelihood",
)  # fmt: skip
SETTINGS = grid(recipe=RECIPES, seed=(101, 102))
MINUTES = 12


def run(recipe: str, seed: int, root: str | None = None) -> dict[str, float]:
    """What the card of a shipped model says of the first set of held-out images, for a training from another seed."""
    with tempfile.TemporaryDirectory() as folder:
        numbers = run_recipe(load_recipes()[recipe], root, Path(folder), Path(folder) / "state", seed)
    return next(iter(numbers.values()))
