"""Completion: cover a part of a digit; the posterior of the visible pixels on a grid of codes, its modes, and what they complete."""

from collections.abc import Sequence

import ipywidgets
import torch
import traitlets

from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import LOOK, Canvas, FiniteFloat, check_indices, check_planar, first_of_each, network_traits, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import PRECISIONS, float32_bytes, lossless_precision, uint8_bytes
from vae_tutorial.inpainting import EXTENT, POINTS, SIDES
from vae_tutorial.models import VAE

MOST = 30  # digits to choose from


class Completion(Canvas):
    """The canvas of `completion`: digit number `digit`, from 1, with `covered` rows or columns hidden from one side."""

    _esm = join_modules("completion.js")
    shown = ("digit", "side", "covered", "seed")
    digit = traitlets.Int(1, min=1, max=MOST).tag(sync=True)
    side = traitlets.Int(1, min=0, max=len(SIDES) - 1).tag(sync=True)  # the line of the dropdown
    covered = traitlets.Int(14, min=0, max=28).tag(sync=True)
    seed = traitlets.Int(1, min=1).tag(sync=True)  # of the posterior samples
    points = traitlets.Int(POINTS, min=2).tag(sync=True)  # of the grid, along each axis
    extent = FiniteFloat(EXTENT).tag(sync=True)
    precision = traitlets.Enum(PRECISIONS, "float16").tag(sync=True)
    decoder_layers = traitlets.List().tag(sync=True)
    decoder_weights = traitlets.Bytes().tag(sync=True)
    digits = traitlets.Bytes().tag(sync=True)  # uint8 (M, 784)
    centres = traitlets.Bytes().tag(sync=True)  # float32 (10, 2): the median code of every class


def completion(
    vae: VAE, images: Images, chosen: Sequence[int] | None = None, digit: int = 1, side: str = "right", covered: int = 14
) -> ipywidgets.VBox:
    """Cover a part of a digit and see which codes its visible pixels leave open, and what each of them would put there.

    The browser decodes a grid of codes once. From then on p(z|visible pixels) is a sum over visible pixels at each of its cells.

    Try: raise the cover slowly from 0. When does a second mode appear, and what does it complete? Cover all of the digit: what
    distribution is left?

    Args:
        vae: with two latent dimensions and Bernoulli pixels.
        images: held-out digits with labels.
        chosen: indices of those to choose from, at most thirty; by default the first two of every class.
        digit: which of them is shown at the start, from 1.
        side: from which the cover comes, one of `inpainting.SIDES`.
        covered: rows or columns of pixels covered at the start, 0 … 28.

    Raises:
        ValueError: a model without a map, indices that do not exist or are too many, a digit that is none of them, images without
            one of the ten classes, or an unknown side.
        TraitError: a number outside its range.
    """
    check_planar(vae, "vae")
    indices = check_indices(first_of_each(images, 2) if chosen is None else chosen, images, "chosen")
    if len(indices) > MOST:
        raise ValueError(f"chosen may name at most {MOST} images, not {len(indices)}")
    if side not in SIDES:
        raise ValueError(f"unknown side {side!r}: choose from {SIDES}")
    if not 1 <= digit <= len(indices):
        raise ValueError(f"digit says which of the {len(indices)} images is shown, from 1; {digit} is none of them")
    missing = [label for label in range(10) if not (images.y == label).any()]
    if missing:
        raise ValueError(f"the map needs a digit of every class, and images have none of {missing}")
    precision = lossless_precision(vae.decoder)
    with torch.no_grad():
        mu = vae.posterior(images.x).mean
    centres = torch.stack([mu[images.y == label].median(0).values for label in range(10)])
    canvas = Completion(
        digit=digit, side=SIDES.index(side), covered=covered, precision=precision, digits=uint8_bytes(images.x[indices]),
        centres=float32_bytes(centres), **network_traits("decoder", vae.decoder, precision),
    )  # fmt: skip
    look = LOOK | {"style": {"description_width": "5em"}}
    number = ipywidgets.IntSlider(description="digit", min=1, max=len(indices), value=digit, **look)
    cover = ipywidgets.IntSlider(description="covered", min=0, max=28, value=covered, **look)
    box = stack(canvas, [(number, "digit"), (cover, "covered")])
    choice = ipywidgets.Dropdown(options=SIDES, index=SIDES.index(side), description="from", style=look["style"])
    choice.layout = {"width": "auto", "max_width": "300px"}
    ipywidgets.jslink((choice, "index"), (canvas, "side"))
    box.children = (number, choice, cover, canvas)
    return box
