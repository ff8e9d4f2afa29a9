"""A second device for a machine without a GPU: memory apart from the processor's, noise of its own, the processor's arithmetic.

torch lets Python stand in for a device (`_setup_privateuseone_for_python_backend`, experimental; torch is pinned). As on a GPU,
tensors of two devices do not mix, NumPy does not see its memory, and `torch.manual_seed` starts a stream of other numbers.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from vae_tutorial import training

NAME = "second"
DEVICE = torch.device("privateuseone", 0)  # its name until it is given one
aten = torch.ops.aten
STRICT = {aten.stack.default, aten.cat.default}  # take no single number of the processor's either
performed: set[str] = set()  # the operations that ran there


@contextmanager
def standing_in(always: bool = True) -> Iterator[None]:
    """Inside, `fit` trains there where it is asked for the fastest device and, with `always`, where it is not asked for any.

    Parameters that move stay themselves, as on their way to a GPU: this device's would otherwise be new ones, and an optimizer
    keep the old. (torch cannot do so while a graph of them is alive: after an error in a loss, the model stays there.)
    """
    before = training.training_device
    training.training_device = lambda model, wanted: DEVICE if wanted == "fastest" or (always and wanted is None) else before(model, wanted)
    torch.__future__.set_swap_module_params_on_conversion(True)
    performed.clear()
    try:
        yield
    finally:
        torch.__future__.set_swap_module_params_on_conversion(False)
        training.training_device = before


class Backend:
    """What torch asks of a device: how many there are, and where its noise is."""

    def __init__(self) -> None:
        self.state = torch.Generator().manual_seed(0).get_state()

    def is_initialized(self) -> bool:
        """It needs no start."""
        return True

    def is_available(self) -> bool:
        """Always."""
        return True

    def current_device(self) -> int:
        """There is one."""
        return 0

    def device_count(self) -> int:
        """There is one."""
        return 1

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        """What `torch.autocast` may be asked for."""
        return [torch.bfloat16]

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        """What `torch.manual_seed` calls."""
        self.state = torch.Generator().manual_seed((seed + 1_000_003) % 2**63).get_state()

    def get_rng_state(self, device: Any = None) -> Tensor:
        """Where its noise is."""
        return self.state

    def set_rng_state(self, state: Tensor, device: Any = None) -> None:
        """Continue its noise from there."""
        self.state = state.clone()


class Elsewhere(Tensor):
    """A tensor of the second device; `raw` is its memory."""

    @staticmethod
    def __new__(cls, raw: Tensor) -> "Elsewhere":
        layout = {"strides": raw.stride(), "storage_offset": raw.storage_offset(), "dtype": raw.dtype}
        made = Tensor._make_wrapper_subclass(cls, raw.shape, **layout, device=DEVICE)
        made.raw = raw
        return made

    def __repr__(self) -> str:
        return f"Elsewhere({self.raw})"

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, args: tuple = (), kwargs: Mapping | None = None) -> Any:
        kwargs = dict(kwargs or {})
        if operation is aten.copy_.default:  # the two that may cross
            return _copy_from(args[1], args[0])
        if operation is aten._to_copy.default:
            target = kwargs.pop("device", None)
            copy = operation(_raw(args[0]), **kwargs)
            return copy if target is not None and target.type == "cpu" else Elsewhere(copy)
        return perform(operation, *args, **kwargs)


def perform(operation: Any, *args: Any, **kwargs: Any) -> Any:
    """One operation of the second device, on tensors that are there; those of the processor may only be single numbers.

    Raises:
        RuntimeError: tensors of two devices, a generator of the processor, or moments that do not lie as their weights do.
    """
    owners = {}  # by their memory, so that an operation in place returns what it was given

    def enter(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, Elsewhere):
            if tensor.dim() or operation in STRICT or tensor is kwargs.get("out"):
                raise RuntimeError(f"{operation}: tensors on two devices, {NAME} and {tensor.device}")
            return tensor
        owners[id(tensor.raw)] = tensor
        return tensor.raw

    if operation is aten.index.Tensor:  # places may be listed on the processor
        args = (args[0], [index if index is None or isinstance(index, Elsewhere) else Elsewhere(index) for index in args[1]])
    if operation is aten._fused_adamw_.default:
        for parts in zip(*args[:4], strict=True):  # a weight, its gradient, its moments
            if len({tuple(step for step, length in zip(part.stride(), part.shape, strict=True) if length > 1) for part in parts}) > 1:
                raise RuntimeError(f"{operation}: weights, gradients and moments lie differently in memory")
    if kwargs.get("generator") is not None:
        raise RuntimeError(f"{operation}: a generator of the processor on the device {NAME}")
    args, kwargs = tree_map_only(Tensor, enter, (args, kwargs))
    if kwargs.get("device") is not None:
        kwargs["device"] = torch.device("cpu")
    performed.add(operation.name())
    if torch.Tag.nondeterministic_seeded in operation.tags:
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(BACKEND.state)
            result = operation(*args, **kwargs)
            BACKEND.state = torch.get_rng_state()
    else:
        result = operation(*args, **kwargs)
    return tree_map_only(Tensor, lambda tensor: owners[id(tensor)] if id(tensor) in owners else Elsewhere(tensor), result)


def _raw(tensor: Tensor) -> Tensor:
    return tensor.raw if isinstance(tensor, Elsewhere) else tensor


def _copy_from(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    _raw(target).copy_(_raw(source))
    return target


BACKEND = Backend()
_setup_privateuseone_for_python_backend(NAME, BACKEND)
_everything, _by_name = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
_everything.fallback(perform, "PrivateUse1")  # what makes tensors there: torch.zeros(3, device="second")
_everything.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")  # it has one precision
_by_name.impl("empty_strided", partial(perform, aten.empty_strided.default), "PrivateUse1")  # torch.tensor(3.0, device="second") skips
_by_name.impl("_copy_from", _copy_from, "PrivateUse1")  # the fallback
