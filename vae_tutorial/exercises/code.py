"""Checks of the page Code."""

from vae_tutorial.exercises import close, exercise


@exercise("code/implied-sigma")
def implied_sigma(answer: object) -> str | None:
    """σ of the Gaussian pixels at which a mean squared error plus a summed KL is a VAE at β = 1, for D = 784."""
    return close(
        answer,
        (784 / 2) ** 0.5,
        tolerance=0.1,
        hints={
            392.0: "that is σ²: the standard deviation is asked for.",
            784**0.5: "mind the 2 in 1/(2σ²).",
            (1 / 784 / 2) ** 0.5: "the mean divides the squared error by D; a small σ would multiply it.",
            0.5**0.5: "that is the σ of a squared error summed over the pixels. Here it is a mean.",
            1.0: "σ = 1 would need the factor 1/2 before the squared error, summed over the pixels.",
        },
    )
