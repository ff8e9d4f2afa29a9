"""Holes: bad samples of VAEs by where their codes come from, the prior or a mixture fitted to the codes; the decoder is the same."""

import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from vae_tutorial.image_quality import class_entropy, digit_confidence
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.probes import classifier_two_sample
from vae_tutorial.recipes.measuring import MEASURING_SEED, held_out, training_images
from vae_tutorial.schedules import one_cycle
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate, fit

NAME = "holes"
DATA = "mnist"
LATENT_DIM = 10
HIDDEN = (256, 128)
TRAINING_IMAGES = 20_000
EPOCHS = 10
BATCH_SIZE = 128
PEAK_LEARNING_RATE = 2e-3
COMPONENTS = (1, 10, 40)  # of the mixtures; one alone is a Gaussian with the codes' mean and covariance
SETTINGS = grid(beta=(0.3, 1.0, 3.0), seed=range(5))
MINUTES = 1
FITTED = 10_000  # codes that the mixtures are fitted to, and training images that samples are compared with
MADE = 1_000  # samples of each kind
SHARE = 0.05  # of held-out reconstructions that count as bad by each measure


def distance_to_nearest(x: Tensor, others: Tensor) -> Tensor:
    """The root of the squared error (N,) between an image of x and the nearest of the others."""
    return torch.cdist(x.flatten(1), others.flatten(1)).amin(1)


@torch.no_grad()
def run(beta: float, seed: int, root: str | None = None) -> dict[str, float | list[float]]:
    """Train one VAE; what its decoder makes of held-out codes, of the prior's and of each mixture's."""
    x, held = training_images(DATA, root, seed).x[:TRAINING_IMAGES], held_out(DATA, root)["official_test"].x
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(LATENT_DIM, HIDDEN)
    with torch.enable_grad():
        fit(
            model, x, negative_elbo, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
            settings={"beta": beta}, seed=seed, progress=False,
        )  # fmt: skip
    numbers = evaluate(model, held, negative_elbo, settings={"beta": beta}, seed=MEASURING_SEED)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(MEASURING_SEED + seed)
        fitted, codes = model.posterior(x[:FITTED]).sample(), model.posterior(held).sample()
        made = {"codes": codes[:MADE], "prior": model.prior.sample((MADE,))}
    log_prior = model.prior.log_prob(codes)  # (N,)
    results = {name: round(value, 3) for name, value in numbers.items()}
    for components in COMPONENTS:
        mixture = GaussianMixture(components, tol=3e-3, reg_covar=1e-4, max_iter=300, random_state=seed).fit(fitted.double().numpy())
        name = f"mixture_{components}"
        made[name] = torch.from_numpy(mixture.sample(MADE)[0]).float()
        log_mixture = torch.from_numpy(mixture.score_samples(codes.double().numpy()))
        results[f"{name}_gain"] = round(float((log_mixture - log_prior).mean()), 4)  # nats a held-out image's rate falls by
    measured = {}
    for name, z in made.items():
        pictures = model.likelihood(z).mean
        measured[name] = digit_confidence(pictures), distance_to_nearest(pictures, x[:FITTED])
        results[f"{name}_confidence"] = round(float(measured[name][0].mean()), 4)
        results[f"{name}_distance"] = round(float(measured[name][1].mean()), 4)
        results[f"{name}_classes"] = round(class_entropy(pictures), 4)
        if name != "codes":
            results[f"{name}_auroc"] = round(classifier_two_sample(codes[:MADE], z), 4)
    confident, near = measured["codes"][0].quantile(SHARE), measured["codes"][1].quantile(1 - SHARE)
    for name, (confidence, distance) in measured.items():
        results[f"{name}_unsure"] = round(float((confidence < confident).float().mean()), 4)
        results[f"{name}_far"] = round(float((distance > near).float().mean()), 4)
    return results
