"""Denoising: a digit, picked or drawn, noise of three kinds drawn in the browser, and three ways to take it away."""

from collections.abc import Sequence

import ipywidgets
import traitlets
from torch import nn

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
    slider,
    stack,
)
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import PRECISIONS, lossless_precision, uint8_bytes
from vae_tutorial.models import VAE, Autoencoder

NOISES = ("Gaussian", "salt and pepper", "masking")  # the menu's lines; js/noise.js draws them in this order
MOST_SEED = 99  # of the slider


class Denoising(Canvas):
    """The canvas of `denoising`: kind, level and seed make the noise; digit is the sample picked, or -1 for a drawn one."""

    _esm = join_modules("denoising.js")
    shown = ("kind", "level", "seed", "digit")
    kind = traitlets.Int(0, min=0, max=len(NOISES) - 1).tag(sync=True)
    level = FiniteFloat(0.5, min=0.0, max=1.0).tag(sync=True)  # σ of Gaussian noise, else the share of damaged pixels
    seed = traitlets.Int(0, min=0, max=MOST_SEED).tag(sync=True)
    digit = traitlets.Int(0, min=-1).tag(sync=True)
    precision = traitlets.Enum(PRECISIONS, "int8").tag(sync=True)
    denoiser_layers = traitlets.List().tag(sync=True)  # from pixels to logits
    denoiser_weights = traitlets.Bytes().tag(sync=True)
    encoder_layers = traitlets.List().tag(sync=True)  # of the VAE
    encoder_weights = traitlets.Bytes().tag(sync=True)
    decoder_layers = traitlets.List().tag(sync=True)
    decoder_weights = traitlets.Bytes().tag(sync=True)
    samples = traitlets.Bytes().tag(sync=True)  # uint8 (M, 784)
    sample_labels = traitlets.Bytes().tag(sync=True)  # uint8 (M,)


def denoising(
    denoiser: Autoencoder, vae: VAE, images: Images, samples: Sequence[int] | None = None, level: float = 0.5, precision: str | None = None
) -> ipywidgets.VBox:
    """Spoil a digit, and clean it by a median filter, by a denoising autoencoder and by a VAE's encoder and decoder.

    The noise comes from a seeded generator in the browser. The same draws serve every level, so that the slider makes one and
    the same noise stronger.

    Try: raise the level until you can no longer name the digit; what does the autoencoder show there? Choose salt and pepper:
    the autoencoder was never trained on it. Draw something that is no digit.

    Args:
        denoiser: an autoencoder with a sigmoid output, trained on Gaussian noise.
        vae: Bernoulli likelihood; its encoder sees the noisy digit cut off at 0 and 1, and the mean code is decoded.
        images: held-out images with labels 0 … 9.
        samples: indices of the images to pick from; by default the first two of every class.
        level: of the noise at the start, in [0, 1].
        precision: of the weights in the browser, `"int8"` or `"float16"`; by default the smallest without loss.

    Raises:
        ValueError: models of other images or outputs, or indices that do not exist.
        TraitError: a level outside its range.
    """
    check_image_shape(denoiser, "denoiser")
    check_image_shape(vae, "vae")
    chosen = check_indices(first_of_each(images, 2) if samples is None else samples, images, "samples")
    precision = precision or lossless_precision(denoiser.encoder, denoiser.decoder, vae.encoder, vae.decoder)
    canvas = Denoising(
        **network_traits("denoiser", nn.Sequential(*denoiser.encoder, *denoiser.decoder), precision),
        **network_traits("encoder", vae.encoder, precision),
        **network_traits("decoder", vae.decoder, precision),
        precision=precision,
        level=level,
        samples=uint8_bytes(images.x[chosen]),
        sample_labels=label_bytes(images.y[chosen]),
    )
    look = {"style": {"description_width": "3em"}}
    strength = slider("level", 0, 1, 0.01, level)
    draw = ipywidgets.IntSlider(description="seed", min=0, max=MOST_SEED, value=0, **LOOK)
    for control in (strength, draw):
        control.style = look["style"]
    box = stack(canvas, [(strength, "level"), (draw, "seed")])
    menu = ipywidgets.Dropdown(options=NOISES, index=0, description="noise", **look)
    menu.layout = {"width": "auto", "max_width": "300px"}
    ipywidgets.jslink((menu, "index"), (canvas, "kind"))
    box.children = (menu, *box.children)
    return box
