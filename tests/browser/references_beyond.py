"""What the explorers of the page beyond the plain VAE should show, by PyTorch and NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from built_site import Explorer
from shipped import Expected, Shown, load, pictures

from vae_tutorial.experiments.importance_bounds import KS, MODELS
from vae_tutorial.experiments.records import load_record, over_seeds


def code_grid(explorer: Explorer) -> Callable[[Shown], Expected]:
    """The picture of the grid that is shown; the code of its chosen cell; the cells that differ from the encoder's answer."""
    model = load("mnist-vq")
    own = model.quantise(pictures(explorer, "digits")).flatten(1)

    def expected(shown: Shown) -> Expected:
        grid = torch.tensor(shown["grid"])
        cell = int(shown["sliders"]["cell"])
        start = own[int(shown["sliders"]["digit"])]
        picture, before = (model.likelihood(codes.view(7, 7)).mean.flatten() for codes in (grid, start))
        return {
            "decoded": picture.numpy(),
            "cell": np.array(cell),
            "code": np.array(shown["sliders"]["code"] if grid[cell - 1] == shown["sliders"]["code"] else np.nan),
            "edited": np.array(int((grid != start).sum())),
            "changed": np.array(int(((picture - before).abs() > 0.05).sum())),
        }

    return torch.no_grad()(expected)


def importance_bound(explorer: Explorer) -> Callable[[Shown], Expected]:
    """The record at the k that is shown, between two recorded ones over log k."""
    record = load_record("importance-bounds")

    def expected(shown: Shown) -> Expected:
        model, k, digit = MODELS[shown["variant"]], shown["k"], shown["digit"]

        def read(name: str) -> tuple[float, float]:
            curve = over_seeds(record, name if digit < 0 or name in ("low", "high") else f"each_{name}", model=model).mean(0)
            curve = curve if curve.ndim == 1 else curve[:, digit]
            return float(np.interp(np.log(k), np.log(KS), curve)), float(curve[-1])

        bound, last = read("bound")
        readout = shown["sliders"]["k"]
        return {
            "k": np.array(k if abs(readout / k - 1) < 1e-3 else np.nan),
            "bound": np.array(bound),
            "gap": np.array(last - bound),
            "effective": np.array(read("effective")[0]),
            "low": np.array(read("low")[0]),
            "high": np.array(read("high")[0]),
        }

    return expected
