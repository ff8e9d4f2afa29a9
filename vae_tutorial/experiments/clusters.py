"""Noise and KL in training, each alone, both and neither: where 2-D codes go, how clustered they are, what they tell the decoder."""

from functools import partial
from itertools import combinations
from math import log
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from vae_tutorial import probes
from vae_tutorial.evaluation import aggregate_posterior
from vae_tutorial.image_quality import digit_confidence
from vae_tutorial.models import VAE
from vae_tutorial.objectives import Terms
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.schedules import one_cycle
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate, fit

NAME = "clusters"
DATA = "mnist"
KINDS = {  # the noise that is drawn, and the weight of the KL
    "neither": ("none", 0.0),
    "kl": ("none", 1.0),
    "noise": ("learned", 0.0),
    "fixed-noise": ("fixed", 0.0),
    "both": ("learned", 1.0),
}
FIXED_SIGMA = 1.0  # the prior's own width
HIDDEN, ACTIVATION = (128, 64), "silu"  # half of `mnist-2d`'s widths: 25 trainings
EPOCHS = 12
BATCH_SIZE = 256
PEAK_LEARNING_RATE = 3e-3
SIZES = (50, 150, 500, 1_500, 5_000)  # images among which a code names one
MAPPED = 200  # codes on the maps of the first seed
STEPS_ACROSS = 21  # places decoded between two classes
SETTINGS = grid(kind=KINDS, seed=range(5))
MINUTES = 0.5


def seen(q: Independent, noise: str, eps: Tensor) -> Tensor:
    """The codes (B, d) that the decoder sees, of a q(z|x) as the encoder gives it."""
    return q.mean + {"none": 0.0, "learned": q.stddev, "fixed": FIXED_SIGMA}[noise] * eps


def noise_and_kl(model: VAE, x: Tensor, noise: str, beta: float) -> Terms:
    """Distortion of the code that the decoder sees + β·KL of the q that the encoder gives: the rate only if z is drawn from that q."""
    q = model.posterior(x)
    z = seen(q, noise, torch.randn_like(q.mean))
    distortion, kl = -model.likelihood(z).log_prob(x), kl_divergence(q, model.prior)
    return {"loss": distortion + beta * kl, "kl": kl, "distortion": distortion}


def run(kind: str, seed: int, root: str | None = None) -> dict[str, Any]:
    """Train once on the official images; measure on the embedded digits: the codes, the classes in them, their information, the gaps."""
    noise, beta = KINDS[kind]
    objective = partial(noise_and_kl, noise=noise, beta=beta)
    torch.manual_seed(seed)
    model, digits = VAE(2, HIDDEN, ACTIVATION), at_hand("mnist")
    few = at_hand("embedded")
    curves: dict[str, list[float]] = {"spread": [], "sigma": [], "gain": []}

    def follow(_: Any = None) -> None:
        for name, value in widths(model, few.x).items():
            curves[name].append(value)

    follow()
    fit(
        model, training_images(DATA, root, seed).x, objective, epochs=EPOCHS, batch_size=BATCH_SIZE,
        learning_rate=one_cycle(PEAK_LEARNING_RATE), seed=seed, on_epoch=follow, progress=False,
    )  # fmt: skip
    terms = evaluate(model, digits.x, objective, seed=MEASURING_SEED)
    with torch.no_grad():
        q, q_few = model.posterior(digits.x), model.posterior(few.x)
    eps = torch.randn(q.mean.shape, generator=torch.Generator().manual_seed(MEASURING_SEED))
    codes, z = seen(q, noise, eps), seen(q_few, noise, eps[: len(few.x)])
    scaled = (q.mean - q.mean.mean(0)) / q.mean.std()
    results = {
        "kl": terms["kl"],
        "distortion": terms["distortion"],
        "information": information(model, digits.x, noise),
        "knn_means": probes.knn_accuracy(q_few.mean, few.y),
        "knn_seen": probes.knn_accuracy(z, few.y),
        "silhouette_means": probes.silhouette(q_few.mean, few.y),
        "silhouette_seen": probes.silhouette(z, few.y),
        "centres": torch.stack([scaled[digits.y == label].mean(0) for label in range(10)]).flatten().tolist(),
        "map": z[:MAPPED].flatten().tolist() if seed == 0 else [],
    }
    return {name: rounded(value) for name, value in (results | curves | gaps(model, codes, digits)).items()}


@torch.no_grad()
def widths(model: VAE, x: Tensor) -> dict[str, float]:
    """The spread of the means, the encoder's typical σ, and the size of the decoder's first weights."""
    q = model.posterior(x)
    spread = (q.mean - q.mean.mean(0)).square().mean().sqrt()
    return {"spread": float(spread), "sigma": float(q.stddev.median()), "gain": float(model.decoder[0].weight.norm())}


def information(model: VAE, x: Tensor, noise: str) -> list[float]:
    """I(x; z), nats, of images and the codes that the decoder sees, among the first 50, 150, … images."""
    if noise == "none":  # different codes: each names its image
        with torch.no_grad():
            return [log(len(model.encode(x[:size])[0].unique(dim=0))) for size in SIZES]
    drawn = model
    if noise == "fixed":
        drawn = SimpleNamespace(prior=model.prior, posterior=lambda batch: Independent(Normal(model.encode(batch)[0], FIXED_SIGMA), 1))
    return [aggregate_posterior(drawn, x[:size], MEASURING_SEED).mutual_information for size in SIZES]


@torch.no_grad()
def gaps(model: VAE, codes: Tensor, digits: Any) -> dict[str, float]:
    """Means over the 45 pairs of classes: the valley between them, and the worst image decoded on the way from one to the other.

    An image is the worse the less sure a digit classifier is, and the farther it is from the nearest real digit (Euclidean).
    """
    ends = codes[probes.densest(codes, digits.y)]  # (10, 2)
    share = torch.linspace(0, 1, STEPS_ACROSS)[:, None]
    ways = torch.stack([(1 - share) * ends[a] + share * ends[b] for a, b in combinations(range(10), 2)])  # (45, steps, 2)
    images = torch.sigmoid(model.decode(ways.flatten(0, 1)))
    sure = digit_confidence(images).view(45, -1)
    away = torch.cdist(images.flatten(1), digits.x.flatten(1)).amin(1).view(45, -1)
    return {
        "valley": float(np.mean(probes.valleys(codes, digits.y)[np.triu_indices(10, 1)])),
        "sure_ends": float(sure[:, [0, -1]].mean()),
        "sure_least": float(sure.amin(1).mean()),
        "away_ends": float(away[:, [0, -1]].mean()),
        "away_most": float(away.amax(1).mean()),
    }


def rounded(value: Any) -> Any:
    """To four digits; lists number by number."""
    return [rounded(one) for one in value] if isinstance(value, list) else float(f"{value:.4g}")
