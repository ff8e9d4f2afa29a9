"""t-SNE maps of small clouds of codes at many perplexities: how they are drawn, matched to each other, stored and read."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from vae_tutorial.checkpoints import write_atomically

RECORDED = Path(__file__).parent / "runs" / "tsne-maps.safetensors"  # written by `python -m vae_tutorial.experiments.tsne_maps`
LEVELS = 255  # a map's coordinates are whole numbers 0 … LEVELS: its frame has no unit anyway


@dataclass(frozen=True)
class Cloud:
    """Codes and their maps.

    Attributes:
        codes: (N, d); where d > 2, turned so that the first two are the widest directions (distances and the prior stay).
        labels: (N,), 0 … 9.
        maps: (P, N, 2) in 0 … `LEVELS`, one for each of `perplexities`.
        perplexities: (P,), rising.
        model: whether the codes come from a model with the prior N(0, I).
    """

    codes: Tensor
    labels: Tensor
    maps: Tensor
    perplexities: tuple[float, ...]
    model: bool


def load_clouds(path: Path = RECORDED) -> dict[str, Cloud]:
    """The recorded clouds by name, in the order in which they were recorded."""
    with safe_open(path, "pt") as file:
        notes = json.loads(file.metadata()["clouds"])
        perplexities = tuple(json.loads(file.metadata()["perplexities"]))
        return {
            note["name"]: Cloud(
                file.get_tensor(f"{place}.codes").float(),
                file.get_tensor(f"{place}.labels").long(),
                file.get_tensor(f"{place}.maps").float(),
                perplexities,
                note["model"],
            )
            for place, note in enumerate(notes)
        }


def save_clouds(clouds: dict[str, Cloud], command: str, path: Path = RECORDED) -> None:
    """Write clouds of the same perplexities: codes as float16, the rest as single bytes.

    Args:
        clouds: by name.
        command: what made them.
        path: of the file.

    Raises:
        ValueError: no cloud, or perplexities that differ.
    """
    kinds = {cloud.perplexities for cloud in clouds.values()}
    if len(kinds) != 1:
        raise ValueError(f"clouds of one file share their perplexities, got {sorted(kinds)}")
    tensors = {}
    for place, cloud in enumerate(clouds.values()):
        tensors[f"{place}.codes"] = cloud.codes.half().contiguous()
        tensors[f"{place}.labels"] = cloud.labels.to(torch.uint8)
        tensors[f"{place}.maps"] = cloud.maps.round().to(torch.uint8).contiguous()
    notes = [{"name": name, "model": cloud.model} for name, cloud in clouds.items()]
    header = {"clouds": json.dumps(notes), "perplexities": json.dumps(kinds.pop()), "command": command}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, save(tensors, header))


def draw_maps(codes: Tensor, perplexities: tuple[float, ...], seed: int = 0) -> Tensor:
    """t-SNE of codes (N, d) at each perplexity, from the PCA start, (P, N, 2) in 0 … `LEVELS`.

    A map may be turned, mirrored, moved and rescaled at will: each is fitted to the one before it, then to the frame.

    Args:
        codes: at least two.
        perplexities: each below N.
        seed: of scikit-learn's t-SNE.
    """
    from sklearn.manifold import TSNE

    maps: list[np.ndarray] = []
    for perplexity in perplexities:
        flat = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(codes.numpy())
        flat = flat - (flat.max(0) + flat.min(0)) / 2
        maps.append(flat if not maps else match(flat, maps[-1]))
    framed = [LEVELS * (flat / (2 * np.abs(flat).max()) + 0.5) for flat in maps]
    return torch.from_numpy(np.stack(framed)).round()


def match(flat: np.ndarray, target: np.ndarray) -> np.ndarray:
    """A map (N, 2) turned or mirrored onto another as well as that goes (orthogonal Procrustes), then centred in its own range."""
    left, _, right = np.linalg.svd((flat - flat.mean(0)).T @ (target - target.mean(0)))
    turned = flat @ left @ right
    return turned - (turned.max(0) + turned.min(0)) / 2


def principal_axes(codes: Tensor) -> Tensor:
    """Codes (N, d) turned about 0 so that their variances fall from unit to unit: distances, and N(0, I), stay as they were."""
    centred = (codes - codes.mean(0)).double()
    directions = torch.linalg.eigh(centred.T @ centred).eigenvectors.flip(1)  # by falling variance
    return (codes.double() @ directions).to(codes.dtype)
