"""A small VQ-VAE of binarised digits: 7 × 7 cells with one of 16 codes in each, and a decoder that lets single codes be read."""

from pathlib import Path

import torch

from vae_tutorial.data import Images
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import fit
from vae_tutorial.vector_quantisation import VectorQuantisedVAE, perplexity, quantisation_loss

NAME = "mnist-vq"
CODES = 16  # few enough to be shown one by one
CODE_DIM = 8
CHANNELS = 32
EPOCHS = 5  # about three minutes
BATCH_SIZE = 128
PEAK_LEARNING_RATE = 3e-3
STARTED_FROM = 256  # images whose vectors the codebook starts from
PRECISION = "int8"
SEED = 0
DATA = "mnist"
BINARISATION = "dynamic"
MEASURE = quantisation_loss


def train(images: Images, state: Path | None, seed: int = SEED) -> VectorQuantisedVAE:
    """Train on the images; `state` is where an interrupted training goes on from."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VectorQuantisedVAE(CODES, CODE_DIM, CHANNELS)
        model.start_codebook(torch.bernoulli(images.x[:STARTED_FROM]), seed)
    fit(
        model, images.x, MEASURE, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        transform=torch.bernoulli, seed=seed, checkpoint=state,
    )  # fmt: skip
    return model


def further(model: VectorQuantisedVAE, images: Images) -> dict:
    """How many of the codes held-out images use: the perplexity of their frequencies."""
    return {"perplexity": round(perplexity(model.quantise(images.x), model.codes), 2)}
