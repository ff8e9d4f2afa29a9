"""Corruptions: their statistics against closed forms, their seeds, and what they leave alone."""

import math

import pytest
import torch
from scipy import stats

from vae_tutorial import training
from vae_tutorial.corruptions import Corruption, GaussianNoise, MaskPixels, MaskSquare, SaltAndPepper

KINDS = [GaussianNoise(0.3), SaltAndPepper(0.2), MaskPixels(0.25), MaskSquare(5)]
NOTHING = [GaussianNoise(0.0), SaltAndPepper(0.0), MaskPixels(0.0), MaskSquare(0)]


def grey(count: int = 200, channels: int = 1, height: int = 20, width: int = 30) -> torch.Tensor:
    return 0.1 + 0.8 * torch.rand(count, channels, height, width)  # neither black nor white


def within(share: float, probability: float, count: int) -> bool:
    """Whether a share of that many draws lies within 4 standard errors."""
    return abs(share - probability) <= 4 * math.sqrt(probability * (1 - probability) / count)


def test_gaussian_noise_is_normal_and_not_clipped():
    x = grey()
    noise = (GaussianNoise(0.5)(x, seed=1) - x).flatten().double()
    assert stats.kstest(noise.numpy(), "norm", (0, 0.5)).pvalue > 1e-3
    neighbours = noise.view(200, 20, 30)
    assert abs((neighbours[..., :-1] * neighbours[..., 1:]).mean()) < 4 * 0.25 / len(noise) ** 0.5  # independent
    damaged = GaussianNoise(0.5)(x, seed=1)
    assert damaged.min() < 0
    assert damaged.max() > 1


def test_salt_and_pepper_share_the_damage():
    x = grey()
    damaged = SaltAndPepper(0.3)(x, seed=2)
    assert within((damaged == 0).double().mean().item(), 0.15, x.numel())
    assert within((damaged == 1).double().mean().item(), 0.15, x.numel())
    rest = (damaged != 0) & (damaged != 1)
    assert torch.equal(damaged[rest], x[rest])


def test_masked_pixels_are_black_and_as_many_as_said():
    x = grey()
    damaged = MaskPixels(0.25)(x, seed=3)
    masked = damaged == 0
    assert within(masked.double().mean().item(), 0.25, x.numel())
    assert torch.equal(damaged[~masked], x[~masked])
    assert len(masked.unique(dim=0)) == len(x)  # another mask for each image


@pytest.mark.parametrize("corruption", [SaltAndPepper(0.3), MaskPixels(0.3), MaskSquare(4)], ids=str)
def test_all_channels_of_a_place_are_damaged_together(corruption):
    x = grey(channels=3)
    changed = corruption(x, seed=4) != x
    assert torch.equal(changed.any(1), changed.all(1))
    assert 0 < changed.double().mean() < 1


def test_a_masked_square_is_square_inside_and_anywhere():
    x = grey(count=20_000, height=6, width=8)
    damaged = MaskSquare(3)(x, seed=5)
    masked = damaged[:, 0] == 0
    assert torch.equal(damaged[:, 0][~masked], x[:, 0][~masked])
    rows, columns = masked.any(2), masked.any(1)
    assert rows.sum(1).unique().tolist() == columns.sum(1).unique().tolist() == [3]
    assert masked.sum((1, 2)).unique().tolist() == [9]
    top, left = rows.int().argmax(1), columns.int().argmax(1)
    assert (rows.int().flip(1).argmax(1) == 6 - 3 - top).all()  # three rows in a run
    assert (columns.int().flip(1).argmax(1) == 8 - 3 - left).all()
    counts = torch.bincount(top * 6 + left, minlength=24)  # 4 x 6 places
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3


@pytest.mark.parametrize("corruption", KINDS, ids=str)
def test_a_seed_fixes_the_draw_and_leaves_the_global_state(corruption):
    x = grey()
    kept, state = x.clone(), torch.get_rng_state()
    first, again, other = (corruption(x, seed=seed) for seed in (0, 0, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(x, kept)


@pytest.mark.parametrize("corruption", KINDS, ids=str)
def test_without_a_seed_every_call_draws_from_the_global_state(corruption):
    x = grey()
    torch.manual_seed(5)
    first, second = corruption(x), corruption(x)
    torch.manual_seed(5)
    assert torch.equal(corruption(x), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("corruption", KINDS, ids=str)
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_shape_and_type_stay(corruption, dtype):
    x = grey(count=3, channels=2).to(dtype)
    assert corruption(x, seed=0).shape == x.shape
    assert corruption(x, seed=0).dtype == dtype


@pytest.mark.parametrize("corruption", NOTHING, ids=str)
def test_level_zero_changes_nothing(corruption):
    x = torch.cat([grey(3), torch.zeros(1, 1, 20, 30), torch.ones(1, 1, 20, 30)])
    assert torch.equal(corruption(x, seed=0), x)


@pytest.mark.parametrize("corruption", [MaskPixels(1.0), MaskSquare(20)], ids=str)
def test_the_highest_level_masks_everything(corruption):
    assert not corruption(grey(width=20), seed=0).any()


def test_salt_and_pepper_at_one_leaves_no_grey():
    assert SaltAndPepper(1.0)(grey(), seed=0).unique().tolist() == [0.0, 1.0]


def test_the_printed_form_tells_the_level():
    assert [str(kind) for kind in KINDS] == [
        "GaussianNoise(sigma=0.3)", "SaltAndPepper(probability=0.2)", "MaskPixels(probability=0.25)", "MaskSquare(side=5)",
    ]  # fmt: skip


class Remember(torch.nn.Module):
    """Keeps what it was given, and learns nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[torch.Tensor] = []

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        self.seen.append(x)
        return {"loss": (self.weight * x).flatten(1).sum(1)}


def seen_by_fit(transform: Corruption, seed: int) -> torch.Tensor:
    model = Remember()
    x = torch.full((8, 1, 6, 6), 0.5)
    training.fit(model, x, lambda model, x: model(x), epochs=2, batch_size=4, transform=transform, seed=seed, progress=False)
    return torch.stack(model.seen)  # (4 steps, 4, 1, 6, 6)


def test_fit_draws_anew_for_each_batch_and_the_same_for_the_same_seed():
    first = seen_by_fit(MaskPixels(0.5), seed=1)
    assert len(first.flatten(2).unique(dim=0)) == 4
    assert torch.equal(first, seen_by_fit(MaskPixels(0.5), seed=1))
    assert not torch.equal(first, seen_by_fit(MaskPixels(0.5), seed=2))


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("kind", "level", "message"),
    [
        (GaussianNoise, -0.1, "sigma must be finite and not negative, got -0.1"),
        (GaussianNoise, math.nan, "sigma"),
        (GaussianNoise, math.inf, "sigma"),
        (SaltAndPepper, 1.1, r"\[0, 1\], got 1.1"),
        (MaskPixels, -0.1, r"\[0, 1\], got -0.1"),
        (MaskPixels, math.nan, r"\[0, 1\]"),
        (MaskSquare, -1, "not be negative, got -1"),
    ],
)
def test_wrong_levels_are_refused(kind, level, message):
    with pytest.raises(ValueError, match=message):
        kind(level)


@pytest.mark.parametrize("corruption", KINDS, ids=str)
@pytest.mark.parametrize("x", [torch.zeros(3, 28, 28), torch.zeros(3, 1, 28, 28, dtype=torch.uint8)], ids=["no channels", "8 bit"])
def test_what_is_no_batch_of_images_is_refused(corruption, x):
    with pytest.raises(ValueError, match=r"floating point, of shape \(B, C, H, W\)"):
        corruption(x, seed=0)


def test_a_square_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="side 21 does not fit into images of 20 x 30"):
        MaskSquare(21)(grey(2), seed=0)
