"""The numbers of finished experiments, one JSON file each, as the pages read them."""

import json
from pathlib import Path
from typing import Any

import numpy as np

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
