"""Interpolation: a straight or a spherical path between two digits' codes, decoded by a VAE and by an autoencoder."""

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
    check_image_shape,
    check_indices,
    check_points,
    first_of_each,
    label_bytes,
    network_traits,
    stack,
)
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import PRECISIONS, float16_bytes, float32_bytes, lossless_precision, uint8_bytes
from vae_tutorial.interpolation import PATHS, antithetic, codes_of
from vae_tutorial.models import VAE, Autoencoder

NETWORKS = ("vae", "autoencoder")
STEPS = 20  # a path has 21 places
DRAWS = 4  # from q(z|x) for a picture's ELBO: the mean of both pairs is within about a nat of that of many
MOST = 10  # digits to choose from at each end: a phone shows no more in a row


class Interpolation(Canvas):
    """The canvas of `interpolation`: from digit `start` to digit `end`, `t` of the way."""

    _esm = join_modules("interpolation.js")
    shown = ("start", "end", "t", "path", "network")
    start = traitlets.Int(0, min=0).tag(sync=True)
    end = traitlets.Int(0, min=0).tag(sync=True)
    t = FiniteFloat(0.5, min=0.0, max=1.0).tag(sync=True)
    path = traitlets.Enum(tuple(PATHS), "straight").tag(sync=True)
    network = traitlets.Enum(NETWORKS, "vae").tag(sync=True)
    precision = traitlets.Enum(PRECISIONS, "int8").tag(sync=True)
    vae_layers = traitlets.List().tag(sync=True)
    vae_weights = traitlets.Bytes().tag(sync=True)
    autoencoder_layers = traitlets.List().tag(sync=True)
    autoencoder_weights = traitlets.Bytes().tag(sync=True)
    judge_encoder_layers = traitlets.List().tag(sync=True)
    judge_encoder_weights = traitlets.Bytes().tag(sync=True)
    judge_layers = traitlets.List().tag(sync=True)  # of the judge's decoder; empty: the VAE's own
    judge_weights = traitlets.Bytes().tag(sync=True)
    eps = traitlets.Bytes().tag(sync=True)  # float32 (DRAWS, d): the same noise for every picture
    vae_ends = traitlets.Bytes().tag(sync=True)  # float32 (M, d): codes of the digits to choose from
    autoencoder_ends = traitlets.Bytes().tag(sync=True)
    vae_codes = traitlets.Bytes().tag(sync=True)  # float16 (N, d): codes of other digits
    autoencoder_codes = traitlets.Bytes().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)  # uint8 (N,)
    neighbours = traitlets.Dict().tag(sync=True)  # mean distance from one of those codes to the nearest other one
    starts = traitlets.Int(1, min=1).tag(sync=True)  # how many of the M digits stand at the start
    digits = traitlets.Bytes().tag(sync=True)  # uint8 (M, 784)
    digit_labels = traitlets.Bytes().tag(sync=True)  # uint8 (M,)


def interpolation(
    vae: VAE,
    autoencoder: Autoencoder,
    images: Images,
    starts: Sequence[int] | None = None,
    ends: Sequence[int] | None = None,
    start: int = 4,
    end: int = 0,
    points: int = 500,
    judge: VAE | None = None,
    precision: str | None = None,
) -> ipywidgets.VBox:
    """Walk from one digit's code to another's, by the straight or the spherical path, in a VAE and in an autoencoder.

    Try: compare the middles of the four film strips; choose two digits of one class; find a pair on whose way a third digit
    appears, and look where the map says you are.

    Along the path stand ‖z‖, the distance to the nearest of other held-out digits' codes, and the ELBO of the decoded picture,
    which the judge encodes again. In two dimensions the map is the plane of z. In more it is the plane through 0 and both
    codes, in which both paths lie; every other code is drawn at its true distance from 0.

    Args:
        vae: any latent dimension d.
        autoencoder: of the same d.
        images: held-out images with labels 0 … 9.
        starts: indices of those to start from, at most ten; by default the first of every class.
        ends: indices of those to end at; by default the second of every class.
        start: which of `starts` comes first.
        end: which of `ends`.
        points: how many of the images' codes the map shows, from the first; the digits to choose from are left out.
        judge: the VAE that gives the pictures their ELBO; by default `vae` itself.
        precision: of the weights in the browser, `"int8"` or `"float16"`; by default the smallest without loss.

    Raises:
        ValueError: models of different d or of other images, indices that do not exist or are too many, or fewer than two
            digits left for the map.
    """
    judge = judge or vae
    models = {"vae": vae, "autoencoder": autoencoder}
    for name, model in {**models, "judge": judge}.items():
        check_image_shape(model, name)
    if vae.latent_dim != autoencoder.latent_dim:
        raise ValueError(f"vae has d = {vae.latent_dim} and autoencoder d = {autoencoder.latent_dim}: one path needs one d")
    check_points(points, images)
    twice = first_of_each(images, 2)
    chosen = [check_indices(twice[::2] if starts is None else starts, images, "starts")]
    chosen.append(check_indices(twice[1::2] if ends is None else ends, images, "ends"))
    for name, indices, first in zip(("start", "end"), chosen, (start, end), strict=True):
        if len(indices) > MOST:
            raise ValueError(f"{name}s may name at most {MOST} images, not {len(indices)}: a phone shows no more")
        if not 0 <= first < len(indices):
            raise ValueError(f"{name} must lie in 0 … {len(indices) - 1}, not {first}")
    shown = chosen[0] + chosen[1]
    others = [index for index in range(points) if index not in shown]
    if len(others) < 2:
        raise ValueError(f"points = {points} leaves {len(others)} digits for the map beside those to choose from: it needs two")
    precision = precision or lossless_precision(vae.decoder, autoencoder.decoder, judge.encoder, judge.decoder)
    traits: dict[str, Any] = network_traits("judge_encoder", judge.encoder, precision)
    if judge is not vae:
        traits |= network_traits("judge", judge.decoder, precision)
    neighbours = {}
    for name, model in models.items():
        codes = codes_of(model, images.x[others])
        traits |= network_traits(name, model.decoder, precision)
        traits |= {f"{name}_codes": float16_bytes(codes, "codes"), f"{name}_ends": float32_bytes(codes_of(model, images.x[shown]))}
        neighbours[name] = float(torch.cdist(codes, codes).fill_diagonal_(torch.inf).amin(1).mean())
    canvas = Interpolation(
        start=start, end=end, precision=precision, neighbours=neighbours, labels=label_bytes(images.y[others]), starts=len(chosen[0]),
        eps=float32_bytes(antithetic(DRAWS, judge.latent_dim, seed=0)), digits=uint8_bytes(images.x[shown]),
        digit_labels=label_bytes(images.y[shown]), **traits,
    )  # fmt: skip
    look = LOOK | {"style": {"description_width": "3em"}}
    controls: list[tuple[ipywidgets.Widget, str]] = [
        (ipywidgets.IntSlider(description=name, min=0, max=len(indices) - 1, value=first, **look), trait)
        for name, trait, indices, first in zip(("from", "to"), ("start", "end"), chosen, (start, end), strict=True)
    ]
    share = ipywidgets.FloatSlider(description="t", min=0.0, max=1.0, step=1 / STEPS, value=0.5, readout_format=".2f", **look)
    return stack(canvas, [*controls, (share, "t")])
