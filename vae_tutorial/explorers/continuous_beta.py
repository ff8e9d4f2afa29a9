"""Continuous β: one network conditioned on β; map, samples, rate–distortion curve and units follow a single slider."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from math import ceil, log2
from typing import Any

import ipywidgets
import torch
import traitlets
from torch import Tensor, nn

from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import LOOK, Canvas, FiniteFloat, check_planar, check_points, label_bytes, network_traits, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.latent_map import PRIOR_EXTENT, extent_of
from vae_tutorial.explorers.weights import PRECISIONS, float32_bytes, uint8_bytes
from vae_tutorial.models import VAE
from vae_tutorial.networks import BETA_RANGE

EXPONENTS = {"low": -5.0, "high": log2(BETA_RANGE[1]), "step": 1 / 16}  # of two: the slider meets 1, 4, 16, 32, and 100 at its end
SIDE = 8  # samples are shown in a square
Curve = Sequence[Mapping[str, Any]]


class ContinuousBeta(Canvas):
    """The canvas of `continuous_beta`: beta moves everything; the rest is fixed at construction."""

    _esm = join_modules("continuous_beta.js")
    shown = ("beta",)
    beta = FiniteFloat(1.0, min=BETA_RANGE[0], max=BETA_RANGE[1] * (1 + 1e-9)).tag(sync=True)  # the slider's 2^6.64… may exceed 100
    exponents = traitlets.Dict(EXPONENTS).tag(sync=True)  # of the slider's β's
    extent = FiniteFloat(PRIOR_EXTENT, min=0.1).tag(sync=True)  # the map shows ±extent
    precision = traitlets.Enum(PRECISIONS, "int8").tag(sync=True)
    encoder_layers = traitlets.List().tag(sync=True)
    encoder_weights = traitlets.Bytes().tag(sync=True)
    decoder_layers = traitlets.List().tag(sync=True)
    decoder_weights = traitlets.Bytes().tag(sync=True)
    digits = traitlets.Bytes().tag(sync=True)  # uint8 (M, 784)
    labels = traitlets.Bytes().tag(sync=True)  # uint8 (M,)
    z = traitlets.Bytes().tag(sync=True)  # float32 (64, 2), row by row of the sheet
    curve = traitlets.List().tag(sync=True)  # [{beta, rate, distortion, rate_per_unit}, …] of this network
    unit_curve = traitlets.List().tag(sync=True)  # … and of the one whose many units are shown


def continuous_beta(
    model: VAE,
    images: Images,
    curve: Curve,
    unit_curve: Curve,
    points: int = 400,
    beta: float = 1.0,
    seed: int = 0,
    precision: str = "int8",
) -> ipywidgets.VBox:
    """Move β from 0.03 to 100: the map shrinks to a line and then to a point, the samples to one average digit.

    Try: pull β slowly from 1 to 100 and watch two neighbouring samples become one; see which of the ten units dies
    first; go to 0.03 and compare map and prior.

    Map and samples are computed in the browser by the one network; rate, distortion and the units are read from the
    curves that were recorded when the checkpoints were made (`model_card(…)["curve"]`), between two β's by straight
    lines over log β. The samples are decoded from the same z at every β, laid out by z.

    Args:
        model: conditioned on β, latent dimension 2.
        images: held-out images with labels 0 … 9.
        curve: the model's own recorded curve.
        unit_curve: that of a network with more units.
        points: how many of the images the map shows, from the first; each costs the page about 190 bytes.
        beta: at the start.
        seed: of the samples' z.
        precision: of the weights in the browser; int8 moves the mean rate by less than 0.01 nats and halves the page.

    Raises:
        ValueError: a model without β or without a two-dimensional code, `points` outside 1 … len(images), or a curve
            that is not of the model's size or does not run upwards over β.
        TraitError: a β outside the range.
    """
    if model.conditioned_on != "beta":
        raise ValueError("the model is not conditioned on β: build it with conditioned_on='beta'")
    check_planar(model, "model", "beta")
    check_points(points, images)
    _check_curve(curve, "curve", model.latent_dim)
    _check_curve(unit_curve, "unit_curve", None)
    x = images.x[:points]
    with torch.no_grad():
        extent = max(extent_of(model.given(beta=value).encode(x)[0]) for value in (BETA_RANGE[0], 1.0))
    canvas = ContinuousBeta(
        **network_traits("encoder", without_blank_pixels(model.encoder, x), precision),
        **network_traits("decoder", model.decoder, precision),
        beta=beta,
        extent=extent,
        precision=precision,
        digits=uint8_bytes(x),
        labels=label_bytes(images.y[:points]),
        z=float32_bytes(prior_sheet(seed)),
        curve=[dict(point) for point in curve],
        unit_curve=[dict(point) for point in unit_curve],
    )
    low, high, step = (EXPONENTS[name] for name in ("low", "high", "step"))
    exponents = [low + step * i for i in range(ceil((high - low) / step))] + [high]
    canvas.beta = 2 ** min(exponents, key=lambda exponent: abs(exponent - log2(beta)))
    control = ipywidgets.FloatLogSlider(
        description="β", base=2, min=low, max=high, step=step, value=canvas.beta, readout_format=".3g", **LOOK
    )
    return stack(canvas, [(control, "beta")])


def prior_sheet(seed: int) -> Tensor:
    """64 draws of p(z) = N(0, I), (64, 2), placed on a square sheet: z₁ grows from left to right, z₂ from bottom to top."""
    z = torch.randn(SIDE * SIDE, 2, generator=torch.Generator().manual_seed(seed))
    columns = z[z[:, 0].argsort()].view(SIDE, SIDE, 2)  # each column holds eight neighbours in z₁
    down = columns[:, :, 1].argsort(dim=1, descending=True)
    return columns.gather(1, down[:, :, None].expand(-1, -1, 2)).transpose(0, 1).reshape(-1, 2)


def without_blank_pixels(encoder: nn.Sequential, x: Tensor) -> nn.Sequential:
    """The encoder with no weight on pixels that are 0 in every image of x: the same codes for them, and zeros travel light."""
    trimmed = deepcopy(encoder)
    with torch.no_grad():
        trimmed[0].weight[:, x.flatten(1).amax(0) == 0] = 0
    return trimmed


def _check_curve(curve: Curve, name: str, units: int | None) -> None:
    """Refuse a curve that the browser could not read."""
    wanted = {"beta", "rate", "distortion", "rate_per_unit"}
    if len(curve) < 2 or not all(wanted <= set(point) for point in curve):
        raise ValueError(f"{name} must have at least two points with {sorted(wanted)}: take a card's curve")
    betas = [point["beta"] for point in curve]
    if betas != sorted(set(betas)):
        raise ValueError(f"{name} must run upwards over β")
    sizes = {len(point["rate_per_unit"]) for point in curve}
    if len(sizes) != 1 or (units and sizes != {units}):
        expected = units or "one number everywhere"
        raise ValueError(f"{name} has points with {sorted(sizes)} units, not {expected}: it is not this network's")
