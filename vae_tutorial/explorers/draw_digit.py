"""Draw a digit: encoder, q(z|x) on the map, ε, z and decoder, all at work on what the reader draws."""

from collections.abc import Sequence

import ipywidgets
import torch
import traitlets

from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import (
    Canvas,
    FiniteFloat,
    check_indices,
    check_planar,
    check_points,
    first_of_each,
    label_bytes,
    network_traits,
    slider,
    stack,
)
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.latent_map import PRIOR_EXTENT, extent_of
from vae_tutorial.explorers.weights import PRECISIONS, float16_bytes, lossless_precision, uint8_bytes
from vae_tutorial.models import VAE


class DrawDigit(Canvas):
    """The canvas of `draw_digit`: eps1 and eps2 move z; digit is the sample picked, or -1 for a drawn one."""

    _esm = join_modules("draw_digit.js")
    shown = ("digit", "eps1", "eps2")
    eps1 = FiniteFloat(0.0, min=-3.0, max=3.0).tag(sync=True)
    eps2 = FiniteFloat(0.0, min=-3.0, max=3.0).tag(sync=True)
    digit = traitlets.Int(0, min=-1).tag(sync=True)
    seed = traitlets.Int(0, min=0).tag(sync=True)  # of the button that samples ε
    extent = FiniteFloat(PRIOR_EXTENT, min=0.1).tag(sync=True)  # the map shows ±extent
    precision = traitlets.Enum(PRECISIONS, "int8").tag(sync=True)
    encoder_layers = traitlets.List().tag(sync=True)
    encoder_weights = traitlets.Bytes().tag(sync=True)
    decoder_layers = traitlets.List().tag(sync=True)
    decoder_weights = traitlets.Bytes().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)  # float16 (N, 2)
    labels = traitlets.Bytes().tag(sync=True)  # uint8 (N,)
    samples = traitlets.Bytes().tag(sync=True)  # uint8 (M, 784)
    sample_labels = traitlets.Bytes().tag(sync=True)  # uint8 (M,)


def draw_digit(
    vae: VAE,
    images: Images,
    points: int = 1000,
    samples: Sequence[int] | None = None,
    precision: str | None = None,
    seed: int = 0,
) -> ipywidgets.VBox:
    """Draw a digit, or pick one, and follow it: input → encoder → q(z|x) → z = μ + σ⊙ε → decoder → output.

    Try: draw a 4 and close its top slowly, often it becomes a 9; sample ε a few times and see how little the output
    changes; draw something that is no digit and look at its distortion.

    What is drawn is fitted into 20 × 20 pixels and centred by mass, as MNIST's own digits were.

    Args:
        vae: latent dimension 2, Bernoulli likelihood.
        images: held-out images with labels 0 … 9.
        points: how many of the images the map shows, from the first.
        samples: indices of the images to pick from; by default the first two of every class.
        precision: of the weights in the browser, `"int8"` or `"float16"`; by default the smallest without loss.
        seed: of the button that samples ε.

    Raises:
        ValueError: a model without a two-dimensional code, or indices that do not exist.
    """
    check_planar(vae, "vae")
    check_points(points, images)
    chosen = check_indices(first_of_each(images, 2) if samples is None else samples, images, "samples")
    with torch.no_grad():
        mu = vae.encode(images.x[:points])[0]
    precision = precision or lossless_precision(vae.encoder, vae.decoder)
    canvas = DrawDigit(
        **network_traits("encoder", vae.encoder, precision),
        **network_traits("decoder", vae.decoder, precision),
        precision=precision,
        seed=seed,
        extent=extent_of(mu),
        points=float16_bytes(mu, "codes"),
        labels=label_bytes(images.y[:points]),
        samples=uint8_bytes(images.x[chosen]),
        sample_labels=label_bytes(images.y[chosen]),
    )
    return stack(canvas, [(slider(name, -3, 3, 0.01), trait) for name, trait in (("ε₁", "eps1"), ("ε₂", "eps2"))])
