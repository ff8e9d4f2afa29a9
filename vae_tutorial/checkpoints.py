"""Weights as `safetensors` with a JSON card beside them; nothing is ever unpickled.

Shipped weights are rounded: `"float16"`, or `"int8"` with one scale per row of each layer's weights. What is
loaded is the rounded network, in float32, and a card's numbers are measured on it.
"""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from vae_tutorial.models import VAE, Autoencoder
from vae_tutorial.vector_quantisation import VectorQuantisedVAE

SHIPPED = Path(__file__).parent / "weights"
CLASSES: dict[str, type[nn.Module]] = {"VAE": VAE, "Autoencoder": Autoencoder, "VectorQuantisedVAE": VectorQuantisedVAE}
Card = dict[str, Any]


def quantize(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Round weights (rows, …) to int8 with one float32 scale (rows,) each: weight ≈ scale · int8."""
    scale = weight.abs().flatten(1).amax(1).clamp_min(1e-12) / 127
    return (weight / _beside(scale, weight)).round().to(torch.int8).contiguous(), scale


def plain_number(value: Any) -> Any:
    """For `json.dumps`: a single number of NumPy or torch as Python's own.

    Raises:
        TypeError: anything else.
    """
    if getattr(value, "shape", None) == ():
        return value.item()
    raise TypeError(f"{value!r} is no number, text, list or dict: JSON holds nothing else")


def _beside(scale: Tensor, weight: Tensor) -> Tensor:
    """One number per row in a shape that multiplies the weights (rows, …)."""
    return scale.view(-1, *[1] * (weight.ndim - 1))


def save_model(model: Any, name: str, card: Card, precision: str = "float16", folder: Path = SHIPPED) -> None:
    """Write `NAME.safetensors` and its card `NAME.json`, each atomically.

    Args:
        model: of one of `CLASSES`; its `configuration` goes into the card, so that `load_model` can rebuild it.
        name: the checkpoint's name, `dataset-what`.
        card: what the reader should know: command, data, numbers, …
        precision: `"float32"`, `"float16"` or `"int8"`.
        folder: where to.

    Raises:
        ValueError: an unknown precision, a model that `load_model` does not know, or weights that are not finite in this precision.
        TypeError: a card that JSON cannot hold.
    """
    if type(model).__name__ not in CLASSES:
        raise ValueError(f"a checkpoint holds one of {list(CLASSES)}, not a {type(model).__name__}")
    if precision not in ("float32", "float16", "int8"):
        raise ValueError(f"unknown precision {precision!r}: choose 'float32', 'float16' or 'int8'")
    tensors: dict[str, Tensor] = {}
    for key, value in model.state_dict().items():
        if precision == "int8" and value.ndim > 1 and key.endswith("weight"):
            tensors[key], tensors[f"{key}_scale"] = quantize(value)
        else:
            tensors[key] = (value.half() if precision == "float16" else value.float()).contiguous()
        if not (tensors[key].isfinite().all() and value.isfinite().all()):
            raise ValueError(f"{key} is not finite in {precision}: look at the training, or take float32")
    content = save(tensors)
    identity = {
        "name": name, "class": type(model).__name__, "configuration": model.configuration, "precision": precision,
        "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content),
    }  # fmt: skip
    complete = identity | card | identity  # first in the file, and not to be overruled by an older card
    try:
        text = json.dumps(complete, indent=1, default=plain_number) + "\n"  # before anything is written: what is there stays whole
    except TypeError as error:
        raise TypeError(f"the card of {name} holds something else than text, plain numbers, lists and dicts: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / f"{name}.safetensors", content)
    write_atomically(folder / f"{name}.json", text.encode())


def load_model(name: str, folder: Path = SHIPPED) -> Any:
    """Rebuild a shipped `VAE`, `Autoencoder` or `VectorQuantisedVAE`, in evaluation mode, float32.

    Raises:
        ValueError: an unknown name, a damaged card, or a weights file that is missing or does not have the card's sha256.
    """
    card = model_card(name, folder)
    path = folder / f"{name}.safetensors"
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        raise ValueError(f"{path} is missing, corrupt or not its card's: reinstall vae_tutorial, or remake it: {card.get('command')}")
    tensors = load(content)
    state = {key: value.float() for key, value in tensors.items() if not key.endswith("_scale")}
    for key, scale in tensors.items():
        if key.endswith("_scale"):
            weight = state[key.removesuffix("_scale")]
            weight *= _beside(scale, weight)
    try:
        model = CLASSES[card["class"]](**card["configuration"])
        model.load_state_dict(state)
    except (KeyError, TypeError, RuntimeError, ValueError) as error:
        card_path = path.with_suffix(".json")
        raise ValueError(f"{card_path} does not describe these weights: reinstall vae_tutorial, or remake the checkpoint") from error
    return model.eval()


def rounded(model: Any, precision: str) -> Any:
    """The model as `load_model` would rebuild it from a checkpoint of this precision; nothing stays on the disk.

    Raises:
        ValueError: as `save_model`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        save_model(model, "rounded", {}, precision, Path(scratch))
        return load_model("rounded", Path(scratch))


def model_card(name: str, folder: Path = SHIPPED) -> Card:
    """The card of a shipped checkpoint: how it was made, and its measured numbers.

    Raises:
        ValueError: an unknown name, or a damaged card.
    """
    if name not in model_names(folder):
        raise ValueError(f"unknown checkpoint {name!r}: choose from {model_names(folder)}")
    path = folder / f"{name}.json"
    try:
        card = json.loads(path.read_text("utf-8"))
        if not {"class", "configuration", "sha256"} <= card.keys():
            raise ValueError("keys are missing")
    except (ValueError, AttributeError) as error:  # no JSON, or no object
        raise ValueError(f"{path} is not a complete card: reinstall vae_tutorial, or remake the checkpoint") from error
    return card


def model_names(folder: Path = SHIPPED) -> list[str]:
    """The names of all checkpoints in a folder, sorted."""
    return sorted(path.stem for path in folder.glob("*.json"))


def save_training_state(path: Path, tensors: dict[str, Tensor], record: dict[str, Any]) -> None:
    """Write tensors and a JSON record, with their sha256, into one `safetensors` file, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text, tensors = json.dumps(record), {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    write_atomically(path, save(tensors, {"record": text, "sha256": _digest(tensors, text)}))


def load_training_state(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_training_state` wrote.

    Raises:
        ValueError: the file is corrupt or truncated.
    """
    content = path.read_bytes()
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])  # the file begins with its header's length
        text, digest = header["__metadata__"]["record"], header["__metadata__"]["sha256"]
    except (SafetensorError, ValueError, KeyError) as error:
        raise ValueError(f"{path} is not a complete training state: delete it to start afresh") from error
    if _digest(tensors, text) != digest:
        raise ValueError(f"{path} is corrupt: delete it to start afresh")
    return tensors, json.loads(text)


def _digest(tensors: dict[str, Tensor], text: str) -> str:
    content = hashlib.sha256(text.encode())
    for key in sorted(tensors):
        content.update(key.encode() + tensors[key].numpy().tobytes())
    return content.hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write beside the target, then move into place: a reader sees the old file or the new one, never a part."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(content)
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)
