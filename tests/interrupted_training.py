"""A small training that kills its own process in the middle of the third epoch: `python -m interrupted_training STATE`."""

import os
import signal
import sys

import torch

from vae_tutorial import objectives, schedules
from vae_tutorial.models import VAE
from vae_tutorial.training import fit

OPTIONS = {
    "epochs": 5,
    "batch_size": 32,  # of 256 images: eight updates an epoch
    "learning_rate": schedules.one_cycle(1e-2),
    "weight_decay": 0.01,
    "settings": {"beta": schedules.warm_up(1.0, until=0.5)},
    "progress": False,
}


def make_images() -> torch.Tensor:
    """256 random images (256, 1, 28, 28), always the same."""
    return torch.rand(256, 1, 28, 28, generator=torch.Generator().manual_seed(11))


def make_model(hidden: tuple[int, ...] = (16,), likelihood: str = "bernoulli", seed: int = 12) -> VAE:
    """A VAE with the same initial weights at each call with a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return VAE(2, hidden, likelihood=likelihood)


def main() -> None:
    """Train with a checkpoint, and die without warning."""
    calls = []

    def negative_elbo(model: VAE, x: torch.Tensor, beta: float) -> objectives.Terms:
        calls.append(1)
        if len(calls) == 2 * 8 + 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return objectives.negative_elbo(model, x, beta)

    torch.set_num_threads(1)
    fit(make_model(), make_images(), negative_elbo, seed=0, checkpoint=sys.argv[1], **OPTIONS)


if __name__ == "__main__":
    main()
