"""What all explorers share in Python: the canvas widget's base class and the codes, layers and labels it is given."""

from collections.abc import Sequence
from math import isfinite
from typing import Any

import anywidget
import ipywidgets
import torch
import traitlets
from torch import Tensor, nn

from vae_tutorial.data import Images
from vae_tutorial.explorers.javascript import style_sheet
from vae_tutorial.explorers.weights import pack
from vae_tutorial.networks import layer_specification


class Canvas(anywidget.AnyWidget):
    """A widget whose subclasses join their JavaScript as `_esm`; it prints the traits in `shown`, never an address."""

    _css = style_sheet()
    shown: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.shown)})"


class FiniteFloat(traitlets.Float):
    """A number within its bounds, and a finite one: NaN is neither below a lower bound nor above an upper one, and no JSON."""

    def validate(self, obj: Any, value: Any) -> float:
        """The value, as a float.

        Raises:
            TraitError: no number, one outside the bounds, or NaN or infinity.
        """
        number = super().validate(obj, value)
        if not isfinite(number):
            raise traitlets.TraitError(f"{self.name or 'a number'} must be finite, not {number}")
        return number


LOOK: dict[str, Any] = {"style": {"description_width": "2.5em"}, "layout": {"width": "auto", "max_width": "840px"}}


def slider(name: str, low: float, high: float, step: float, value: float = 0.0) -> ipywidgets.FloatSlider:
    """A slider in the explorers' style."""
    return ipywidgets.FloatSlider(description=name, min=low, max=high, step=step, value=value, readout_format=".2f", **LOOK)


def stack(canvas: Canvas, links: Sequence[tuple[ipywidgets.Widget, str]]) -> ipywidgets.VBox:
    """Controls on top, the canvas below, each control's value linked in the browser to a trait of the canvas."""
    for control, trait in links:
        ipywidgets.jslink((control, "value"), (canvas, trait))
    canvas.layout.width = "auto"
    return ipywidgets.VBox([*(control for control, _ in links), canvas])


def network_traits(prefix: str, network: nn.Sequential, precision: str) -> dict[str, Any]:
    """The two traits that describe a network to the browser."""
    return {f"{prefix}_layers": layer_specification(network), f"{prefix}_weights": pack(network, precision)}


def check_planar(model: Any, name: str, condition: str | None = None) -> None:
    """Refuse a model that has no flat map.

    Raises:
        ValueError: a latent dimension other than 2, or as `check_image_shape`.
    """
    if model.latent_dim != 2:
        raise ValueError(f"{name} has a latent dimension of {model.latent_dim}: a map needs 2")
    check_image_shape(model, name, condition)


def check_image_shape(model: Any, name: str, condition: str | None = None) -> None:
    """Refuse a model of anything but 28 × 28 grey levels decoded through a sigmoid, from the code and what `condition` names.

    Raises:
        ValueError: another image shape or output, or a network that wants another condition.
    """
    if tuple(model.image_shape) != (1, 28, 28):
        raise ValueError(f"{name} is a model of images of shape {tuple(model.image_shape)}: the explorers draw (1, 28, 28)")
    if getattr(model, "family", "bernoulli") != "bernoulli" or getattr(model, "output", "sigmoid") != "sigmoid":
        raise ValueError(f"{name} must decode to logits (Bernoulli likelihood or sigmoid output)")
    if (found := getattr(model, "conditioned_on", None)) != condition:
        raise ValueError(f"{name} is conditioned on {found or 'nothing'}, this explorer's networks on {condition or 'nothing'}")


def check_points(points: int, images: Images) -> None:
    """Refuse to show more images than there are.

    Raises:
        ValueError: points outside 1 … len(images).
    """
    if not 1 <= points <= len(images):
        raise ValueError(f"points must lie in 1 … {len(images)}, the number of images, not {points}")


def check_indices(indices: Sequence[int], images: Images, name: str) -> list[int]:
    """The indices as a list.

    Raises:
        ValueError: none at all, or one that is not the index of an image.
    """
    chosen = [int(index) for index in indices]
    if not chosen or not all(0 <= index < len(images) for index in chosen):
        raise ValueError(f"{name} must be indices of images, 0 … {len(images) - 1}, at least one of them")
    return chosen


def first_of_each(images: Images, count: int) -> list[int]:
    """The indices of the first `count` images of every class, class by class."""
    return [int(i) for label in range(10) for i in torch.nonzero(images.y == label).flatten()[:count]]


def label_bytes(labels: Tensor) -> bytes:
    """Class labels 0 … 9, one byte each.

    Raises:
        ValueError: a label outside 0 … 9.
    """
    if labels.numel() and not (labels.min() >= 0 and labels.max() <= 9):
        raise ValueError("labels must lie in 0 … 9: the map tells ten classes apart by glyph")
    return labels.to(torch.uint8).numpy().tobytes()
