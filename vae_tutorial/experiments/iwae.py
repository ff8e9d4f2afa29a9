"""Training on the bound of k samples, k = 1 (a VAE) or 5, from 4,000 binarised digits: log p(x) of held-out digits, units in use."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vae_tutorial.data import binarize, load_images
from vae_tutorial.evaluation import active_units, estimate_evidence
from vae_tutorial.models import VAE
from vae_tutorial.objectives import iwae_bound, negative_iwae_bound
from vae_tutorial.recipes.measuring import MEASURING_SEED, training_images
from vae_tutorial.schedules import one_cycle
from vae_tutorial.sweeps import grid
from vae_tutorial.training import fit

NAME = "iwae"
DATA = "embedded"
LATENT_DIM = 50  # as in Burda et al. (2016)
HIDDEN = (200,)  # theirs has two layers of 200
ACTIVATION = "tanh"  # theirs
EPOCHS = 20  # of 4,000 digits: 80,000 looks, little more than one epoch of MNIST
BATCH_SIZE = 40
PEAK_LEARNING_RATE = 2e-3
CODES = 5_000  # of the importance-sampled log p(x): the field's habit
MEASURED = 80  # held-out digits, binarised once
SETTINGS = grid(k=(1, 5), seed=range(3))
MINUTES = 0.3


def run(k: int, seed: int, root: str | None = None) -> dict[str, float]:
    """Train one model, its digits binarised anew each time; log p(x) and bounds of held-out digits, nats."""
    held = binarize(load_images("mnist", "test").x, MEASURING_SEED)[:MEASURED]
    return train_and_measure(training_images(DATA, root, seed).x, held, k, seed, hidden=HIDDEN, epochs=EPOCHS, batch_size=BATCH_SIZE)


def train_and_measure(
    x: Tensor, held: Tensor, k: int, seed: int, *, hidden: Sequence[int], epochs: int, batch_size: int, products: str = "float32"
) -> dict[str, float]:
    """Train on grey x (N, 1, 28, 28), binarised anew each time; log p(x) and bounds of binarised held-out images, nats."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, hidden, ACTIVATION)
    fit(
        model, x, negative_iwae_bound, epochs=epochs, batch_size=batch_size, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        transform=torch.bernoulli, settings={"k": k}, seed=seed, progress=False,
    )  # fmt: skip
    evidence = estimate_evidence(model, held, CODES, MEASURING_SEED, progress=False, precision=products)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(MEASURING_SEED)
        elbo = torch.stack([iwae_bound(model, held, 1) for _ in range(20)]).mean()
    return {
        "log_evidence": round(float(evidence.log_evidence.mean()), 3),
        "elbo": round(float(elbo), 3),
        "standard_error": round(float(evidence.log_evidence.std() / len(held) ** 0.5), 3),  # over digits
        "effective": round(float(evidence.effective_samples.median()), 1),
        "active": int(active_units(model, x).sum()),
    }
