"""On a GPU, as far as a machine without one can tell: torch's fake tensors have a device and no memory, and refuse to mix devices."""

from functools import partial

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from vae_tutorial import objectives
from vae_tutorial.constraints import HoldDistortion, HoldRate
from vae_tutorial.corruptions import GaussianNoise
from vae_tutorial.models import VAE, Autoencoder

VAES = {
    "ELBO": objectives.negative_elbo,
    "free bits": partial(objectives.free_bits, floor=0.1),
    "capacity": partial(objectives.controlled_capacity, capacity=5.0),
    "total correlation": partial(objectives.total_correlation, images=100),
    "importance-weighted": partial(objectives.negative_iwae_bound, k=3),
}
AUTOENCODERS = {
    "cross-entropy": objectives.cross_entropy,
    "squared error": objectives.squared_error,
    "sparse": partial(objectives.sparse, weight=0.1),
    "denoising": partial(objectives.denoising, corrupt=GaussianNoise(0.5)),
    "nested dropout": objectives.nested_dropout,
}


@pytest.fixture
def fake():
    with FakeTensorMode() as mode:
        yield mode


def build(kind: type, device: str, *arguments, **options) -> tuple[torch.nn.Module, torch.Tensor]:
    with torch.device(device):
        return kind(2, (16,), *arguments, **options), torch.rand(4, 1, 28, 28)


def devices(terms: objectives.Terms) -> set[str]:
    return {term.device.type for term in terms.values()}


def test_a_mix_of_devices_is_noticed(fake):
    model, _ = build(VAE, "cuda")
    with pytest.raises(RuntimeError, match=r"(?s)two different devices|device"):
        objectives.negative_elbo(model, torch.rand(4, 1, 28, 28))


@pytest.mark.parametrize("name", VAES)
def test_a_vae_trains_where_its_weights_are(name, fake):
    assert devices(VAES[name](*build(VAE, "cuda"))) == {"cuda"}


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_an_autoencoder_trains_where_its_weights_are(name, fake):
    assert devices(AUTOENCODERS[name](*build(Autoencoder, "cuda"))) == {"cuda"}


@pytest.mark.parametrize("kind", [HoldRate, HoldDistortion])
def test_a_multiplier_moves_with_its_model(kind, fake):
    model, x = build(VAE, "cuda")
    with torch.device("cuda"):
        objective = kind(10.0)
    assert devices(objective(model, x)) == {"cuda"}


def test_a_learned_sigma_is_on_the_device_too(fake):
    assert devices(objectives.negative_elbo(*build(VAE, "cuda", likelihood="gaussian", sigma="learned"))) == {"cuda"}
