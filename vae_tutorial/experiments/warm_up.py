"""KL warm-up or none, with one stochastic layer and with two (z₂ → z₁ → x), on binarised digits: which units end up in use."""

import torch

from vae_tutorial import hierarchical, objectives
from vae_tutorial.evaluation import rate_per_unit
from vae_tutorial.hierarchical import HierarchicalVAE, top_units
from vae_tutorial.models import VAE
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.schedules import warm_up
from vae_tutorial.sweeps import grid
from vae_tutorial.training import History, evaluate, fit

NAME = "warm-up"
DATA = "mnist"
LATENT_DIMS = (32, 16)  # the shallow model has the first alone
HIDDEN = (200, 200)
TOP_HIDDEN = (100,)
ACTIVATION = "relu"
EPOCHS = 12
BATCH_SIZE = 100
LEARNING_RATE = 1e-3
WARM_UP = 0.4  # share of the training in which β rises from 0 to 1
DRAWS = 10  # of z₁ for each image, where units of z₂ are measured
CODES = 50  # of the importance-weighted bound
BOUNDED = 1_000  # images that it is measured on
THRESHOLD = 0.01  # of an active unit (Burda et al. 2016)
SETTINGS = grid(layers=(2, 1), warm=(False, True), seed=range(5))
MINUTES = 1.1


def run(layers: int, warm: bool, seed: int, root: str | None = None) -> dict[str, float | list[float]]:
    """Train once on digits binarised anew each time; measure 5,000 held-out ones, binarised once, after each epoch, in nats."""
    x, x_test = training_images(DATA, root, seed).x, at_hand(DATA, binarized=True).x
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        deep = layers == 2
        model = HierarchicalVAE(LATENT_DIMS, HIDDEN, TOP_HIDDEN, ACTIVATION) if deep else VAE(LATENT_DIMS[0], HIDDEN, ACTIVATION)
    objective = hierarchical.negative_elbo if deep else objectives.negative_elbo
    kept = ("rate", "distortion", "rate_2") if deep else ("rate", "distortion")
    curve: dict[str, list[float]] = {name: [] for name in (*kept, *(("top_active",) if deep else ()))}

    def measure(history: History) -> None:
        numbers = evaluate(model, x_test, objective, seed=MEASURING_SEED)  # β = 1
        for name in kept:
            curve[name].append(round(numbers[name], 3))
        if deep:
            curve["top_active"].append(int((top_units(model, x_test, DRAWS, MEASURING_SEED)[1] > THRESHOLD).sum()))

    fit(
        model, x, objective, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE, transform=torch.bernoulli,
        settings={"beta": warm_up(1.0, until=WARM_UP) if warm else 1.0}, seed=seed, on_epoch=measure, progress=False,
    )  # fmt: skip
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(MEASURING_SEED)
        bound = torch.cat([objectives.iwae_bound(model, batch, CODES) for batch in x_test[:BOUNDED].split(100)]).mean()
        bottom = torch.cat([(model.bottom_posterior if deep else model.posterior)(batch).mean for batch in x_test.split(1_000)])
    units = top_units(model, x_test, DRAWS, MEASURING_SEED)[0] if deep else rate_per_unit(model, x_test)
    return curve | {
        "bound": round(float(bound), 3),
        "active": int((bottom.var(0) > THRESHOLD).sum()),  # of z₁
        "rate_per_unit": sorted((round(float(nats), 3) for nats in units), reverse=True),  # of the uppermost layer
    }
