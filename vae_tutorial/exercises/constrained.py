"""Checks of the page β-VAE as constrained optimisation."""

import math

from vae_tutorial.exercises import agrees, choice, close, exercise

EIGENVALUE, NOISE, LIMIT = 4.0, 0.25, 1.0  # of the laboratory's first axis, alone: λ, σ², δ in nats


@exercise("constrained/price-of-a-limit")
def price_of_a_limit(answer: object) -> str | None:
    """β of one axis at a limit of one nat: λ/σ² · exp(−2δ)."""
    ratio = EIGENVALUE / NOISE
    return close(
        answer,
        ratio * math.exp(-2 * LIMIT),
        tolerance=0.01,
        hints={
            ratio * math.exp(-LIMIT): "mind the ½ in front of the logarithm when you solve for β.",
            math.exp(-2 * LIMIT): "that is the share of the axis's variance that the noise may have. What is σ² worth here?",
            EIGENVALUE * math.exp(-2 * LIMIT): "that is βσ².",
            ratio * math.exp(2 * LIMIT): "a looser limit should lower the price.",
            math.log(ratio) / 2: "that is the rate at β = 1.",
            EIGENVALUE / math.sqrt(NOISE) * math.exp(-2 * LIMIT): "σ² is given, not σ.",
        },
    )


@exercise("constrained/which-condition")
def which_condition(answer: object) -> str | None:
    """Rate 5, limit 8, β = 2, gradients in balance: what is violated."""
    return choice(
        answer,
        "complementary slackness",
        {
            "stationarity": "the gradients cancel at this price, so that one holds.",
            "primal feasibility": "the rate is below the limit: that is allowed.",
            "dual feasibility": "the price is positive: that is allowed.",
            "none": "multiply the price by what is left of the limit.",
        },
    )


@exercise("constrained/bracket")
def bracket(answer: object) -> str | None:
    """Between which two numbers the price of the middle one of three models lies: the slopes of both chords."""
    return close(
        answer,
        [2.0, 5.0],
        tolerance=1e-6,
        hints=[
            ([5.0, 2.0], "give the smaller one first."),
            ([-5.0, -2.0], "prices are minus the slopes."),
            ([-2.0, -5.0], "prices are minus the slopes."),
            ([0.2, 0.5], "nats of distortion for one nat of rate, not the other way round."),
            ([3.0, 3.0], "that is the chord between the outer two. The inequality holds for each pair that has the middle one in it."),
            ([3.5, 3.5], "the mean of two chords is a guess. What follows for certain?"),
        ],
    )


@exercise("constrained/next-price")
def next_price(answer: object) -> str | None:
    """β after one step of dual ascent on log β, as a function of β, rate, target and step."""
    return agrees(
        answer,
        lambda beta, rate, target, step: beta * math.exp(step * (rate - target) / target),
        [(1.0, 12.0, 10.0, 0.1), (4.0, 5.0, 10.0, 0.5), (0.3, 7.0, 7.0, 0.2), (2.0, 0.0, 3.0, 3.0)],
        tolerance=1e-6,
        hints=[
            (lambda b, r, t, s: math.log(b) + s * (r - t) / t, "that is log β. The price itself is asked for."),
            (lambda b, r, t, s: b + s * (r - t) / t, "it is the logarithm that takes the step: with this, β can become negative."),
            (lambda b, r, t, s: b * math.exp(s * (t - r) / t), "too many nats should make a nat dearer."),
            (lambda b, r, t, s: b * math.exp(s * (r - t)), "the excess counts in units of the target."),
            (lambda b, r, t, s: b * math.exp(s * r), "without the target the price can only rise."),
            (lambda b, r, t, s: b * (1 + s * (r - t) / t), "nearly, for small steps. With a large one this can become negative."),
        ],
    )


@exercise("constrained/turned-edit")
def turned_edit(answer: object) -> str | None:
    """Share done and share leaked when one unit of a code turned by an angle (degrees) is edited: cos² and |sin cos|."""

    def right(degrees: float) -> tuple[float, float]:
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return c * c, abs(c * s)

    def encoded_only(degrees: float) -> tuple[float, float]:
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return c, abs(s)

    def in_radians(degrees: float) -> tuple[float, float]:
        return right(math.degrees(degrees))

    def shares(degrees: float) -> tuple[float, float]:
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return c * c, s * s

    hints = [
        (in_radians, "the angle comes in degrees; the sine and cosine of Python want radians."),
        (encoded_only, "that is how far the two *units* are from the donor's. The decoder turns back: that brings the angle in once more."),
        (shares, "the second number is a distance along the other axis, not what is missing from the first."),
    ]
    return agrees(answer, right, [(0.0,), (20.0,), (45.0,), (70.0,)], tolerance=1e-6, hints=hints)
