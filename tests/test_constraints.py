"""Dual ascent on a model whose rate, distortion and price are known."""

import math

import numpy as np
import pytest
import torch

from vae_tutorial import constraints, objectives
from vae_tutorial.models import VAE

BETA = 2.0
VARIANCE = BETA / (9 + BETA)  # of q that is best at this β: see `one_variance`
RATE = (VARIANCE - 1 - math.log(VARIANCE)) / 2
DISTORTION = 9 * VARIANCE / 2 + math.log(2 * math.pi) / 2


def one_variance() -> VAE:
    """x = 3z at x = 0, only σ² free: distortion ½·9σ² + ½ log 2π, rate ½(σ² − 1 − log σ²), so the best σ² is β/(9 + β)."""
    model = VAE(1, (), "none", "gaussian", 1.0, (1, 1, 1)).double()
    with torch.no_grad():
        model.decoder[0].weight.fill_(3.0), model.decoder[0].bias.zero_()
        model.encoder[0].weight.zero_(), model.encoder[0].bias.zero_()
    for parameter in (*model.decoder.parameters(), model.encoder[0].weight):
        parameter.requires_grad_(False)
    return model


def descend(hold: torch.nn.Module, steps: int) -> tuple[VAE, list[dict[str, float]]]:
    """Gradient descent in σ² under the objective; the mean terms of each step."""
    model, x, trace = one_variance(), torch.zeros(256, 1, 1, 1, dtype=torch.float64), []
    optimizer = torch.optim.SGD([model.encoder[0].bias], lr=0.05)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for _ in range(steps):
            terms = hold(model, x)
            optimizer.zero_grad()
            (terms["loss"].mean() / terms["loss"].mean().detach().abs().clamp_min(1)).backward()
            optimizer.step()
            trace.append({name: value.mean().item() for name, value in terms.items()})
    return model, trace


@pytest.mark.parametrize(
    ("hold", "held", "target"),
    [
        (constraints.HoldRate(RATE, step=0.02), "rate", RATE),
        (constraints.HoldDistortion(DISTORTION, step=0.02), "distortion", DISTORTION),
    ],
)
def test_either_road_finds_the_known_price_and_meets_its_target(hold, held, target):
    _, trace = descend(hold, 1_500)
    settled = {name: np.mean([terms[name] for terms in trace[-500:]]) for name in trace[0]}
    assert settled["beta"] == pytest.approx(BETA, rel=0.04)
    assert settled[held] == pytest.approx(target, rel=0.03)


def test_the_multiplier_moves_against_the_distance_from_the_target():
    model, x = VAE(2, (8,)), torch.rand(6, 1, 28, 28)
    with torch.no_grad():
        rate, distortion = (term.mean().item() for term in objectives.rate_distortion(model, x))
    for hold, change in (
        (constraints.HoldRate(2 * rate, step=0.1), -0.05),  # half of the target: β falls
        (constraints.HoldRate(rate / 2, step=0.1), 0.1),
        (constraints.HoldDistortion(distortion / 1.05, step=0.1), 0.005),
        (constraints.HoldDistortion(distortion / 2, step=0.1), 0.01),  # an excess counts as a tenth at most
    ):
        first = hold(model, x)
        assert (first["beta"] == 1).all()
        torch.testing.assert_close(first["loss"], first["distortion"] + first["rate"])
        assert hold.log_multiplier.item() == pytest.approx(change, rel=0.1)  # up to the noise of one sample
        with torch.no_grad():
            before = hold.log_multiplier.clone()
            hold(model, x)
        assert torch.equal(hold.log_multiplier, before)


def test_the_two_losses_are_one_up_to_a_factor():
    """rate + ν·distortion = ν (distortion + β·rate) with β = 1/ν, whatever ν is."""
    model, x = VAE(2, (8,)), torch.rand(6, 1, 28, 28)
    rate_road, distortion_road = constraints.HoldRate(3.0), constraints.HoldDistortion(100.0)
    rate_road.log_multiplier += math.log(4.0)
    distortion_road.log_multiplier -= math.log(4.0)
    with torch.random.fork_rng(devices=[]):
        losses = []
        for hold in (rate_road, distortion_road):
            torch.manual_seed(0)
            losses.append(hold(model, x))
    torch.testing.assert_close(losses[0]["loss"], 4 * losses[1]["loss"])
    torch.testing.assert_close(losses[0]["beta"], losses[1]["beta"])


def test_a_target_that_is_not_met_lets_the_price_go_to_nothing():
    """Complementary slackness: with a rate that stays below the target, β falls by the same factor at every step."""
    model, x = VAE(2, (8,)), torch.rand(6, 1, 28, 28)
    hold = constraints.HoldRate(target=1_000.0, step=0.5)
    betas = [hold(model, x)["beta"][0].item() for _ in range(20)]
    np.testing.assert_allclose(np.divide(betas[1:], betas[:-1]), math.exp(-0.5), rtol=1e-2)


@pytest.mark.parametrize("kind", [constraints.HoldRate, constraints.HoldDistortion])
@pytest.mark.parametrize("options", [{"target": 0.0}, {"target": 1.0, "step": -1.0}])
def test_dual_ascent_wants_positive_numbers(kind, options):
    with pytest.raises(ValueError, match="must be positive"):
        kind(**options)
