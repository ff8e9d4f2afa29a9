"""The numbers of finished experiments, one JSON file each, as the pages read them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

RECORDED = Path(__file__).parents[1] / "runs"


def load_record(name: str, folder: Path = RECORDED) -> dict[str, Any]:
    """An experiment's record: "command", "data", "versions", and "runs", each with "setting", "results" and "seconds".

    Raises:
        ValueError: an unknown name.
    """
    known = sorted(path.stem for path in folder.glob("*.json"))
    if name not in known:
        raise ValueError(f"unknown experiment {name!r}: choose from {known}")
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def over_seeds(record: dict[str, Any], result: str, **setting: Any) -> np.ndarray:
    """One result for every seed of a setting, in the order of the seeds.

    Raises:
        ValueError: no run with this setting.
    """
    chosen = [run for run in record["runs"] if all(run["setting"].get(key) == value for key, value in setting.items())]
    if not chosen:
        raise ValueError(f"no run with {setting} in {record['command']}")
    return np.array([run["results"][result] for run in sorted(chosen, key=lambda run: run["setting"].get("seed", 0))])


def pack_pixels(images: ArrayLike, bits: int) -> list[int]:
    """Images (N, …) in [0, 1] as few numbers for a record: each pixel rounded to 2^bits grey levels, 48 // bits of them in one."""
    levels = np.rint(np.asarray(images, dtype=float) * (2**bits - 1)).astype(np.int64).reshape(len(images), -1)
    together = 48 // bits
    padded = np.pad(levels, ((0, 0), (0, -levels.shape[1] % together))).reshape(-1, together)
    return (padded << bits * np.arange(together)).sum(1).tolist()


def unpack_pixels(numbers: ArrayLike, bits: int, shape: tuple[int, ...]) -> np.ndarray:
    """The images (N, *shape) that `pack_pixels` has packed."""
    pixels, together = int(np.prod(shape)), 48 // bits
    levels = (np.asarray(numbers, dtype=np.int64)[:, None] >> bits * np.arange(together)) & (2**bits - 1)
    return levels.reshape(-1, -(-pixels // together) * together)[:, :pixels].reshape(-1, *shape) / (2**bits - 1)
