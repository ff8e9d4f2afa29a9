"""Traversal: a slider for every latent unit, in order of KL; the decoder draws the code, and beside it every unit's own strip."""

from collections.abc import Sequence
from pathlib import Path

import ipywidgets
import torch
import traitlets
from torch import Tensor

from vae_tutorial import sprites
from vae_tutorial.checkpoints import SHIPPED
from vae_tutorial.data import load_images
from vae_tutorial.explorers.canvas import Canvas, FiniteFloat, first_of_each, network_traits, slider, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.ranked_units import MOST_UNITS, Variant, common_shape, variants_of
from vae_tutorial.explorers.weights import PRECISIONS, float32_bytes, lossless_precision, uint8_bytes

SPRITES = {  # as the dropdown names them
    "sprites-vae": "VAE (β = 1)",
    "sprites-beta4": "β-VAE, β = 4",
    "sprites-beta16": "β-VAE, β = 16",
    "sprites-tc4": "β-TCVAE, β = 4",
}
BETAS = (0.1, 1.0, 4.0, 16.0)  # offered for a network gated by β
REACH, STEP = 3.0, 0.05  # of the sliders, in standard deviations of p(z)
ORDINALS = ("1st", "2nd", "3rd", *(f"{rank}th" for rank in range(4, MOST_UNITS + 1)))
MOST_PICTURES = 10  # more do not fit a phone
DRAWINGS = torch.tensor(  # shape, scale, orientation, x, y, all between the values that training images have
    [
        [0, 0.93, 0.11, 0.33, 0.28],
        [1, 0.98, 0.84, 0.68, 0.41],
        [2, 0.94, 0.27, 0.45, 0.71],
        [0, 0.62, 0.52, 0.81, 0.79],
        [1, 0.72, 2.28, 0.18, 0.62],
        [2, 0.77, 3.38, 0.62, 0.13],
    ]
)


class Traversal(Canvas):
    """The canvas of `traversal`: rank1 … rank10 are the units' values, the unit with the largest KL first."""

    _esm = join_modules("traversal.js")
    shown = ("variant", "picture")
    variant = traitlets.Int(0, min=0).tag(sync=True)  # the line of the dropdown
    picture = traitlets.Int(0, min=-1).tag(sync=True)  # whose code the sliders were set to; −1: none, all units at 0
    rank1, rank2, rank3, rank4, rank5, rank6, rank7, rank8, rank9, rank10 = (
        FiniteFloat(0.0, min=-REACH, max=REACH).tag(sync=True) for _ in range(MOST_UNITS)
    )
    variants = traitlets.List(traitlets.Dict()).tag(sync=True)  # label, network, beta, units by rank
    networks = traitlets.List(traitlets.Dict()).tag(sync=True)  # layers; from, to: the bytes of `weights` that are its own
    weights = traitlets.Bytes().tag(sync=True)
    precision = traitlets.Enum(PRECISIONS, "int8").tag(sync=True)
    codes = traitlets.Bytes().tag(sync=True)  # float32 (variants, pictures, d), units by rank, on the sliders' steps
    pictures = traitlets.Bytes().tag(sync=True)  # uint8 (pictures, side, side)
    side = traitlets.Int(32, min=1).tag(sync=True)

    @traitlets.validate("variant")
    def _known(self, proposal: traitlets.Bunch) -> int:
        if self.variants and proposal["value"] >= len(self.variants):
            raise traitlets.TraitError(f"variant must lie in 0 … {len(self.variants) - 1}, not {proposal['value']}")
        return proposal["value"]


def traversal(
    model: str | Sequence[str] = tuple(SPRITES), beta: Sequence[float] = BETAS, x: Tensor | None = None, folder: Path = SHIPPED
) -> ipywidgets.VBox:
    """Move the units of a code one by one and see what the decoder makes of it; choose among several models.

    The sliders are in order of the units' KL, so that they mean other units in another model: with the model they are set
    to its own code of the picture started from. Beside the decoded picture each unit has a strip, the pictures from −3 to 3
    with the other units as they are, its KL, and the factor that it knows most about.

    Try: move every slider from end to end. Which do nothing? Which change one thing only, and which two at once? How many
    units share the orientation? Then choose another model.

    Args:
        model: checkpoints whose cards give the rate of every unit, the dropdown's lines. A network gated by β, for example
            `"mnist-beta-10d"`, gives a line for every `beta`.
        beta: of a gated network.
        x: up to ten pictures to start from, (N, 1, H, H); by default six sprites, or a digit of every class.
        folder: where the checkpoints are.

    Raises:
        ValueError: a checkpoint that does not exist or whose card has no rates, models of different shapes or that the
            browser cannot run, or no picture or too many.
    """
    names = [model] if isinstance(model, str) else list(model)
    variants = [variant for place, name in enumerate(names) for variant in variants_of(name, SPRITES.get(name, name), place, beta, folder)]
    shape = common_shape(variants)
    x = _start_pictures(shape) if x is None else x
    if not 1 <= len(x) <= MOST_PICTURES or tuple(x.shape[1:]) != shape:
        raise ValueError(f"x may hold 1 … {MOST_PICTURES} pictures of shape {shape}, not {len(x)} of shape {tuple(x.shape[1:])}")
    codes = torch.stack([_codes(variant, x) for variant in variants])
    decoders = {variant.network: variant.model.decoder for variant in variants}
    precision, networks, weights = lossless_precision(*decoders.values()), [], b""
    for decoder in decoders.values():
        traits = network_traits("decoder", decoder, precision)
        networks.append({"layers": traits["decoder_layers"], "from": len(weights), "to": len(weights) + len(traits["decoder_weights"])})
        weights += traits["decoder_weights"]
    first = [round(value, 2) for value in codes[0, 0].tolist()]
    canvas = Traversal(
        **{f"rank{rank}": value for rank, value in enumerate(first, 1)},
        variants=[variant.described() for variant in variants], networks=networks, weights=weights, precision=precision,
        codes=float32_bytes(codes), pictures=uint8_bytes(x), side=shape[-1],
    )  # fmt: skip
    return _laid_out(canvas, [variant.label for variant in variants], first)


def _start_pictures(shape: tuple[int, ...]) -> Tensor:
    """A digit of every class where the models are of digits, else sprites."""
    if shape[-1] == 28:
        images = load_images("mnist", "test")
        return images.x[first_of_each(images, 1)]
    return sprites.render(DRAWINGS, shape[-1])


@torch.no_grad()
def _codes(variant: Variant, x: Tensor) -> Tensor:
    """Means of q(z|x), (N, d), by rank, on the sliders' steps."""
    mu = variant.model.posterior(x).mean[:, variant.order].clamp(-REACH, REACH)
    return (mu / STEP).round() * STEP


def _laid_out(canvas: Traversal, labels: Sequence[str], values: Sequence[float]) -> ipywidgets.VBox:
    """The dropdown, the sliders in as many columns as there is room for, the canvas."""
    sliders = [(slider(ORDINALS[place], -REACH, REACH, STEP, value), f"rank{place + 1}") for place, value in enumerate(values)]
    box = stack(canvas, sliders)
    choice = ipywidgets.Dropdown(options=labels, index=0, description="model", style={"description_width": "3.6em"})
    choice.layout = {"width": "auto", "max_width": "300px"}
    ipywidgets.jslink((choice, "index"), (canvas, "variant"))
    for control, _ in sliders:
        control.layout.margin = "0 2px"
    columns = {"display": "grid", "grid_template_columns": "repeat(auto-fit, minmax(260px, 1fr))", "max_width": "840px"}
    box.children = (choice, ipywidgets.VBox([control for control, _ in sliders], layout=columns), canvas)
    return box
