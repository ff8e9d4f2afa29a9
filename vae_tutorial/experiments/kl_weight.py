"""A 20-D VAE trained on the embedded digits at eight weights β of the KL term: what it reaches, how fast, how surely."""

import torch

from vae_tutorial.evaluation import activity, rate_per_unit
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.sweeps import grid
from vae_tutorial.training import History, evaluate, fit

NAME = "kl-weight"
DATA = "embedded"
LATENT_DIM = 20
HIDDEN = (400, 400)
ACTIVATION = "relu"
EPOCHS = 50
BATCH_SIZE = 100
LEARNING_RATE = 1e-3  # constant, so that the time to a given ELBO owes nothing to a schedule
BETAS = (0.0, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
CURVE = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50)  # epochs
THRESHOLD = 0.01  # of an active unit (Burda et al. 2016)
TRAINING_IMAGES = 1_000  # of the training images, measured as the held-out ones are
SETTINGS = grid(beta=BETAS, seed=range(5))
MINUTES = 0.6


def run(beta: float, seed: int, root: str | None = None) -> dict[str, float | list[float]]:
    """Train once, measure the held-out digits at the epochs of `CURVE`: nats per image, and the number of active units."""
    x, x_test = training_images(DATA, root, seed).x, at_hand(DATA).x
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, HIDDEN, ACTIVATION)
    curve = {"rate": [], "distortion": [], "active": []}

    def measure(history: History) -> None:
        if len(history) in CURVE:
            numbers = evaluate(model, x_test, negative_elbo, seed=MEASURING_SEED)
            curve["rate"].append(round(numbers["rate"], 2))
            curve["distortion"].append(round(numbers["distortion"], 2))
            curve["active"].append(int((activity(model, x_test) > THRESHOLD).sum()))

    fit(
        model, x, negative_elbo, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE,
        settings={"beta": beta}, seed=seed, on_epoch=measure, progress=False,
    )  # fmt: skip
    seen = evaluate(model, x[:TRAINING_IMAGES], negative_elbo, seed=MEASURING_SEED)
    return curve | {
        "train_rate": round(seen["rate"], 2),
        "train_distortion": round(seen["distortion"], 2),
        "rate_per_unit": sorted((round(float(nats), 3) for nats in rate_per_unit(model, x_test)), reverse=True),
    }
