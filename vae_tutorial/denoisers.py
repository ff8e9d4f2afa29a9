"""Ways to clean noisy images without a model of codes: PCA, a median filter, and one hidden layer trained to denoise or to copy.

All take images (N, 1, H, W), noisy, and give cleaned ones of the same shape.
"""

from collections.abc import Callable

import torch
from scipy.ndimage import median_filter
from torch import Tensor

from vae_tutorial.models import Autoencoder

SIZES = (3, 5)  # of the median filter's window, in pixels


class OneLayer(Autoencoder):
    """x → ReLU(W x + b) → x̂, linear in the code: `width` numbers, undercomplete below the D pixels, overcomplete above.

    Shaped as in Vincent et al. (2010), but for the output: without a sigmoid the identity is within reach of a wide one.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, hidden=(), output="none")

    def encode(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) → z (B, width), none of it negative."""
        return super().encode(x).relu()


def median(y: Tensor, size: int = 3) -> Tensor:
    """Every pixel becomes the median of the size × size pixels around it; outside the image is black."""
    return torch.from_numpy(median_filter(y.numpy(), size=(1, 1, size, size), mode="constant"))


class PrincipalComponents:
    """Projection on the first principal components of clean images.

    Args:
        x: clean images (N, C, H, W).
    """

    def __init__(self, x: Tensor) -> None:
        flat = x.flatten(1).double()
        self.mean = flat.mean(0)
        centred = flat - self.mean
        eigenvectors = torch.linalg.eigh(centred.T @ centred / len(flat))[1].flip(1)  # (D, D), largest variance first
        self.mean, self.axes = self.mean.float(), eigenvectors.float()

    def project(self, y: Tensor, components: int) -> Tensor:
        """The nearest image (N, C, H, W) to each y in the plane of the mean and the first components."""
        axes = self.axes[:, :components]
        return ((y.flatten(1) - self.mean) @ axes @ axes.T + self.mean).view_as(y)


def best_of(methods: dict[int, Callable[[Tensor], Tensor]], x: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
    """The method with the smallest squared error on pairs of clean x and noisy y, which must not be those it is reported on."""
    return min(methods.values(), key=lambda method: float((method(y) - x).square().mean()))


@torch.no_grad()
def passed_noise(denoise: Callable[[Tensor], Tensor], x: Tensor, y: Tensor) -> float:
    """The share of the noise n = y − x that comes out again: ⟨f(y) − f(x), n⟩ / ⟨n, n⟩; 1 for the identity, 0 if it all is gone."""
    noise = y - x
    return float(((denoise(y) - denoise(x)) * noise).sum() / noise.square().sum())
