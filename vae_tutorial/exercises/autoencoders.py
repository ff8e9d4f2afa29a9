"""Checks of the page Basics of autoencoders."""

from functools import cache

import numpy as np
import torch

from vae_tutorial import data
from vae_tutorial.exercises import choice, close, exercise, numbers, ranking

UNITS = 6  # of the linear autoencoder in these exercises
ALIKE = 0.97  # cosine from which two directions count as the same


@cache
def _held_out_error() -> float:
    """PCA's mean squared error on the held-out digits, centred with the training digits' mean."""
    mean = data.load_images("mnist", split="train").x.flatten(1).double().mean(0)
    x = (data.load_images("mnist", split="test").x.flatten(1).double() - mean).numpy()
    return float((x**2).sum(1).mean() - ((x @ _principal()[1][:UNITS].T) ** 2).sum(1).mean())


@cache
def _principal() -> tuple[np.ndarray, np.ndarray]:
    """Variances (784,), falling, and axes, one per row (784, 784), of the training digits."""
    x = data.load_images("mnist", split="train").x.flatten(1).double()
    centred = x - x.mean(0)
    variances, axes = torch.linalg.eigh(centred.T @ centred / len(x))
    return variances.flip(0).clamp(min=0).numpy(), axes.flip(1).T.numpy()


@exercise("autoencoders/mirrored")
def mirrored(answer: object) -> str | None:
    """Three networks by their error on mirrored digits, smallest first."""
    hints = {
        ("narrow", "wide"): "what can a network reproduce that has learned to copy?",
        ("sparse", "wide"): "what can a network reproduce that has learned to copy?",
        ("narrow", "sparse"): "mirrored digits are made of strokes. Which of the two was already better at strokes in their usual places?",
    }
    return ranking(answer, ("wide", "sparse", "narrow"), hints)


@exercise("autoencoders/bias")
def bias(answer: object) -> str | None:
    """Whether a linear autoencoder with biases reaches PCA's error on images that are not centred."""
    return choice(answer, "yes", {"no": "which constant image could the decoder's bias learn, and what is left for the code then?"})


@exercise("autoencoders/axes")
def axes(answer: object) -> str | None:
    """PCA's axes, one per row (6, 784), of either sign."""
    found = numbers(answer, (UNITS, 784))
    lengths = np.linalg.norm(found, axis=1)
    if np.abs(lengths - 1).max() > 1e-3:
        return "an axis is a direction: each row should have length 1."
    wanted = _principal()[1][:UNITS]
    if np.abs((found * wanted).sum(1)).min() > ALIKE:
        return None
    if np.abs((found * wanted[::-1]).sum(1)).min() > ALIKE:
        return "the right axes in the wrong order: the one with the largest variance comes first. (`eigh` sorts ascending.)"
    if np.linalg.norm(found @ wanted.T, axis=1).min() < ALIKE:
        return "these rows do not lie in PCA's subspace. Did you mix up rows and columns of the basis, or leave the images uncentred?"
    if np.abs(found @ found.T - np.eye(UNITS)).max() > 1e-2:
        return "the rows lie in the right subspace but are not at right angles. Start from an orthonormal basis of the columns."
    return "an orthonormal basis of the right subspace, but not PCA's axes yet: turn it so that the codes are uncorrelated."


@exercise("autoencoders/kept-and-lost")
def kept_and_lost(answer: object) -> str | None:
    """PCA's mean squared error on the training digits with 6 numbers, from the variances along the axes."""
    variances = _principal()[0]
    lost = float(variances[UNITS:].sum())
    hints = {
        float(variances[:UNITS].sum()): "that is what is kept.",
        float(variances.sum()): "that is the variance of the images: what would be lost with no code at all.",
        lost / 784: "that is a mean over the pixels. The errors of this page are sums.",
        lost / float(variances.sum()): "that is a share. The error is asked for.",
        _held_out_error(): "that is on the held-out digits. The variances are those of the training digits.",
        float(variances[UNITS]): "that is the first axis left out only.",
        float(variances[UNITS - 1 :].sum()): "one axis too many is counted as lost: mind that Python counts from 0.",
    }
    return close(answer, lost, tolerance=0.05, hints=hints)
