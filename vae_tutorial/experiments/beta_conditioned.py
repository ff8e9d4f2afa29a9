"""The one network of `mnist-beta`, trained from several seeds and measured over the range of β."""

from vae_tutorial.objectives import negative_elbo
from vae_tutorial.recipes.measuring import MEASURING_SEED, held_out, training_images
from vae_tutorial.recipes.mnist_beta import DATA, train
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate

NAME = "beta-conditioned"
BETAS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
SETTINGS = grid(seed=range(3))
MINUTES = 8


def run(seed: int, root: str | None = None) -> dict[str, list[float]]:
    """Train once; loss, rate and distortion of the official test images at each β, in the order of `BETAS`."""
    model, x = train(training_images(DATA, root, seed), None, seed), held_out(DATA, root)["official_test"].x
    each = [evaluate(model, x, negative_elbo, settings={"beta": beta}, seed=MEASURING_SEED) for beta in BETAS]
    return {name: [numbers[name] for numbers in each] for name in each[0]}
