"""Which way do the axes of a code point? An ellipse's place, learnt with a diagonal q(z|x) and with a full one, ten seeds each."""

import numpy as np
import torch

from vae_tutorial.disentanglement import mig
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.recipes import sprites_position
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.recipes.sprites_position import DATA
from vae_tutorial.rotation import codes_and_classes, rotation_matrix
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate

NAME = "rotation"
SETTINGS = grid(q=("diagonal", "full"), seed=range(1, 11))
MINUTES = 1
DEGREES = range(90)  # tried, for the angle at which the axes would have served the factors best


@torch.no_grad()
def best_turn(codes: torch.Tensor, classes: np.ndarray) -> tuple[float, int]:
    """The highest MIG of turned codes, and its angle."""
    scores = [mig((codes @ rotation_matrix(float(degrees)).T).numpy(), classes) for degrees in DEGREES]
    best = max(DEGREES, key=lambda degrees: scores[degrees])
    return scores[best], best


def run(q: str, seed: int, root: str | None = None) -> dict[str, float]:
    """Train; MIG of the code as it came and after the best turn, that turn's angle, rate and distortion on other places."""
    model = sprites_position.train(training_images(DATA, root, seed), None, seed, full_covariance=q == "full")
    codes, classes = codes_and_classes(model)
    highest, degrees = best_turn(codes, classes)
    measured = evaluate(model, at_hand(DATA).x, negative_elbo, seed=MEASURING_SEED)
    return {
        "mig": round(mig(codes.numpy(), classes), 4), "best_mig": round(highest, 4), "best_turn": degrees,
        "rate": round(measured["rate"], 4), "distortion": round(measured["distortion"], 4),
    }  # fmt: skip
