"""Checks of the page Reconstruction and interpolation."""

import math

import torch
from torch import Tensor

from vae_tutorial.exercises import agrees, choice, close, exercise, ranking

D = 100


@exercise("interpolation/midpoint-length")
def midpoint_length(answer: object) -> str | None:
    """The length near which straight midpoints of two draws from N(0, I) lie, for d = 100."""
    hints = {
        math.sqrt(D): "that is where the draws themselves lie. Their mean has another variance in each unit.",
        D / 2: "that is the squared length: take its root.",
        math.sqrt(D) / 2: "halving the length would be right for one draw. Here two independent ones are added first.",
        D: "that is the squared length of a draw.",
        math.sqrt(2 * D): "that is the length of the sum: the midpoint is half of it.",
        0.0: "0 is the mean of the midpoints. How long is one of them?",
    }
    return close(answer, math.sqrt(D / 2), tolerance=0.2, hints=hints)


def _gain(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().sum(-1) / 8


@exercise("interpolation/gain")
def gain(answer: object) -> str | None:
    """log p of the straight midpoint minus the mean of log p at both ends, nats, a function of codes (…, d)."""
    generator = torch.Generator().manual_seed(0)
    cases = [tuple(torch.randn(2, 3, d, generator=generator)) for d in (2, 16)]
    hints = [
        (lambda a, b: 2 * _gain(a, b), "where does the ½ in front of the squared length go?"),
        (lambda a, b: 4 * _gain(a, b), "the midpoint is half of the sum: square that half, too."),
        (lambda a, b: -_gain(a, b), "the size is right, the sign is not: shorter codes have the larger log p(z)."),
        (lambda a, b: (a - b).norm(dim=-1) / 8, "the squared distance is wanted, not the distance."),
        (lambda a, b: _gain(a, b).mean(), "one number for each pair is asked for."),
        (
            lambda a, b: -((a + b) / 2).square().sum(-1) / 2,
            "that is log p of the midpoint alone, up to a constant.",
        ),
    ]
    return agrees(answer, _gain, cases, tolerance=1e-4, hints=hints)


def _white(a: Tensor, b: Tensor, t: float) -> Tensor:
    angle = torch.acos((a @ b / (a.norm() * b.norm())).clamp(-1, 1))
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


@exercise("interpolation/slerp")
def slerp(answer: object) -> str | None:
    """The usual slerp of two codes (d,) at t: both codes as they are, weighted by sines of the angle between them."""
    generator = torch.Generator().manual_seed(1)
    pairs = [torch.randn(2, d, generator=generator) for d in (2, 16)]
    cases = [(a, b, t) for a, b in pairs for t in (0.25, 0.5, 0.8)]

    def even_length(a: Tensor, b: Tensor, t: float) -> Tensor:
        unit = _white(a / a.norm(), b / b.norm(), t)
        return ((1 - t) * a.norm() + t * b.norm()) * unit

    hints = [
        (lambda a, b, t: (1 - t) * a + t * b, "that is the straight path."),
        (lambda a, b, t: _white(a, b, 1 - t), "it begins at b: exchange t and 1 − t."),
        (even_length, "that is this page's path, whose length goes evenly. The usual formula weights the codes themselves."),
        (lambda a, b, t: _white(a / a.norm(), b / b.norm(), t), "your codes have lost their lengths: only the angle needs directions."),
        (lambda a, b, t: torch.sin(torch.tensor((1 - t) * math.pi / 2)) * a + torch.sin(torch.tensor(t * math.pi / 2)) * b,
         "not every two codes stand at a right angle: compute the angle."),
    ]  # fmt: skip
    return agrees(answer, _white, cases, tolerance=1e-4, hints=hints)


KINDS = ["digits", "reconstructions", "straight midpoints", "blends"]


@exercise("interpolation/kinds")
def kinds(answer: object) -> str | None:
    """Four kinds of pictures, from the highest mean ELBO to the lowest."""
    undecided = "the misfit of both is small. Which of the two is greyer?"
    blend = "a blend is two digits at once, in grey: both its greyness and its misfit are large."
    hints = {
        ("reconstructions", "digits"): "the model drew it, so its misfit is small. But what does its ELBO charge for every grey pixel?",
        ("straight midpoints", "digits"): "a high log p(z) of the code is no high ELBO of the picture.",
        ("straight midpoints", "reconstructions"): undecided,
        **{("blends", other): blend for other in ("digits", "reconstructions", "straight midpoints")},
    }
    return ranking(answer, KINDS, hints)


@exercise("interpolation/same-class")
def same_class(answer: object) -> str | None:
    """For which pairs the straight and the spherical midpoint's pictures differ less."""
    return choice(
        answer,
        "same",
        {
            "different": "look at the angle between the codes: what is left to turn?",
            "equal": "measure it.",
        },
    )
