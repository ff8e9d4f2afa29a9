"""Two densities: KL(p‖q) and KL(q‖p) of a target with two humps p and one Gaussian q, and the best q for either."""

import ipywidgets

from vae_tutorial.explorers.canvas import Canvas, FiniteFloat, slider, stack
from vae_tutorial.explorers.javascript import join_modules

HUMP = 0.6  # standard deviation of each hump: two of them are one for separations below twice that
FARTHEST = 6.0  # separation
MU, SIGMA = (-5.0, 5.0), (0.2, 4.0)  # ranges of q's sliders; the best q for KL(p‖q) lies within for every p


class TwoDensities(Canvas):
    """The canvas of `two_densities`: p has humps at ±separation/2, `weight` of its mass in the left one; q = N(mu, sigma²)."""

    _esm = join_modules("two_densities.js")
    shown = ("separation", "weight", "mu", "sigma")
    separation = FiniteFloat(4.0, min=0.0, max=FARTHEST).tag(sync=True)
    weight = FiniteFloat(0.6, min=0.05, max=0.95).tag(sync=True)
    mu = FiniteFloat(1.0, min=MU[0], max=MU[1]).tag(sync=True)
    sigma = FiniteFloat(0.8, min=SIGMA[0], max=SIGMA[1]).tag(sync=True)
    hump = FiniteFloat(HUMP).tag(sync=True)


def two_densities(separation: float = 4.0, weight: float = 0.6, mu: float = 1.0, sigma: float = 0.8) -> ipywidgets.VBox:
    """Move q against a p with two humps, and read KL(p‖q) and KL(q‖p) as signed areas, numbers and bars, in nats.

    Try: press "best q for KL(q‖p)" from the left and from the right: q settles on one hump, and which one depends on
    where it starts (mode-seeking); from a wide q in the middle it reaches a third local minimum, over both humps. Press
    "best q for KL(p‖q)": q covers both and takes p's mean and variance, from wherever it starts. Move the humps
    together until both buttons give nearly the same q.

    Args:
        separation: distance of the two humps, 0 … 6.
        weight: share of p's mass in the left hump, 0.05 … 0.95.
        mu: mean of q, −5 … 5.
        sigma: standard deviation of q, 0.2 … 4.

    Raises:
        TraitError: a number outside its range.
    """
    canvas = TwoDensities(separation=separation, weight=weight, mu=mu, sigma=sigma)
    sliders = [
        (slider("Δ", 0.0, FARTHEST, 0.05, separation), "separation"),
        (slider("w", 0.05, 0.95, 0.01, weight), "weight"),
        (slider("μ", *MU, 0.01, mu), "mu"),
        (slider("σ", *SIGMA, 0.01, sigma), "sigma"),
    ]
    return stack(canvas, sliders)
