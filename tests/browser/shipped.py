"""The shipped models and the pictures that an explorer shows, as PyTorch has them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from built_site import Explorer
from torch import Tensor

from vae_tutorial import checkpoints
from vae_tutorial.explorers import weights

Shown = dict[str, Any]
Expected = dict[str, np.ndarray]


def exact_beta(readout: float) -> float:
    """The value behind the three digits that a logarithmic slider shows: its steps are 10^0.05."""
    return 10 ** (round(np.log10(readout) / 0.05) * 0.05)


def pictures(explorer: Explorer, trait: str) -> Tensor:
    """The pictures that an explorer carries, (M, 1, 28, 28) in [0, 1]."""
    grey = np.frombuffer(explorer.bytes_of(trait), np.uint8).astype(np.float32)
    return torch.from_numpy(grey / 255).view(-1, 1, 28, 28)


def carries(explorer: Explorer, trait: str, network: torch.nn.Sequential) -> bool:
    """Whether the weights that an explorer carries are this network's; one that was not read from the site carries none."""
    return "buffers" in explorer.model and explorer.bytes_of(trait) == weights.pack(network, explorer.state["precision"])


def rounded_vae(name: str, blank: Tensor) -> Any:
    """A checkpoint with the weights that the browser recovers from int8 bytes, none of them on blank pixels (784,)."""
    vae = checkpoints.load_model(name)
    with torch.no_grad():
        vae.encoder[0].weight[:, blank] = 0
    for network in (vae.encoder, vae.decoder):
        linear = [module for module in network if isinstance(module, torch.nn.Linear)]
        for layer, (weight, bias) in zip(linear, weights.unpacked(network, "int8"), strict=True):
            layer.load_state_dict({"weight": weight, "bias": bias}, strict=False)
    return vae


@cache
def load(name: str) -> Any:
    return checkpoints.load_model(name)
