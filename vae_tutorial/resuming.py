"""An interrupted training goes on: what tells one training from another, and its whole state in one file."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vae_tutorial.checkpoints import load_training_state, save_training_state
from vae_tutorial.devices import get_random_states, set_random_states
from vae_tutorial.schedules import Schedule


def identify(
    x: Any,
    *,
    seen: Mapping[str, Any],
    objective: Callable,
    transform: Callable | None,
    learning_rate: Schedule,
    settings: Mapping[str, Schedule],
    **plain: Any,
) -> dict[str, Any]:
    """What tells a training from others, as JSON values: hashes of what it sees, names of functions, schedules at eleven points.

    Raises:
        ValueError: a function without a name, which cannot be told from another.
    """
    if "<lambda>" in (_name(objective) + _name(transform)):
        raise ValueError("a training with a checkpoint wants named functions: a lambda cannot be told from another; use def or partial")
    return plain | {
        "data": _fingerprint(x), "objective": _name(objective), "transform": _name(transform), "learning_rate": probe(learning_rate),
        "settings": {name: probe(value) for name, value in settings.items()},
        **{name: _fingerprint(value) for name, value in seen.items()},
    }  # fmt: skip


def save(path: Path, identity: Mapping, trained: nn.ModuleDict, optimizer: torch.optim.Optimizer, history: Mapping[str, Any]) -> None:
    """Write weights, the optimizer's moments, the generators' states and the history after an epoch, atomically."""
    moments = optimizer.state_dict()["state"]
    tensors = trained.state_dict() | get_random_states(next(trained.parameters()).device)  # model.…, and objective.… if it has a state
    tensors |= {f"optimizer.{index}.{key}": value for index, state in moments.items() for key, value in state.items()}
    save_training_state(path, tensors, {"identity": identity, "history": history})


def resume(path: Path, identity: Mapping, trained: nn.ModuleDict, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Load what `save` wrote into the modules, the optimizer and the generators; returns the history.

    Raises:
        ValueError: the file belongs to another training, or is corrupt.
    """
    tensors, record = load_training_state(path)
    if record["identity"] != identity:
        changed = [key for key in identity if record["identity"].get(key) != identity[key]]
        raise ValueError(f"{path} belongs to another training ({', '.join(changed)} differ): delete it or choose another file")
    trained.load_state_dict({key: value for key, value in tensors.items() if key.startswith(("model.", "objective."))})
    state, parameters = optimizer.state_dict(), optimizer.param_groups[0]["params"]
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".")
            if name != "step":  # fused AdamW goes through memory as it lies: a moment's must lie as its weight's
                value = torch.empty_like(parameters[int(index)]).copy_(value)
            state["state"].setdefault(int(index), {})[name] = value
    optimizer.load_state_dict(state)
    set_random_states(next(trained.parameters()).device, tensors)
    return record["history"]


def _name(function: Callable | None) -> str:
    """What tells one objective or transform from another: its name and, where they are known, its settings."""
    if isinstance(function, partial):
        given = dict(enumerate(function.args)) | function.keywords
        return f"{_name(function.func)}{ {key: _name(value) if callable(value) else value for key, value in given.items()} }"
    if isinstance(function, nn.Module):
        return f"{type(function).__name__}{ {key: value for key, value in vars(function).items() if type(value) in (int, float)} }"
    return getattr(function, "__name__", str(function))


def probe(schedule: Schedule) -> list[float]:
    """A schedule's values at eleven points."""
    return [schedule(tenth / 10) for tenth in range(11)]


def _fingerprint(x: Any) -> str:
    content = x.contiguous().numpy(force=True).tobytes() if isinstance(x, Tensor) else repr(x).encode()
    return hashlib.sha256(content).hexdigest()[:16]
