"""Naive Monte Carlo in the browser: log p(x) from draws of the prior, a hundred times over, beside the exact value."""

import ipywidgets
import traitlets

from vae_tutorial.explorers.canvas import LOOK, Canvas, FiniteFloat, stack
from vae_tutorial.explorers.javascript import join_modules

FEWEST, MOST = 10, 10_000  # samples
DIMENSIONS = 50  # at most
LEAST_INFORMATION, MOST_INFORMATION = 0.01, 3.2  # nats in each dimension


class MonteCarlo(Canvas):
    """The panel of `monte_carlo`; its sliders set all traits but the seed, which its button moves on."""

    _esm = join_modules("monte_carlo.js")
    shown = ("samples", "d", "information")
    samples = FiniteFloat(100.0, min=FEWEST, max=MOST).tag(sync=True)  # rounded in the browser: its slider is logarithmic
    d = traitlets.Int(2, min=1, max=DIMENSIONS).tag(sync=True)
    information = FiniteFloat(1.0, min=LEAST_INFORMATION, max=MOST_INFORMATION).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)


def monte_carlo(samples: int = 100, d: int = 2, information: float = 1.0) -> ipywidgets.VBox:
    """Average p(x|z) over codes from the prior and see how far log of the average is from log p(x).

    The model is z ~ N(0, I), x = z + σ ε with d numbers each, so log p(x) is known. `information` is ½ log(1 + 1/σ²), what
    a number of x tells about its number of z. Try: four times the samples halve the error, in one dimension and in fifty.
    50 dimensions with 0.02 nats each err like one with 1 nat. Then raise the nats: the estimates sink below the exact line.

    Args:
        samples: S, the codes of one estimate, 10 … 10,000.
        d: numbers of a code, 1 … 50.
        information: nats in each dimension, 0.01 … 3.2.

    Raises:
        ValueError: a number outside its range.
    """
    if not (FEWEST <= samples <= MOST and 1 <= d <= DIMENSIONS and LEAST_INFORMATION <= information <= MOST_INFORMATION):
        raise ValueError(
            f"samples must lie in {FEWEST} … {MOST:,}, d in 1 … {DIMENSIONS}, information in {LEAST_INFORMATION} … {MOST_INFORMATION}"
        )
    count = ipywidgets.FloatLogSlider(description="S", base=10, min=1, max=4, step=0.1, value=float(samples), readout_format=",.0f", **LOOK)
    units = ipywidgets.IntSlider(description="d", min=1, max=DIMENSIONS, value=d, **LOOK)
    nats = ipywidgets.FloatLogSlider(
        description="nats", base=10, min=-2, max=0.5, step=0.1, value=float(information), readout_format=".3g", **LOOK
    )
    canvas = MonteCarlo(samples=float(samples), d=d, information=information)
    return stack(canvas, [(count, "samples"), (units, "d"), (nats, "information")])
