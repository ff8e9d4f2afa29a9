"""Checks of the page The KL weight and disentanglement."""

import math

from vae_tutorial.exercises import agrees, choice, close, exercise


@exercise("disentanglement/price-of-pixels")
def price_of_pixels(answer: object) -> str | None:
    """The β for 32 x 32 grey pixels and d = 10 that matches β = 250 for 64 x 64 colour pixels and d = 32."""
    return close(
        answer,
        250 * 32 / (3 * 64 * 64) * (32 * 32) / 10,
        tolerance=0.5,
        hints={
            250
            * 32
            / (64 * 64)
            * (32 * 32)
            / 10: "a colour picture has three numbers in each pixel, and the likelihood sums over all of them.",
            250 / 12: "the widths of the codes differ, too. Which of the two averages does the width belong to?",
            250 / 4: "pixels are not the only thing that differs: count colours and units, too.",
            250 * 12 * 32 / 10: "the larger picture has the larger distortion, so its β has to be the larger one.",
            250 * 10 / (3 * 64 * 64) * (32 * 32) / 32: "the widths of the codes stand the wrong way round.",
            250 * 32 / (3 * 64 * 64): "that is the normalised β of the colour model. Which β has the same one here?",
        },
    )


@exercise("disentanglement/mig-by-hand")
def mig_by_hand(answer: object) -> str | None:
    """MIG of three units and two factors, from their table."""
    shape, place = math.log(3), math.log(32)
    return close(
        answer,
        ((0.8 - 0.3) / shape + (2.0 - 1.7) / place) / 2,
        tolerance=5e-3,
        hints={
            (0.8 - 0.3) / shape + (2.0 - 1.7) / place: "that is the sum over the factors; take their mean.",
            ((0.8 - 0.3) + (2.0 - 1.7)) / 2: "each gap counts in units of its own factor's entropy.",
            ((0.8 - 0.1) / shape + (2.0 - 0.2) / place) / 2: "the gap is between the best unit and the second best, not the worst.",
            (0.8 / shape + 2.0 / place) / 2: "that is what the best units know. MIG subtracts what the second best knows, too.",
            (2.0 - 0.8) / 2: "MIG compares units that know one factor, not the factors that one unit knows.",
        },
    )


@exercise("disentanglement/turned-cost")
def turned_cost(answer: object) -> str | None:
    """Nats that the best diagonal Gaussian loses, as a function of two precisions and an angle in degrees."""

    def cost(first: float, second: float, degrees: float) -> float:
        c, s = math.cos(math.radians(degrees)) ** 2, math.sin(math.radians(degrees)) ** 2
        return 0.5 * math.log((c * first + s * second) * (s * first + c * second) / (first * second))

    def in_radians(first: float, second: float, degrees: float) -> float:
        return cost(first, second, math.degrees(degrees))

    return agrees(
        answer,
        cost,
        [(4.0, 1.0, 45.0), (100.0, 9.0, 20.0), (50.0, 50.0, 30.0), (900.0, 100.0, 90.0)],
        tolerance=1e-6,
        hints=[
            (in_radians, "the angle comes in degrees; the sine and cosine of Python want radians."),
            (lambda p, q, a: 2 * cost(p, q, a), "a factor of one half is missing."),
            (lambda p, q, a: -cost(p, q, a), "the sign is turned round: it is a KL divergence."),
            (lambda p, q, a: cost(p**2, q**2, a), "these are precisions already: one over a variance."),
            (
                lambda p, q, a: 0.5 * math.log(math.cos(math.radians(a)) ** 2 * p + math.sin(math.radians(a)) ** 2 * q),
                "there are two units, and the determinant of the matrix is subtracted.",
            ),
        ],
    )


@exercise("disentanglement/correlated-units")
def correlated_units(answer: object) -> str | None:
    """Total correlation, in nats, of two standard Gaussians with a correlation."""
    return agrees(
        answer,
        lambda correlation: -0.5 * math.log(1 - correlation**2),
        [(0.0,), (0.5,), (-0.9,), (0.99,)],
        tolerance=1e-6,
        hints=[
            (lambda r: -math.log(1 - r**2), "a factor of one half is missing."),
            (lambda r: 0.5 * math.log(1 - r**2), "the sign is turned round: it is a KL divergence."),
            (lambda r: -0.5 * math.log(1 - abs(r)), "the determinant of the covariance has the correlation squared."),
            (lambda r: -0.5 * math.log2(1 - r**2), "that is in bits; the book counts in nats."),
            (lambda r: r**2, "that is the share of variance explained, not a divergence."),
        ],
    )


@exercise("disentanglement/what-follows")
def what_follows(answer: object) -> str | None:
    """What one model's higher MIG at a higher β shows."""
    return choice(
        answer,
        "nothing yet",
        {
            "beta disentangles": "one seed of each: how far apart are two seeds of the same method on the page?",
            "beta generalises": "MIG says nothing about data of another kind, and this is one seed of each.",
            "beta entangles": "the score went up, and that is still one seed of each.",
            "the seeds differ": "that may be so, and one run of each cannot tell it from an effect of the method.",
        },
    )
