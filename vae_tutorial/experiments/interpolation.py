"""Straight and spherical paths between held-out digits, for VAEs and autoencoders with 2 and 16 latent dimensions, from five seeds."""

import torch
from torch import Tensor

from vae_tutorial.checkpoints import load_model
from vae_tutorial.image_quality import digit_confidence
from vae_tutorial.interpolation import PATHS, antithetic, codes_of, ink_entropy, judge_pictures, nearest_distance, pictures_of
from vae_tutorial.models import VAE, Autoencoder
from vae_tutorial.objectives import cross_entropy, negative_elbo
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.recipes.mnist_16d import ACTIVATION, BATCH_SIZE, HIDDEN, PEAK_LEARNING_RATE, WEIGHT_DECAY
from vae_tutorial.schedules import one_cycle
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate, fit

NAME = "interpolation"
DATA = "mnist"
EPOCHS = 6  # of the 55,000 digits: enough for a model whose midpoints can be judged, and twenty of them are wanted
PAIRS = 300  # of held-out digits with different labels
SHARES = 11  # places along a path, t = 0, 0.1, … 1
SETTINGS = grid(model=("vae", "autoencoder"), latent_dim=(2, 16), seed=range(1, 6))
MINUTES = 0.4


def run(model: str, latent_dim: int, seed: int, root: str | None = None) -> dict[str, float | list[float]]:
    """Train once; then means over the pairs at each t, for both kinds of path: `norm_straight`, `elbo_spherical`, ….

    Distances to the nearest held-out code are divided by `neighbour`, the mean distance from a code to its nearest one. The
    judge of the decoded pictures is `mnist-beta-10d` at β = 1, which none of these trainings had a part in; it measures `elbo`,
    `rate` and the pictures' own `entropy` (nats). `confidence` is that of a digit classifier. `blend` is the mean of both pictures.
    """
    images, objective = training_images(DATA, root, seed), negative_elbo if model == "vae" else cross_entropy
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        trained = (VAE if model == "vae" else Autoencoder)(latent_dim, HIDDEN, ACTIVATION)
    fit(
        trained, images.x, objective, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        weight_decay=WEIGHT_DECAY, seed=seed, progress=False,
    )  # fmt: skip
    held_out = at_hand(DATA)
    first, second = pairs_of(held_out.y)
    codes, judge = codes_of(trained, held_out.x), load_model("mnist-beta-10d").given(beta=1.0)
    bank = codes[-1000:]
    neighbour = float(torch.cdist(bank, bank).fill_diagonal_(torch.inf).amin(1).mean())
    results: dict[str, float | list[float]] = {
        "loss": round(evaluate(trained, held_out.x, objective, seed=MEASURING_SEED)["loss"], 3),
        "neighbour": round(neighbour, 4),
        "length": round(float(codes.norm(dim=1).mean()), 4),
    }
    shares = torch.linspace(0, 1, SHARES)
    for name, path in PATHS.items():
        z = path(codes[first], codes[second], shares)  # (PAIRS, SHARES, d)
        measured = {"norm": z.norm(dim=-1), "distance": nearest_distance(z, bank) / neighbour}
        measured |= worth(judge, pictures_of(trained, z))
        results |= {f"{key}_{name}": [round(value, 3) for value in values.mean(0).tolist()] for key, values in measured.items()}
    results |= {f"{key}_blend": round(float(value.mean()), 3) for key, value in worth(judge, blends(held_out.x, first, second)).items()}
    return results


def pairs_of(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of `PAIRS` pairs with different labels, the same for every run; none of the last 1,000, which serve as neighbours."""
    generator = torch.Generator().manual_seed(0)
    draws = torch.randint(max(len(labels) - 1000, len(labels) // 2), (4 * PAIRS, 2), generator=generator)
    first, second = draws[labels[draws[:, 0]] != labels[draws[:, 1]]][:PAIRS].T
    return first, second


def blends(x: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """The mean of the two pictures of each pair, (PAIRS, 1, C, H, W): what lies between them in the space of pixels."""
    return (x[first] + x[second])[:, None] / 2


def worth(judge: VAE, pictures: Tensor) -> dict[str, Tensor]:
    """What decoded pictures (N, T, C, H, W) are worth, each (N, T)."""
    flat = pictures.flatten(0, 1)
    rate, distortion = judge_pictures(judge, flat, antithetic(4, judge.latent_dim, 0))
    measured = {"elbo": -(rate + distortion), "rate": rate, "entropy": ink_entropy(flat), "confidence": digit_confidence(flat)}
    return {name: values.view(pictures.shape[:2]) for name, values in measured.items()}
