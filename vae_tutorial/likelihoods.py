"""Families of p(x|z): the decoder maps z deterministically to the *parameters* of one of these."""

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Independent, Normal


def bernoulli(x_logits: Tensor, event_dims: int = 3) -> Independent:
    """Independent Bernoulli pixels; `log_prob(x)` is minus the cross-entropy summed over pixels, in nats.

    On grey x in [0, 1] it is the expectation over binarised copies of x, not a density of x (Loaiza-Ganem &
    Cunningham 2019); validation is therefore off, and `check_pixels` looks at the range once instead.

    Args:
        x_logits: (…, C, H, W).
        event_dims: how many trailing dimensions make one x.
    """
    return Independent(Bernoulli(logits=x_logits, validate_args=False), event_dims, validate_args=False)


def gaussian(mean: Tensor, sigma: Tensor | float, event_dims: int = 3) -> Independent:
    """Independent Gaussian pixels: −log p(x|z) = ‖x − mean‖² / (2σ²) + ½·D·log(2πσ²) nats.

    Args:
        mean: (…, C, H, W).
        sigma: standard deviation, a number or a tensor that broadcasts with `mean`.
        event_dims: how many trailing dimensions make one x.
    """
    return Independent(Normal(mean, sigma, validate_args=False), event_dims, validate_args=False)


def check_pixels(x: Tensor) -> None:
    """Refuse images that a Bernoulli likelihood cannot mean.

    Raises:
        ValueError: no image at all, whole numbers, or a value outside [0, 1] or not finite.
    """
    if not x.is_floating_point():
        raise ValueError(f"pixels must be floating-point numbers in [0, 1], got {x.dtype}: for 8-bit images take x.float() / 255")
    if not x.numel():
        raise ValueError(f"no images: x has the shape {tuple(x.shape)}")
    low, high = torch.aminmax(x)
    if not (low >= 0 and high <= 1):
        raise ValueError(f"pixels must lie in [0, 1] but span [{low:.3g}, {high:.3g}]: divide 8-bit images by 255, undo any normalisation")
