"""Three roads to one point of the rate–distortion curve, on the embedded digits: β given, the rate held, the distortion held."""

import torch

from vae_tutorial.constraints import HoldDistortion, HoldRate
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.schedules import one_cycle
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate, fit

NAME = "constrained"
DATA = "embedded"
LATENT_DIM = 10
HIDDEN = (128,)
EPOCHS = 30
BATCH_SIZE = 100
PEAK_LEARNING_RATE = 5e-3
BETA = 4.0  # of the first road
RATE, DISTORTION = 7.43, 126.75  # nats a training image has at its end, with seed 100: the targets of the other two
RATE_STEP, DISTORTION_STEP = 0.02, 0.05  # of the dual ascent; chosen on seed 100
ROADS = ("beta", "rate", "distortion")
SETTINGS = grid(road=ROADS, seed=range(1, 6))
MINUTES = 0.2


def run(road: str, seed: int, root: str | None = None) -> dict[str, float | list[float]]:
    """Train once; rate, distortion and β of every epoch, and at the end of training and held-out images, nats per image."""
    x, held = training_images(DATA, root, seed).x, at_hand(DATA).x
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, HIDDEN)
    held_rate, held_distortion = HoldRate(RATE, RATE_STEP), HoldDistortion(DISTORTION, DISTORTION_STEP)
    objectives = {"beta": negative_elbo, "rate": held_rate, "distortion": held_distortion}
    history = fit(
        model, x, objectives[road], epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        settings={"beta": BETA} if road == "beta" else None, seed=seed, progress=False,
    )  # fmt: skip
    curve = {name: [round(value, 3) for value in history.train[name]] for name in ("rate", "distortion")}
    curve["beta"] = [round(value, 4) for value in history.train.get("beta", [BETA] * EPOCHS)]
    ends = {"train": x, "held_out": held}
    numbers = {name: evaluate(model, images, negative_elbo, seed=MEASURING_SEED) for name, images in ends.items()}
    return curve | {f"{name}_{term}": round(numbers[name][term], 3) for name in ends for term in ("rate", "distortion")}
