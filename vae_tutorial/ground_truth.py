"""Factors of variation that can be set at will, and the code that a representation gives each setting."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from numpy.typing import ArrayLike

from vae_tutorial import sprites
from vae_tutorial.models import VAE

DRAWN_TOGETHER = 16  # factors are drawn column by column within a batch: the library's points want the library's batch
ENCODED_TOGETHER = 1_024  # rows that `represent` is given at once: it stays in the cache, 2.6 times as fast as 8,192


@dataclass(frozen=True)
class GroundTruth:
    """Independent, uniform factors and `represent`, which encodes them.

    Random numbers come from NumPy's `RandomState` in the order in which `disentanglement_lib` draws them, so that its
    scores come out with the same points.

    Attributes:
        sizes: the number of values of each factor.
        represent: factors (B, K), integers from 0, → codes (B, d); for a VAE its posterior means, as in the library.

    Raises:
        ValueError: fewer than two factors, or a factor with fewer than two values.
    """

    sizes: tuple[int, ...]
    represent: Callable[[np.ndarray], ArrayLike]

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 2:
            raise ValueError(f"wanted two or more factors of two or more values each, got sizes {self.sizes}: leave constant ones out")

    def sample_factors(self, count: int, rng: "np.random.RandomState") -> np.ndarray:
        """Factors (count, K), integers."""
        return np.stack([rng.randint(size, size=count) for size in self.sizes], axis=1)

    def codes(self, factors: np.ndarray) -> np.ndarray:
        """Factors (…, K) → codes (…, d).

        Raises:
            ValueError: `represent` gave something else than one row of finite numbers for each row of factors.
        """
        rows = factors.reshape(-1, len(self.sizes))
        parts = []
        for start in range(0, len(rows), ENCODED_TOGETHER):
            part = rows[start : start + ENCODED_TOGETHER]
            parts.append(np.asarray(self.represent(part)))
            if parts[-1].ndim != 2 or len(parts[-1]) != len(part) or not np.isfinite(parts[-1]).all():
                raise ValueError(f"represent must give finite codes of shape ({len(part)}, d), got an array of shape {parts[-1].shape}")
        return np.concatenate(parts).reshape(*factors.shape[:-1], -1)

    def draw(self, count: int, seed: "int | np.random.RandomState" = 0) -> tuple[np.ndarray, np.ndarray]:
        """Codes (count, d) and factors (count, K), as `mig`, `dci` and `sap` want them.

        The library scores 10,000 points, and tests on 5,000 more from the same `RandomState`
        (`sklearn.utils.check_random_state(seed)` makes one).
        """
        from sklearn.utils import check_random_state  # scikit-learn takes a second to import: only where it is needed

        rng = check_random_state(seed)
        batches = [self.sample_factors(min(DRAWN_TOGETHER, count - start), rng) for start in range(0, count, DRAWN_TOGETHER)]
        factors = np.concatenate(batches)
        return self.codes(factors), factors

    def draw_held(self, points: int, batch: int, rng: "np.random.RandomState", *, pairs: bool) -> tuple[np.ndarray, np.ndarray]:
        """Batches of codes that agree in one factor, drawn anew for each batch.

        Args:
            points: how many batches.
            batch: codes, or pairs of codes, in each.
            rng: of the factors.
            pairs: the two of a pair agree, and each pair has its own value of the factor. Otherwise all of a batch agree.

        Returns:
            The factor held (points,), and codes (points, 2, batch, d) as pairs or (points, 1, batch, d).
        """
        held, factors = np.empty(points, dtype=int), np.empty((points, 2 if pairs else 1, batch, len(self.sizes)), dtype=int)
        for n in range(points):
            k = held[n] = rng.randint(len(self.sizes))
            for part in factors[n]:
                part[:] = self.sample_factors(batch, rng)
            factors[n, ..., k] = factors[n, 0, :, k] if pairs else factors[n, 0, 0, k]
        return held, self.codes(factors)


def model_on_sprites(model: VAE) -> GroundTruth:
    """A trained model's posterior means of the sprites, each image rendered and encoded once.

    The β-VAE and FactorVAE scores ask for 2.9 million images at the library's settings, four for each that there is: codes
    are remembered (29 MB for d = 10), so a model that is trained further wants a new ground truth.

    Args:
        model: a VAE of square images with one channel; one with a condition as `model.given(…)`.

    Raises:
        ValueError: images of another shape.
    """
    channels, height, width = model.image_shape
    if channels != 1 or height != width:
        raise ValueError(f"sprites are square, with one channel; this model's images are {tuple(model.image_shape)}")
    sizes = tuple(len(values) for values in sprites.FACTORS.values())
    known = np.full((prod(sizes), model.latent_dim), np.nan, dtype=np.float32)

    @torch.no_grad()
    def represent(factors: np.ndarray) -> np.ndarray:
        index = np.ravel_multi_index(tuple(factors.T), sizes)
        new = np.unique(index[np.isnan(known[index, 0])])
        if len(new):
            x = sprites.render(torch.from_numpy(np.stack(np.unravel_index(new, sizes), axis=1)), height)
            known[new] = model.posterior(x).mean.numpy()
        return known[index]

    return GroundTruth(sizes, represent)
