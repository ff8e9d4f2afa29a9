"""How much of log p(x) is the seed's: the recipe `mnist-likelihood`, trained from two seeds more and measured on 2,000 test images."""

from vae_tutorial.checkpoints import rounded
from vae_tutorial.experiments import likelihood
from vae_tutorial.recipes import mnist_likelihood as recipe
from vae_tutorial.recipes.measuring import MEASURING_SEED, held_out, training_images
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate

NAME = "likelihood-trainings"
DATA = recipe.DATA
PARTS = (0, 5, 10, 15)  # of `likelihood`: 2,000 of the 10,000 official test images
SETTINGS = grid(epochs=recipe.EPOCHS, seed=(101, 102))  # with fewer epochs: what the length of the training does
MINUTES = 110


def run(epochs: int, seed: int, root: str | None = None) -> dict:
    """The recipe's training and rounding; the terms of its loss over all test images, log p(x) with fitted q in each of `PARTS`."""
    model = rounded(recipe.train(training_images(DATA, root, seed), None, seed, epochs), recipe.PRECISION)
    terms = evaluate(model, held_out(DATA, root, binarized=True)["official_test"].x, recipe.MEASURE, seed=MEASURING_SEED)
    parts = [likelihood.measure(model, part, likelihood.WIDENED, "bfloat16", likelihood.STEPS, root) for part in PARTS]
    return terms | {name: [numbers[name] for numbers in parts] for name in ("log_evidence", "standard_error", "effective", "elbo")}
