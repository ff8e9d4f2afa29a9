"""Conditional: choose a class and move the style units of a conditional VAE; the same code decoded as all ten classes."""

from pathlib import Path

import ipywidgets
import traitlets

from vae_tutorial.checkpoints import SHIPPED, load_model, model_card
from vae_tutorial.explorers.canvas import Canvas, FiniteFloat, check_image_shape, network_traits, slider, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import PRECISIONS, lossless_precision

UNITS = 6  # sliders
REACH, STEP = 3.0, 0.05  # of the sliders, in standard deviations of p(z)
ORDINALS = ("1st", "2nd", "3rd", "4th", "5th", "6th")


class Conditional(Canvas):
    """The canvas of `conditional`: class `label` and the units' values, rank1 the unit with the largest KL."""

    _esm = join_modules("conditional.js")
    shown = ("label", "rank1", "rank2", "rank3", "rank4", "rank5", "rank6")
    label = traitlets.Int(7, min=0, max=9).tag(sync=True)
    rank1, rank2, rank3, rank4, rank5, rank6 = (FiniteFloat(0.0, min=-REACH, max=REACH).tag(sync=True) for _ in range(UNITS))
    order = traitlets.List(traitlets.Int()).tag(sync=True)  # the units by rank
    precision = traitlets.Enum(PRECISIONS, "float16").tag(sync=True)
    decoder_layers = traitlets.List().tag(sync=True)  # takes z, then the class as one of ten
    decoder_weights = traitlets.Bytes().tag(sync=True)


def conditional(name: str = "mnist-conditional", label: int = 7, folder: Path = SHIPPED) -> ipywidgets.VBox:
    """Draw me a 7, slanted: a class, a slider for every style unit, and the same code as all ten classes beside it.

    Under each picture stands its slant, measured from its ink's second moments (`image_quality.slant`).

    Try: find the slider of the slant. Does it slant every class? Which slider widens the loops? Press "new handwriting" a few
    times: ten digits by one hand?

    Args:
        name: a checkpoint with six units, conditioned on the label, whose card has `rate_per_unit`.
        label: the class at the start.
        folder: where the checkpoint is.

    Raises:
        ValueError: an unknown checkpoint, or one of another kind.
        TraitError: a class outside 0 … 9.
    """
    model, rates = load_model(name, folder), model_card(name, folder).get("rate_per_unit", ())
    if getattr(model, "conditioned_on", None) != "label" or model.labels != 10 or not model.latent_dim == len(rates) == UNITS:
        raise ValueError(f"{name} must be conditioned on ten labels, with {UNITS} units and their rates on its card")
    check_image_shape(model, name, "label")
    precision = lossless_precision(model.decoder)
    canvas = Conditional(
        label=label, order=sorted(range(UNITS), key=lambda unit: -rates[unit]), precision=precision,
        **network_traits("decoder", model.decoder, precision),
    )  # fmt: skip
    sliders = [(slider(ordinal, -REACH, REACH, STEP), f"rank{rank}") for rank, ordinal in enumerate(ORDINALS, 1)]
    box = stack(canvas, sliders)
    choice = ipywidgets.Dropdown(options=[str(digit) for digit in range(10)], index=label, description="class")
    choice.style = {"description_width": "2.5em"}
    choice.layout = {"width": "auto", "max_width": "300px"}
    ipywidgets.jslink((choice, "index"), (canvas, "label"))
    for control, _ in sliders:
        control.layout.margin = "0 2px"
    columns = {"display": "grid", "grid_template_columns": "repeat(auto-fit, minmax(260px, 1fr))", "max_width": "840px"}
    box.children = (choice, ipywidgets.VBox([control for control, _ in sliders], layout=columns), canvas)
    return box
