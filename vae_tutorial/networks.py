"""Encoder and decoder networks from one layer specification, which the browser's forward pass reads too.

All of them take and give flat vectors: x (…, D), z (…, d). The convolutional ones reshape inside.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import log, prod
from typing import Any

import torch
from torch import Tensor, nn

ACTIVATIONS = {"relu": nn.ReLU, "silu": nn.SiLU, "tanh": nn.Tanh, "none": nn.Identity}
BETA_RANGE = (0.03, 100.0)  # of networks gated by β: on MNIST's 2-D maps from a rich code to a collapsed one
KNOTS = 9  # one nat of log β apart
GATE_SCALE = 4.0  # Adam moves every parameter alike, and gates have further to go than weights


def mlp(sizes: Sequence[int], activation: str = "relu") -> nn.Sequential:
    """Linear layers of the given sizes, the activation between them and none after the last.

    Args:
        sizes: widths from input to output, at least two.
        activation: one of `ACTIVATIONS`; `"none"` gives a linear network.

    Raises:
        ValueError: fewer than two sizes, a size below one, or an unknown activation.
    """
    if len(sizes) < 2:
        raise ValueError(f"an MLP needs an input and an output size, got {list(sizes)}")
    if min(sizes) < 1:
        raise ValueError(f"an MLP's layers need at least one unit each, got {list(sizes)}")
    layers: list[nn.Module] = []
    for width_in, width_out in pairwise(sizes):
        layers += [nn.Linear(width_in, width_out), _activation(activation)()]
    return nn.Sequential(*layers[:-1])


def _activation(name: str) -> type[nn.Module]:
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}: choose from {list(ACTIVATIONS)}")
    return ACTIVATIONS[name]


class GatedLinear(nn.Linear):
    """(W x + b) · sigmoid(g(log β)), unit by unit: one layer for every β of `BETA_RANGE`.

    Bae et al. (2023, Multi-Rate VAE) gate by an affine g. This one bends at `KNOTS` evenly spaced places, so that a unit can
    close where its information no longer pays: with it a trial of 60 epochs came 4 nats closer at β = 30.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.gate = nn.Parameter(torch.full((KNOTS, outputs), 2.0 / GATE_SCALE))  # g at the knots; gates start nearly open

    def forward(self, x: Tensor, log_beta: Tensor) -> Tensor:
        """x (…, inputs), log_beta (…, 1) → (…, outputs)."""
        low, high = log(BETA_RANGE[0]), log(BETA_RANGE[1])
        place = (log_beta - low) / (high - low) * (KNOTS - 1)
        share = (1 - (place - torch.arange(KNOTS, device=x.device)).abs()).clamp_min(0)  # (…, KNOTS), of the two knots beside it
        return super().forward(x) * torch.sigmoid(GATE_SCALE * (share @ self.gate))


class GatedSequential(nn.Sequential):
    """An `mlp` whose linear layers are gated by log β."""

    def forward(self, x: Tensor, log_beta: Tensor) -> Tensor:
        """x (…, inputs), log_beta (…, 1) → (…, outputs)."""
        for layer in self:
            x = layer(x, log_beta) if isinstance(layer, GatedLinear) else layer(x)
        return x


def gated_mlp(sizes: Sequence[int], activation: str = "relu") -> GatedSequential:
    """The `mlp` of the same arguments with every linear layer gated.

    Raises:
        ValueError: as `mlp`.
    """
    plain = mlp(sizes, activation)
    return GatedSequential(*(GatedLinear(m.in_features, m.out_features) if isinstance(m, nn.Linear) else m for m in plain))


class FlatConvolutions(nn.Sequential):
    """A convolutional network that takes (…, n) and gives (…, m), whatever the leading dimensions."""

    def forward(self, x: Tensor) -> Tensor:
        """x (…, n) → (…, m)."""
        return super().forward(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], -1)


class ConvTransposeToFew(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d` to a few channels, as a matrix product and a fold; torch's own takes five times as long for 32 → 1."""

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) → (B, C', 2H, 2W)."""
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # (B, HW, C)
        patches = (pixels @ self.weight.flatten(1)).transpose(1, 2)  # (B, C'·16, HW)
        size = (2 * x.shape[2], 2 * x.shape[3])
        return nn.functional.fold(patches, size, self.kernel_size, stride=self.stride, padding=self.padding) + self.bias[:, None, None]


def conv_encoder(image_shape: Sequence[int], channels: Sequence[int], sizes: Sequence[int], activation: str = "relu") -> FlatConvolutions:
    """Strided 4×4 convolutions, each halving the image, then an `mlp`.

    Args:
        image_shape: (C, H, W); H and W divisible by 2 once for each convolution.
        channels: of the convolutions, in order.
        sizes: widths of the `mlp` on top, the last of them the output's.
        activation: one of `ACTIVATIONS`.

    Raises:
        ValueError: an image that cannot be halved so often, or as `mlp`.
    """
    small = _halved(image_shape, channels)
    layers: list[nn.Module] = [nn.Unflatten(-1, tuple(image_shape))]
    for before, after in pairwise([image_shape[0], *channels]):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), _activation(activation)()]
    return FlatConvolutions(*layers, nn.Flatten(), mlp([channels[-1] * small[0] * small[1], *sizes], activation))


def conv_decoder(image_shape: Sequence[int], channels: Sequence[int], sizes: Sequence[int], activation: str = "relu") -> FlatConvolutions:
    """The mirror of `conv_encoder`: an `mlp`, then transposed 4×4 convolutions, each doubling the image.

    Args:
        image_shape: (C, H, W).
        channels: of the convolutions, in order; the last one goes on to the image's C.
        sizes: widths of the `mlp` at the bottom, the first of them the code's.
        activation: one of `ACTIVATIONS`.

    Raises:
        ValueError: as `conv_encoder`.
    """
    small = _halved(image_shape, channels)
    stem = mlp([*sizes, channels[0] * small[0] * small[1]], activation)
    layers: list[nn.Module] = [stem, _activation(activation)(), nn.Unflatten(-1, (channels[0], *small))]
    for before, after in pairwise(channels):
        layers += [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), _activation(activation)()]
    return FlatConvolutions(*layers, ConvTransposeToFew(channels[-1], image_shape[0], 4, stride=2, padding=1), nn.Flatten())


def products_in(precision: str, device: str | torch.device = "cpu") -> torch.autocast:
    """A context in which networks on this device multiply in this precision; all else as before.

    Args:
        precision: as in `resolve_precision`.
        device: where the networks are.

    Raises:
        ValueError: an unknown precision.
    """
    device = torch.device(device)
    return torch.autocast(device.type, torch.bfloat16, enabled=resolve_precision(precision, device) == "bfloat16")


def resolve_precision(precision: str, device: str | torch.device = "cpu") -> str:
    """`"float32"` or `"bfloat16"`: what products in this precision are on this device.

    Args:
        precision: one of the two, or `"fast"`: bfloat16 where there are instructions for it, since without them it takes
            many times as long as float32.
        device: where the networks are.

    Raises:
        ValueError: an unknown precision.
    """
    if precision not in ("float32", "bfloat16", "fast"):
        raise ValueError(f"unknown precision {precision!r}: choose 'float32', 'bfloat16' or 'fast'")
    if precision == "fast":
        return "bfloat16" if has_bfloat16(torch.device(device)) else "float32"
    return precision


def has_bfloat16(device: torch.device) -> bool:
    """Whether this device has instructions for products in bfloat16 that PyTorch uses."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)  # since Ampere
    can = getattr(torch.cpu, "get_capabilities", dict)()  # torch ≥ 2.10
    return device.type == "cpu" and bool(can.get("avx512_bf16") or can.get("amx_bf16"))


def _halved(image_shape: Sequence[int], channels: Sequence[int]) -> tuple[int, int]:
    """Height and width after one halving for each of the channels."""
    _, height, width = image_shape
    factor = 2 ** len(channels)
    if not channels or height % factor or width % factor:
        raise ValueError(f"{len(channels)} convolutions want an image divisible by {factor}, got {height} x {width}")
    return height // factor, width // factor


def layer_specification(network: nn.Sequential) -> list[dict[str, Any]]:
    """Describe a network layer by layer, for the browser.

    Dense: `{"in": 784, "out": 400, "activation": "relu"}`, with `"gate"` where it has one. A transposed convolution also says
    `"transposed": {"channels": [32, 16], "size": [8, 8]}`: channels in and out, height and width of what it takes.

    Raises:
        ValueError: anything but linear layers and doubling transposed convolutions (see `conv_decoder`), each with at most one
            of `ACTIVATIONS`: the browser could not run it.
    """
    names = {kind: name for name, kind in ACTIVATIONS.items()}
    layers: list[dict[str, Any]] = []
    shape: tuple[int, ...] = ()  # (C, H, W) while the numbers are laid out as an image
    for module in _leaves(network):
        if isinstance(module, nn.Linear) and not shape:
            layers.append({"in": module.in_features, "out": module.out_features, "activation": "none"})
            if isinstance(module, GatedLinear):
                layers[-1]["gate"] = {"knots": KNOTS, "range": BETA_RANGE, "scale": GATE_SCALE}
        elif isinstance(module, nn.ConvTranspose2d) and shape[:1] == (module.in_channels,) and _doubles(module):
            small, shape = shape, (module.out_channels, 2 * shape[1], 2 * shape[2])
            transposed = {"channels": [small[0], shape[0]], "size": list(small[1:])}
            layers.append({"in": prod(small), "out": prod(shape), "activation": "none", "transposed": transposed})
        elif isinstance(module, nn.Unflatten) and not shape and len(module.unflattened_size) == 3:
            shape = tuple(module.unflattened_size)
        elif isinstance(module, nn.Flatten) and shape:
            shape = ()
        elif type(module) in names and layers and layers[-1]["activation"] == "none":
            layers[-1]["activation"] = names[type(module)]
        else:
            raise ValueError(
                f"{module}: the browser runs linear layers, then transposed convolutions that double the image, "
                f"each with at most one activation of {list(ACTIVATIONS)}"
            )
    return layers


def _leaves(network: nn.Sequential) -> Iterator[nn.Module]:
    """The layers of a sequence of layers and sequences, in order."""
    for module in network:
        yield from _leaves(module) if isinstance(module, nn.Sequential) else (module,)


def _doubles(layer: nn.ConvTranspose2d) -> bool:
    """Whether it is one of `conv_decoder`'s: 4×4 weights, each image twice as high and wide."""
    shape = (layer.kernel_size, layer.stride, layer.padding, layer.output_padding, layer.dilation, layer.groups)
    return shape == ((4, 4), (2, 2), (1, 1), (0, 0), (1, 1), 1)
