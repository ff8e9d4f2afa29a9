"""Networks, codes and images as bytes for the browser; `js/network.js` reads them back."""

import numpy as np
import torch
from torch import Tensor, nn

from vae_tutorial.checkpoints import quantize
from vae_tutorial.networks import GatedLinear

PRECISIONS = ("float16", "int8")


def pack(network: nn.Sequential, precision: str = "float16") -> bytes:
    """The weights of a network's layers, in order, little-endian, for `createNetwork` in `js/network.js`.

    Args:
        network: linear layers, transposed convolutions and activations (see `networks.layer_specification`).
        precision: `"float16"`: per layer the weight row-major, (out, in) or (in, out, 4, 4) for a transposed convolution, then
            the bias, all float16. `"int8"`: the weight as int8, one float32 scale per row, then the bias as float32. Where a
            layer is gated, its table (knots, out) follows as float16 (shipped gates lie on that grid).

    Raises:
        ValueError: an unknown precision, no layer, a layer of another kind, or weights that are not finite or too large for
            float16.
    """
    parts = []
    for layer in _layers(network, precision):
        if precision == "float16":
            parts += [float16_bytes(layer.weight, "weights"), float16_bytes(_bias(layer), "biases")]
        else:
            integers, scales = quantize(layer.weight.detach())
            parts += [integers.numpy().tobytes(), float32_bytes(scales), float32_bytes(_bias(layer))]
        if isinstance(layer, GatedLinear):
            parts.append(float16_bytes(layer.gate, "gates"))
    return b"".join(parts)


def unpacked(network: nn.Sequential, precision: str = "float16") -> list[tuple[Tensor, Tensor]]:
    """The (weight, bias) pairs, float32, that the browser recovers from `pack(network, precision)`.

    Raises:
        ValueError: as `pack` does.
    """
    pairs = []
    for layer in _layers(network, precision):
        if precision == "float16":
            pairs.append((layer.weight.detach().half().float(), _bias(layer).half().float()))
        else:
            integers, scales = quantize(layer.weight.detach())
            pairs.append((_restored(integers, scales), _bias(layer)))
    return pairs


def lossless_precision(*networks: nn.Sequential) -> str:
    """The smallest precision that loses nothing: `"int8"` where all weights already lie on its grid, else `"float16"`.

    Shipped int8 checkpoints do; a network fresh from training does not, and float16 rounds it by less than one in
    a thousand.
    """
    for network in networks:
        for layer in _layers(network, "int8"):
            weight = layer.weight.detach()
            if not torch.allclose(_restored(*quantize(weight)), weight, rtol=1e-5, atol=1e-8):
                return "float16"
    return "int8"


def float16_bytes(values: Tensor, name: str = "values") -> bytes:
    """A tensor as little-endian float16, row-major.

    Raises:
        ValueError: a value that is not finite, or beyond float16's ±65,504.
    """
    if not torch.isfinite(values.half()).all():
        raise ValueError(f"{name} must be finite and within ±65,504 to travel as float16")
    return _little_endian(values, "f2")


def float32_bytes(values: Tensor) -> bytes:
    """A tensor as little-endian float32, row-major."""
    return _little_endian(values, "f4")


def uint8_bytes(images: Tensor) -> bytes:
    """Images with values in [0, 1] as grey levels 0 … 255, row-major.

    Raises:
        ValueError: a value outside [0, 1].
    """
    if images.numel() and not (images.min() >= 0 and images.max() <= 1):
        raise ValueError("pixels must lie in [0, 1]: divide 8-bit images by 255")
    return (images.detach() * 255).round().to(torch.uint8).numpy().tobytes()


def _layers(network: nn.Sequential, precision: str) -> list[nn.Linear | nn.ConvTranspose2d]:
    """Every layer that has weights, its kind and its numbers checked."""
    if precision not in PRECISIONS:
        raise ValueError(f"unknown precision {precision!r}: choose from {list(PRECISIONS)}")
    layers = [module for module in network.modules() if next(module.parameters(recurse=False), None) is not None]
    if not layers or not all(isinstance(layer, nn.Linear | nn.ConvTranspose2d) for layer in layers):
        raise ValueError("explorers run networks of linear layers and transposed convolutions, at least one, and no other layers")
    if not all(torch.isfinite(values).all() for layer in layers for values in layer.parameters()):
        raise ValueError("the network has weights that are not finite: look at its training history")
    return layers


def _bias(layer: nn.Linear | nn.ConvTranspose2d) -> Tensor:
    outputs = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
    return layer.weight.new_zeros(outputs) if layer.bias is None else layer.bias.detach()


def _restored(integers: Tensor, scales: Tensor) -> Tensor:
    """scale · int8, row by row."""
    return integers.float() * scales.view(-1, *[1] * (integers.ndim - 1))


def _little_endian(values: Tensor, kind: str) -> bytes:
    return values.detach().numpy().astype(np.dtype(kind).newbyteorder("<")).tobytes()
