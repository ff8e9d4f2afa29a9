"""A network of its own for each of six weights β, as large as `mnist-beta` without its gates: what one network for all is held against."""

import torch

from vae_tutorial.experiments.beta_conditioned import BETAS
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.recipes.measuring import MEASURING_SEED, held_out, training_images
from vae_tutorial.recipes.mnist_beta import ACTIVATION, BATCH_SIZE, DATA, HIDDEN, LATENT_DIM, PEAK_LEARNING_RATE, WEIGHT_DECAY
from vae_tutorial.schedules import one_cycle
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate, fit

NAME = "beta-separate"
EPOCHS = 60  # more make small β overfit: with 150 a trial at β = 0.1 lost 0.8 test nats
SETTINGS = grid(seed=range(3), beta=BETAS)
MINUTES = 3


def run(beta: float, seed: int, root: str | None = None, epochs: int = EPOCHS) -> dict[str, float]:
    """Train at one β; loss, rate and distortion of the official test images, nats, and the loss of 10,000 training images."""
    x, held = training_images(DATA, root, seed).x, held_out(DATA, root)["official_test"].x
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, HIDDEN, ACTIVATION)
    fit(
        model, x, negative_elbo, epochs=epochs, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        weight_decay=WEIGHT_DECAY, settings={"beta": beta}, seed=seed, progress=False,
    )  # fmt: skip
    seen = evaluate(model, x[:10_000], negative_elbo, settings={"beta": beta}, seed=MEASURING_SEED)
    measured = evaluate(model, held, negative_elbo, settings={"beta": beta}, seed=MEASURING_SEED)
    return {name: round(value, 3) for name, value in (measured | {"train_loss": seen["loss"]}).items()}
