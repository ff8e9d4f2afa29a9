"""Latent map: drag a point over the map of codes, and the decoder draws the digit that lives there."""

from math import ceil

import ipywidgets
import torch
import traitlets
from torch import Tensor

from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import Canvas, FiniteFloat, check_planar, check_points, label_bytes, network_traits, slider, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import PRECISIONS, float16_bytes, lossless_precision
from vae_tutorial.models import VAE, Autoencoder

PRIOR_EXTENT = 3.5  # standard deviations of p(z) that the map shows at least
BULK = 0.98  # share of the codes' coordinates that the map holds


class LatentMap(Canvas):
    """The canvas of `latent_map`: z1 and z2 move the cursor; everything else is fixed at construction."""

    _esm = join_modules("latent_map.js")
    shown = ("z1", "z2")
    z1 = FiniteFloat(0.0).tag(sync=True)
    z2 = FiniteFloat(0.0).tag(sync=True)
    extent = FiniteFloat(PRIOR_EXTENT, min=0.1).tag(sync=True)  # the map shows ±extent
    precision = traitlets.Enum(PRECISIONS, "int8").tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)  # uint8 (N,)
    vae_layers = traitlets.List().tag(sync=True)
    vae_weights = traitlets.Bytes().tag(sync=True)
    vae_points = traitlets.Bytes().tag(sync=True)  # float16 (N, 2)
    autoencoder_layers = traitlets.List().tag(sync=True)  # empty: one map only
    autoencoder_weights = traitlets.Bytes().tag(sync=True)
    autoencoder_points = traitlets.Bytes().tag(sync=True)


def latent_map(
    vae: VAE, images: Images, autoencoder: Autoencoder | None = None, points: int = 1000, precision: str | None = None
) -> ipywidgets.VBox:
    """Move z over the map of held-out digits and see what the decoder makes of it.

    Try: drag across a border between two classes; press "decoded grid"; leave the outer circle. With an autoencoder
    beside the VAE: put the cursor into one of its holes, then press "zoom to the prior".

    Both maps show the same range, so that the spread of the codes can be compared, and share one cursor.

    Args:
        vae: latent dimension 2; the map shows the means of q(z|x).
        images: held-out images with labels 0 … 9.
        autoencoder: latent dimension 2; gives the second map.
        points: how many of the images the map shows, from the first.
        precision: of the weights in the browser, `"int8"` or `"float16"`; by default the smallest without loss.

    Raises:
        ValueError: a model without a two-dimensional code, or `points` outside 1 … len(images).
    """
    check_planar(vae, "vae")
    check_points(points, images)
    x, y = images.x[:points], images.y[:points]
    with torch.no_grad():
        codes = {"vae": vae.encode(x)[0]}
        decoders = {"vae": vae.decoder}
        if autoencoder is not None:
            check_planar(autoencoder, "autoencoder")
            codes["autoencoder"], decoders["autoencoder"] = autoencoder.encode(x), autoencoder.decoder
    precision = precision or lossless_precision(*decoders.values())
    traits = {f"{name}_points": float16_bytes(z, "codes") for name, z in codes.items()}
    for name, decoder in decoders.items():
        traits |= network_traits(name, decoder, precision)
    extent = max(extent_of(z) for z in codes.values())
    canvas = LatentMap(labels=label_bytes(y), extent=extent, precision=precision, **traits)
    return stack(canvas, [(slider(name, -extent, extent, 0.01), trait) for name, trait in (("z₁", "z1"), ("z₂", "z2"))])


def extent_of(codes: Tensor) -> float:
    """Half the width of a square around 0 that holds the bulk of the codes (N, 2) and the prior, in half units."""
    bulk = float(torch.quantile(codes.abs().flatten(), BULK))
    return max(PRIOR_EXTENT, ceil(2 * bulk) / 2)
