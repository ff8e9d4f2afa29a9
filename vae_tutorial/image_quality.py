"""How good pictures are: PSNR, sharpness, slant, and a digit classifier that says whether what is sharp is still a digit.

Images are tensors (N, C, H, W) in [0, 1].
"""

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, cross_entropy

from vae_tutorial.data import load_images
from vae_tutorial.devices import fork_random_states
from vae_tutorial.networks import conv_encoder
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import fit


def psnr(x: Tensor, reconstruction: Tensor) -> Tensor:
    """Peak signal-to-noise ratio, 10·log₁₀(1/MSE) decibels, (N,); infinite where nothing differs.

    Raises:
        ValueError: shapes that differ.
    """
    if x.shape != reconstruction.shape:
        raise ValueError(f"PSNR compares images of one shape, got {tuple(x.shape)} and {tuple(reconstruction.shape)}")
    return -10 * (x - reconstruction).square().flatten(1).mean(1).log10()


def sharpness(x: Tensor) -> Tensor:
    """The variance of the Laplacian over an image's pixels, (N,): blurred images have less of it (Pech-Pacheco et al. 2000).

    As for samples in Tolstikhin et al. (2018): grey values, the filter [[0, 1, 0], [1, −4, 1], [0, 1, 0]], no padding. Noise
    of variance s² adds 20 s², so that noise is "sharp" too: read it beside `digit_confidence`, and against real images.
    """
    grey = x.mean(1, keepdim=True)  # (N, 1, H, W)
    laplace = grey.new_tensor([[0, 1, 0], [1, -4, 1], [0, 1, 0]]).view(1, 1, 3, 3)
    return conv2d(grey, laplace).flatten(1).var(1, correction=0)


def slant(x: Tensor) -> Tensor:
    """How far the ink moves to the right for each pixel upwards, (N,), from its second moments: 0 upright, 1 leaning by 45°.

    With ink as weight w, −Σ w·(c − c̄)(r − r̄) / Σ w·(r − r̄)², columns c and rows r (from above): the shear that "deslanting"
    takes out (LeCun et al. 1998). NaN for an empty picture or one of a single row.
    """
    ink = x.sum(1)  # (N, H, W)
    rows, columns = (torch.arange(size, dtype=x.dtype) for size in ink.shape[-2:])
    total = ink.sum((1, 2), keepdim=True)
    down = rows[:, None] - (ink * rows[:, None]).sum((1, 2), keepdim=True) / total  # (N, H, 1)
    along = columns - (ink * columns).sum((1, 2), keepdim=True) / total  # (N, 1, W)
    return -(ink * along * down).sum((1, 2)) / (ink * down.square()).sum((1, 2))


@lru_cache(maxsize=2)
def digit_classifier(seed: int = 0) -> nn.Module:
    """A small convolutional network, x (N, 784) → class logits (N, 10), trained on the 4,000 embedded digits; kept for later calls.

    It sees them under Gaussian noise of any strength up to 1.5, which makes its confidence fall as a digit drowns: one
    trained on clean digits alone gives uniform noise a mean confidence of 0.7, this one 0.3 (of held-out digits, it knows 96 %).
    """
    digits = load_images("mnist", "train")
    with fork_random_states(), torch.enable_grad():  # may be asked for where none are recorded
        torch.manual_seed(seed)
        network = conv_encoder((1, 28, 28), (8, 16), (64, 10))

        def drowned(x: Tensor) -> Tensor:
            by = torch.randint(-1, 2, (2,)).tolist()  # pixels down and to the right, as 4,000 digits are few
            strength = 1.5 * torch.rand(len(x), 1, 1, 1)
            return (x.roll(by, (2, 3)) + strength * torch.randn_like(x)).clamp(0, 1)

        fit(
            network, digits.x, _class_cross_entropy, labels=digits.y, transform=drowned,
            epochs=12, batch_size=64, learning_rate=one_cycle(8e-3), seed=seed, progress=False,
        )  # fmt: skip
    return network


def _class_cross_entropy(network: nn.Module, x: Tensor, label: Tensor) -> dict[str, Tensor]:
    return {"loss": cross_entropy(network(x.flatten(1)), label, reduction="none")}


@torch.no_grad()
def digit_probabilities(x: Tensor, seed: int = 0) -> Tensor:
    """p(class|x) of the ten digits for images (N, 1, 28, 28), (N, 10), by `digit_classifier`."""
    return digit_classifier(seed)(x.flatten(1)).softmax(1)


def digit_confidence(x: Tensor, seed: int = 0) -> Tensor:
    """The probability of the most probable digit, (N,): near 1 for a clear digit, 0.1 for nothing like one."""
    return digit_probabilities(x, seed).amax(1)


def class_entropy(x: Tensor, seed: int = 0) -> float:
    """The entropy of the classes that a set of images is made of, nats: log 10 if all digits are as frequent, 0 for one alone.

    Of the mean of p(class|x), so that it wants confident images: look at `digit_confidence` first (Salimans et al. 2016).
    """
    return float(torch.special.entr(digit_probabilities(x, seed).mean(0)).sum())
