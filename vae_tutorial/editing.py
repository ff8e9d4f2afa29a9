"""Edit one factor of a sprite by changing one number of its code, and measure what else has changed.

The number comes from the code of a *donor*, the same sprite with the wished value of the factor. What the decoded pictures show
is read from their pixels, without any network.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from vae_tutorial import sprites
from vae_tutorial.models import VAE

SHAPE, SCALE, ORIENTATION, X, Y = range(5)  # the columns of factors, as in `sprites.FACTORS`
JUMPS = {SCALE: 3, X: 16, Y: 16}  # from a sprite to its donor, among the factor's values, around the end: half of them
PERIODS = (pi / 2, pi, 2 * pi)  # after which a square, an ellipse and a heart look the same
TURNS = (5, 10, 20)  # orientations tried of each shape, evenly over its period
MEASURED = (SHAPE, SCALE, X, Y)  # without the orientation, a circle that most of these codes do not hold


def read(pictures: Tensor) -> Tensor:
    """The factors that pictures of sprites show, as values of `sprites.FACTORS`.

    Place: the centroid of the ink. Scale: from the amount of ink, for each shape. Shape and orientation: those of the
    rendering there that differs least, in squared error; the orientation within the shape's period.

    Args:
        pictures: (B, 1, H, H) in [0, 1], each with some ink.

    Returns:
        (B, 5), float32.

    Raises:
        ValueError: a picture without ink.
    """
    if not (pictures.flatten(1).sum(1) > 0).all():
        raise ValueError("a picture without ink shows no factors")
    side = pictures.shape[-1]
    centres = torch.arange(side) + 0.5
    ink = pictures.sum((1, 2, 3))
    place = [((pictures.sum(axis).flatten(1) * centres).sum(1) / ink / side - 0.25) * 2 for axis in (2, 3)]  # x, y
    found, least = torch.zeros(len(pictures), 5), torch.full((len(pictures),), torch.inf)
    for shape, (period, turns) in enumerate(zip(PERIODS, TURNS, strict=True)):
        scale = ((ink / _ink_of(shape, side)).sqrt()).clamp(0.5, 1.0)
        for turn in range(turns):
            angle = torch.full_like(ink, period * turn / turns)
            tried = torch.stack([torch.full_like(ink, shape), scale, angle, *(where.clamp(0, 1) for where in place)], 1)
            error = (sprites.render(tried, side) - pictures).square().sum((1, 2, 3))
            closer = error < least
            found[closer], least[closer] = tried[closer], error[closer]
    return found


def _ink_of(shape: int, side: int) -> Tensor:
    """Ink of a shape at scale 1: its area in pixels."""
    return sprites.render(torch.tensor([[float(shape), 1.0, 0.3, 0.5, 0.5]]), side).sum()


def moved(before: Tensor, after: Tensor) -> Tensor:
    """How far the `MEASURED` factors (B, 5) have moved, (B, 4): 1 for another shape; for the others a share of their range."""
    apart = (after - before)[:, MEASURED].abs()
    ranges = [1.0, *(sprites.FACTORS[name][-1] - sprites.FACTORS[name][0] for name in ("scale", "position_x", "position_y"))]
    return torch.cat([(apart[:, :1] > 0).float(), apart[:, 1:] / torch.tensor(ranges[1:])], 1)


@dataclass(frozen=True)
class Edit:
    """What an edit of many sprites did.

    Attributes:
        done: the change of the edited factor as a share of what was asked for, with its sign, averaged over sprites.
        leaked: how far each of the `MEASURED` factors moved on average, (4,), see `moved`; the edited one is NaN.
        originals, edited: the decoded pictures, (B, 1, H, H).
    """

    done: float
    leaked: Tensor
    originals: Tensor
    edited: Tensor


def donors(factors: Tensor, factor: int) -> Tensor:
    """The same sprites, factors (B, 5) as indices, with another value of one factor, half of all its values further on.

    Raises:
        ValueError: a factor that is neither scale nor place.
    """
    if factor not in JUMPS:
        raise ValueError(f"scale ({SCALE}), position_x ({X}) and position_y ({Y}) can be edited, not factor {factor}")
    changed = factors.clone()
    changed[:, factor] = (factors[:, factor] + JUMPS[factor]) % len(list(sprites.FACTORS.values())[factor])
    return changed


@torch.no_grad()
def edit(model: VAE, factors: Tensor, factor: int, units: Sequence[int]) -> Edit:
    """Give sprites the donors' numbers in some units of their codes (posterior means), decode, and measure.

    Args:
        model: a VAE of sprites.
        factors: of the sprites (B, 5), as indices.
        factor: which of them to edit: `SCALE`, `X` or `Y`.
        units: whose numbers are taken from the donor; all of them give the donor's own reconstruction.

    Raises:
        ValueError: as `donors`; a unit that the model does not have.
    """
    if not all(0 <= unit < model.latent_dim for unit in units):
        raise ValueError(f"units count from 0 to {model.latent_dim - 1}, got {list(units)}")
    side, wanted = model.image_shape[-1], donors(factors, factor)
    code, other = (model.posterior(sprites.render(each, side)).mean for each in (factors, wanted))
    changed = code.clone()
    changed[:, list(units)] = other[:, list(units)]
    originals, edited = (model.likelihood(z).mean for z in (code, changed))
    before, after = read(originals), read(edited)
    values = torch.tensor(list(sprites.FACTORS.values())[factor])
    asked = values[wanted[:, factor]] - values[factors[:, factor]]
    leaked = moved(before, after).mean(0)
    leaked[MEASURED.index(factor)] = torch.nan
    return Edit(float(((after - before)[:, factor] / asked).mean()), leaked, originals, edited)
