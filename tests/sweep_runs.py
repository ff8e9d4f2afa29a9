"""Runs for `test_sweeps.py`, in a module of their own: workers import them by name."""

import os
import signal
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import torch
from threadpoolctl import threadpool_info

from vae_tutorial import objectives
from vae_tutorial.models import VAE
from vae_tutorial.sweeps import grid, run_sweep
from vae_tutorial.training import fit


def train(seed: int, beta: float = 1.0) -> dict[str, float | list[float]]:
    """A small VAE, and least squares in NumPy."""
    x = torch.rand(512, 1, 28, 28, generator=torch.Generator().manual_seed(seed))
    torch.manual_seed(seed)
    model = VAE(2, (64,))
    history = fit(model, x, objectives.negative_elbo, epochs=2, batch_size=256, settings={"beta": beta}, seed=seed, progress=False)
    with torch.no_grad():
        codes = model.posterior(x).mean.numpy()
    slopes = np.linalg.lstsq(x[:, 0, :14].flatten(1).numpy(), codes)[0]
    return {"loss": history.train["loss"][-1], "codes": float(codes.sum()), "slopes": slopes.sum(0).tolist()}


def look_around(seed: int) -> dict[str, float | list[int]]:
    """What a run finds: threads, where nested joblib calls run, and the state of torch's generator, which it then changes."""
    nested = joblib.Parallel(n_jobs=2)(joblib.delayed(os.getpid)() for _ in range(4))
    return {
        "torch threads": torch.get_num_threads(),
        "other threads": sorted({pool["num_threads"] for pool in threadpool_info()}),
        "nested calls elsewhere": sum(process != os.getpid() for process in nested),
        "draw": float(torch.rand(())),
    }


def whereabouts(seed: int, root: str) -> dict[str, int]:
    """The process that ran it, and how many files the data's folder has there."""
    return {"process": os.getpid(), "files": len(list(Path(root).iterdir()))}


def note(seed: int, log: str, others: float = 0) -> dict[str, int]:
    """Leave a line in a log, the first run after so many others (or after a minute without them)."""
    ends = time.monotonic() + 60
    while seed == 0 and others and time.monotonic() < ends and (not Path(log).exists() or Path(log).read_text().count("\n") < others):
        time.sleep(0.01)
    with open(log, "a") as file:
        file.write(f"{seed}\n")
    return {"square": seed**2}


def fail_if_odd(seed: int, log: str) -> dict[str, int]:
    """Leave a line in a log; odd seeds raise."""
    note(seed, log)
    if seed % 2:
        raise ArithmeticError(f"{seed} is odd")
    return {"seed": seed}


def return_anything(kind: str) -> dict[str, float] | list[float]:
    """A result that is no dict of plain numbers."""
    return {"nan": {"loss": float("nan")}, "tensor": {"loss": torch.zeros(())}, "list": [1.0]}[kind]


def train_but_die_once(seed: int, marker: str) -> dict[str, float | list[float]]:
    """As `train`, but the first process that comes to seed 3 is killed, without warning."""
    if seed == 3 and not Path(marker).exists():
        Path(marker).write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return train(seed)


def die_at_one(seed: int) -> dict[str, int]:
    """Kill every process that comes to seed 1."""
    if seed == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"seed": seed}


if __name__ == "__main__":  # the whole sweep dies in the middle: python -m sweep_runs FOLDER MARKER
    import sweep_runs  # by its importable name

    run_sweep(sweep_runs.train_but_die_once, grid(seed=range(5)), sys.argv[1], jobs=1, unrecorded={"marker": sys.argv[2]}, progress=False)
