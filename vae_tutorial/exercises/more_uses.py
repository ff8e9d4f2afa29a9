"""Checks of the page More uses."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from vae_tutorial.exercises import agrees, choice, close, exercise

AUROC = 0.3  # of the detector that is turned round


@exercise("more-uses/visible")
def visible(answer: object) -> str | None:
    """log p(x_V|z), (K,), from logits (K, D) of K codes, one image x (D,) and which pixels are seen, bool (D,)."""

    def pixelwise(x_logits: Tensor, x: Tensor) -> Tensor:
        return -binary_cross_entropy_with_logits(x_logits, x.expand_as(x_logits), reduction="none")

    def right(x_logits: Tensor, x: Tensor, seen: Tensor) -> Tensor:
        return pixelwise(x_logits, x)[:, seen].sum(1)

    hints = [
        (lambda x_logits, x, seen: pixelwise(x_logits, x).sum(1), "that is the sum over all pixels, the covered ones included."),
        (lambda x_logits, x, seen: pixelwise(x_logits, x * seen).sum(1), "that takes covered pixels for blank ones. They should drop out."),
        (
            lambda x_logits, x, seen: pixelwise(x_logits * seen, x).sum(1),
            "a logit of 0 is a coin, which costs log 2. A covered pixel costs nothing.",
        ),
        (lambda x_logits, x, seen: -right(x_logits, x, seen), "the sign: a log-likelihood of pixels is negative."),
        (lambda x_logits, x, seen: right(x_logits, x, ~seen), "those are the covered pixels."),
        (
            lambda x_logits, x, seen: pixelwise(x_logits, x)[:, seen].mean(1),
            "a likelihood is a product over pixels, so its logarithm is a sum.",
        ),
    ]
    generator = torch.Generator().manual_seed(0)
    cases = []
    for pixels in (6, 20):
        x = torch.bernoulli(torch.full((pixels,), 0.5), generator=generator)
        seen = torch.arange(pixels) % 3 != 0
        cases.append((2 * torch.randn(4, pixels, generator=generator), x, seen))
    return agrees(answer, right, cases, tolerance=1e-4, hints=hints)


@exercise("more-uses/coins")
def coins(answer: object) -> str | None:
    """What happens to the mean of −log p of held-out garments when each pixel is drawn as a coin instead of staying grey."""
    wrong = {
        "falls": "each coin still has to be guessed, and how uncertain it is stands in its grey level.",
        "rises": "the grey-level loss is already the expected price of such coins, so nothing is added on average.",
    }
    return choice(answer, "stays", wrong)


@exercise("more-uses/turned")
def turned(answer: object) -> str | None:
    """The AUROC of a detector once the sign of its scores is turned round."""
    hints = {
        AUROC: "that is the one before. Every pair of images is now ordered the other way.",
        -AUROC: "an AUROC is a share of pairs, so it is not negative.",
        0.5: "that would be a detector that knows nothing. This one knows something, and says it upside down.",
        1.0: "no: pairs that were in the right order are now in the wrong one.",
    }
    return close(answer, 1 - AUROC, tolerance=0.005, hints=hints)


@exercise("more-uses/bayes")
def bayes(answer: object) -> str | None:
    """p(y|x), (N, C), from log p(x|y) (N, C) and the classes' frequencies p(y) (C,)."""

    def right(log_likelihood: Tensor, frequency: Tensor) -> Tensor:
        return (log_likelihood + frequency.log()).softmax(1)

    hints = [
        (lambda log_likelihood, frequency: log_likelihood.softmax(1), "that takes all classes to be as frequent."),
        (lambda log_likelihood, frequency: (log_likelihood + frequency).softmax(1), "a frequency multiplies: its logarithm is added."),
        (
            lambda log_likelihood, frequency: (log_likelihood + frequency.log()).softmax(0),
            "each row is one image, and its classes sum to one.",
        ),
        (
            lambda log_likelihood, frequency: log_likelihood + frequency.log(),
            "that is log p(x, y). It remains to divide by the sum over y.",
        ),
        (lambda log_likelihood, frequency: (log_likelihood + frequency.log()).log_softmax(1), "that is the logarithm of the answer."),
    ]
    generator = torch.Generator().manual_seed(0)
    cases = [
        (-100 + 2 * torch.randn(5, classes, generator=generator), torch.arange(1.0, classes + 1) / sum(range(classes + 1)))
        for classes in (3, 10)
    ]
    return agrees(answer, right, cases, tolerance=1e-5, hints=hints)


@exercise("more-uses/augmentation")
def augmentation(answer: object) -> str | None:
    """Which of three training sets serves a nearest neighbour in pixels best: "none", "decoded" or "shifts"."""
    wrong = {
        "none": "measure it: with the same labels, another set knows more of what a digit may look like.",
        "decoded": "its pictures lie close to the digits they were encoded from. What do they tell the classifier that is new?",
    }
    return choice(answer, "shifts", wrong)
