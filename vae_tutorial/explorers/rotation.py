"""Rotate z: the axes of a two-dimensional code are turned and the decoder turned back; p(x) stays, MIG and a diagonal q's ELBO fall."""

import ipywidgets
import torch
import traitlets
from torch import Tensor

from vae_tutorial.checkpoints import load_model, model_card
from vae_tutorial.explorers.canvas import Canvas, FiniteFloat, network_traits, slider, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import PRECISIONS, float16_bytes, float32_bytes, lossless_precision, uint8_bytes
from vae_tutorial.models import VAE
from vae_tutorial.rotation import CLASSES, SIDE, Rotated, codes_and_classes, lattice, pictures, posterior_moments

ACROSS = 9  # pictures to choose from, along each factor
LAST = 90.0  # degrees: beyond, the two units have changed places and all repeats


class Rotation(Canvas):
    """The canvas of `rotation`: the code along axes turned by `degrees`, seen from picture number `picture`, from 1."""

    _esm = join_modules("rotation.js")
    shown = ("degrees", "picture")
    degrees = FiniteFloat(0.0, min=0.0, max=LAST).tag(sync=True)
    picture = traitlets.Int(1, min=1, max=ACROSS**2).tag(sync=True)
    across = traitlets.Int(ACROSS).tag(sync=True)
    noise = FiniteFloat(1.0).tag(sync=True)  # standard deviation of the pixels
    precision = traitlets.Enum(PRECISIONS, "float16").tag(sync=True)
    decoder_layers = traitlets.List().tag(sync=True)
    decoder_weights = traitlets.Bytes().tag(sync=True)
    pictures = traitlets.Bytes().tag(sync=True)  # uint8 (81, 784)
    posteriors = traitlets.Bytes().tag(sync=True)  # float32 (81, 9): mu, sigma of q; mean, covariance (xx, xy, yy) of p(z|x)
    codes = traitlets.Bytes().tag(sync=True)  # float16 (4096, 2), of a finer lattice, row by row: what MIG counts
    side = traitlets.Int(SIDE).tag(sync=True)  # of that lattice
    classes = traitlets.Int(CLASSES).tag(sync=True)  # along each factor
    curves = traitlets.Dict().tag(sync=True)  # the card's: degrees, log_evidence, elbo, mig


def rotation(name: str = "sprites-position", degrees: float = 0.0, picture: int = 41) -> ipywidgets.VBox:
    """Turn the code of a VAE, z' = R z, and its decoder back: every p(x) stays, MIG and the ELBO of a diagonal q fall.

    Try: go to 45°. What does each unit move now? Which of the three curves noticed? Then go on to 90°. Press pictures near
    a corner of the map: where is the ellipse of p(z|x) long, and what does a turn cost there?

    Args:
        name: a checkpoint whose card has the curves of `rotation.curves`.
        degrees: the angle at the start, 0 … 90.
        picture: the picture chosen at the start, 1 … 81, row by row.

    Raises:
        ValueError: an unknown checkpoint, or one that is not of the ellipse's places.
        TraitError: a number outside its range.
    """
    model, card = load_model(name), model_card(name)
    if "rotation" not in card:
        raise ValueError(f"{name} has no curves over the angle on its card: take 'sprites-position'")
    model.requires_grad_(False)
    grey = uint8_bytes(pictures(lattice(ACROSS)))
    x = torch.frombuffer(bytearray(grey), dtype=torch.uint8).view(-1, 1, 28, 28) / 255  # as the browser sees them
    precision = lossless_precision(model.decoder)
    canvas = Rotation(
        degrees=degrees,
        picture=picture,
        noise=float(model.sigma),
        precision=precision,
        **network_traits("decoder", model.decoder, precision),
        pictures=grey,
        posteriors=float32_bytes(_posteriors(model, x)),
        codes=float16_bytes(codes_and_classes(model)[0], "codes"),
        curves=card["rotation"],
    )
    number = ipywidgets.IntSlider(description="x", min=1, max=ACROSS**2, value=picture, layout={"width": "auto", "max_width": "840px"})
    links = [(slider("angle", 0.0, LAST, 1.0, degrees), "degrees"), (number, "picture")]
    for control, _ in links:
        control.style.description_width = "3.2em"
    return stack(canvas, links)


def _posteriors(model: VAE, x: Tensor) -> Tensor:
    """q(z|x) and the true posterior's moments, (N, 9)."""
    q, (mean, covariance) = model.posterior(x), posterior_moments(Rotated(model, 0.0), x)
    return torch.cat([q.mean, q.stddev, mean, covariance.flatten(1)[:, [0, 1, 3]]], 1).float()
