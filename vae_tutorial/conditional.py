"""What a conditional VAE can be asked: one code as every class, how much of the style stays, and which class an image is of."""

import torch
from torch import Tensor

from vae_tutorial.devices import fork_random_states
from vae_tutorial.image_quality import slant
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo


@torch.no_grad()
def all_classes(model: VAE, z: Tensor) -> Tensor:
    """Mean pictures of codes z (N, d) as each of the C classes, (N, C, channels, H, W)."""
    return torch.stack([model.given(label=label).likelihood(z).mean for label in range(model.labels)], 1)


def shared_slant(pictures: Tensor) -> Tensor:
    """The correlation of slant over codes between every two classes, (C, C); pictures (N, C, channels, H, W) of `all_classes`."""
    leaning = slant(pictures.flatten(0, 1)).view(pictures.shape[:2])  # (N, C)
    return torch.corrcoef(leaning.T)


@torch.no_grad()
def bounds_by_class(model: VAE, x: Tensor, draws: int, seed: int) -> Tensor:
    """The ELBO of log p(x|y) for every class y, (N, C) nats, the mean over `draws` codes, from the same noise for each class.

    Where all classes are as frequent, Bayes' rule makes the softmax over y of log p(x|y) the posterior p(y|x): with bounds in
    place of log-likelihoods the model is a classifier that was never trained as one.
    """
    columns = []
    for label in range(model.labels):
        with fork_random_states():
            torch.manual_seed(seed)
            losses = [negative_elbo(model.given(label=label), x)["loss"] for _ in range(draws)]
        columns.append(-torch.stack(losses).mean(0))
    return torch.stack(columns, 1)
