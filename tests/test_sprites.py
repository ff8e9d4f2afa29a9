"""Sprites against closed forms (area, centroid, symmetry) and against a point-by-point drawing that shares no code with them."""

from itertools import product
from math import pi, sqrt

import numpy as np
import pytest
import torch

from vae_tutorial import sprites
from vae_tutorial.data import Images
from vae_tutorial.sprites import FACTORS, Sprites, render, sample

SIZES = {name: len(values) for name, values in FACTORS.items()}
SHAPES = range(3)
SIDE = 0.24 * sqrt(2)  # of the square at scale 1, in frame widths
HEART_CENTROID = (0.5 + pi / 8 * (1.5 + 2 / (3 * pi))) / (1 + pi / 4)  # unit square and two half discs, from the tip along an edge


def values(shape=0.0, scale=1.0, orientation=0.0, x=0.5, y=0.5) -> torch.Tensor:
    """Factors as numbers, (B, 5), from whatever broadcasts."""
    columns = (torch.as_tensor(value, dtype=torch.float32) for value in (shape, scale, orientation, x, y))
    return torch.atleast_2d(torch.stack(torch.broadcast_tensors(*columns), -1))


def random_values(shape: int, count: int, seed: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    u = torch.rand(count, 4, generator=draw)
    return torch.cat([torch.full((count, 1), float(shape)), u * torch.tensor([0.5, 2 * pi, 1, 1]) + torch.tensor([0.5, 0, 0, 0])], 1)


def test_factors_are_those_of_dsprites():
    assert SIZES == {"shape": 3, "scale": 6, "orientation": 40, "position_x": 32, "position_y": 32}
    assert np.prod(list(SIZES.values())) == 737_280
    np.testing.assert_allclose(FACTORS["scale"], np.linspace(0.5, 1, 6))
    np.testing.assert_allclose(FACTORS["orientation"], np.linspace(0, 2 * pi, 40, endpoint=False))
    for axis in "xy":
        np.testing.assert_allclose(FACTORS[f"position_{axis}"], np.linspace(0, 1, 32))


# ---------------------------------------------------------------- point by point


def inside(shape: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Whether points of the upright shape's own frame (v down, scale 1, frame widths) belong to it."""
    if shape == 0:
        return np.maximum(abs(u), abs(v)) <= SIDE / 2
    if shape == 1:
        return (u / 0.24) ** 2 + (v / 0.16) ** 2 <= 1
    edge = 0.24 / (HEART_CENTROID * sqrt(2))
    p, q = ((sign * u - v) / (sqrt(2) * edge) + HEART_CENTROID for sign in (1, -1))  # along the edges that meet in the tip
    square = (np.maximum(p, q) <= 1) & (np.minimum(p, q) >= 0)
    return square | ((p - 1) ** 2 + (q - 0.5) ** 2 <= 0.25) | ((p - 0.5) ** 2 + (q - 1) ** 2 <= 0.25)


def drawn_point_by_point(factors: torch.Tensor, size: int, points: int = 24) -> np.ndarray:
    """Each pixel as the share of points x points places in it that lie inside."""
    places = (np.arange(size * points) + 0.5) / (size * points)
    pictures = []
    for shape, scale, angle, x, y in factors.double().tolist():
        right, down = places[None, :] - 0.25 - 0.5 * x, places[:, None] - 0.25 - 0.5 * y
        u, v = np.cos(angle) * right + np.sin(angle) * down, np.cos(angle) * down - np.sin(angle) * right
        pictures.append(inside(int(shape), u / scale, v / scale).reshape(size, points, size, points).mean((1, 3)))
    return np.stack(pictures)[:, None]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [9, 32, 64])
def test_every_pixel_is_the_part_of_it_that_the_shape_covers(shape, size):
    factors = random_values(shape, 600 // size, seed=size)
    error = abs(render(factors, size).numpy() - drawn_point_by_point(factors, size))
    assert error.max() < 1 / 16  # where an almost level edge ends in a strip, half a strip's height is lost
    assert error.mean() < 0.0005


# ---------------------------------------------------------------- closed forms

AREAS = {0: SIDE**2, 1: pi * 0.24 * 0.16, 2: (0.24 / (HEART_CENTROID * sqrt(2))) ** 2 * (1 + pi / 4)}  # frame areas at scale 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_area(shape, size):
    factors = random_values(shape, 200, seed=1)
    area = render(factors, size).double().sum((1, 2, 3)) / size**2
    expected = AREAS[shape] * factors[:, 1].double() ** 2
    assert (area / expected - 1).abs().max() < 0.003
    assert (area / expected - 1).abs().mean() < 0.001


@pytest.mark.parametrize("size", [32, 33, 64])
def test_a_level_square_is_exact(size):
    x, y = torch.linspace(0, 1, 23), torch.linspace(1, 0.1, 23)
    pictures = render(values(0, 0.7, 0.0, x, y), size).double()
    edges = torch.arange(size + 1.0).double()

    def covered(place: torch.Tensor) -> torch.Tensor:  # (23, size): the overlap of pixels and side
        low, high = ((0.25 + 0.5 * place.double() + sign * 0.35 * SIDE)[:, None] * size for sign in (-1, 1))
        return (torch.minimum(edges[1:], high) - torch.maximum(edges[:-1], low)).clamp(min=0)

    expected = covered(y)[:, None, :, None] * covered(x)[:, None, None, :]
    torch.testing.assert_close(pictures, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [32, 64])
def test_the_centroid_is_where_the_position_factors_say(shape, size):
    factors = random_values(shape, 200, seed=2)
    pictures = render(factors, size).double()[:, 0]
    middles = (torch.arange(size) + 0.5).double() / size
    total = pictures.sum((1, 2))
    for axis, position in ((1, factors[:, 3]), (2, factors[:, 4])):
        centroid = (pictures.sum(axis) * middles).sum(1) / total
        assert (centroid - (0.25 + 0.5 * position.double())).abs().max() * size < 0.025  # pixels


@pytest.mark.parametrize("shape", SHAPES)
def test_scale_stretches_the_picture(shape):
    """Half the scale at twice the resolution is the same picture, in a larger frame."""
    small, large = render(values(shape, 0.5, 0.4), 64), render(values(shape, 1.0, 0.4), 32)
    torch.testing.assert_close(small[..., 16:48, 16:48], large, rtol=0, atol=2e-5)
    assert small.sum() == small[..., 16:48, 16:48].sum()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("size", "fine"), [(32, 128), (20, 100)])
def test_a_pixel_averages_the_finer_picture(shape, size, fine):
    factors = random_values(shape, 100, seed=3)
    averaged = torch.nn.functional.avg_pool2d(render(factors, fine), fine // size)
    error = (render(factors, size) - averaged).abs()
    assert error.max() < 1 / 16
    assert error.mean() < 0.0002


# ---------------------------------------------------------------- symmetry


def turned(shape: int, steps: int) -> tuple[float, float]:
    """What a turn by so many of the 40 orientations changes in a pixel at most: from the least to the most changed orientation."""
    pictures = render(torch.tensor([[shape, 5, k, 13, 20] for k in range(40)]))
    change = (pictures - pictures.roll(-steps, 0)).abs().amax((1, 2, 3))
    return change.min().item(), change.max().item()


@pytest.mark.parametrize(("shape", "period"), [(0, 10), (1, 20), (2, 40)])
def test_orientation_has_the_period_of_the_shape(shape, period):
    for steps in range(1, 40):
        smallest, largest = turned(shape, steps)
        assert largest < 0.0001 if steps % period == 0 else smallest > 0.1, steps


def test_a_quarter_turn_is_clockwise_on_the_screen():
    for shape in SHAPES:
        for angle in (0.0, 0.3):
            first, second = render(values(shape, 0.9, torch.tensor([angle, angle + pi / 2])), 128)
            assert (second - first.rot90(-1, (1, 2))).abs().max() < 0.02  # rows and columns are drawn differently


def test_the_upright_heart_has_its_tip_below_and_a_notch_above():
    heart = render(values(2), 64)[0, 0]
    torch.testing.assert_close(heart, heart.flip(1), rtol=0, atol=2e-5)  # left is right
    rows = heart.any(1).nonzero().flatten()
    widths = (heart > 0.5).sum(1)
    assert widths[rows[-1] - 1] <= 4  # the tip
    assert widths.argmax() < 32
    top = heart[rows[0] + 1]
    assert top[31:33].sum() == 0  # between the lobes
    assert top[20:31].sum() > 2
    assert top[33:44].sum() > 2


def test_positions_go_right_and_down():
    left, right = render(values(1, x=torch.tensor([0.0, 1.0])))
    top, bottom = render(values(1, y=torch.tensor([0.0, 1.0])))
    assert left[..., :16].sum() > 100 > right[..., :16].sum()
    assert top[:, :16].sum() > 100 > bottom[:, :16].sum()


# ---------------------------------------------------------------- the frame, and the values


@pytest.mark.parametrize("size", [8, 32, 64])
def test_no_shape_leaves_the_frame(size):
    extreme = [SHAPES, (0, 5), range(40), (0, 31), (0, 31)]
    factors = torch.tensor(list(product(*extreme)))
    area = render(factors, size).double().sum((1, 2, 3)) / size**2
    expected = torch.tensor(list(AREAS.values()))[factors[:, 0]] * torch.tensor(FACTORS["scale"])[factors[:, 1]].double() ** 2
    assert (area / expected - 1).abs().max() < 0.01  # nothing is cut off
    finest = render(factors[factors[:, 1] == 5], 200)
    border = torch.cat([finest[..., 0, :], finest[..., -1, :], finest[..., :, 0], finest[..., :, -1]], -1)
    assert border.max() == 0


def test_pixels_are_black_outside_white_inside_and_grey_between():
    factors, images = sample(500, seed=0)
    assert images.shape == (500, 1, 32, 32)
    assert images.dtype == torch.float32
    assert (images.amin((1, 2, 3)) == 0).all()
    assert (images.amax((1, 2, 3)) == 1).all()
    assert ((images > 0) & (images < 1)).float().mean() < 0.1
    assert (images == 0).float().mean() > 0.85
    assert factors.shape == (500, 5)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 256])
def test_any_size_has_the_same_mean(size):
    factors = torch.tensor([[shape, 4, 3, 10, 25] for shape in SHAPES])
    mean = render(factors, size).double().mean((1, 2, 3))
    expected = torch.tensor([AREAS[shape] for shape in SHAPES]) * FACTORS["scale"][4] ** 2
    assert (mean / expected - 1).abs().max() < 0.02


def test_indices_and_values_are_the_same_picture():
    factors, images = sample(200, seed=4)
    as_values = torch.tensor(
        [[row[0], *(FACTORS[name][index] for name, index in zip(list(FACTORS)[1:], row[1:], strict=True))] for row in factors.tolist()]
    )
    torch.testing.assert_close(render(as_values), images, rtol=0, atol=0)
    torch.testing.assert_close(render(as_values.double()), images, rtol=0, atol=0)
    torch.testing.assert_close(render(factors.int()), images, rtol=0, atol=0)


def test_a_picture_does_not_depend_on_its_company():
    together = sprites.ROWS // 32
    factors, images = sample(2 * together + 3, seed=5)
    for index in (0, together - 1, together, len(factors) - 1):
        assert torch.equal(render(factors[index : index + 1])[0], images[index])
    assert render(factors[:0]).shape == (0, 1, 32, 32)


# ---------------------------------------------------------------- draws


def test_factors_are_uniform_and_independent():
    factors = Sprites(40_000, seed=6).factors
    for column, count in zip(factors.T, SIZES.values(), strict=True):
        observed = torch.bincount(column, minlength=count).double()
        expected = len(column) / count
        chi_squared = ((observed - expected) ** 2 / expected).sum().item()
        assert chi_squared < (count - 1) + 5 * sqrt(2 * (count - 1))
    correlations = torch.corrcoef(factors.T.double()) - torch.eye(5)
    assert correlations.abs().max() < 4 / len(factors) ** 0.5


def test_draws_depend_on_the_seed_only():
    state = torch.get_rng_state()
    first, again, other = (sample(50, 16, seed=seed) for seed in (1, 1, 2))
    for one, two in zip(first, again, strict=True):
        assert torch.equal(one, two)
    assert not torch.equal(first[0], other[0])
    assert torch.equal(torch.get_rng_state(), state)


def test_sprites_index_like_a_tensor():
    lazy = Sprites(100, 16, seed=3)
    factors, images = sample(100, 16, seed=3)
    assert len(lazy) == 100
    assert lazy.shape == images.shape
    assert torch.equal(lazy.factors, factors)
    for indices in (torch.tensor([5, 0, 5, 99]), slice(10, 20), slice(None), 7, -1):
        assert torch.equal(lazy[indices], images[indices])
    with pytest.raises(IndexError):
        lazy[torch.tensor([100])]


def test_the_printed_form_tells_what_they_are():
    assert repr(Images(Sprites(7, 16, seed=0), torch.zeros(7), "sprites")) == "Images(7 of shape (1, 16, 16), sprites)"
    assert repr(Sprites(1_000, seed=3)) == "Sprites(1000, size=32, seed=3)"
    assert eval(repr(Sprites(9, 16, seed=1)))[:].equal(Sprites(9, 16, seed=1)[:])


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize("factors", [torch.zeros(5), torch.zeros(2, 4), torch.zeros(2, 1, 5), torch.zeros(3, 6, dtype=torch.int64)])
def test_factors_of_another_shape_are_refused(factors):
    with pytest.raises(ValueError, match=r"shape \(B, 5\), for shape, scale, orientation, position_x, position_y; got"):
        render(factors)


@pytest.mark.parametrize("column", range(5))
def test_an_index_out_of_range_is_refused(column):
    name, count = list(SIZES.items())[column]
    factors = torch.zeros(3, 5, dtype=torch.int64)
    for wrong in (-1, count):
        factors[1, column] = wrong
        with pytest.raises(ValueError, match=f"index of {name} must lie in 0 to {count - 1}, got {wrong}"):
            render(factors)


@pytest.mark.parametrize(
    ("column", "wrong"),
    [(0, 3.0), (0, 0.5), (1, 0.4), (1, 1.1), (1, float("nan")), (2, float("inf")), (3, -0.1), (3, 5.0), (4, 1.01), (4, float("nan"))],
)
def test_a_value_out_of_range_is_refused(column, wrong):
    factors = values(shape=torch.zeros(3))
    factors[1, column] = wrong
    with pytest.raises(ValueError, match=f"value of {list(FACTORS)[column]} must lie in"):
        render(factors)


@pytest.mark.parametrize("size", [0, -3])
def test_a_size_without_pixels_is_refused(size):
    with pytest.raises(ValueError, match="at least one pixel"):
        render(torch.zeros(1, 5), size)
