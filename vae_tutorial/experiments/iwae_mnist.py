"""The bound of k samples, k = 1 (a VAE) or 5, on 55,000 digits with the network of Burda et al. (2016), as many updates for both."""

from vae_tutorial.experiments.iwae import train_and_measure
from vae_tutorial.recipes.measuring import held_out, training_images
from vae_tutorial.sweeps import grid

NAME = "iwae-mnist"
DATA = "mnist"
LAYERS = (200, 200)  # theirs, with one stochastic layer of 50 units
EPOCHS = 40  # theirs: 3,280
BATCH_SIZE = 128
PRODUCTS = "fast"  # of the decoder while log p(x) is measured: bfloat16 in the record; the experiment `likelihood` tells what that costs
SETTINGS = grid(seed=range(3), k=(1, 5))
MINUTES = 11


def run(k: int, seed: int, root: str | None = None) -> dict[str, float]:
    """Train one model; log p(x) and bounds of the official test images, binarised once, nats."""
    held = held_out(DATA, root, binarized=True)["official_test"].x
    x = training_images(DATA, root, seed).x
    return train_and_measure(x, held, k, seed, hidden=LAYERS, epochs=EPOCHS, batch_size=BATCH_SIZE, products=PRODUCTS)
