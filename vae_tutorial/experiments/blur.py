"""Blur: sharpness of what VAEs of Fashion-MNIST decode, beside a classifier that says what is still a garment, by d and β."""

from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vae_tutorial.experiments.records import pack_pixels
from vae_tutorial.image_quality import sharpness
from vae_tutorial.models import VAE
from vae_tutorial.networks import conv_encoder
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.recipes.measuring import MEASURING_SEED, at_hand, held_out, training_images
from vae_tutorial.schedules import one_cycle
from vae_tutorial.sweeps import grid
from vae_tutorial.training import evaluate, fit

NAME = "blur"
DATA = "fashion-mnist"
HIDDEN = (256,)
TRAINING_IMAGES = 20_000
EPOCHS = 8
BATCH_SIZE = 128
PEAK_LEARNING_RATE = 2e-3
BETAS = (0.1, 1.0, 10.0)
SETTINGS = grid(latent_dim=(2, 16), beta=BETAS, seed=range(5))
MINUTES = 0.5
MEASURED = 2_000  # images whose decodings are measured
SHOWN = [1, 2, 5, 8]  # of the garments at hand, whose classes take turns: a trouser, a pullover, a sandal, a bag
CLASSIFIER_SEED = 0


@lru_cache(maxsize=1)
def garment_classifier(root: str | None) -> nn.Module:
    """x (N, 784) → class logits (N, 10): the network of `image_quality.digit_classifier`, trained on garments.

    Under noise of any strength too, as there, so that its confidence falls as a garment drowns.
    """
    garments = training_images(DATA, root, CLASSIFIER_SEED)

    def drowned(x: Tensor) -> Tensor:
        return (x + 1.5 * torch.rand(len(x), 1, 1, 1) * torch.randn_like(x)).clamp(0, 1)

    def objective(network: nn.Module, x: Tensor, label: Tensor) -> dict[str, Tensor]:
        return {"loss": cross_entropy(network(x.flatten(1)), label, reduction="none")}

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(CLASSIFIER_SEED)
        network = conv_encoder((1, 28, 28), (8, 16), (64, 10))
    fit(
        network, garments.x[:TRAINING_IMAGES], objective, labels=garments.y[:TRAINING_IMAGES], transform=drowned,
        epochs=5, batch_size=64, learning_rate=one_cycle(5e-3), seed=CLASSIFIER_SEED, progress=False,
    )  # fmt: skip
    return network


@torch.no_grad()
def run(latent_dim: int, beta: float, seed: int, root: str | None = None) -> dict[str, float | list[float]]:
    """Train one VAE; its rate and distortion, and sharpness and recognisability of originals, means, pixel samples and noise."""
    x, test = training_images(DATA, root, seed).x[:TRAINING_IMAGES], held_out(DATA, root)["official_test"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(latent_dim, HIDDEN)
    with torch.enable_grad():
        classifier = garment_classifier(root)
        fit(
            model, x, negative_elbo, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
            settings={"beta": beta}, seed=seed, progress=False,
        )  # fmt: skip
    numbers = evaluate(model, test.x, negative_elbo, settings={"beta": beta}, seed=MEASURING_SEED)
    original, label = test.x[:MEASURED], test.y[:MEASURED]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(MEASURING_SEED)
        p_x = model.likelihood(model.posterior(original).sample())
        pictures = {
            "original": original,
            "mean": p_x.mean,  # what pictures of VAEs show
            "pixel_sample": p_x.sample(),  # what the model draws
            "made": model.likelihood(model.prior.sample((len(original),))).mean,
            "noise": torch.rand_like(original),
        }
    results: dict[str, float | list[float]] = {name: round(value, 3) for name, value in numbers.items()}
    for name, pixels in pictures.items():
        classes = classifier(pixels.flatten(1)).softmax(1)
        results[f"{name}_sharpness"] = round(float(sharpness(pixels).mean()), 5)
        results[f"{name}_confidence"] = round(float(classes.amax(1).mean()), 4)
        if name in ("original", "mean", "pixel_sample"):
            results[f"{name}_recognised"] = round(float((classes.argmax(1) == label).float().mean()), 4)
    if seed == 0:
        shown = at_hand(DATA).x[SHOWN]
        results["shown"] = pack_pixels(model.likelihood(model.posterior(shown).mean).mean, bits=4)
    return results
