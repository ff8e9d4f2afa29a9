"""Posterior collapse: what a VAE keeps in its code when the decoder sees the pixels before, by how far it sees, and with two cures."""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from vae_tutorial.autoregressive import AutoregressiveVAE
from vae_tutorial.evaluation import rate_per_unit
from vae_tutorial.experiments.records import pack_pixels
from vae_tutorial.objectives import free_bits, negative_elbo
from vae_tutorial.probes import knn_accuracy
from vae_tutorial.recipes.measuring import MEASURING_SEED, held_out, training_images
from vae_tutorial.schedules import one_cycle, warm_up
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate, fit

NAME = "collapse"
DATA = "mnist"
LATENT_DIM = 8
TRAINING_IMAGES = 20_000
EPOCHS = 6
BATCH_SIZE = 64
PEAK_LEARNING_RATE = 3e-3
FAR = 6  # rows and columns of 14: half of a digit
FLOOR = 1.0  # nats for each of the 8 units that free bits do not charge
CURES = {  # what is minimised, and its settings
    "none": (negative_elbo, {}),
    "free bits": (partial(free_bits, floor=FLOOR), {}),
    "warm-up": (negative_elbo, {"beta": warm_up(1.0, until=0.5)}),
}
SETTINGS = grid(reach=(0, 1, 3, FAR), cure="none", seed=range(5)) + grid(reach=FAR, cure=("free bits", "warm-up"), seed=range(5))
MINUTES = 1
COPIED, COPIES = 3, 3  # held-out digits whose codes are decoded, and how often each


def small_digits(x: Tensor) -> Tensor:
    """Digits (N, 1, 28, 28) at half the size, black and white: (N, 1, 14, 14)."""
    return (avg_pool2d(x, 2) > 0.5).float()


def run(reach: int, cure: str, seed: int, root: str | None = None) -> dict[str, float | list[float]]:
    """Train one; rate and −ELBO of the official test digits, what the codes still know of the classes, and what is decoded."""
    x = small_digits(training_images(DATA, root, seed).x[:TRAINING_IMAGES])
    test = held_out(DATA, root)["official_test"]
    held, half = small_digits(test.x), len(test) // 2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoregressiveVAE(LATENT_DIM, reach)
    objective, settings = CURES[cure]
    history = fit(
        model, x, objective, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        settings=settings, seed=seed, progress=False,
    )  # fmt: skip
    numbers: Mapping[str, float] = evaluate(model, held, negative_elbo, seed=MEASURING_SEED)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(MEASURING_SEED)
        codes = model.encode(held)[0]  # (N, d)
        copies = model.likelihood(model.posterior(held[:COPIED]).sample((COPIES,)).transpose(0, 1)).sample()
        made = model.likelihood(model.prior.sample((2 * COPIES,))).sample()
    return {
        **{name: round(value, 3) for name, value in numbers.items()},
        "rate_per_unit": [round(value, 3) for value in rate_per_unit(model, held).tolist()],
        "rates": [round(value, 2) for value in history.train["rate"]],  # by epoch
        "knn": round(knn_accuracy(codes[:half], test.y[:half], test=(codes[half:], test.y[half:])), 4),
        "originals": pack_pixels(held[:COPIED], bits=1),
        "copies": pack_pixels(copies.flatten(0, 1), bits=1),  # of digit 1, of digit 2, …
        "made": pack_pixels(made, bits=1),
    }
