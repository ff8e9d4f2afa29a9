"""Reparameterise: z = μ + σ·ε with frozen or fresh ε, and the two gradient estimates of E f(z) beside the exact one."""

import ipywidgets
import traitlets

from vae_tutorial.explorers.canvas import LOOK, Canvas, FiniteFloat, slider, stack
from vae_tutorial.explorers.javascript import join_modules

MU, SIGMA = (-3.0, 3.0), (0.1, 2.0)  # the sliders' ranges
MOST = 200  # samples


class Reparameterise(Canvas):
    """The canvas of `reparameterise`: `samples` draws of z = mu + sigma·ε; whether ε is frozen is set inside it."""

    _esm = join_modules("reparameterise.js")
    shown = ("mu", "sigma", "samples", "fresh")
    mu = FiniteFloat(1.0, min=MU[0], max=MU[1]).tag(sync=True)
    sigma = FiniteFloat(0.7, min=SIGMA[0], max=SIGMA[1]).tag(sync=True)
    samples = traitlets.Int(12, min=1, max=MOST).tag(sync=True)
    fresh = traitlets.Bool(False).tag(sync=True)  # a new ε at every change
    seed = traitlets.Int(0, min=0).tag(sync=True)


def reparameterise(mu: float = 1.0, sigma: float = 0.7, samples: int = 12, seed: int = 0) -> ipywidgets.VBox:
    """Move μ and σ and see the samples follow; compare the pathwise and the score-function gradient of E f(z).

    f(z) = z²/2 + sin 2z, whose expectation under N(μ, σ²) is known: (μ² + σ²)/2 + exp(−2σ²)·sin 2μ.

    Try: with ε frozen, move μ: the samples move together and the estimate is a smooth curve. Press "fresh ε" and move
    μ again: it jitters. Compare the spread of the two gradient estimates, and how both shrink with more samples.

    Args:
        mu: mean of z, −3 … 3.
        sigma: standard deviation of z, 0.1 … 2.
        samples: number of draws, 1 … 200.
        seed: of every ε.

    Raises:
        TraitError: a number outside its range.
    """
    canvas = Reparameterise(mu=mu, sigma=sigma, samples=samples, seed=seed)
    number = ipywidgets.IntSlider(description="n", min=1, max=MOST, value=samples, **LOOK)
    sliders = [(slider("μ", *MU, 0.01, mu), "mu"), (slider("σ", *SIGMA, 0.01, sigma), "sigma"), (number, "samples")]
    return stack(canvas, sliders)
