"""Quantities that change over training: functions from progress in [0, 1] to a value."""

from collections.abc import Callable
from math import cos, pi

Schedule = Callable[[float], float]


def constant(value: float) -> Schedule:
    """The same value throughout."""
    return lambda progress: value


def warm_up(value: float, until: float) -> Schedule:
    """From 0 in a straight line to `value` at progress `until`, then constant (Sønderby et al. 2016).

    Raises:
        ValueError: `until` outside (0, 1].
    """
    if not 0 < until <= 1:
        raise ValueError(f"warm-up must end within training, 0 < until <= 1, got {until}")
    return lambda progress: value * min(1.0, progress / until)


def one_cycle(peak: float, rise: float = 0.1, start: float = 0.04) -> Schedule:
    """Cosine up from `start`·`peak` until progress `rise`, cosine down to zero.

    The one-cycle policy of Smith & Topin (2019), with cosines in place of its straight lines.

    Raises:
        ValueError: `rise` outside [0, 1).
    """
    if not 0 <= rise < 1:
        raise ValueError(f"the rise must end within training, 0 <= rise < 1, got {rise}")

    def value(progress: float) -> float:
        if progress < rise:
            return peak * (start + (1 - start) * (1 - cos(pi * progress / rise)) / 2)
        return peak * (1 + cos(pi * (progress - rise) / (1 - rise))) / 2

    return value
