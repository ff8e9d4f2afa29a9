"""Where codes lie with and without the KL term, in 2 and 10 dimensions, and what probes and t-SNE see of it."""

from collections.abc import Callable

import torch
from sklearn.manifold import TSNE
from torch import Tensor

from vae_tutorial.data import Images
from vae_tutorial.evaluation import aggregate_posterior
from vae_tutorial.models import VAE, Autoencoder
from vae_tutorial.objectives import cross_entropy, negative_elbo
from vae_tutorial.probes import classifier_two_sample, knn_accuracy, silhouette
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, training_images
from vae_tutorial.sweeps import grid
from vae_tutorial.training import History, evaluate, fit

NAME = "latent-space"
DATA = "mnist"
TRAINING_IMAGES = 20_000  # of the 55,000: more epochs for the same time, so that the curves have more points
HIDDEN = (128, 64)  # small enough for forty trainings; 2-D reconstructions end some nats above those of `mnist-2d`
ACTIVATION = "silu"
EPOCHS = 20
BATCH_SIZE = 128
LEARNING_RATE = 1.5e-3  # constant: under a falling one everything would stop moving at the end, a rate still rising, too
SETTINGS = grid(d=(2, 10), beta=(1.0, 0.01, 0.0, None), seed=range(5))  # None: the plain autoencoder, no noise and no price
MINUTES = 1
PERPLEXITY = 30
TSNE_IMAGES = 1_000  # as many as a map shows; the time of t-SNE grows faster than their number
PROBED = 2_000  # codes held against as many of the prior, and images of the N² sums of I(x; z)


def train(d: int, beta: float | None, seed: int, root: str | None = None) -> tuple[VAE | Autoencoder, History]:
    """Train one model; the history's validation is measured on a thousand of the digits at hand."""
    x, held_out = training_images(DATA, root, seed).x[:TRAINING_IMAGES], at_hand(DATA).x[:1_000]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Autoencoder(d, HIDDEN, ACTIVATION) if beta is None else VAE(d, HIDDEN, ACTIVATION)
    objective: Callable = cross_entropy if beta is None else negative_elbo
    history = fit(
        model, x, objective, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE,
        settings=None if beta is None else {"beta": beta}, validation=held_out, seed=seed, progress=False,
    )  # fmt: skip
    return model, history


def run(d: int, beta: float | None, seed: int, root: str | None = None) -> dict[str, float | list[float]]:
    """Train once; probes of the codes of the embedded digits, which no training here has seen."""
    model, history = train(d, beta, seed, root)
    images = at_hand(DATA)
    mu, sigma = encode(model, images.x)
    z = mu if sigma is None else mu + sigma * torch.randn(mu.shape, generator=torch.Generator().manual_seed(MEASURING_SEED))
    found = probe(images, mu, z) | {"at_mean": _at_mean(model, images.x, mu)}
    if isinstance(model, VAE):
        found |= {term: [round(value, 3) for value in history.validation[term]] for term in ("rate", "distortion")}
        found |= rates(model, images.x, mu, sigma)
    return {name: value if isinstance(value, list) else round(float(value), 4) for name, value in found.items()}


@torch.no_grad()
def encode(model: VAE | Autoencoder, x: Tensor) -> tuple[Tensor, Tensor | None]:
    """Means and standard deviations of q(z|x), (N, d) each; an autoencoder has codes and no noise."""
    if isinstance(model, Autoencoder):
        return model.encode(x), None
    q = model.posterior(x).base_dist
    return q.mean, q.stddev


def probe(images: Images, mu: Tensor, z: Tensor) -> dict[str, float]:
    """What classifiers and t-SNE find in means mu and samples z, (N, d) each, of labelled images."""
    few, y = z[:PROBED], images.y
    prior = torch.randn(few.shape, generator=torch.Generator().manual_seed(MEASURING_SEED + 1))
    rescaled = (few - few.mean(0)) / few.std(0)
    flat = TSNE(perplexity=PERPLEXITY, init="pca", random_state=0).fit_transform(mu[:TSNE_IMAGES].numpy())
    return {
        "spread": mu.var(0).mean().sqrt(),  # root mean square over the units
        "told_apart": classifier_two_sample(few, prior),
        "told_apart_rescaled": classifier_two_sample(rescaled, prior),
        "knn_means": knn_accuracy(mu, y),
        "knn_samples": knn_accuracy(z, y),
        "knn_tsne": knn_accuracy(flat, y[:TSNE_IMAGES]),
        "silhouette_means": silhouette(mu, y),
        "silhouette_tsne": silhouette(flat, y[:TSNE_IMAGES]),
    }


def rates(model: VAE, x: Tensor, mu: Tensor, sigma: Tensor) -> dict[str, float]:
    """The rate in its parts, nats: what a code tells of its image, and what shifting and rescaling each unit would save."""
    parts = aggregate_posterior(model, x[:PROBED], seed=MEASURING_SEED)
    return {
        "noise": sigma.log().mean().exp(),  # geometric mean
        "information": parts.mutual_information,
        "final_rate": parts.rate,
        "rate_rescaled": rescaled_rate(mu, sigma),
    }


def rescaled_rate(mu: Tensor, sigma: Tensor) -> Tensor:
    """The mean rate, nats, once every unit of the codes (N, d) is shifted and scaled for the lowest."""
    second_moments = mu.var(0, correction=0) + sigma.square().mean(0)  # (d,) about the units' means: 1 after rescaling
    return (second_moments.log() / 2 - sigma.log().mean(0)).sum()


@torch.no_grad()
def _at_mean(model: VAE | Autoencoder, x: Tensor, mu: Tensor) -> float:
    """−log p(x|mu), nats per image: the one reconstruction error that a VAE and an autoencoder share."""
    if isinstance(model, Autoencoder):
        return evaluate(model, x, cross_entropy, seed=MEASURING_SEED)["loss"]
    return float(-model.likelihood(mu).log_prob(x).mean())
