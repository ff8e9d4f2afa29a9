"""Five scores of disentanglement on sprites with known factors: VAE, β-VAE and β-TCVAE, five seeds each."""

from sklearn.utils import check_random_state

from vae_tutorial import disentanglement as scores
from vae_tutorial.ground_truth import model_on_sprites
from vae_tutorial.recipes import sprites_beta4, sprites_tc4, sprites_vae
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate

NAME = "disentanglement"
DATA = "sprites"
METHODS = {recipe.NAME: recipe for recipe in (sprites_vae, sprites_beta4, sprites_tc4)}
SETTINGS = grid(seed=range(1, 6), method=METHODS)
MINUTES = 11
POINTS = 10_000  # scored, and half as many to test on: disentanglement_lib's defaults


def run(method: str, seed: int, root: str | None = None) -> dict[str, float]:
    """Train; the five scores of its posterior means, its rate and its distortion on other drawings."""
    recipe = METHODS[method]
    model = recipe.train(training_images(DATA, root, seed), None, seed, products="float32")
    truth, rng = model_on_sprites(model), check_random_state(MEASURING_SEED + seed)
    known, other = truth.draw(POINTS, rng), truth.draw(POINTS // 2, rng)  # codes and factors, to fit on and to test on
    dci = scores.dci(*known, *other, seed=seed)
    sizes = {"train": POINTS, "test": POINTS // 2}
    measured = evaluate(model, at_hand(DATA).x, recipe.MEASURE, seed=MEASURING_SEED)
    return {
        "mig": scores.mig(*known),
        "dci_disentanglement": dci.disentanglement, "dci_completeness": dci.completeness, "dci_informativeness": dci.informativeness,
        "sap": scores.sap(*known, *other),
        "beta_vae_score": scores.beta_vae_score(truth, seed, **sizes),
        "factor_vae_score": scores.factor_vae_score(truth, seed, **sizes, variance_points=POINTS),
        "rate": measured["rate"], "distortion": measured["distortion"],
    }  # fmt: skip
