"""Encoder and decoder networks from one layer specification, which the browser's forward pass reads too."""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh, "none": nn.Identity}


def mlp(sizes: Sequence[int], activation: str = "relu") -> nn.Sequential:
    """Linear layers of the given sizes, the activation between them and none after the last.

    Args:
        sizes: widths from input to output, at least two.
        activation: one of `ACTIVATIONS`; `"none"` gives a linear network.

    Raises:
        ValueError: fewer than two sizes, a size below one, or an unknown activation.
    """
    if len(sizes) < 2:
        raise ValueError(f"an MLP needs an input and an output size, got {list(sizes)}")
    if min(sizes) < 1:
        raise ValueError(f"an MLP's layers need at least one unit each, got {list(sizes)}")
    if activation not in ACTIVATIONS:
        raise ValueError(f"unknown activation {activation!r}: choose from {list(ACTIVATIONS)}")
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise(sizes):
        layers += [nn.Linear(width_in, width_out), ACTIVATIONS[activation]()]
    return nn.Sequential(*layers[:-1])


def layer_specification(network: nn.Sequential) -> list[dict[str, int | str]]:
    """Describe an MLP layer by layer: `{"in": 784, "out": 400, "activation": "relu"}`.

    Raises:
        ValueError: anything but linear layers, each with at most one of `ACTIVATIONS`: the browser could not run it.
    """
    names = {kind: name for name, kind in ACTIVATIONS.items()}
    layers: list[dict[str, int | str]] = []
    for module in network:
        if isinstance(module, nn.Linear):
            layers.append({"in": module.in_features, "out": module.out_features, "activation": "none"})
        elif type(module) in names and layers and layers[-1]["activation"] == "none":
            layers[-1]["activation"] = names[type(module)]
        else:
            raise ValueError(f"{module}: the browser runs linear layers, each with at most one activation of {list(ACTIVATIONS)}")
    return layers
