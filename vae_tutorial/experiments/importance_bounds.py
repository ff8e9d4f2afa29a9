"""Bounds on log p(x) from k codes of shipped models, k = 1 … 5,000, on binarised digits: how they climb, and how many codes count."""

import torch
from torch import Tensor

from vae_tutorial.checkpoints import load_model
from vae_tutorial.data import Images, binarize, load_images
from vae_tutorial.evaluation import log_likelihood
from vae_tutorial.recipes.measuring import MEASURING_SEED
from vae_tutorial.sweeps import grid

NAME = "importance-bounds"
DATA = "embedded"
MODELS = ("mnist-16d", "mnist-2d")  # trained on grey digits
KS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_500, 5_000)  # all divide the last one
DIGITS = 50  # held out: five of each class, the first ten one of each
DECODINGS = 500  # at once
SETTINGS = grid(model=MODELS, seed=range(5))
MINUTES = 0.1


def measured_digits() -> Images:
    """The digits, binarised once; their classes are 0 … 9, and again."""
    test = load_images("mnist", "test")
    places = torch.stack([(test.y == label).nonzero()[: DIGITS // 10, 0] for label in range(10)], 1).flatten()
    return Images(binarize(test.x, MEASURING_SEED)[places], test.y[places], f"{test.source}, binarised")


def bounds_and_sizes(log_weights: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """From log w (S, N): L_k and the effective sample size (Σw)²/Σw², each the mean over S/k groups of k codes, (N,).

    Raises:
        ValueError: k does not divide S.
    """
    if len(log_weights) % k:
        raise ValueError(f"groups of {k} do not divide {len(log_weights)} codes")
    groups = log_weights.double().unflatten(0, (-1, k))  # (S/k, k, N)
    total = groups.logsumexp(1)
    size = (2 * total - (2 * groups).logsumexp(1)).exp()
    return (total - torch.tensor(float(k)).log()).mean(0), size.mean(0)


@torch.no_grad()
def run(model: str, seed: int, root: str | None = None) -> dict[str, list]:
    """Draw 5,000 codes for each digit with this seed; per k the mean over digits, their spread, and the first ten one by one, nats."""
    vae, x = load_model(model), measured_digits().x
    columns = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(MEASURING_SEED + seed)
        for image in x.split(1):
            q = vae.posterior(image)
            parts = q.sample((KS[-1],)).split(DECODINGS)  # each (DECODINGS, 1, d)
            columns.append(torch.cat([log_likelihood(vae.likelihood(z), image) + vae.prior.log_prob(z) - q.log_prob(z) for z in parts]))
    table = [bounds_and_sizes(torch.cat(columns, 1), k) for k in KS]
    bounds, sizes = (torch.stack(each) for each in zip(*table, strict=True))  # each (k, N)
    return {
        "bound": _rounded(bounds.mean(1)),
        "low": _rounded(bounds.quantile(0.1, 1)),
        "high": _rounded(bounds.quantile(0.9, 1)),
        "effective": _rounded(sizes.mean(1)),
        "each_bound": [_rounded(row[:10]) for row in bounds],
        "each_effective": [_rounded(row[:10]) for row in sizes],
    }


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 3) for value in values.tolist()]
