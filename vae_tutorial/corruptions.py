"""Ways to damage images, for denoising autoencoders (Vincent et al. 2008, 2010): the input is damaged, the target is not.

A corruption is a function from a batch (B, C, H, W) to a new one of the same shape; its printed form tells its level, so
that a card or a checkpoint can hold it. Called with a seed it is the same at each call; without, it draws from torch's global
random state, which `training.fit` seeds: a new draw each time an image is used.

    noisy = GaussianNoise(0.3)(x, seed=0)
"""

from dataclasses import dataclass

import torch
from torch import Tensor


class Corruption:
    """What all of them share: the seed, and the check of the input.

    Raises:
        ValueError: when called with anything but a batch of floating-point images.
    """

    def __call__(self, x: Tensor, seed: int | None = None) -> Tensor:
        """Damage a batch; x itself is left as it was.

        Args:
            x: images (B, C, H, W), floating point.
            seed: of the draw; None draws from torch's global random state.

        Raises:
            ValueError: x is not a batch of floating-point images, or smaller than the patch to be masked.
        """
        if x.ndim != 4 or not x.is_floating_point():
            raise ValueError(f"images must be floating point, of shape (B, C, H, W); got {x.dtype} of shape {tuple(x.shape)}")
        return self._damage(x, None if seed is None else torch.Generator(x.device).manual_seed(seed))

    def _damage(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        raise NotImplementedError


@dataclass(frozen=True)
class GaussianNoise(Corruption):
    """x + σ·ε, ε ~ N(0, I). *Not clipped*: values leave [0, 1], as denoising score matching wants it (Vincent 2011).

    Attributes:
        sigma: σ, standard deviation of the noise in grey levels (white is 1).

    Raises:
        ValueError: a negative or infinite sigma.
    """

    sigma: float

    def __post_init__(self) -> None:
        if not 0 <= self.sigma < float("inf"):
            raise ValueError(f"sigma must be finite and not negative, got {self.sigma}")

    def _damage(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        return x + self.sigma * torch.empty_like(x).normal_(generator=generator)


@dataclass(frozen=True)
class _EachPixel(Corruption):
    """What damages each pixel with the same probability."""

    probability: float

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must lie in [0, 1], got {self.probability}")


@dataclass(frozen=True)
class SaltAndPepper(_EachPixel):
    """Each pixel, with the given probability, becomes black or white, half and half; the others keep their value.

    Pixels mean places: all channels of a place are damaged together.

    Attributes:
        probability: of a pixel to be damaged, in [0, 1].

    Raises:
        ValueError: a probability outside [0, 1].
    """

    def _damage(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        draw = _uniform(x, generator)
        white = (draw < self.probability / 2).to(x.dtype)
        return torch.where(draw < self.probability, white, x)


@dataclass(frozen=True)
class MaskPixels(_EachPixel):
    """Each pixel, with the given probability, becomes black: the masking noise of Vincent et al. (2008).

    Attributes:
        probability: of a pixel to be masked, in [0, 1].

    Raises:
        ValueError: a probability outside [0, 1].
    """

    def _damage(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        return torch.where(_uniform(x, generator) < self.probability, 0, x)


@dataclass(frozen=True)
class MaskSquare(Corruption):
    """One black square per image, at a place drawn uniformly from those where it lies inside the image.

    Attributes:
        side: of the square, in pixels.

    Raises:
        ValueError: a negative side.
    """

    side: int

    def __post_init__(self) -> None:
        if self.side < 0:
            raise ValueError(f"side must not be negative, got {self.side}")

    def _damage(self, x: Tensor, generator: torch.Generator | None) -> Tensor:
        count, _, height, width = x.shape
        if self.side > min(height, width):
            raise ValueError(f"a square of side {self.side} does not fit into images of {height} x {width} pixels")
        inside = []
        for extent in (height, width):
            start = torch.randint(extent - self.side + 1, (count, 1), generator=generator, device=x.device)
            place = torch.arange(extent, device=x.device)
            inside.append((place >= start) & (place < start + self.side))  # (B, extent)
        masked = inside[0][:, None, :, None] & inside[1][:, None, None, :]  # (B, 1, H, W)
        return torch.where(masked, 0, x)


def _uniform(x: Tensor, generator: torch.Generator | None) -> Tensor:
    """U[0, 1) per place, (B, 1, H, W)."""
    return torch.rand(x[:, :1].shape, generator=generator, device=x.device)
