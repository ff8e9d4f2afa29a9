"""MLPs against NumPy, and the specification that the browser reads."""

import numpy as np
import pytest
import torch
from torch import nn

from vae_tutorial import networks

BY_HAND = {
    "relu": lambda h: np.maximum(h, 0),
    "silu": lambda h: h / (1 + np.exp(-h)),
    "tanh": np.tanh,
    "none": lambda h: h,
}


def test_every_activation_is_tested():
    assert set(BY_HAND) == set(networks.ACTIVATIONS)


@pytest.mark.parametrize("activation", BY_HAND)
def test_an_mlp_is_what_its_specification_says(activation):
    network = networks.mlp([6, 5, 4, 3], activation).double()
    specification = networks.layer_specification(network)
    assert [(layer["in"], layer["out"]) for layer in specification] == [(6, 5), (5, 4), (4, 3)]
    assert [layer["activation"] for layer in specification] == [activation, activation, "none"]
    weights = [value.detach().numpy() for value in network.parameters()]
    x = torch.randn(2, 6, dtype=torch.float64)
    h = x.numpy()
    for layer, weight, bias in zip(specification, weights[::2], weights[1::2], strict=True):
        h = BY_HAND[layer["activation"]](h @ weight.T + bias)
    np.testing.assert_allclose(network(x).detach().numpy(), h, rtol=1e-12)


def test_two_sizes_make_one_linear_layer():
    assert networks.layer_specification(networks.mlp([784, 2])) == [{"in": 784, "out": 2, "activation": "none"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([784],), "input and an output"),
        (([], "relu"), "input and an output"),
        (([784, 0, 2],), "at least one unit"),
        (([4, 2], "gelu"), "gelu.*relu"),
    ],
)
def test_impossible_networks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        networks.mlp(*arguments)


@pytest.mark.parametrize(
    "make",
    [
        lambda: [nn.Conv2d(1, 1, 3)],
        lambda: [nn.ReLU(), nn.Linear(2, 2)],
        lambda: [nn.Linear(2, 2), nn.ReLU(), nn.Tanh()],
        lambda: [nn.Linear(2, 2), nn.Dropout()],
        lambda: [nn.Linear(2, 2), nn.GELU()],
    ],
    ids=["convolution", "activation first", "two activations", "dropout", "unknown activation"],
)
def test_what_the_browser_cannot_run_is_refused(make):
    with pytest.raises(ValueError, match="the browser runs linear layers"):
        networks.layer_specification(nn.Sequential(*make()))
