"""Explorers with several networks send int8 where all of them lie on its grid, and float16 as soon as one does not."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from vae_tutorial import checkpoints, explorers
from vae_tutorial.data import Images
from vae_tutorial.models import VAE, Autoencoder


@pytest.fixture(scope="module")
def images() -> Images:
    generator = torch.Generator().manual_seed(0)
    return Images(torch.rand(40, 1, 28, 28, generator=generator), torch.arange(40) % 10, "noise")


def on_the_grid(seed: int) -> dict[str, VAE | Autoencoder]:
    """Models as they come out of int8 checkpoints."""
    torch.manual_seed(seed)
    models = {
        "vae": VAE(2, (8,)), "autoencoder": Autoencoder(2, (8,)), "judge": VAE(3, (8,)),
        "gaussian": VAE(2, (8,), likelihood="gaussian", sigma=0.3),
    }  # fmt: skip
    return {name: checkpoints.rounded(model, "int8") for name, model in models.items()}


SHOWN: dict[str, tuple[Callable, list[tuple[str, str]]]] = {  # how each is built, and the networks that it sends
    "latent_map": (
        lambda m, images: explorers.latent_map(m["vae"], images, m["autoencoder"], points=40),
        [("vae", "decoder"), ("autoencoder", "decoder")],
    ),
    "draw_digit": (lambda m, images: explorers.draw_digit(m["vae"], images, points=20), [("vae", "encoder"), ("vae", "decoder")]),
    "mean_and_sample": (
        lambda m, images: explorers.mean_and_sample(m["vae"], m["gaussian"], images),
        [("vae", "decoder"), ("gaussian", "decoder")],
    ),
    "denoising": (
        lambda m, images: explorers.denoising(m["autoencoder"], m["vae"], images),
        [("autoencoder", "encoder"), ("autoencoder", "decoder"), ("vae", "encoder"), ("vae", "decoder")],
    ),
    "interpolation": (
        lambda m, images: explorers.interpolation(m["vae"], m["autoencoder"], images, points=40, judge=m["judge"]),
        [("vae", "decoder"), ("autoencoder", "decoder"), ("judge", "encoder"), ("judge", "decoder")],
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_one_network_off_the_grid_is_enough_for_float16(name, images):
    build, sent = SHOWN[name]
    models = on_the_grid(seed=1)
    assert build(models, images).children[-1].precision == "int8"
    for model, part in sent:
        network: nn.Sequential = getattr(models[model], part)
        kept = network[-1].weight.detach().clone()
        with torch.no_grad():
            network[-1].weight.add_(0.01 * torch.randn_like(kept))
            assert build(models, images).children[-1].precision == "float16"
            network[-1].weight.copy_(kept)


def test_one_checkpoint_off_the_grid_is_enough_for_float16(tmp_path):
    torch.manual_seed(2)
    for name, precision in (("on", "int8"), ("off", "float32")):
        model = VAE(3, (8,), image_shape=(1, 28, 28))
        checkpoints.save_model(model, name, {"rate_per_unit": [1.0, 2.0, 3.0]}, precision, tmp_path)
    x = torch.rand(2, 1, 28, 28)
    for names, precision in ((["on"], "int8"), (["on", "off"], "float16"), (["off", "on"], "float16")):
        assert explorers.traversal(names, x=x, folder=tmp_path).children[-1].precision == precision
