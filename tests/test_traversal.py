"""The traversal: convolutional decoders in the browser against PyTorch, what the cards say in order, and what is refused."""

import base64
from pathlib import Path

import node
import numpy as np
import pytest
import torch
import traitlets
from torch import nn

from vae_tutorial import checkpoints, data, explorers, networks, sprites
from vae_tutorial.explorers import weights
from vae_tutorial.explorers.canvas import Canvas
from vae_tutorial.explorers.traversal import DRAWINGS
from vae_tutorial.models import VAE, Autoencoder

JOBS = Path(__file__).parent / "js" / "network.mjs"
SHAPE, CHANNELS, HIDDEN = (1, 32, 32), (16, 32, 32), (128,)  # of the sprites' recipes


def in_the_browser(layers, packed, precision, inputs, beta=None):
    job = {"layers": layers, "weights": base64.b64encode(packed).decode(), "precision": precision, "inputs": inputs.tolist(), "beta": beta}
    return torch.tensor(node.ask(JOBS, job))


def vivid(model, scale=2.0):
    """An untrained model whose pictures depend on the code."""
    with torch.no_grad():
        for name, parameter in model.decoder.named_parameters():
            parameter.mul_(scale if name.endswith("weight") else 1)
    return model


def sprites_model(seed, d=10, **settings):
    torch.manual_seed(seed)
    return vivid(VAE(d, settings.pop("hidden", HIDDEN), "relu", image_shape=SHAPE, channels=settings.pop("channels", CHANNELS), **settings))


# ---------------------------------------------------------------- convolutional decoders in the browser


@pytest.mark.parametrize("precision", weights.PRECISIONS)
@pytest.mark.parametrize(
    ("shape", "channels", "activation"), [(SHAPE, (32, 32, 16), "relu"), ((1, 16, 8), (5, 3), "silu"), ((2, 4, 6), (6,), "tanh")]
)
def test_browser_runs_convolutional_decoders(shape, channels, activation, precision):
    torch.manual_seed(3)
    network = networks.conv_decoder(shape, channels, (4, 20), activation)
    inputs = 3 * torch.randn(5, 4)
    outputs = in_the_browser(networks.layer_specification(network), weights.pack(network, precision), precision, inputs)
    layers = [module for module in network.modules() if isinstance(module, nn.Linear | nn.ConvTranspose2d)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, weights.unpacked(network, precision), strict=True):
            assert (layer.weight - weight).abs().max() <= layer.weight.abs().max() / 200
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        torch.testing.assert_close(outputs, network(inputs), rtol=1e-4, atol=1e-4)


def test_shipped_precision_agrees_with_the_shipped_model(tmp_path):
    checkpoints.save_model(sprites_model(0), "sprites-test", {}, "int8", tmp_path)
    decoder = checkpoints.load_model("sprites-test", tmp_path).decoder
    assert weights.lossless_precision(decoder) == "int8"
    assert weights.lossless_precision(sprites_model(1).decoder) == "float16"
    packed, inputs = weights.pack(decoder, "int8"), torch.randn(20, 10)
    assert len(packed) < 100_000
    with torch.no_grad():
        pixels = decoder(inputs).sigmoid()
    assert pixels.std() > 0.05
    found = in_the_browser(networks.layer_specification(decoder), packed, "int8", inputs).sigmoid()
    assert (found - pixels).abs().max() < 2e-3


def test_convolutional_specification():
    specification = networks.layer_specification(networks.conv_decoder(SHAPE, (32, 32, 16), (10, 128)))
    assert specification[:3] == [
        {"in": 10, "out": 128, "activation": "relu"},
        {"in": 128, "out": 512, "activation": "relu"},
        {"in": 512, "out": 2048, "activation": "relu", "transposed": {"channels": [32, 32], "size": [4, 4]}},
    ]
    assert specification[-1] == {"in": 4096, "out": 1024, "activation": "none", "transposed": {"channels": [16, 1], "size": [16, 16]}}


def stem(*rest):
    return [nn.Linear(3, 18), nn.Unflatten(-1, (2, 3, 3)), *rest]


@pytest.mark.parametrize(
    "make",
    [
        lambda: [nn.Linear(3, 18), nn.ConvTranspose2d(2, 1, 4, 2, 1)],
        lambda: [nn.Unflatten(-1, (3, 3, 3)), nn.ConvTranspose2d(2, 1, 4, 2, 1)],
        lambda: stem(nn.ConvTranspose2d(2, 1, 3, 2, 1)),
        lambda: stem(nn.ConvTranspose2d(2, 1, 4, 1, 1)),
        lambda: stem(nn.ConvTranspose2d(2, 1, 4, 2, 1, output_padding=1)),
        lambda: stem(nn.ConvTranspose2d(2, 2, 4, 2, 1, groups=2)),
        lambda: stem(nn.ConvTranspose2d(3, 1, 4, 2, 1)),
        lambda: stem(nn.ConvTranspose2d(2, 1, 4, 2, 1), nn.Linear(36, 2)),
        lambda: stem(nn.Conv2d(2, 1, 3)),
        lambda: networks.conv_encoder(SHAPE, CHANNELS, (5,)),
    ],
)
def test_networks_that_the_browser_cannot_run_are_refused(make):
    with pytest.raises(ValueError, match="the browser runs"):
        networks.layer_specification(nn.Sequential(*make()))


def test_pack_leaves_no_layer_out():
    with pytest.raises(ValueError, match="no other layers"):
        weights.pack(networks.conv_encoder(SHAPE, CHANNELS, (5,)))


# ---------------------------------------------------------------- the explorer

RATES = {"sprites-vae": [0.001, 3.0, 2.0, 0.5, 0.02, 4.0, 0.0, 0.009, 1.0, 0.1], "sprites-beta4": [float(rate) for rate in range(10)]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights")
    generator = np.random.default_rng(0)
    for seed, (name, rates) in enumerate(RATES.items()):
        card = {"rate_per_unit": rates, "mutual_information": generator.random((10, 5)).round(4).tolist()}
        checkpoints.save_model(sprites_model(seed), name, card, "int8", path)
    checkpoints.save_model(sprites_model(3), "no-rates", {}, "int8", path)
    checkpoints.save_model(sprites_model(3, d=4), "four", {"rate_per_unit": [1.0] * 4}, "int8", path)
    checkpoints.save_model(sprites_model(3, d=12), "twelve", {"rate_per_unit": [1.0] * 12}, "int8", path)
    checkpoints.save_model(sprites_model(3, likelihood="gaussian"), "gaussian", {"rate_per_unit": [1.0] * 10}, "int8", path)
    checkpoints.save_model(Autoencoder(10, (8,)), "autoencoder", {"rate_per_unit": [1.0] * 10}, "int8", path)
    return path


@pytest.fixture(scope="module")
def box(folder):
    return explorers.traversal(list(RATES), folder=folder)


def parts_of(box):
    choice, sliders, canvas = box.children
    assert isinstance(canvas, Canvas)
    assert "0x" not in repr(box)
    return choice, sliders.children, canvas


def test_sliders_are_ordered_by_kl_and_start_at_the_first_pictures_code(box, folder):
    choice, sliders, canvas = parts_of(box)
    assert choice.options == ("VAE (β = 1)", "β-VAE, β = 4")
    assert [slider.description for slider in sliders] == ["1st", "2nd", "3rd", *(f"{rank}th" for rank in range(4, 11))]
    assert {(slider.min, slider.max) for slider in sliders} == {(-3, 3)}
    assert [unit["unit"] for unit in canvas.variants[1]["units"]] == list(range(9, -1, -1))
    ranked = sorted(RATES["sprites-vae"], reverse=True)
    assert [unit["rate"] for unit in canvas.variants[0]["units"]] == ranked
    assert [unit["active"] for unit in canvas.variants[0]["units"]] == [rate >= 0.01 for rate in ranked]
    x = sprites.render(DRAWINGS, 32)
    codes = np.frombuffer(canvas.codes, "<f4").reshape(2, len(x), 10)
    for place, name in enumerate(RATES):
        with torch.no_grad():
            mu = checkpoints.load_model(name, folder).posterior(x).mean.clamp(-3, 3).numpy()
        order = [unit["unit"] for unit in canvas.variants[place]["units"]]
        np.testing.assert_allclose(codes[place], mu[:, order], atol=0.0251)
        np.testing.assert_allclose(codes[place] / 0.05, (codes[place] / 0.05).round(), atol=1e-4)
    assert [slider.value for slider in sliders] == pytest.approx(codes[0, 0].tolist(), abs=1e-6)
    assert [getattr(canvas, f"rank{rank}") for rank in range(1, 11)] == [slider.value for slider in sliders]
    assert canvas.pictures == weights.uint8_bytes(x)


def test_each_unit_is_named_by_the_factor_it_knows_most_about(box, folder):
    for place, name in enumerate(RATES):
        information = np.array(checkpoints.model_card(name, folder)["mutual_information"])
        for unit in parts_of(box)[2].variants[place]["units"]:
            row = information[unit["unit"]]
            assert unit["nats"] == row.max()
            assert unit["factor"].replace(" ", "_") == list(sprites.FACTORS)[row.argmax()]


def test_embedded_decoders_are_the_checkpoints(box, folder):
    canvas = parts_of(box)[2]
    assert canvas.precision == "int8"
    assert len(canvas.weights) < 200_000
    z = torch.randn(3, 10, generator=torch.Generator().manual_seed(1))
    for variant, name in zip(canvas.variants, RATES, strict=True):
        part = canvas.networks[variant["network"]]
        found = in_the_browser(part["layers"], canvas.weights[part["from"] : part["to"]], "int8", z)
        with torch.no_grad():
            expected = checkpoints.load_model(name, folder).decode(z).flatten(1)
        assert (found.sigmoid() - expected.sigmoid()).abs().max() < 2e-3


def test_a_gated_network_gives_a_line_for_every_beta():
    choice, sliders, canvas = parts_of(explorers.traversal("mnist-beta-10d", beta=[0.5, 20.0]))
    assert choice.options == ("β = 0.5", "β = 20")
    assert len(canvas.networks) == 1
    curve = checkpoints.model_card("mnist-beta-10d")["curve"]
    for variant in canvas.variants:
        rates = {unit["unit"]: unit["rate"] for unit in variant["units"]}
        below = [point["rate_per_unit"] for point in curve if point["beta"] <= variant["beta"]][-1]
        above = next(point["rate_per_unit"] for point in curve if point["beta"] >= variant["beta"])
        low, high = (next(point["beta"] for point in curve if point["rate_per_unit"] == known) for known in (below, above))
        share = np.log(variant["beta"] / low) / np.log(high / low) if high > low else 0.0  # along the logarithm of β
        for unit, rate in rates.items():
            assert rate == pytest.approx((1 - share) * below[unit] + share * above[unit])
        assert list(rates.values()) == sorted(rates.values(), reverse=True)
    assert sum(unit["active"] for unit in canvas.variants[1]["units"]) < sum(unit["active"] for unit in canvas.variants[0]["units"])
    assert len(canvas.pictures) == 10 * 784
    assert len(sliders) == 10
    x = data.load_images("mnist", "test").x[:2]
    other = parts_of(explorers.traversal("mnist-beta-10d", beta=[1.0], x=x))[2]
    assert other.pictures == weights.uint8_bytes(x)


def test_traits_are_validated(folder):
    canvas = parts_of(explorers.traversal(list(RATES), folder=folder))[2]
    canvas.variant = 1
    for trait, value in {"variant": 2, "picture": -2, "rank1": 3.1}.items():
        with pytest.raises(traitlets.TraitError):
            setattr(canvas, trait, value)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("no-rates", "the card of no-rates has no rate_per_unit"),
        (["sprites-vae", "four"], "alike"),
        ("twelve", "1 … 10 units"),
        ("gaussian", "gaussian likelihood"),
        ("autoencoder", "no likelihood"),
        ([], "at least one"),
        ("sprites-vea", "unknown checkpoint"),
    ],
)
def test_other_models_are_refused(folder, names, message):
    with pytest.raises(ValueError, match=message):
        explorers.traversal(names, folder=folder)


def test_other_pictures_are_refused(folder):
    for x in (torch.zeros(0, 1, 32, 32), torch.zeros(11, 1, 32, 32), torch.zeros(1, 1, 28, 28)):
        with pytest.raises(ValueError, match="1 … 10 pictures"):
            explorers.traversal("sprites-vae", x=x, folder=folder)


def test_fewer_units_have_fewer_sliders(folder):
    assert len(parts_of(explorers.traversal("four", folder=folder))[1]) == 4
