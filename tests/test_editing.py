"""What is read from a picture against the factors it was rendered from; edits by models that are right by construction."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from vae_tutorial import editing, sprites
from vae_tutorial.editing import ORIENTATION, SCALE, SHAPE, X, Y

DRAWN = sprites.Sprites(40, seed=3)


def values_of(factors: Tensor) -> Tensor:
    """Indices (B, 5) → values."""
    tables = [torch.arange(3.0), *(torch.tensor(values) for values in list(sprites.FACTORS.values())[1:])]
    return torch.stack([table[column] for table, column in zip(tables, factors.T, strict=True)], 1)


def test_the_factors_of_a_rendered_picture_are_read_back():
    read, true = editing.read(DRAWN[:]), values_of(DRAWN.factors)
    assert torch.equal(read[:, SHAPE], true[:, SHAPE])
    torch.testing.assert_close(read[:, [SCALE, X, Y]], true[:, [SCALE, X, Y]], atol=3e-3, rtol=0)
    period = torch.tensor(editing.PERIODS)[true[:, SHAPE].long()]
    apart = (read[:, ORIENTATION] - true[:, ORIENTATION]).remainder(period)
    assert torch.minimum(apart, period - apart).max() < 0.2  # a step of the search is π/10


def test_moved_is_a_share_of_the_range_and_a_flag_for_the_shape():
    before = torch.tensor([[0, 0.5, 0.0, 0.0, 0.5], [2, 0.7, 1.0, 0.2, 0.2]])
    after = torch.tensor([[1, 1.0, 3.0, 0.25, 0.5], [2, 0.7, 0.0, 0.2, 0.7]])
    torch.testing.assert_close(editing.moved(before, after), torch.tensor([[1.0, 1.0, 0.25, 0.0], [0.0, 0.0, 0.0, 0.5]]))


@dataclass
class Mean:
    """A distribution of which only the mean is asked for."""

    mean: Tensor


class FactorsAsCode:
    """An encoder that reads scale, x and y exactly and a decoder that draws an ellipse: a perfect code, mixed by a matrix."""

    latent_dim, image_shape = 3, (1, 32, 32)

    def __init__(self, mixing: Tensor) -> None:
        self.mixing = mixing

    def posterior(self, x: Tensor) -> Mean:
        return Mean(editing.read(x)[:, [SCALE, X, Y]] @ self.mixing.T)

    def likelihood(self, z: Tensor) -> Mean:
        scale, x, y = (z @ torch.linalg.inv(self.mixing).T).T
        ellipse = torch.ones_like(x)
        factors = torch.stack([ellipse, scale.clamp(0.5, 1), 0.4 * ellipse, x.clamp(0, 1), y.clamp(0, 1)], 1)
        return Mean(sprites.render(factors, 32))


@pytest.mark.parametrize(("factor", "unit"), [(SCALE, 0), (X, 1), (Y, 2)])
def test_a_code_of_one_unit_for_each_factor_is_edited_without_leaks(factor, unit):
    done = editing.edit(FactorsAsCode(torch.eye(3)), DRAWN.factors, factor, [unit])
    assert done.done == pytest.approx(1, abs=0.02)
    assert done.leaked.nan_to_num().max() < 0.01
    assert done.leaked.isnan().tolist() == [place == factor for place in editing.MEASURED]
    assert done.edited.shape == done.originals.shape == (40, 1, 32, 32)
    nothing = editing.edit(FactorsAsCode(torch.eye(3)), DRAWN.factors, factor, [])
    assert nothing.done == 0
    assert torch.equal(nothing.edited, nothing.originals)


def test_a_turned_code_does_half_and_leaks_half():
    """With units (x + y)/√2 and (y − x)/√2, changing one of them by what x asks for moves x and y by half of it each."""
    half = 0.5**0.5
    turned = torch.tensor([[1.0, 0.0, 0.0], [0.0, half, half], [0.0, -half, half]])
    middle = DRAWN.factors.clone()
    middle[:, [X, Y]] = torch.tensor([4, 12])  # so that no clamp is met on the way to x = 20
    one, both = (editing.edit(FactorsAsCode(turned), middle, X, units) for units in ([1], [1, 2]))
    assert one.done == pytest.approx(0.5, abs=0.02)
    assert one.leaked[3].item() == pytest.approx(0.5 * 16 / 31, abs=0.01)
    assert both.done == pytest.approx(1, abs=0.02)
    assert both.leaked[3] < 0.01


class Mirrored(FactorsAsCode):
    """Its decoder swaps left and right."""

    def likelihood(self, z: Tensor) -> Mean:
        return Mean(super().likelihood(z).mean.flip(-1))


def test_an_edit_the_wrong_way_counts_as_negative():
    assert editing.edit(Mirrored(torch.eye(3)), DRAWN.factors, X, [1]).done == pytest.approx(-1, abs=0.02)


def test_a_donor_differs_in_one_factor_by_half_of_its_values():
    for factor, step in editing.JUMPS.items():
        changed = editing.donors(DRAWN.factors, factor) != DRAWN.factors
        assert changed[:, factor].all()
        assert changed.sum() == 40
        sizes = [len(values) for values in sprites.FACTORS.values()]
        assert 2 * step == sizes[factor]


def test_what_cannot_be_edited_is_refused():
    with pytest.raises(ValueError, match="can be edited, not factor 0"):
        editing.donors(DRAWN.factors, SHAPE)
    with pytest.raises(ValueError, match="from 0 to 2, got \\[3\\]"):
        editing.edit(FactorsAsCode(torch.eye(3)), DRAWN.factors, X, [3])
