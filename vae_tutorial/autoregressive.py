"""A VAE whose decoder also sees the pixels before: p(x|z) = ∏ p(xᵢ | x₁ … xᵢ₋₁, z), row by row from the top left.

As in PixelCNN (van den Oord et al. 2016) a masked convolution hides the future, so that one pass gives all the factors. Here
there is one such layer, and all that follows it looks at single pixels: what a pixel sees is one window, of one known size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, pad

from vae_tutorial.models import VAE
from vae_tutorial.networks import ACTIVATIONS, mlp


def past(reach: int) -> Tensor:
    """What a pixel sees, (reach + 1, 2·reach + 1): the rows above it and its own, 1 where a pixel comes before it, else 0."""
    mask = torch.ones(reach + 1, 2 * reach + 1)
    mask[-1, reach:] = 0  # in its own row: itself, and what comes after
    return mask


class MaskedConv2d(nn.Conv2d):
    """A convolution that sees the pixels before, up to `reach` rows above and `reach` columns to either side; none with reach 0."""

    mask: Tensor

    def __init__(self, inputs: int, outputs: int, reach: int) -> None:
        super().__init__(inputs, outputs, (reach + 1, 2 * reach + 1))
        self.reach = reach
        self.register_buffer("mask", past(reach), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, H, W) → (B, C', H, W), at each pixel from those before it."""
        framed = pad(x, (self.reach, self.reach, self.reach, 0))  # left, right, above; nothing below is seen
        return self._conv_forward(framed, self.weight * self.mask, self.bias)


class AutoregressiveVAE(VAE):
    """A VAE of black-and-white images whose decoder sees, for every pixel, the code and those of the pixels before that are near.

    With reach 0 the pixels are independent given z, as in `VAE`. The code acts through a few maps of the image's size, so
    that it can say different things at different places.

    Args:
        latent_dim: d, the length of z.
        reach: how many rows up and columns to either side a pixel sees: 2·reach·(reach + 1) pixels in all.
        hidden: widths of the encoder's hidden layers; mirrored on the way from the code to its maps.
        maps: how many maps the code is turned into.
        channels: width of the layers that join the maps and what is seen.
        activation: see `networks.ACTIVATIONS`.
        image_shape: (1, H, W).

    Raises:
        ValueError: a negative reach, or an image of several channels.
    """

    def __init__(
        self,
        latent_dim: int,
        reach: int,
        hidden: Sequence[int] = (256,),
        maps: int = 4,
        channels: int = 32,
        activation: str = "relu",
        image_shape: Sequence[int] = (1, 14, 14),
    ) -> None:
        if reach < 0 or image_shape[0] != 1:
            raise ValueError(f"a reach of at least 0 and images of one channel, got {reach} and shape {tuple(image_shape)}")
        super().__init__(latent_dim, hidden, activation, image_shape=image_shape)
        self.configuration = {
            "latent_dim": latent_dim, "reach": reach, "hidden": list(hidden), "maps": maps, "channels": channels,
            "activation": activation, "image_shape": list(image_shape),
        }  # fmt: skip
        _, height, width = image_shape
        act = ACTIVATIONS[activation]
        self.decoder = nn.Sequential(mlp([latent_dim, *reversed(hidden), maps * height * width], activation), act())
        self.see, self.hear = MaskedConv2d(1, channels, reach), nn.Conv2d(maps, channels, 1)
        self.join = nn.Sequential(act(), nn.Conv2d(channels, channels, 1), act(), nn.Conv2d(channels, 1, 1))
        self.map_shape = (maps, height, width)

    def decode(self, z: Tensor) -> Tensor:
        """z (…, d) → the maps (…, M, H, W) that the code is turned into."""
        return self.decoder(z).unflatten(-1, self.map_shape)

    def likelihood(self, z: Tensor) -> "Autoregressive":
        """p(x|z) for z of shape (…, d)."""
        return Autoregressive(self, self.decode(z))


@dataclass(frozen=True)
class Autoregressive:
    """p(x|z) = ∏ p(xᵢ | x₁ … xᵢ₋₁, z), given through the maps of z; `log_prob` and `sample` as distributions have them.

    Attributes:
        model: whose layers join maps and pixels.
        maps: (…, M, H, W).
    """

    model: AutoregressiveVAE
    maps: Tensor

    def logits(self, x: Tensor) -> Tensor:
        """The log-odds that a pixel is 1, given the pixels of x before it: x (…, 1, H, W) → the same shape, joined with z's."""
        shape = torch.broadcast_shapes(x.shape[:-3], self.maps.shape[:-3])
        seen = self.model.see(x.reshape(-1, *x.shape[-3:]))
        heard = self.model.hear(self.maps.reshape(-1, *self.maps.shape[-3:]))
        features = seen.shape[1:]
        both = (seen.view(*x.shape[:-3], *features) + heard.view(*self.maps.shape[:-3], *features)).reshape(-1, *features)
        return self.model.join(both).reshape(*shape, *x.shape[-3:])

    def log_prob(self, x: Tensor) -> Tensor:
        """Nats, summed over the pixels: x (…, 1, H, W) of zeros and ones → (…)."""
        x_logits = self.logits(x)
        return -binary_cross_entropy_with_logits(x_logits, x.expand_as(x_logits), reduction="none").sum((-3, -2, -1))

    @torch.no_grad()
    def sample(self) -> Tensor:
        """One image for each z, (…, 1, H, W): pixel by pixel, each drawn given those before it."""
        height, width = self.maps.shape[-2:]
        x = self.maps.new_zeros(*self.maps.shape[:-3], 1, height, width)
        for row in range(height):
            for column in range(width):
                x[..., row, column] = torch.bernoulli(self.logits(x)[..., row, column].sigmoid())
        return x
