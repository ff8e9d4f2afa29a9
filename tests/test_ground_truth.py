"""Factors that can be set at will: what is drawn, what is encoded, and a model on sprites."""

import numpy as np
import pytest
import torch
from sklearn.utils import check_random_state

from vae_tutorial import sprites
from vae_tutorial.disentanglement import beta_vae_score, factor_vae_score
from vae_tutorial.ground_truth import ENCODED_TOGETHER, GroundTruth, model_on_sprites
from vae_tutorial.models import VAE


def test_factors_are_uniform_independent_and_seeded():
    truth = GroundTruth((3, 4), lambda factors: factors * 1.0)
    codes, factors = truth.draw(12_000, seed=0)
    counts = np.bincount(factors[:, 0] * 4 + factors[:, 1], minlength=12)
    assert counts == pytest.approx(1_000, abs=150)  # five standard deviations
    assert (codes == factors).all()
    assert (truth.draw(100, seed=1)[1] == truth.draw(100, seed=1)[1]).all()
    assert (truth.draw(100, seed=1)[1] != truth.draw(100, seed=2)[1]).any()


def test_codes_keep_the_leading_shape_and_come_in_portions():
    rows = []
    truth = GroundTruth((3, 4), lambda factors: rows.append(len(factors)) or factors[:, [1, 0, 1]] * 0.5)
    factors = truth.draw(2 * ENCODED_TOGETHER + 10, seed=0)[1].reshape(2, -1, 2)
    rows.clear()
    assert (truth.codes(factors) == factors[..., [1, 0, 1]] / 2).all()
    assert rows == [ENCODED_TOGETHER, ENCODED_TOGETHER, 10]


def test_one_factor_is_held_and_the_others_vary():
    truth = GroundTruth((30, 40), lambda factors: factors)
    rng = check_random_state(0)
    held, pairs = truth.draw_held(20, 8, rng, pairs=True)
    agree = pairs[:, 0] == pairs[:, 1]  # (20, 8, 2)
    assert agree[np.arange(20), :, held].all()
    assert agree[np.arange(20), :, 1 - held].mean() < 0.2
    assert all(len(np.unique(group)) > 1 for group in pairs[np.arange(20), 0, :, held])  # a value for each pair
    held_too, groups = truth.draw_held(20, 8, rng, pairs=False)
    assert set(held) == set(held_too) == {0, 1}
    assert (groups[np.arange(20), 0, :, held_too] == groups[np.arange(20), 0, :1, held_too]).all()
    assert all(len(np.unique(group)) > 1 for group in groups[np.arange(20), 0, :, 1 - held_too])


@pytest.mark.parametrize("sizes", [(3,), (3, 1), ()])
def test_factors_that_cannot_be_told_apart_are_refused(sizes):
    with pytest.raises(ValueError, match="two or more"):
        GroundTruth(sizes, lambda factors: factors)


@pytest.mark.parametrize(
    "represent",
    [lambda factors: factors[:, 0], lambda factors: factors[1:] * 1.0, lambda factors: factors * np.nan],
    ids=["flat", "short", "nan"],
)
def test_a_representation_that_fails_is_named(represent):
    truth = GroundTruth((3, 4), represent)
    for use in (lambda: truth.draw(5, 0), lambda: beta_vae_score(truth, train=5, test=5), lambda: factor_vae_score(truth, train=5, test=5)):
        with pytest.raises(ValueError, match="represent must give finite codes"):
            use()


def test_a_models_codes_are_its_posterior_means_of_the_rendered_sprites():
    model = VAE(3, hidden=(8,), image_shape=(1, 16, 16))
    state = torch.get_rng_state()
    truth = model_on_sprites(model)
    codes, factors = truth.draw(200, seed=0)
    assert truth.sizes == (3, 6, 40, 32, 32)
    direct = model.posterior(sprites.render(torch.from_numpy(factors), 16)).mean
    torch.testing.assert_close(torch.from_numpy(codes), direct.detach(), rtol=1e-5, atol=1e-6)
    assert torch.equal(torch.get_rng_state(), state)


def test_no_sprite_is_rendered_twice(monkeypatch):
    rendered = []
    render = sprites.render
    monkeypatch.setattr(sprites, "render", lambda factors, size: rendered.extend(map(tuple, factors.tolist())) or render(factors, size))
    truth = model_on_sprites(VAE(2, hidden=(4,), image_shape=(1, 8, 8)))
    codes, factors = truth.draw(300, seed=0)
    again = truth.codes(factors[::-1])
    assert (again == codes[::-1]).all()
    assert sorted(rendered) == sorted(set(map(tuple, factors.tolist())))


def test_a_model_of_other_images_is_refused():
    with pytest.raises(ValueError, match="square"):
        model_on_sprites(VAE(2, hidden=(4,), image_shape=(1, 8, 9)))
    with pytest.raises(ValueError, match="one channel"):
        model_on_sprites(VAE(2, hidden=(4,), image_shape=(3, 8, 8)))
