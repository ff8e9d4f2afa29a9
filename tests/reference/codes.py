"""Codes of known quality, for the recorded scores: dyadic arithmetic only, so every machine gets the same bits."""

from collections.abc import Callable
from functools import cache
from math import prod

import numpy as np
from sklearn.utils import check_random_state

SIZES = (3, 6, 40, 32, 32)  # of dSprites: shape, scale, orientation, x, y
MIXING = 5 * np.eye(5) - 2  # a reflection, times 5: every unit moves with every factor


@cache
def _table(units: int) -> np.ndarray:
    return check_random_state(7).random_sample((prod(SIZES), units))


def _noise(factors: np.ndarray, units: int) -> np.ndarray:
    """Uniform noise in [0, 1), (B, units): one fixed draw for each setting of the factors."""
    return _table(units)[np.ravel_multi_index(tuple(factors.T), SIZES)]


def perfect(factors: np.ndarray) -> np.ndarray:
    """Each factor, centred and scaled to about ±1."""
    sizes = np.array(SIZES)
    return (2 * factors - (sizes - 1)) / 2.0 ** np.floor(np.log2(sizes))


def permuted(factors: np.ndarray) -> np.ndarray:
    """The perfect code, its units in another order, one with the sign turned."""
    return perfect(factors)[:, [3, 0, 4, 2, 1]] * [1, 1, -1, 1, 1]


def rotated(factors: np.ndarray) -> np.ndarray:
    """The perfect code, reflected: each unit mixes all factors. In float32, as a network's codes; still exact."""
    return (perfect(factors) @ MIXING).astype(np.float32)


def random(factors: np.ndarray) -> np.ndarray:
    """Noise."""
    return _noise(factors, 5)


def learned(factors: np.ndarray) -> np.ndarray:
    """Ten units as VAEs have them, float32: positions found, scale and shape mixed, orientation lost, some units dead."""
    shape, scale, _, x, y = perfect(factors).T
    noise = _noise(factors, 6)
    units = [x + noise[:, 0] / 8, y - noise[:, 1] / 4, scale + shape / 2, shape + noise[:, 2], (x - y) / 4, (x + scale) / 2 + noise[:, 3]]
    faint = [noise[:, 4] / 64, noise[:, 5] / 1024, x / 128, np.full(len(factors), 0.25)]
    return np.stack(units + faint, axis=1).astype(np.float32)


CODES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "perfect": perfect, "permuted": permuted, "rotated": rotated, "random": random, "learned": learned,
}  # fmt: skip
