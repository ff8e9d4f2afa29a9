"""Mean and sample: the decoder puts out the parameters of p(x|z); its mean is one picture, a sample of it another."""

from collections.abc import Sequence
from typing import Any

import ipywidgets
import torch
import traitlets

from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import (
    LOOK,
    Canvas,
    FiniteFloat,
    check_indices,
    first_of_each,
    label_bytes,
    network_traits,
    slider,
    stack,
)
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.latent_map import PRIOR_EXTENT
from vae_tutorial.explorers.weights import PRECISIONS, float32_bytes, lossless_precision, uint8_bytes
from vae_tutorial.models import VAE

LIKELIHOODS = ("bernoulli", "gaussian")
SIGMAS = (0.02, 0.6, 0.005)  # from, to, step of the σ slider
SEEDS = 30


class MeanAndSample(Canvas):
    """The canvas of `mean_and_sample`: z, σ and the seed of the pixels' noise; row is the one whose profile is drawn."""

    _esm = join_modules("mean_and_sample.js")
    shown = ("likelihood", "digit", "z1", "z2", "sigma", "row", "seed")
    likelihood = traitlets.Enum(LIKELIHOODS, "bernoulli").tag(sync=True)
    digit = traitlets.Int(0, min=0).tag(sync=True)
    z1 = FiniteFloat(0.0).tag(sync=True)
    z2 = FiniteFloat(0.0).tag(sync=True)
    sigma = FiniteFloat(SIGMAS[1], min=SIGMAS[0], max=SIGMAS[1]).tag(sync=True)  # of the Gaussian's pixels
    row = traitlets.Int(14, min=0, max=27).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)
    learned_sigma = FiniteFloat(1.0).tag(sync=True)
    sigma_step = FiniteFloat(SIGMAS[2]).tag(sync=True)
    extent = FiniteFloat(PRIOR_EXTENT).tag(sync=True)
    precision = traitlets.Enum(PRECISIONS, "int8").tag(sync=True)
    bernoulli_layers = traitlets.List().tag(sync=True)
    bernoulli_weights = traitlets.Bytes().tag(sync=True)
    bernoulli_codes = traitlets.Bytes().tag(sync=True)  # float32 (M, 2), on the z sliders' steps
    gaussian_layers = traitlets.List().tag(sync=True)
    gaussian_weights = traitlets.Bytes().tag(sync=True)
    gaussian_codes = traitlets.Bytes().tag(sync=True)
    digits = traitlets.Bytes().tag(sync=True)  # uint8 (M, 784)
    labels = traitlets.Bytes().tag(sync=True)  # uint8 (M,)


def mean_and_sample(
    bernoulli: VAE, gaussian: VAE, images: Images, digits: Sequence[int] | None = None, precision: str | None = None
) -> ipywidgets.VBox:
    """One code z, the mean of p(x|z), and a sample of it: for Bernoulli pixels, and for Gaussian ones with any σ.

    Try: change the seed and see which of the two pictures moves. Pull σ away from its learned value, both ways, and
    watch −log p(x|z). Switch between the likelihoods: what is the noise like at the rim of a stroke, and what in the
    empty corner?

    Each likelihood has a model of its own, with a map of its own: picking a digit, or switching, goes to that model's
    code of the digit.

    Args:
        bernoulli: latent dimension 2.
        gaussian: latent dimension 2; its σ is marked as the learned one.
        images: held-out images with labels 0 … 9.
        digits: indices of those to pick from, at most ten; by default the first of every class.
        precision: of the weights in the browser, `"int8"` or `"float16"`; by default the smallest without loss.

    Raises:
        ValueError: a model of another kind, a σ beyond the slider, or indices that do not exist or are too many.
    """
    models = {"bernoulli": bernoulli, "gaussian": gaussian}
    for name, model in models.items():
        _check(model, name)
    learned, (low, high, step) = float(torch.as_tensor(gaussian.sigma).detach()), SIGMAS
    if not low <= learned <= high:
        raise ValueError(f"gaussian has σ = {learned:.3g}, and the slider goes from {low} to {high}")
    chosen = check_indices(first_of_each(images, 1) if digits is None else digits, images, "digits")
    if len(chosen) > 10:
        raise ValueError(f"digits may name at most 10 images, not {len(chosen)}: a phone shows no more")
    with torch.no_grad():
        codes = {name: model.encode(images.x[chosen])[0].clamp(-PRIOR_EXTENT, PRIOR_EXTENT) for name, model in models.items()}
    codes = {name: (100 * z).round() / 100 for name, z in codes.items()}
    precision = precision or lossless_precision(bernoulli.decoder, gaussian.decoder)
    traits: dict[str, Any] = {f"{name}_codes": float32_bytes(z) for name, z in codes.items()}
    for name, model in models.items():
        traits |= network_traits(name, model.decoder, precision)
    z1, z2 = (round(value, 2) for value in codes["bernoulli"][0].tolist())
    sigma = round(low + step * round((learned - low) / step), 3)  # the step of the slider nearest to the learned one
    canvas = MeanAndSample(
        z1=z1, z2=z2, sigma=sigma, learned_sigma=learned, precision=precision,
        digits=uint8_bytes(images.x[chosen]), labels=label_bytes(images.y[chosen]), **traits,
    )  # fmt: skip
    controls = [(slider(name, -PRIOR_EXTENT, PRIOR_EXTENT, 0.01, z), trait) for name, trait, z in (("z₁", "z1", z1), ("z₂", "z2", z2))]
    noise = ipywidgets.FloatSlider(description="σ", min=low, max=high, step=step, value=sigma, readout_format=".3f", **LOOK)
    seed = ipywidgets.IntSlider(description="seed", min=0, max=SEEDS, value=0, **LOOK)
    row = ipywidgets.IntSlider(description="row", min=0, max=27, value=14, **LOOK)
    return stack(canvas, [*controls, (noise, "sigma"), (seed, "seed"), (row, "row")])


def _check(model: VAE, name: str) -> None:
    """Refuse a model that is not of the kind its argument's name says, or that the browser cannot draw."""
    if model.family != name:
        raise ValueError(f"{name} has a {model.family} likelihood: give it a model with likelihood={name!r}")
    if model.latent_dim != 2 or tuple(model.image_shape) != (1, 28, 28):
        raise ValueError(
            f"{name} has a latent dimension of {model.latent_dim} and images of shape {tuple(model.image_shape)}: "
            "the explorer has sliders for 2 and draws (1, 28, 28)"
        )
