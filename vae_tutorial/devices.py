"""Where a training runs, the processor or a GPU, and the noise that it draws there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache

import torch
from torch import Tensor, nn


@cache
def gpu_works() -> bool:
    """Whether there is a CUDA device, and this build of PyTorch has code for it: new builds have none for old GPUs."""
    try:
        return torch.cuda.is_available() and (torch.ones(1, device="cuda:0") + 1).item() == 2
    except (RuntimeError, AssertionError):  # what torch raises for a GPU, and for a driver, that it cannot use
        return False


def training_device(model: nn.Module, wanted: str | torch.device | None) -> torch.device:
    """What is wanted; for `"fastest"` the first GPU, if one works and the model is not on a device already; for None where it is.

    Raises:
        RuntimeError: no device has this name.
    """
    home = next(model.parameters()).device
    if wanted == "fastest":
        return torch.device("cuda:0") if home.type == "cpu" and gpu_works() else home
    return home if wanted is None else torch.device(wanted)


@contextmanager
def moved_to(module: nn.Module, device: torch.device) -> Iterator[None]:
    """Inside, the module's weights and buffers are on the device; afterwards, whatever happened, where its first weight was."""
    home = next(module.parameters()).device
    try:
        module.to(device)
        yield
    finally:
        module.to(home)


@contextmanager
def fork_random_states() -> Iterator[None]:
    """`torch.random.fork_rng` of all devices, which alone fails where a GPU's driver is too old, and warns of several GPUs."""
    gpus = torch.cuda.device_count()  # with those that cannot be used
    usable = range(gpus) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=usable if gpus else None):
        yield


def get_random_states(device: torch.device) -> dict[str, Tensor]:
    """The states of the generators that a training on the device draws from: the processor's and the device's own."""
    states = {"random_state": torch.get_rng_state()}
    if _has_generators(device):
        states["random_state.device"] = getattr(torch, device.type).get_rng_state(device)
    return states


def set_random_states(device: torch.device, states: Mapping[str, Tensor]) -> None:
    """Continue from what `get_random_states` gave; a training that moved to another device gets that device's noise."""
    torch.set_rng_state(states["random_state"])
    if _has_generators(device) and "random_state.device" in states:
        getattr(torch, device.type).set_rng_state(states["random_state.device"], device)


def _has_generators(device: torch.device) -> bool:
    return device.type not in ("cpu", "mps")  # torch.mps has one for all, and asks for no device
