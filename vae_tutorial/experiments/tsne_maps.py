"""Record t-SNE maps of codes at many perplexities, for the perplexity explorer: `python -m vae_tutorial.experiments.tsne_maps`.

The models are those of the experiment `latent-space` with seed 0; beside them stand two clouds whose sizes and distances are known.
"""

import argparse
from pathlib import Path

import torch
from torch import Tensor

from vae_tutorial.data import Images
from vae_tutorial.embeddings import RECORDED, Cloud, draw_maps, principal_axes, save_clouds
from vae_tutorial.experiments.latent_space import DATA, encode, train
from vae_tutorial.recipes.measuring import at_hand

EACH = 36  # digits of a class: 360 points are legible on a phone, and the file stays below 100 KB
PERPLEXITIES = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)  # evenly spaced on a logarithmic slider
MODELS = {"β = 1": 1.0, "β = 0.01": 0.01, "β = 0": 0.0, "autoencoder": None}
SEED = 0
BLOBS = {1: (-3.5, 0.15), 2: (0.0, 1.0), 3: (12.0, 0.15)}  # label: place on the line, standard deviation


def chosen_digits(images: Images, each: int) -> Images:
    """The first `each` digits of every class, class by class."""
    places = torch.cat([torch.nonzero(images.y == label).flatten()[:each] for label in range(10)])
    return Images(images.x[places], images.y[places], f"{each} of each class of {images.source}")


def three_blobs(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Three Gaussian clusters in the plane, (count, 2) about 0, and their labels: a wide one, a tight one near it, a tight one far away."""
    labels = torch.tensor(list(BLOBS)).repeat_interleave(count // len(BLOBS))
    z = torch.randn(len(labels), 2, generator=torch.Generator().manual_seed(seed))
    places = torch.tensor([BLOBS[int(label)][0] for label in labels])
    codes = z * torch.tensor([BLOBS[int(label)][1] for label in labels])[:, None] + torch.stack([places, torch.zeros(len(places))], 1)
    return codes - torch.tensor([(places.min() + places.max()) / 2, 0.0]), labels


def one_gaussian(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Draws of N(0, I) in the plane, (count, 2), all with the label 0: no clusters at all."""
    return torch.randn(count, 2, generator=torch.Generator().manual_seed(seed)), torch.zeros(count, dtype=torch.int64)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m vae_tutorial.experiments.tsne_maps", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with MNIST/raw (downloaded there if missing)")
    parser.add_argument("--to", type=Path, default=RECORDED, help="the file to write (default: in the package)")
    options = parser.parse_args()
    digits = chosen_digits(at_hand(DATA), EACH)
    given: dict[str, tuple[Tensor, Tensor, bool]] = {}
    for d in (10, 2):
        for name, beta in MODELS.items():
            mu, _ = encode(train(d, beta, SEED, options.data)[0], digits.x)
            given[f"{name}, d = {d}"] = (principal_axes(mu) if d > 2 else mu, digits.y, True)
    given["three blobs, d = 2"] = (*three_blobs(len(digits), SEED), False)
    given["one Gaussian, d = 2"] = (*one_gaussian(len(digits), SEED), False)
    clouds = {}
    for name, (codes, labels, model) in given.items():
        rounded = codes.half().float()  # as they will be stored
        clouds[name] = Cloud(rounded, labels, draw_maps(rounded, PERPLEXITIES, SEED), PERPLEXITIES, model)
        print(f"{name}: {len(codes)} codes, {len(PERPLEXITIES)} maps", flush=True)
    save_clouds(clouds, "python -m vae_tutorial.experiments.tsne_maps", options.to)
    print(f"wrote {options.to}, {options.to.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
