"""The autoregressive decoder: the mask hides the future, the probabilities sum to one, and it fits where a VAE does."""

import math
from itertools import product

import pytest
import torch
from torch.distributions import Independent

from vae_tutorial import objectives
from vae_tutorial.autoregressive import AutoregressiveVAE, MaskedConv2d, past
from vae_tutorial.training import fit

REACHES = (0, 1, 2, 6)


def tiny(reach: int, side: int = 3, seed: int = 0) -> AutoregressiveVAE:
    torch.manual_seed(seed)
    model = AutoregressiveVAE(2, reach, hidden=(8,), maps=2, channels=5, activation="silu", image_shape=(1, side, side))
    for layer in (model.see, model.hear):  # so that pixels and code both matter a lot
        torch.nn.init.normal_(layer.weight)
    return model.double()


@pytest.mark.parametrize("reach", REACHES)
def test_a_window_sees_half_of_its_pixels(reach):
    assert past(reach).shape == (reach + 1, 2 * reach + 1)
    assert past(reach).sum() == 2 * reach * (reach + 1)


@pytest.mark.parametrize("reach", REACHES)
def test_a_logit_depends_on_the_past_within_reach_and_on_nothing_else(reach):
    """The derivative of every logit by every pixel: zero for the pixel itself, for later ones, and beyond the reach."""
    side = 5
    model, z = tiny(reach, side), torch.randn(1, 2, dtype=torch.float64)
    x = torch.rand(1, 1, side, side, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(model.likelihood(z).logits, x).view(side**2, side**2)
    for i, j in product(range(side**2), repeat=2):
        (row, column), (other_row, other_column) = divmod(i, side), divmod(j, side)
        sees = j < i and row - other_row <= reach and abs(column - other_column) <= reach
        assert bool(jacobian[i, j] != 0) == sees, (i, j)


@pytest.mark.parametrize("reach", REACHES)
def test_the_probabilities_of_all_images_sum_to_one(reach):
    model = tiny(reach)
    every = torch.tensor(list(product((0.0, 1.0), repeat=9)), dtype=torch.float64).view(-1, 1, 3, 3)
    for z in torch.randn(3, 1, 2, dtype=torch.float64):
        total = model.likelihood(z).log_prob(every).exp().sum().detach()
        assert float(total) == pytest.approx(1, abs=1e-9)


def test_samples_come_as_often_as_their_probability_says():
    model, z = tiny(2, side=2), torch.zeros(40_000, 2, dtype=torch.float64)
    drawn = model.likelihood(z).sample().view(-1, 4)
    counts = torch.bincount((drawn @ torch.tensor([8.0, 4.0, 2.0, 1.0], dtype=torch.float64)).long(), minlength=16) / len(z)
    every = torch.tensor(list(product((0.0, 1.0), repeat=4)), dtype=torch.float64).view(-1, 1, 2, 2)
    probabilities = model.likelihood(z[:1]).log_prob(every).exp().detach()
    assert (counts - probabilities).abs().max() < 0.012
    assert probabilities.max() > 5 * probabilities.min()  # not all alike


def test_without_reach_it_is_the_bernoulli_of_a_plain_vae():
    model, z = tiny(0), torch.randn(4, 2, dtype=torch.float64)
    x = torch.rand(4, 1, 3, 3).round().double()
    p = torch.distributions.Bernoulli(logits=model.likelihood(z).logits(torch.zeros_like(x)))
    torch.testing.assert_close(model.likelihood(z).log_prob(x), Independent(p, 3).log_prob(x))


def test_codes_with_leading_dimensions_give_the_same_numbers():
    model, z = tiny(1), torch.randn(3, 4, 2, dtype=torch.float64)
    x = torch.rand(4, 1, 3, 3).round().double()
    together = model.likelihood(z).log_prob(x)
    assert together.shape == (3, 4)
    torch.testing.assert_close(together[1, 2], model.likelihood(z[1, 2:3]).log_prob(x[2:3])[0])
    assert model.likelihood(z).sample().shape == (3, 4, 1, 3, 3)


def test_it_trains_as_a_vae_does_and_beats_coins():
    torch.manual_seed(1)
    x = (torch.rand(256, 1, 1, 1) + torch.zeros(1, 1, 6, 6)).round()  # all ink or none: one bit
    torch.manual_seed(2)
    model = AutoregressiveVAE(2, 2, hidden=(8,), maps=2, channels=8, image_shape=(1, 6, 6))
    history = fit(model, x, objectives.negative_elbo, epochs=40, batch_size=64, learning_rate=2e-2, seed=0, progress=False)
    assert math.log(2) * 0.9 < history.train["loss"][-1] < 2.5  # coins cost 25 nats
    assert objectives.free_bits(model, x, floor=0.5)["loss"].shape == (256,)


def test_masked_weights_get_no_gradient():
    layer = MaskedConv2d(1, 3, 2)
    layer(torch.rand(2, 1, 6, 6)).square().sum().backward()
    assert (layer.weight.grad[:, :, -1, 2:] == 0).all()
    assert (layer.weight.grad[:, :, 0] != 0).all()


@pytest.mark.parametrize(("reach", "shape"), [(-1, (1, 4, 4)), (1, (3, 4, 4))])
def test_what_it_cannot_draw_is_refused(reach, shape):
    with pytest.raises(ValueError, match="one channel"):
        AutoregressiveVAE(2, reach, image_shape=shape)
