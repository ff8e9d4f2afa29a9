"""Importance bound: L_k of shipped models as recorded, k from 1 to 5,000, for single digits and on average."""

from pathlib import Path

import ipywidgets
import numpy as np
import traitlets

from vae_tutorial.experiments.importance_bounds import KS, MODELS, NAME, measured_digits
from vae_tutorial.experiments.records import RECORDED, load_record, over_seeds
from vae_tutorial.explorers.canvas import LOOK, Canvas, label_bytes, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import uint8_bytes

DIGITS = 10  # shown one by one
CURVES = ("bound", "low", "high", "effective")  # of all digits: the mean, its 10 % and 90 % quantiles, the effective sample size
LABELS = {"mnist-16d": "VAE, d = 16", "mnist-2d": "VAE, d = 2"}


class ImportanceBound(Canvas):
    """The canvas of `importance_bound`: k codes, the model's line in the dropdown, one digit (from 0) or −1 for all."""

    _esm = join_modules("importance_bound.js")
    shown = ("k", "variant", "digit")
    k = traitlets.Float(1.0, min=1.0, max=float(KS[-1])).tag(sync=True)
    variant = traitlets.Int(0, min=0, max=len(MODELS) - 1).tag(sync=True)
    digit = traitlets.Int(-1, min=-1, max=DIGITS - 1).tag(sync=True)
    ks = traitlets.List(traitlets.Int()).tag(sync=True)  # those recorded
    variants = traitlets.List(traitlets.Dict()).tag(sync=True)  # label; bound, low, high, effective: (k); each_…: (10, k)
    seeds = traitlets.Int(1, min=1).tag(sync=True)
    digits = traitlets.Bytes().tag(sync=True)  # uint8 (10, 784)
    labels = traitlets.Bytes().tag(sync=True)  # uint8 (10,)


def importance_bound(k: int = 1, recorded: Path = RECORDED) -> ipywidgets.VBox:
    """Draw more codes for each digit and watch the bound on log p(x) climb; the digits are binarised and held out.

    Between the recorded k (1, 2, 5, 10, …, 5,000) numbers are interpolated over log k.

    Try: from k = 1 to 5,000. How many nats does the bound gain in two dimensions, and how many in sixteen? How many of the
    5,000 codes count? Then look at single digits: which one's bound is loosest?

    Args:
        k: codes at the start.
        recorded: folder of the experiments' records.

    Raises:
        ValueError: k outside the recorded ones.
    """
    if not 1 <= k <= KS[-1]:
        raise ValueError(f"k must lie in 1 … {KS[-1]}, not {k}")
    record = load_record(NAME, recorded)
    x, y = measured_digits()
    variants = [curves_of(record, model) for model in MODELS]
    canvas = ImportanceBound(
        k=float(k), ks=list(KS), variants=variants, seeds=len(over_seeds(record, "bound", model=MODELS[0])),
        digits=uint8_bytes(x[:DIGITS]), labels=label_bytes(y[:DIGITS]),
    )  # fmt: skip
    strength = ipywidgets.FloatLogSlider(
        description="k", base=10, min=0, max=float(np.log10(KS[-1])), step=0.05, value=k, readout_format=".4g", **LOOK
    )
    choice = ipywidgets.Dropdown(description="model", options=[each["label"] for each in variants], index=0, **LOOK)
    box = stack(canvas, [(strength, "k")])
    ipywidgets.jslink((choice, "index"), (canvas, "variant"))
    choice.style.description_width = "3.6em"
    choice.layout = {"width": "auto", "max_width": "300px"}
    box.children = (choice, *box.children)
    return box


def curves_of(record: dict, model: str) -> dict:
    """The record of a model as means over its seeds: lists over k, for all digits and for each of the first ten."""
    curves: dict = {name: _plain(over_seeds(record, name, model=model).mean(0)) for name in CURVES}
    for name in ("bound", "effective"):
        curves[f"each_{name}"] = _plain(over_seeds(record, f"each_{name}", model=model).mean(0).T)  # (10, k)
    return {"label": LABELS[model]} | curves


def _plain(values: np.ndarray) -> list:
    return values.round(3).tolist()
