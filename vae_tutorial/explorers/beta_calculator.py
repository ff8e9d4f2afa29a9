"""Which β did you really train? Sums and means in a loss decide it as much as the number that was typed."""

import ipywidgets
import traitlets

from vae_tutorial.explorers.canvas import LOOK, Canvas, stack
from vae_tutorial.explorers.javascript import join_modules

REDUCTIONS = ("sum", "mean")


class BetaCalculator(Canvas):
    """The panel of `beta_calculator`; all traits but beta and latent_dim are set inside it."""

    _esm = join_modules("beta_calculator.js")
    shown = ("beta", "latent_dim", "pixel_reduction", "latent_reduction", "batch_reduction", "likelihood")
    beta = traitlets.Float(1.0).tag(sync=True)
    latent_dim = traitlets.Int(20, min=1).tag(sync=True)
    pixels = traitlets.Int(784, min=1).tag(sync=True)
    batch = traitlets.Int(128, min=1).tag(sync=True)
    sigma = traitlets.Float(1.0).tag(sync=True)  # of the Gaussian likelihood one compares with
    pixel_reduction = traitlets.Enum(REDUCTIONS, "mean").tag(sync=True)
    latent_reduction = traitlets.Enum(REDUCTIONS, "sum").tag(sync=True)
    batch_reduction = traitlets.Enum(REDUCTIONS, "mean").tag(sync=True)
    likelihood = traitlets.Enum(("bernoulli", "squared error"), "bernoulli").tag(sync=True)

    @traitlets.validate("beta", "sigma")
    def _positive(self, proposal: traitlets.Bunch) -> float:
        if not 0 < proposal["value"] < float("inf"):
            raise traitlets.TraitError(f"{proposal['trait'].name} must be positive, not {proposal['value']}")
        return proposal["value"]


def beta_calculator(latent_dim: int = 20, pixels: int = 784, batch: int = 128) -> ipywidgets.VBox:
    """Choose a loss's reductions and see the β it trains, relative to the ELBO in nats per image.

    Try: average over pixels, sum over latent units: the β you typed is multiplied by the number of pixels. Choose the
    squared error: without its 1/(2σ²) the likelihood has another σ than you think.

    Args:
        latent_dim: d, the number of latent units, 1 … 256.
        pixels: D, the number of pixels.
        batch: images per batch.

    Raises:
        ValueError: a number that is not positive, or latent_dim above 256.
    """
    if not (1 <= latent_dim <= 256 and pixels >= 1 and batch >= 1):
        raise ValueError("latent_dim must lie in 1 … 256, pixels and batch must be at least 1")
    beta = ipywidgets.FloatLogSlider(description="β", base=10, min=-3, max=3, step=0.05, value=1.0, **LOOK)
    units = ipywidgets.IntSlider(description="d", min=1, max=256, value=latent_dim, **LOOK)
    canvas = BetaCalculator(latent_dim=latent_dim, pixels=pixels, batch=batch)
    return stack(canvas, [(beta, "beta"), (units, "latent_dim")])
