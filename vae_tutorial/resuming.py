"""An interrupted training goes on: what tells one training from another, and its whole state in one file."""

import hashlib
import inspect
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vae_tutorial.checkpoints import load_training_state, plain_number, save_training_state
from vae_tutorial.devices import get_random_states, set_random_states
from vae_tutorial.schedules import Schedule

FIXED = int | float | str | tuple | np.generic | np.ndarray | Tensor  # what a function encloses as a setting; a list may be its memory


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
        TypeError: a setting that JSON cannot hold.
    """
    names = {"objective": _name(objective), "transform": _name(transform)}
    told = "".join(names.values())
    if "<lambda>" in told or " at 0x" in told:
        guilty = "a lambda" if "<lambda>" in told else "an object without a name"
        raise ValueError(f"a training with a checkpoint wants named functions: {guilty} cannot be told from another; use def or partial")
    identity = plain | {
        "data": _fingerprint(x), **names, "learning_rate": probe(learning_rate),
        "settings": {name: probe(value) for name, value in settings.items()},
        **{name: _fingerprint(value) for name, value in seen.items()},
    }  # fmt: skip
    return json.loads(json.dumps(identity, default=plain_number))  # as the file will hold it


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
        return f"{_name(function.func)}{_told(dict(enumerate(function.args)) | function.keywords)}"
    if isinstance(function, nn.Module):
        given = {key: value for key, value in vars(function).items() if isinstance(value, FIXED) and key != "training" and key[0] != "_"}
        return f"{type(function).__name__}{_told(given)}"
    nonlocals = inspect.getclosurevars(function).nonlocals if inspect.isfunction(function) else {}
    enclosed = {key: value for key, value in nonlocals.items() if isinstance(value, FIXED)}
    return getattr(function, "__name__", str(function)) + (_told(enclosed) if enclosed else "")


def _told(settings: Mapping[Any, Any]) -> str:
    """Settings in words that another run would use, too."""
    return str({key: _told_value(value) for key, value in settings.items()})


def _told_value(value: Any) -> Any:
    if callable(value):
        return _name(value)
    if isinstance(value, Tensor | np.ndarray) and value.shape:
        return _fingerprint(value)
    return value.item() if hasattr(value, "item") else value  # a single number as Python's


def probe(schedule: Schedule) -> list[float]:
    """A schedule's values at eleven points."""
    return [schedule(tenth / 10) for tenth in range(11)]


def _fingerprint(x: Any) -> str:
    content = torch.as_tensor(x).contiguous().numpy(force=True).tobytes() if isinstance(x, Tensor | np.ndarray) else repr(x).encode()
    return hashlib.sha256(content).hexdigest()[:16]
