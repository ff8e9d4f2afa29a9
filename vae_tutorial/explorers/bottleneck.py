"""Bottleneck: how many numbers does a digit need? One ordered code, cut after d units."""

from collections.abc import Sequence

import ipywidgets
import torch
import traitlets
from torch.nn.functional import binary_cross_entropy_with_logits

from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import (
    LOOK,
    Canvas,
    FiniteFloat,
    check_image_shape,
    check_indices,
    first_of_each,
    label_bytes,
    network_traits,
    stack,
)
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import PRECISIONS, float32_bytes, lossless_precision, uint8_bytes
from vae_tutorial.models import Autoencoder

MOST_DIGITS = 12  # more columns do not fit a phone


class Bottleneck(Canvas):
    """The canvas of `bottleneck`: d units of the code are kept; digit is the column shown large."""

    _esm = join_modules("bottleneck.js")
    shown = ("d", "digit")
    d = traitlets.Int(1, min=1).tag(sync=True)
    digit = traitlets.Int(0, min=0).tag(sync=True)
    count = traitlets.Int(1, min=1).tag(sync=True)  # images behind the two curves
    squared_errors = traitlets.List(FiniteFloat()).tag(sync=True)  # mean of the images at d = 1, 2, …
    cross_entropies = traitlets.List(FiniteFloat()).tag(sync=True)  # the same, in nats
    precision = traitlets.Enum(PRECISIONS, "int8").tag(sync=True)
    decoder_layers = traitlets.List().tag(sync=True)
    decoder_weights = traitlets.Bytes().tag(sync=True)
    codes = traitlets.Bytes().tag(sync=True)  # float32 (M, D): float16 would show in the picture
    digits = traitlets.Bytes().tag(sync=True)  # uint8 (M, 784)
    labels = traitlets.Bytes().tag(sync=True)  # uint8 (M,)


def bottleneck(
    autoencoder: Autoencoder, images: Images, digits: Sequence[int] | None = None, d: int = 2, precision: str | None = None
) -> ipywidgets.VBox:
    """Keep the first d units of each digit's code, set the rest to 0, and see what the decoder can still draw.

    Try: find the smallest d at which you can tell every digit; find where the curve flattens.

    Args:
        autoencoder: its units ordered by nested dropout, so that the first d are of use without the rest.
        images: held-out images with labels 0 … 9; the curves are their means.
        digits: indices of the images to show, at most twelve; by default the first of every class.
        d: units kept at the start.
        precision: of the weights in the browser, `"int8"` or `"float16"`; by default the smallest without loss.

    Raises:
        ValueError: a model of other images, indices that do not exist or are too many, or d beyond the code.
    """
    check_image_shape(autoencoder, "autoencoder")
    chosen = check_indices(first_of_each(images, 1) if digits is None else digits, images, "digits")
    if len(chosen) > MOST_DIGITS:
        raise ValueError(f"digits may name at most {MOST_DIGITS} images, not {len(chosen)}: a phone shows no more")
    if not 1 <= d <= autoencoder.latent_dim:
        raise ValueError(f"d must lie in 1 … {autoencoder.latent_dim}, the length of the code, not {d}")
    squared_errors, cross_entropies = error_curves(autoencoder, images)
    with torch.no_grad():
        codes = autoencoder.encode(images.x[chosen])
    precision = precision or lossless_precision(autoencoder.decoder)
    canvas = Bottleneck(
        **network_traits("decoder", autoencoder.decoder, precision),
        d=d,
        count=len(images),
        squared_errors=squared_errors,
        cross_entropies=cross_entropies,
        precision=precision,
        codes=float32_bytes(codes),
        digits=uint8_bytes(images.x[chosen]),
        labels=label_bytes(images.y[chosen]),
    )
    control = ipywidgets.IntSlider(description="d", min=1, max=autoencoder.latent_dim, value=d, **LOOK)
    return stack(canvas, [(control, "d")])


@torch.no_grad()
def error_curves(autoencoder: Autoencoder, images: Images) -> tuple[list[float], list[float]]:
    """Squared error and Bernoulli cross-entropy (nats), summed over pixels, meaned over images, at d = 1 … D."""
    z = autoencoder.encode(images.x)
    kept = torch.zeros_like(z)
    squared_errors, cross_entropies = [], []
    for unit in range(autoencoder.latent_dim):
        kept[:, unit] = z[:, unit]
        x_logits = autoencoder.decode(kept)
        cross_entropy = binary_cross_entropy_with_logits(x_logits, images.x, reduction="sum")
        squared_errors.append(float((images.x - torch.sigmoid(x_logits)).square().sum() / len(images)))
        cross_entropies.append(float(cross_entropy / len(images)))
    return squared_errors, cross_entropies
