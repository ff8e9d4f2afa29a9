"""The continuous β explorer: what Python hands over, and what its JavaScript makes of it (run in Node)."""

import base64
import gzip
import json
from copy import deepcopy
from pathlib import Path

import node
import pytest
import torch
import traitlets

from vae_tutorial import checkpoints, evaluation, explorers, networks
from vae_tutorial.data import Images
from vae_tutorial.explorers import weights
from vae_tutorial.explorers.continuous_beta import EXPONENTS, ContinuousBeta, prior_sheet, without_blank_pixels
from vae_tutorial.models import VAE

BATCH = Path(__file__).parent / "js" / "batch.mjs"
CURVE = [{"beta": beta, "rate": 3 - beta, "distortion": 90 + beta, "rate_per_unit": [2.0, 1.0 - beta]} for beta in (0.1, 1.0)]
PAGE_BUDGET = 550_000  # bytes of the 1.2 MB that a page may transfer: its text, the runtime and another explorer need the rest


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(1)
    model = VAE(latent_dim=2, hidden=(16, 8), activation="silu", conditioned_on="beta")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("gate"):
                parameter.normal_(std=0.5)
    return model


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(40, 1, 28, 28, generator=generator) * (torch.rand(40, 1, 28, 28, generator=generator) < 0.2)
    x[:, :, :4] = 0
    return Images(x, torch.arange(40) % 10, "noise")


def rounded(network):
    """A copy with the weights that the browser reads from int8 bytes."""
    network = deepcopy(network)
    linear = [module for module in network if isinstance(module, torch.nn.Linear)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(linear, weights.unpacked(network, "int8"), strict=True):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
            layer.gate.copy_(layer.gate.half().float())
    return network


def in_browser(network, inputs, betas, most):
    job = {
        "layers": networks.layer_specification(network),
        "weights": base64.b64encode(weights.pack(network, "int8")).decode(),
        "precision": "int8",
        "betas": betas,
        "inputs": inputs.tolist(),
        "most": most,
    }
    return torch.tensor(node.ask(BATCH, job))


@pytest.mark.parametrize("most", [3, 32])
def test_batches_at_any_beta_equal_pytorch(small, images, most):
    betas = [0.03, 1.0, 31.0, 0.5, 100.0]  # there and back: the first layer is computed once
    x = images.x[:10].flatten(1)
    for network, inputs in ((small.encoder, x), (small.decoder, torch.randn(10, 2))):
        found = in_browser(network, inputs, betas, most)
        with torch.no_grad():
            expected = torch.stack([rounded(network)(inputs, torch.tensor([beta]).log()) for beta in betas])
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_factory(small, images):
    box = explorers.continuous_beta(small, images, CURVE, CURVE, points=20, beta=3.9)
    slider, canvas = box.children
    assert isinstance(canvas, ContinuousBeta)
    assert "0x" not in repr(box)
    assert slider.value == canvas.beta == pytest.approx(2 ** (31 / 16))  # the step nearest to 3.9
    assert (slider.min, slider.max, slider.step) == (EXPONENTS["low"], EXPONENTS["high"], EXPONENTS["step"])
    for beta in (0.03, 4.0, 100.0):
        box = explorers.continuous_beta(small, images, CURVE, CURVE, points=20, beta=beta)
        assert box.children[0].value == box.children[1].beta == pytest.approx(max(beta, 1 / 32))
    assert (len(canvas.digits), list(canvas.labels), len(canvas.z)) == (20 * 784, 2 * list(range(10)), 64 * 2 * 4)
    assert canvas.encoder_layers[0]["gate"]["knots"] == networks.KNOTS
    assert canvas.curve == CURVE
    assert explorers.continuous_beta(small, images, CURVE, CURVE, points=20).children[0].value == 1


def test_blank_pixels_carry_no_weight_and_change_no_code(small, images):
    trimmed = without_blank_pixels(small.encoder, images.x)
    blank = trimmed[0].weight.unflatten(1, (28, 28))
    assert not blank[:, :4].any()
    assert blank[:, 4:].any(dim=0).float().mean() > 0.9
    assert small.encoder[0].weight.unflatten(1, (28, 28))[:, :4].any()
    with torch.no_grad():
        x, log_beta = images.x.flatten(1), torch.zeros(1)
        torch.testing.assert_close(trimmed(x, log_beta), small.encoder(x, log_beta))


def test_sheet_is_a_prior_sample_in_order():
    z = prior_sheet(0)
    drawn = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    assert {tuple(row) for row in z.tolist()} == {tuple(row) for row in drawn.tolist()}
    sheet = z.view(8, 8, 2)
    assert (sheet[:, 1:, 0].amin(0) >= sheet[:, :-1, 0].amax(0)).all(), "columns go up in z₁"
    assert (sheet[1:, :, 1] <= sheet[:-1, :, 1]).all(), "every column goes down in z₂ from top to bottom"
    assert not torch.equal(z, prior_sheet(1))


def test_factory_refuses_what_it_cannot_show(small, images):
    with pytest.raises(ValueError, match="not conditioned on β"):
        explorers.continuous_beta(VAE(2, (8,)), images, CURVE, CURVE, points=20)
    with pytest.raises(ValueError, match="latent dimension of 3"):
        explorers.continuous_beta(VAE(3, (8,), conditioned_on="beta"), images, CURVE, CURVE, points=20)
    with pytest.raises(ValueError, match="points must lie in 1 … 40"):
        explorers.continuous_beta(small, images, CURVE, CURVE)
    with pytest.raises(ValueError, match="run upwards"):
        explorers.continuous_beta(small, images, CURVE[::-1], CURVE, points=20)
    with pytest.raises(ValueError, match="take a card's curve"):
        explorers.continuous_beta(small, images, CURVE, [{"beta": 1}, {"beta": 2}], points=20)
    with pytest.raises(ValueError, match="not this network's"):
        explorers.continuous_beta(small, images, [point | {"rate_per_unit": [1.0]} for point in CURVE], CURVE, points=20)
    for beta in (200.0, 0.001, -1.0, float("nan")):
        with pytest.raises(traitlets.TraitError):
            explorers.continuous_beta(small, images, CURVE, CURVE, points=20, beta=beta)


# ---------------------------------------------------------------- the shipped network


@pytest.fixture(scope="module")
def shipped():
    return checkpoints.load_model("mnist-beta")


def test_int8_hardly_moves_rate_and_distortion(shipped, test_digits):
    coarse = deepcopy(shipped)
    coarse.encoder, coarse.decoder = rounded(shipped.encoder), rounded(shipped.decoder)
    x = test_digits.x[:400]
    for beta in (0.03, 1.0, 4.0, 16.0, 31.0, 100.0):
        rates, distortions = [], []
        for model in (shipped.given(beta=beta), coarse.given(beta=beta)):
            with torch.no_grad():
                q = model.posterior(x)
                rates.append(torch.distributions.kl_divergence(q, model.prior).mean().item())
                distortions.append(-model.likelihood(q.mean).log_prob(x).mean().item())
        assert abs(rates[1] - rates[0]) < 0.02  # nats; at most 0.0075 on all 1,000 digits
        assert abs(distortions[1] - distortions[0]) < 0.5  # at most 0.24 there, of 133


@pytest.mark.parametrize("name", ["mnist-beta", "mnist-beta-10d"])
def test_units_counted_by_nats_are_those_counted_by_activity(name, test_digits):
    """The page's definition wants the variance of the means; the recorded curves tell the nats."""
    model, agreed = checkpoints.load_model(name), 0
    points = checkpoints.model_card(name)["curve"][::4]
    for point in points:
        by_activity = int(evaluation.active_units(model.given(beta=point["beta"]), test_digits.x).sum())
        by_nats = sum(nats > 0.005 for nats in point["rate_per_unit"])
        assert abs(by_activity - by_nats) <= 1, f"β = {point['beta']}"
        agreed += by_activity == by_nats
    assert agreed >= len(points) - 1


def test_collapse_is_there_to_be_seen(shipped, test_digits):
    """What the explorer promises: the map becomes a line, then a point; samples become the average digit."""
    z, average = prior_sheet(0), test_digits.x[:400].mean(0).flatten()
    spread, farthest = {}, {}
    for beta in (1.0, 29.0, 100.0):
        model = shipped.given(beta=beta)
        with torch.no_grad():
            spread[beta] = model.posterior(test_digits.x[:400]).mean.std(0)
            farthest[beta] = (model.decode(z).sigmoid().flatten(1) - average).abs().amax()
    assert spread[1.0].min() > 1
    assert spread[29.0].max() > 2 * spread[29.0].min()
    assert spread[100.0].max() < 0.01
    assert farthest[1.0] > 0.8
    assert farthest[100.0] < 0.15


@pytest.mark.parametrize("name", ["mnist-beta", "mnist-beta-10d"])
def test_no_recorded_point_lies_below_the_line_of_slope_minus_beta(name):
    """What the dashed line says: at every β the recorded D + βR is least where that β was recorded."""
    points = checkpoints.model_card(name)["curve"]
    for point in points:
        objective = [other["distortion"] + point["beta"] * other["rate"] for other in points]
        own = point["distortion"] + point["beta"] * point["rate"]
        assert own - min(objective) < 0.5, f"β = {point['beta']}"  # nats


def test_explorer_leaves_room_on_its_page(shipped, test_digits):
    curves = [checkpoints.model_card(name)["curve"] for name in ("mnist-beta", "mnist-beta-10d")]
    canvas = explorers.continuous_beta(shipped, test_digits, *curves).children[-1]
    sent = [canvas.encoder_weights, canvas.decoder_weights, canvas.digits, canvas.labels, canvas.z]
    text = b"".join(base64.b64encode(each) for each in sent) + json.dumps(curves).encode()
    assert len(gzip.compress(text)) < PAGE_BUDGET
