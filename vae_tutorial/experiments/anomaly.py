"""Anomaly detection by a VAE: which score tells strange images from held-out ones, and what grey levels have to do with it."""

import torch
from torch import Tensor

from vae_tutorial.data import binarize
from vae_tutorial.interpolation import ink_entropy
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo, rate_distortion
from vae_tutorial.probes import auroc
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.schedules import one_cycle
from vae_tutorial.sweeps import grid
from vae_tutorial.training import fit

NAME = "anomaly"
DATA = "mnist and fashion-mnist"
LATENT_DIM = 10
HIDDEN = (128,)  # small: 20 trainings
TRAINING_IMAGES = 20_000
EPOCHS = 10
BATCH_SIZE = 256
PEAK_LEARNING_RATE = 3e-3
TESTED = 1_000  # held-out images, and as many anomalies of every kind
DRAWS = 10  # of z for one image's score
OTHER = {"fashion-mnist": "mnist", "mnist": "fashion-mnist"}
PIXELS = ("grey", "coins", "threshold")  # as they are; each pixel a coin of its grey level; black or white, whichever is nearer
SETTINGS = [
    *grid(trained_on="fashion-mnist", pixels=PIXELS, seed=range(5)),
    *grid(trained_on="mnist", pixels="grey", seed=range(5)),
]
MINUTES = 0.2


def as_pixels(x: Tensor, pixels: str, seed: int) -> Tensor:
    """Images (N, C, H, W) in the kind of pixels that a model is trained on."""
    if pixels == "coins":
        return binarize(x, seed)
    return (x >= 0.5).float() if pixels == "threshold" else x


@torch.no_grad()
def scores(model: VAE, x: Tensor, draws: int = DRAWS, seed: int = MEASURING_SEED) -> dict[str, Tensor]:
    """Scores (N,) that are high where an image is strange, all in nats but the last.

    `elbo` is minus the ELBO, `reconstruction` the distortion, `rate` the rate, each over `draws` codes; `excess` is minus the
    ELBO without the entropy of the image's own grey levels, and `pixels` the squared error of the mean picture.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        terms = [rate_distortion(model, x) for _ in range(draws)]
    rate, distortion = terms[0][0], torch.stack([term[1] for term in terms]).mean(0)
    picture = model.likelihood(model.posterior(x).mean).mean
    return {
        "elbo": rate + distortion, "reconstruction": distortion, "rate": rate, "excess": rate + distortion - ink_entropy(x),
        "pixels": (x - picture).square().flatten(1).sum(1),
    }  # fmt: skip


def anomalies(x: Tensor, other: Tensor) -> dict[str, Tensor]:
    """Kinds of strange images (N, 1, 28, 28) for a model of images like x: of the other set, upside down, empty, and snow."""
    snow = torch.rand(x.shape, generator=torch.Generator().manual_seed(MEASURING_SEED))
    return {"other": other, "upside_down": x.flip(-2), "empty": torch.zeros_like(x), "snow": snow}


def run(trained_on: str, pixels: str, seed: int, root: str | None = None) -> dict[str, float]:
    """Train one VAE; the AUROC of every score for every kind of anomaly, and the mean scores of both sides."""
    x = training_images(trained_on, root, seed).x[:TRAINING_IMAGES]
    if pixels == "threshold":
        x = as_pixels(x, pixels, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, HIDDEN, "silu")
    fit(
        model, x, negative_elbo, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        transform=torch.bernoulli if pixels == "coins" else None, seed=seed, progress=False,
    )  # fmt: skip
    usual, other = at_hand(trained_on).x[:TESTED], at_hand(OTHER[trained_on]).x[:TESTED]
    known = scores(model, as_pixels(usual, pixels, MEASURING_SEED))
    results = {f"usual_{name}": float(value.mean()) for name, value in known.items()}
    for kind, images in anomalies(usual, other).items():
        strange = scores(model, as_pixels(images, pixels, MEASURING_SEED + 1))
        for name, value in strange.items():
            results[f"{kind}_{name}"] = float(value.mean())
            results[f"{kind}_{name}_auroc"] = auroc(value, known[name])
    return {name: round(value, 4) for name, value in results.items()}
