"""Checks of the page Shortcomings."""

import math

import torch
from torch import Tensor

from vae_tutorial.exercises import agrees, close, exercise, numbers

PLACES = 4
STRONG, WEAK = 100.0, 135.0  # −log p(x) of the two models that are compared, nats
FLIPPED, D, CENTRES = 60, 784, 4_000  # of the memoriser


@exercise("shortcomings/one-of-four")
def one_of_four(answer: object) -> str | None:
    """The share of samples with exactly one stroke, if each of four places is ink with probability 1/4: (3/4)³."""
    each = 1 / PLACES
    hints = {
        1.0: "that is what the data do. The pixels are drawn without asking each other.",
        each * (1 - each) ** (PLACES - 1): "that is one particular place alone. There are four that it may be.",
        (1 - each) ** PLACES: "that is the share of samples with no stroke at all.",
        each: "that is the chance of ink at one place, whatever the others do.",
        0.5: "that is the answer for two places.",
    }
    return close(answer, PLACES * each * (1 - each) ** (PLACES - 1), tolerance=0.005, hints=hints)


@exercise("shortcomings/seen")
def seen(answer: object) -> str | None:
    """How many pixels a masked window of a given reach sees, away from the border: 2r(r + 1)."""
    hints = [
        (lambda reach: (2 * reach + 1) ** 2 - 1, "that is the whole window without its middle. Half of it has not been drawn yet."),
        (lambda reach: (2 * reach + 1) ** 2, "that is the whole window, the future and the pixel itself included."),
        (lambda reach: 2 * reach * (reach + 1) + 1, "it sees itself, too: then it needs no prediction."),
        (lambda reach: reach * (2 * reach + 1), "those are the rows above. In its own row some pixels have been drawn as well."),
        (lambda reach: reach * (reach + 1), "the rows above stretch to both sides."),
    ]
    return agrees(answer, lambda reach: 2 * reach * (reach + 1), [(0,), (1,), (2,), (6,)], tolerance=1e-6, hints=hints)


@exercise("shortcomings/best-mean")
def best_mean(answer: object) -> str | None:
    """The best mean image at one code z (d,), from the posteriors' mu and sigma (N, d) and the images x (N, D)."""

    def density(z: Tensor, mu: Tensor, sigma: Tensor) -> Tensor:
        return (-0.5 * ((z - mu) / sigma).square() - sigma.log()).sum(1)

    def right(z: Tensor, mu: Tensor, sigma: Tensor, x: Tensor) -> Tensor:
        return density(z, mu, sigma).softmax(0) @ x

    def without_width(z: Tensor, mu: Tensor, sigma: Tensor, x: Tensor) -> Tensor:
        return (-0.5 * ((z - mu) / sigma).square()).sum(1).softmax(0) @ x

    def unnormalised(z: Tensor, mu: Tensor, sigma: Tensor, x: Tensor) -> Tensor:
        log_q = density(z, mu, sigma) - z.numel() / 2 * math.log(2 * math.pi)
        return log_q.exp() @ x

    def share(z: Tensor, mu: Tensor, sigma: Tensor, x: Tensor) -> Tensor:
        return unnormalised(z, mu, sigma, x) / len(x)

    def logarithms(z: Tensor, mu: Tensor, sigma: Tensor, x: Tensor) -> Tensor:
        log_q = density(z, mu, sigma) - z.numel() / 2 * math.log(2 * math.pi)
        return (log_q / log_q.sum()) @ x

    hints = [
        (lambda z, mu, sigma, x: x.mean(0), "that is the mean of all images, wherever z is: the answer of a collapsed model."),
        (lambda z, mu, sigma, x: x[density(z, mu, sigma).argmax()], "that is one image. All whose posteriors reach z take part."),
        (without_width, "a narrow posterior is also higher: mind the 1/σ of its density, in every number of the code."),
        (unnormalised, "the weights do not add up to 1."),
        (share, "the weights do not add up to 1: divide by the sum of the densities, not by their number."),
        (logarithms, "the weights are shares of the densities, not of their logarithms."),
    ]
    cases = []
    for seed, (count, d, pixels) in enumerate([(7, 2, 5), (12, 3, 4)]):
        chance = torch.Generator().manual_seed(seed)
        mu, x = torch.randn(count, d, generator=chance), torch.rand(count, pixels, generator=chance)
        sigma = 0.2 + torch.rand(count, d, generator=chance)
        cases.append((torch.randn(d, generator=chance), mu, sigma, x))
    return agrees(answer, right, cases, tolerance=1e-4, hints=hints)


@exercise("shortcomings/smallest-share")
def smallest_share(answer: object) -> str | None:
    """log₁₀ of the share of the strong model that is enough to score as the weak one: −35/log 10."""
    gap = WEAK - STRONG
    hints = {
        -gap: "that is the natural logarithm. Powers of ten are asked for.",
        gap / math.log(10): "a share is below 1. What sign has its logarithm?",
        -gap * math.log(10): "to go from e to 10 as the base, divide.",
        math.exp(-gap): "that is the share itself. Its logarithm to base 10 is asked for.",
        -2.0: "a hundredth costs 4.6 nats. Here there is more to lose.",
    }
    return close(answer, -gap / math.log(10), tolerance=0.1, hints=hints)


@exercise("shortcomings/memoriser")
def memoriser(answer: object) -> str | None:
    """The best chance of a flip, h/D, and what an image then costs in nats: log N + D·H(h/D)."""
    flip = FLIPPED / D
    entropy = -flip * math.log(flip) - (1 - flip) * math.log(1 - flip)
    best, cost = numbers(answer, (2,))
    chance_hints = {
        1 / D: "one flip in an image is too few. The nearest centre is off in many more places.",
        FLIPPED: "that is a number of pixels. The chance for each one is asked for.",
        0.5: "at ½ the centre no longer matters, and every pixel costs log 2.",
        1 - flip: "that is the chance of *no* flip.",
        cost: "the chance comes first, then the nats.",
    }
    cost_hints = {
        D * entropy: "that is the image once its centre is known. Which one of them it is costs something as well.",
        D * entropy
        - math.log(CENTRES): "with 4,000 centres, any one of them has only a small share. Does that make the image more probable?",
        math.log(CENTRES) - FLIPPED * math.log(flip): "the pixels that are *not* flipped cost something, too.",
        math.log(CENTRES) + entropy: "that is one pixel. There are 784.",
        D * math.log(2): "that is a model that knows nothing.",
    }
    return close(best, flip, tolerance=0.003, hints=chance_hints) or close(
        cost, math.log(CENTRES) + D * entropy, tolerance=1.0, hints=cost_hints
    )
