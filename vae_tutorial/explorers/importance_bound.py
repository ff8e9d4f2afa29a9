"""Importance bound: L_k of shipped models as recorded, k from 1 to 5,000, for single digits and on average."""

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np
import traitlets

from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import LOOK, Canvas, FiniteFloat, label_bytes, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import uint8_bytes

CURVES = ("bound", "low", "high", "effective")  # of all digits: the mean, its 10 % and 90 % quantiles, the effective sample size
LABELS = {"mnist-16d": "VAE, d = 16", "mnist-2d": "VAE, d = 2"}


class ImportanceBound(Canvas):
    """The canvas of `importance_bound`: k codes, the model's line in the dropdown, one digit (from 0) or −1 for all."""

    _esm = join_modules("importance_bound.js")
    shown = ("k", "variant", "digit")
    k = FiniteFloat(1.0, min=1.0, max=5_000.0).tag(sync=True)
    variant = traitlets.Int(0, min=0).tag(sync=True)
    digit = traitlets.Int(-1, min=-1, max=9).tag(sync=True)
    ks = traitlets.List(traitlets.Int()).tag(sync=True)  # those recorded
    variants = traitlets.List(traitlets.Dict()).tag(sync=True)  # label; bound, low, high, effective: (k); each_…: (10, k)
    digits = traitlets.Bytes().tag(sync=True)  # uint8 (10, 784)
    labels = traitlets.Bytes().tag(sync=True)  # uint8 (10,)

    @traitlets.validate("variant")
    def _known(self, proposal: traitlets.Bunch) -> int:
        if self.variants and proposal["value"] >= len(self.variants):
            raise traitlets.TraitError(f"variant must lie in 0 … {len(self.variants) - 1}, not {proposal['value']}")
        return proposal["value"]


def importance_bound(record: Mapping[str, Any], ks: Sequence[int], images: Images, k: int = 1) -> ipywidgets.VBox:
    """Draw more codes for each digit and watch the bound on log p(x) climb; the digits are binarised and held out.

    Between the recorded k (1, 2, 5, 10, …, 5,000) numbers are interpolated over log k.

    Try: from k = 1 to 5,000. How many nats does the bound gain in two dimensions, and how many in sixteen? How many of the
    5,000 codes count? Then look at single digits: which one's bound is loosest?

    Args:
        record: of the experiment `importance-bounds`, by `load_record`.
        ks: the k that were recorded, ascending.
        images: the ten digits that were recorded one by one.
        k: codes at the start.

    Raises:
        ValueError: k outside the recorded ones, or not the ten digits.
    """
    if not ks[0] <= k <= ks[-1]:
        raise ValueError(f"k must lie in {ks[0]} … {ks[-1]}, not {k}")
    if len(images) != 10:
        raise ValueError(f"ten digits were recorded one by one, and these are {len(images)}")
    models = list(dict.fromkeys(run["setting"]["model"] for run in record["runs"]))
    variants = [curves_of(record, model) for model in models]
    canvas = ImportanceBound(k=float(k), ks=list(ks), variants=variants, digits=uint8_bytes(images.x), labels=label_bytes(images.y))
    strength = ipywidgets.FloatLogSlider(
        description="k", base=10, min=0, max=float(np.log10(ks[-1])), step=0.05, value=k, readout_format=".4", **LOOK
    )
    choice = ipywidgets.Dropdown(description="model", options=[each["label"] for each in variants], index=0, **LOOK)
    box = stack(canvas, [(strength, "k")])
    ipywidgets.jslink((choice, "index"), (canvas, "variant"))
    choice.style.description_width = "3.6em"
    choice.layout = {"width": "auto", "max_width": "300px"}
    box.children = (choice, *box.children)
    return box


def curves_of(record: Mapping[str, Any], model: str) -> dict[str, Any]:
    """The record of a model as means over its seeds: lists over k, for all digits and for each of the ten."""
    results = [run["results"] for run in record["runs"] if run["setting"]["model"] == model]

    def mean(name: str) -> np.ndarray:
        return np.mean([result[name] for result in results], axis=0).round(3)

    each = {f"each_{name}": mean(f"each_{name}").T.tolist() for name in ("bound", "effective")}  # (10, k)
    return {"label": LABELS[model]} | {name: mean(name).tolist() for name in CURVES} | each
