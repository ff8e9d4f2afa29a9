"""Checks of the page Neural networks in the probability world."""

import math

import torch
from torch import Tensor

from vae_tutorial.exercises import agrees, close, exercise

D = 784
PRIOR, Q, FIRST_IMAGE = (0.5, 0.25, 0.25), (0.8, 0.1, 0.1), (0.7, 0.1, 0.1)  # p(z), q and p(x|z), for each of three codes


@exercise("neural-networks/sample-error")
def sample_error(answer: object) -> str | None:
    """The squared error of a sample over that of the mean, at σ = RMS error: S + σ²D = 2S."""
    hints = {
        1.0: "a sample has noise of its own, in every pixel, on top of the mean's error.",
        math.sqrt(2): "that is the factor of the RMS error. The squared error is asked for.",
        4.0: "errors that have nothing to do with each other add up as squares, not as lengths.",
    }
    return close(answer, 2.0, tolerance=0.05, hints=hints)


@exercise("neural-networks/unit")
def unit(answer: object) -> str | None:
    """Nats by which −log p(x|z) of 784 Gaussian pixels grows when grey levels are counted to 255: D·log 255."""
    hints = {
        0.0: "the squared error over 2σ² keeps its value. Does the other term?",
        math.log(255): "that is the change of one pixel.",
        -math.log(255): "that is one pixel's change, with the wrong sign.",
        D / 2 * math.log(255): "the logarithm is one of σ squared.",
        2 * D * math.log(255): "mind the ½ before D log 2πσ².",
        -D * math.log(255): "who has the larger numbers for x has the lower density: probability per unit. So which loss is higher?",
        D * math.log2(255): "is it in bits? The book counts in nats, with the natural logarithm.",
    }
    return close(answer, D * math.log(255), tolerance=1.0, hints=hints)


@exercise("neural-networks/gradient")
def gradient(answer: object) -> str | None:
    """The derivative of the binary cross-entropy by the logit: π − x."""

    def right(x_logits: Tensor, x: Tensor) -> Tensor:
        return torch.sigmoid(x_logits) - x

    chance = torch.Generator().manual_seed(0)
    logits, x = 2 * torch.randn(3, 5, generator=chance), torch.rand(3, 5, generator=chance)
    wrong = [
        (lambda x_logits, x: x - torch.sigmoid(x_logits), "it has the wrong sign: the cross-entropy is *minus* the log-likelihood."),
        (lambda x_logits, x: x_logits - x, "the logit is no probability yet: a sigmoid is missing."),
        (
            lambda x_logits, x: (lambda pi: (pi - x) / (pi * (1 - pi)))(torch.sigmoid(x_logits)),
            "that is the derivative by π. The chain rule goes on to the logit.",
        ),
        (
            lambda x_logits, x: (lambda pi: (pi - x) * pi * (1 - pi))(torch.sigmoid(x_logits)),
            "that is the gradient of a squared error. For the cross-entropy the factor π(1 − π) cancels.",
        ),
        (lambda x_logits, x: (torch.sigmoid(x_logits) - x).sum(), "keep the pixels apart: one number for each logit."),
        (lambda x_logits, x: (torch.sigmoid(x_logits) - x) / x.numel(), "no mean over the pixels: each one's own derivative."),
    ]
    return agrees(answer, right, [(logits, x), (logits, x.round())], tolerance=1e-4, hints=wrong)


@exercise("neural-networks/half-the-error")
def half_the_error(answer: object) -> str | None:
    """Nats that half the RMS error saves, each at its best σ: D·log 2."""
    hints = {
        D / 2 * math.log(2): "the logarithm is one of σ², and σ halves.",
        2 * D * math.log(2): "mind the ½ before D log 2πσ².",
        math.log(2): "that is one pixel's share.",
        3 * D / 8: "only one of the two decoders has its own best σ there: both have.",
        D / 4: "the first term is D/2 for both, whatever their error. Look at the other term.",
        D * 1.0: "is it in bits? The book counts in nats, with the natural logarithm.",
    }
    return close(answer, D * math.log(2), tolerance=0.5, hints=hints)


@exercise("neural-networks/bits-back")
def bits_back(answer: object) -> str | None:
    """Distortion and rate, in nats, of the first of four images with q = (0.8, 0.1, 0.1)."""
    prior, q, first = (torch.tensor(values, dtype=torch.float64) for values in (PRIOR, Q, FIRST_IMAGE))
    distortion, rate = float(-(q * first.log()).sum()), float((q * (q / prior).log()).sum())
    posterior = prior * first / (prior * first).sum()
    hints = [
        ([rate, distortion], "these two are exchanged: the distortion is what x costs once z is known."),
        ([distortion, -rate], "a rate is never negative: it is log q(z) − log p(z), in the mean under q."),
        ([distortion, float((prior * (prior / q).log()).sum())], "the mean of the rate is taken under q, not under the prior."),
        ([distortion, float(-(q * prior.log()).sum())], "that is what z costs under the prior, without the refund."),
        ([-math.log(float((q * first).sum())), rate], "the distortion is the mean of −log p(x|z), not −log of the mean."),
        ([float(-(posterior * first.log()).sum()), rate], "z is drawn from q here, not from the true posterior."),
        ([distortion, float((q * (q / posterior).log()).sum())], "that is how far q is from the true posterior, not from the prior."),
        ([distortion / math.log(2), rate / math.log(2)], "are they in bits? The book counts in nats, with the natural logarithm."),
    ]
    return close(answer, [distortion, rate], tolerance=2e-3, hints=hints)


@exercise("neural-networks/laplace")
def laplace(answer: object) -> str | None:
    """The best scale of Laplace pixels, one for all images: the mean absolute error per pixel."""

    def right(x: Tensor, mean: Tensor) -> Tensor:
        return (x - mean).abs().mean()

    chance = torch.Generator().manual_seed(0)
    cases = [tuple(torch.rand(2, count, 1, 4, 4, generator=chance)) for count in (1, 6)]
    wrong = [
        (lambda x, mean: (x - mean).square().mean().sqrt(), "that is the RMS error, the best σ of a Gaussian."),
        (lambda x, mean: (x - mean).abs().sum(), "that is A. The minimum is at A/D, with all pixels of all images counted."),
        (lambda x, mean: (x - mean).abs().flatten(1).sum(1).mean(), "that is A for one image: divide by the pixels, too."),
        (lambda x, mean: (x - mean).abs().flatten(1).mean(1), "one scale for all images is asked for."),
        (lambda x, mean: 2 * (x - mean).abs().mean(), "the 2 in log 2s vanishes in the derivative: log 2s = log 2 + log s."),
        (lambda x, mean: (x - mean).mean().abs(), "first the absolute value of each pixel's error, then the mean: errors must not cancel."),
    ]
    return agrees(answer, right, cases, tolerance=1e-5, hints=wrong)
