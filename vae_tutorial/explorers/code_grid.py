"""Code grid: a digit as the VQ-VAE keeps it, 7 × 7 codes; change one of them and the decoder draws what it means."""

from collections.abc import Sequence

import ipywidgets
import torch
import traitlets
from torch import Tensor
from torch.nn.functional import one_hot, pad, unfold

from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import LOOK, Canvas, FiniteFloat, check_indices, first_of_each, label_bytes, network_traits, stack
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.weights import PRECISIONS, float32_bytes, lossless_precision, uint8_bytes
from vae_tutorial.vector_quantisation import VectorQuantisedVAE

MOST_DIGITS, MOST_CODES = 10, 32  # more buttons do not fit a phone


class CodeGrid(Canvas):
    """The canvas of `code_grid`: digit (from 0) is started from, cell (from 1, line by line) is edited, code stands in it."""

    _esm = join_modules("code_grid.js")
    shown = ("digit", "cell", "code")
    digit = traitlets.Int(0, min=0).tag(sync=True)
    cell = traitlets.Int(1, min=1).tag(sync=True)
    code = traitlets.Int(0, min=0).tag(sync=True)
    size = traitlets.List(traitlets.Int()).tag(sync=True)  # rows and columns of the grid
    background = traitlets.Int(0, min=0).tag(sync=True)  # the most frequent code
    patches = traitlets.Bytes().tag(sync=True)  # uint8 (K, 12, 12): the mean image around each code's cells
    frequency = traitlets.List(FiniteFloat()).tag(sync=True)  # of each code among the images' cells
    precision = traitlets.Enum(PRECISIONS, "int8").tag(sync=True)
    decoder_layers = traitlets.List().tag(sync=True)
    decoder_weights = traitlets.Bytes().tag(sync=True)
    codebook = traitlets.Bytes().tag(sync=True)  # float32 (K, code_dim)
    grids = traitlets.Bytes().tag(sync=True)  # uint8 (M, rows · columns)
    digits = traitlets.Bytes().tag(sync=True)  # uint8 (M, 784)
    labels = traitlets.Bytes().tag(sync=True)  # uint8 (M,)


def code_grid(
    model: VectorQuantisedVAE, images: Images, digits: Sequence[int] | None = None, digit: int = 0, cell: int = 25
) -> ipywidgets.VBox:
    """Edit the grid of codes of a digit and see which pixels change.

    Try: put another code into a cell with ink, then into an empty one. How far does one code reach? Turn a 1 into a 7, or a 3
    into an 8.

    Args:
        model: a VQ-VAE of 28 × 28 pixels with at most 32 codes.
        images: held-out images with labels 0 … 9, binarised as the model knows them; the codes' frequencies are theirs.
        digits: indices of up to ten images to start from; by default the first of every class.
        digit: which of these is shown first.
        cell: number of the cell chosen at first, from 1, line by line.

    Raises:
        ValueError: another image shape, too many codes, indices that do not exist or are too many, or no such digit or cell.
    """
    if model.image_shape != (1, 28, 28) or model.codes > MOST_CODES:
        raise ValueError(f"the explorer draws (1, 28, 28) from at most {MOST_CODES} codes, not {model.image_shape} from {model.codes}")
    chosen = check_indices(first_of_each(images, 1) if digits is None else digits, images, "digits")
    if len(chosen) > MOST_DIGITS:
        raise ValueError(f"digits may name at most {MOST_DIGITS} images, not {len(chosen)}: a phone shows no more")
    rows, columns = model.grid
    if not (0 <= digit < len(chosen) and 1 <= cell <= rows * columns):
        raise ValueError(f"digit must lie in 0 … {len(chosen) - 1} and cell in 1 … {rows * columns}, not {digit} and {cell}")
    every = model.quantise(images.x)
    counts = torch.bincount(every.flatten(), minlength=model.codes)
    grids = every[chosen].flatten(1)
    precision = lossless_precision(model.decoder)
    canvas = CodeGrid(
        **network_traits("decoder", model.decoder, precision),
        digit=digit, cell=cell, code=int(grids[digit, cell - 1]), size=[rows, columns], background=int(counts.argmax()),
        frequency=[round(share, 4) for share in (counts / counts.sum()).tolist()], precision=precision,
        patches=uint8_bytes(mean_patches(images.x, every, model.codes)), codebook=float32_bytes(model.codebook),
        grids=grids.to(torch.uint8).numpy().tobytes(),
        digits=uint8_bytes(images.x[chosen]), labels=label_bytes(images.y[chosen]),
    )  # fmt: skip
    sliders = [
        ("digit", ipywidgets.IntSlider(description="digit", min=0, max=len(chosen) - 1, value=digit, **LOOK)),
        ("cell", ipywidgets.IntSlider(description="cell", min=1, max=rows * columns, value=cell, **LOOK)),
        ("code", ipywidgets.IntSlider(description="code", min=0, max=model.codes - 1, value=canvas.code, **LOOK)),
    ]
    return stack(canvas, [(control, name) for name, control in sliders])


def mean_patches(x: Tensor, grids: Tensor, codes: int) -> Tensor:
    """The mean of the images around the cells that took each code, (K, 12, 12): the cell's 4 × 4 pixels and four to each side.

    What reaches over the images' border is 0; a code that no cell took has a blank patch. x is (N, 1, 28, 28), grids (N, 7, 7).
    """
    around = unfold(pad(x, (4, 4, 4, 4)), 12, stride=4).transpose(1, 2).flatten(0, 1)  # (N·49, 144)
    chosen = one_hot(grids.flatten(), codes).to(x.dtype)  # (N·49, K)
    return (chosen.T @ around / chosen.sum(0).clamp_min(1)[:, None]).clamp(0, 1).view(codes, 12, 12)
