"""Models whose latent units are put in order of their rate, with what the cards say about every unit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vae_tutorial import sprites
from vae_tutorial.checkpoints import load_model, model_card
from vae_tutorial.models import VAE

INACTIVE = 0.01  # nats: a unit whose rate lies below it says nothing
MOST_UNITS = 10


@dataclass(frozen=True)
class Variant:
    """One line of a dropdown: a model, at one β if it is gated, and what its card says about its units."""

    label: str
    checkpoint: str
    model: VAE
    network: int
    beta: float | None
    rates: Sequence[float]  # (d,) nats
    known: Sequence[Sequence[float]] = ()  # (d, K) nats, mutual information of unit and factor

    @property
    def order(self) -> list[int]:
        """The units, the largest rate first."""
        return sorted(range(len(self.rates)), key=lambda unit: -self.rates[unit])

    def described(self) -> dict[str, Any]:
        """What the browser is told, the units by rank."""
        told = {"label": self.label, "checkpoint": self.checkpoint, "network": self.network, "beta": self.beta}
        return told | {"units": [self._unit(index) for index in self.order]}

    def _unit(self, index: int) -> dict[str, Any]:
        rate = float(self.rates[index])
        told = {"unit": index, "rate": rate, "active": rate >= INACTIVE}
        if self.known:
            best = int(np.argmax(self.known[index]))
            told |= {"factor": list(sprites.FACTORS)[best].replace("_", " "), "nats": float(self.known[index][best])}
        return told


def variants_of(name: str, label: str, network: int, betas: Sequence[float], folder: Path) -> Iterator[Variant]:
    """The lines of the dropdown that a checkpoint gives: one, or one for every β if it is gated by β.

    Raises:
        ValueError: an unknown checkpoint, or a card that does not say the rate of every unit.
    """
    model, card = load_model(name, folder), model_card(name, folder)
    if getattr(model, "conditioned_on", None) == "beta":
        curve = card.get("curve") or [{}]
        if "rate_per_unit" not in curve[0]:
            raise ValueError(f"the card of {name} has no curve of rate_per_unit: the sliders could not be put in order")
        places, rates = np.log([point["beta"] for point in curve]), np.array([point["rate_per_unit"] for point in curve])
        for value in betas:
            at_beta = [float(np.interp(np.log(value), places, unit)) for unit in rates.T]
            yield Variant(f"β = {value:g}", name, model.given(beta=value), network, float(value), at_beta)
    elif "rate_per_unit" not in card:
        raise ValueError(f"the card of {name} has no rate_per_unit: the sliders could not be put in order")
    else:
        yield Variant(label, name, model, network, None, card["rate_per_unit"], card.get("mutual_information", ()))


def common_shape(variants: Sequence[Variant]) -> tuple[int, ...]:
    """The image shape of all the models, if an explorer with a slider for every unit can show them.

    Raises:
        ValueError: no model, models that differ, or ones with too many units or other than square grey Bernoulli pictures.
    """
    kinds = {(tuple(variant.model.image_shape), variant.model.latent_dim, getattr(variant.model, "family", "")) for variant in variants}
    if len(kinds) != 1:
        raise ValueError(f"the models must be alike in image shape, latent dimension and likelihood, at least one; got {sorted(kinds)}")
    shape, d, family = kinds.pop()
    if shape[0] != 1 or shape[1] != shape[2] or not 1 <= d <= MOST_UNITS or family != "bernoulli":
        raise ValueError(
            f"the sliders are for VAEs of square grey pictures with 1 … {MOST_UNITS} units and Bernoulli pixels, "
            f"not for shape {shape}, {d} units, {family or 'no'} likelihood"
        )
    return shape
