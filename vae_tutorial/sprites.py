"""White shapes on black, rendered from the five factors of dSprites (Matthey et al. 2017), anti-aliased, at any resolution.

Every shape is a union of disjoint convex pieces, each a rectangle cut with an ellipse. A horizontal line meets such a piece
in one interval, known in closed form, so an image is a sum of intervals: exact along a row, with `LINES` lines to a pixel
across it. dSprites itself is a file of 64 x 64 binary images; the frame, the factors and their ranges here are its own, the
drawing is not: the heart is a square with two half discs, and a pixel's value is the part of it that the shape covers.
"""

from math import ceil, pi, sqrt

import torch
from torch import Tensor

# Name → values, in dSprites' order. Its own 40 orientations end at 2 pi, and so hold the upright shape twice; these do not.
FACTORS: dict[str, tuple] = {
    "shape": ("square", "ellipse", "heart"),
    "scale": tuple(0.5 + step / 10 for step in range(6)),
    "orientation": tuple(2 * pi * step / 40 for step in range(40)),  # radians, clockwise on the screen
    "position_x": tuple(step / 31 for step in range(32)),  # 0 left, 1 right
    "position_y": tuple(step / 31 for step in range(32)),  # 0 top, 1 bottom
}
RADIUS = 0.24  # from the centre to the farthest point at scale 1, in frame widths; centres lie in [0.25, 0.75]
LINES = 8  # per pixel, at least; 256 per frame, at least
ROWS = 8192  # of pixels at a time: 256 images of 32 x 32, the quickest of 64 to 512
GRAIN = 65536.0  # pixel values are multiples of 1 / GRAIN, so that no rounding is left over where the shape is not

_FAR = 10.0  # an extent that cuts nothing off
_SQUARE = RADIUS / sqrt(2)  # half its side
_CENTROID = (7 / 12 + 3 * pi / 16) / (1 + pi / 4)  # of the heart made of the unit square, on both axes, from the tip
_HEART = RADIUS / (_CENTROID * sqrt(2))  # side of its square
_HALF, _DISC, _LOBE = ((place - _CENTROID) * _HEART for place in (0.5, 1.0, 1.25))
_PIECES = torch.tensor(
    [  # shape, turn, rectangle: centre and half sides, ellipse: centre and half axes
        [0, 0, 0, 0, _SQUARE, _SQUARE, 0, 0, _FAR, _FAR],
        [1, 0, 0, 0, _FAR, _FAR, 0, 0, RADIUS, RADIUS / 1.5],
        [2, -3 * pi / 4, _HALF, _HALF, _HEART / 2, _HEART / 2, 0, 0, _FAR, _FAR],
        [2, -3 * pi / 4, _LOBE, _HALF, _HEART / 4, _HEART / 2, _DISC, _HALF, _HEART / 2, _HEART / 2],
        [2, -3 * pi / 4, _HALF, _LOBE, _HEART / 2, _HEART / 4, _HALF, _DISC, _HEART / 2, _HEART / 2],
    ]
)
_VALUES = [torch.arange(3.0), *(torch.tensor(values) for values in list(FACTORS.values())[1:])]


class Sprites:
    """Images that are rendered when they are asked for: indexes like a tensor (count, 1, size, size) in [0, 1].

    The printed form tells what they are: equal forms, equal images.

    Attributes:
        factors: int64, (count, 5), drawn uniformly and independently, with replacement, from all 737,280 combinations.
        size, seed: as given.
        shape: (count, 1, size, size).
    """

    def __init__(self, count: int, size: int = 32, *, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.factors = torch.stack([torch.randint(len(values), (count,), generator=draw) for values in FACTORS.values()], 1)
        self.size, self.seed, self.shape = size, seed, (count, 1, size, size)

    def __len__(self) -> int:
        return len(self.factors)

    def __getitem__(self, indices: Tensor | slice | int) -> Tensor:
        chosen = self.factors[indices]
        return render(chosen.reshape(-1, len(FACTORS)), self.size).reshape(*chosen.shape[:-1], 1, self.size, self.size)

    def __repr__(self) -> str:
        return f"Sprites({len(self)}, size={self.size}, seed={self.seed})"


def sample(count: int, size: int = 32, *, seed: int) -> tuple[Tensor, Tensor]:
    """Draw factors, and render them.

    Returns:
        Factors, int64 indices (count, 5), and images, float32 (count, 1, size, size) in [0, 1].
    """
    sprites = Sprites(count, size, seed=seed)
    return sprites.factors, sprites[:]


def render(factors: Tensor, size: int = 32) -> Tensor:
    """Draw one shape per row of factors: the same picture at every size, each pixel averaged over its square.

    The centroid of the shape lies at a quarter to three quarters of the frame; no shape leaves the frame.

    Args:
        factors: (B, 5) in the order of `FACTORS`. Integers are indices into its values. Floating-point numbers are values,
            also between those of `FACTORS` (any orientation; shape 0., 1. or 2.).
        size: pixels along a side.

    Returns:
        (B, 1, size, size), float32, in [0, 1].

    Raises:
        ValueError: factors of another shape, or a factor out of its range.
    """
    if size < 1:
        raise ValueError(f"size must be at least one pixel, got {size}")
    return torch.cat([_draw(chunk, size) for chunk in _as_values(factors).split(max(1, ROWS // size))])


def _as_values(factors: Tensor) -> Tensor:
    """Indices or values (B, 5) → values, float32; the shape stays a number."""
    if factors.ndim != 2 or factors.shape[1] != len(FACTORS):
        raise ValueError(f"factors must have shape (B, {len(FACTORS)}), for {', '.join(FACTORS)}; got {tuple(factors.shape)}")
    columns = []
    for name, column, values in zip(FACTORS, factors.T, _VALUES, strict=True):
        if factors.is_floating_point():
            low, high, kind = float(values[0]), float(values[-1]), "value"
            fits = (column >= low) & (column <= high) if name != "orientation" else column.isfinite()
            fits = fits & (column == column.round()) if name == "shape" else fits
        else:
            low, high, kind = 0, len(values) - 1, "index"
            fits = (column >= low) & (column <= high)
        if not fits.all():
            wrong = column[~fits][0].item()
            raise ValueError(f"the {kind} of {name} must lie in {low:.4g} to {high:.4g}, got {wrong:.4g} (integers index FACTORS)")
        columns.append(column.float() if factors.is_floating_point() else values[column.long()])
    return torch.stack(columns, 1)


def _draw(values: Tensor, size: int) -> Tensor:
    """Values (B, 5) → (B, 1, size, size): the intervals of P pieces on S lines each, added up. Lengths are in pixels."""
    shape, scale, orientation, x, y = values.T
    owner, piece = (shape[:, None] == _PIECES[:, 0]).nonzero(as_tuple=True)  # (P,): one piece a row, three for a heart
    centre_x, centre_y = (size * (0.25 + 0.5 * place[owner, None]) for place in (x, y))  # (P, 1)
    cut = _PIECES[piece, 2:] * (size * scale[owner, None])  # (P, 8)
    angle = orientation[owner] + _PIECES[piece, 1]

    lines = max(LINES, ceil(256 / size))
    rows = min(size, ceil(2 * RADIUS * size) + 1)  # that a shape can touch
    first = (centre_y - RADIUS * size).floor().clamp(0, size - rows)
    top = first - centre_y + torch.arange(rows * lines) / lines  # (P, S): upper edges of strips, a line each
    left, right, height = _intervals(angle[:, None], cut[..., None].unbind(1), top, top + 1 / lines)

    # To be covered from `left` on adds 1 to all pixels on the right of it, and the rest of 1 to its own: as differences
    # along the row, two numbers. The same with the opposite sign from `right` on; a cumulative sum then fills the interval.
    row = owner[:, None] * size + first.long() + torch.arange(rows).repeat_interleave(lines)  # (P, S)
    canvas = torch.zeros(len(values) * size * (size + 2))
    for end, sign in ((left, 1.0), (right, -1.0)):
        place = (end + centre_x).clamp_(0, size)
        pixel = place.long()
        rest = (place - pixel) * height
        index = pixel.add_(row, alpha=size + 2).flatten()
        canvas.index_add_(0, index, (height - rest).flatten(), alpha=sign)
        canvas.index_add_(0, index + 1, rest.flatten(), alpha=sign)
    covered = canvas.view(-1, 1, size, size + 2).cumsum(-1)[..., :size]
    return (covered * GRAIN).round_().div_(GRAIN).clamp_(0, 1)


def _intervals(angle: Tensor, cut: tuple[Tensor, ...], top: Tensor, bottom: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Where each piece meets the middle of each strip; all lengths from the shape's centre.

    Args:
        angle: of the piece (P, 1).
        cut: centre and half sides of the rectangle, centre and half axes of the ellipse, 8 times (P, 1).
        top: upper edges of the strips (P, S).
        bottom: lower edges.

    Returns:
        Left end, right end, and how much of the strip's height the piece spans, (P, S) each.
    """
    u, v, half_u, half_v, disc_u, disc_v, a, b = cut
    cos, sin = (torch.where(part.abs() < 1e-6, 1e-6, part) for part in (angle.cos(), angle.sin()))  # divisors
    # The ellipse is A x² + 2 B x y + C y² <= 1 around its own centre, with A C - B² = 1 / (a b)².
    big_a, big_b = (cos / a) ** 2 + (sin / b) ** 2, cos * sin * (a**-2 - b**-2)
    disc_x, disc_y, disc_height = cos * disc_u - sin * disc_v, sin * disc_u + cos * disc_v, big_a.sqrt() * a * b
    middle, half = sin * u + cos * v, sin.abs() * half_u + cos.abs() * half_v
    # A strip that the piece leaves on the way counts with the part inside: level edges come out exact.
    upper = torch.maximum(top, torch.maximum(middle - half, disc_y - disc_height))
    lower = torch.minimum(bottom, torch.minimum(middle + half, disc_y + disc_height))
    height = (lower - upper).clamp_(min=0)
    y = (upper + lower).div_(2)

    across, reach = (u - sin * y) / cos, half_u / cos.abs()
    along, extent = (cos * y - v) / sin, half_v / sin.abs()
    y = y - disc_y
    chord = (big_a - (y / (a * b)) ** 2).clamp_(min=0).sqrt_() / big_a
    mid_chord = disc_x - (big_b / big_a) * y
    left = torch.maximum(torch.maximum(across - reach, along - extent), mid_chord - chord)
    right = torch.minimum(torch.minimum(across + reach, along + extent), mid_chord + chord)
    return left, right, height  # no line between a piece's ends misses it: left <= right
