"""The laboratory of exact answers: points in the plane, for VAEs with a code of one number.

With so small an x and z everything has an exact value by quadrature: log p(x), p(z|x), the gap and the ELBO.
"""

from math import pi

import torch
from torch import Tensor

TURNS = 1.25
RADIUS = 2.0  # of the outer end
INNER = 0.2  # where the curve begins, as a share of the radius
NOISE = 0.3  # standard deviation around the curve; the arms are 1.6 apart, so that some points could belong to either


def spiral(count: int, seed: int) -> Tensor:
    """Points scattered around a spiral, (count, 1, 1, 2): "images" of two pixels, which need not lie in [0, 1].

    Args:
        count: how many.
        seed: of the places along the curve and of the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    share = (INNER**2 + (1 - INNER**2) * torch.rand(count, generator=generator)).sqrt()  # even along the curve, nearly
    angle = 2 * pi * TURNS * share
    curve = RADIUS * share[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    return (curve + NOISE * torch.randn(count, 2, generator=generator)).view(count, 1, 1, 2)
