"""Few labels: how well digits are told apart from a handful of labels, by pixels, by PCA and by codes learnt without any."""

from collections.abc import Iterator
from functools import lru_cache

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from vae_tutorial.checkpoints import load_model
from vae_tutorial.interpolation import codes_of
from vae_tutorial.probes import knn_accuracy, linear_probe
from vae_tutorial.recipes.measuring import at_hand, training_images
from vae_tutorial.sweeps import grid

NAME = "few-labels"
DATA = "mnist"
COMPONENTS = 16  # of PCA: as many numbers as the networks' codes have
LABELS = (1, 2, 5, 10, 20, 50, 100)  # of each class
TESTED = 5  # every fifth digit at hand, the last 1,000 of 5,000: none of them can be drawn for its label
CODES = ("vae", "autoencoder", "pca", "pixels")
SETTINGS = grid(labels=LABELS, seed=range(5))
MINUTES = 0.01


@lru_cache(maxsize=1)
def representations(root: str | None = None) -> dict[str, Tensor]:
    """The embedded digits (5000, …) four ways. Networks and PCA have seen the same 55,000 others, none of them with its label."""
    x = at_hand(DATA).x
    others = training_images(DATA, root, 0).x.flatten(1)
    pca = PCA(COMPONENTS, svd_solver="covariance_eigh", random_state=0).fit(others.numpy())
    codes = {
        name: codes_of(load_model(checkpoint), x) for name, checkpoint in (("vae", "mnist-16d"), ("autoencoder", "mnist-16d-autoencoder"))
    }
    return codes | {"pca": torch.from_numpy(pca.transform(x.flatten(1).numpy())), "pixels": x.flatten(1)}


def draw_labelled(y: Tensor, labels: int, seed: int) -> Tensor:
    """The places (10·labels,) of as many images of every class, drawn without replacement.

    Raises:
        ValueError: a class with fewer images.
    """
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    chosen = [order[y[order] == label][:labels] for label in range(10)]
    if min(map(len, chosen)) < labels:
        raise ValueError(f"not every class has {labels} images")
    return torch.cat(chosen)


def accuracies(codes: Tensor, y: Tensor, chosen: Tensor) -> Iterator[tuple[str, float]]:
    """Accuracy on the images that are kept for it of classifiers that learn from the chosen ones: a linear one, the nearest neighbour."""
    kept = len(y) // TESTED
    known, test = (codes[chosen], y[chosen]), (codes[-kept:], y[-kept:])
    yield "linear", linear_probe(*known, test)
    yield "nearest", knn_accuracy(*known, test, neighbours=1)


def run(labels: int, seed: int, root: str | None = None) -> dict[str, float]:
    """Draw the labels once; the accuracy of both classifiers on every representation."""
    y = at_hand(DATA).y
    chosen = draw_labelled(y[: -(len(y) // TESTED)], labels, seed)
    results = {f"{name}_{kind}": value for name, codes in representations(root).items() for kind, value in accuracies(codes, y, chosen)}
    return {name: round(value, 4) for name, value in results.items()}
