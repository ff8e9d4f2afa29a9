"""Where a training runs: the processor, or a GPU where there is one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor, nn


@lru_cache(maxsize=1)
def gpu_works() -> bool:
    """Whether there is a CUDA device, and this build of PyTorch has code for it: new builds have none for old GPUs."""
    try:
        return torch.cuda.is_available() and (torch.ones(1, device="cuda") + 1).item() == 2
    except (RuntimeError, AssertionError):  # what torch raises for a GPU, and for a driver, that it cannot use
        return False


def fastest_device(model: nn.Module) -> torch.device:
    """The first GPU for a model that is on the processor, if there is one that works; else where the model is."""
    home = next(model.parameters()).device
    return torch.device("cuda:0") if home.type == "cpu" and gpu_works() else home


@contextmanager
def moved_to(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Inside, the module's weights and buffers are on the device; afterwards, whatever happened, where they were."""
    home = next(module.parameters()).device
    try:
        module.to(device)
        yield
    finally:
        module.to(home)


def get_random_states(device: torch.device) -> dict[str, Tensor]:
    """The states of the generators that a training on the device draws from: the processor's and the device's own."""
    states = {"random_state": torch.get_rng_state()}
    if device.type != "cpu":
        states["random_state.device"] = torch.get_device_module(device).get_rng_state(device)
    return states


def set_random_states(device: torch.device, states: Mapping[str, Tensor]) -> None:
    """Continue from what `get_random_states` gave; a training that moved to another device gets that device's noise."""
    torch.set_rng_state(states["random_state"])
    if device.type != "cpu" and "random_state.device" in states:
        torch.get_device_module(device).set_rng_state(states["random_state.device"], device)
