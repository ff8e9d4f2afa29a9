"""MLPs against NumPy, and the specification that the browser reads."""

import numpy as np
import pytest
import torch
from torch import nn

from vae_tutorial import networks

BY_HAND = {
    "relu": lambda h: np.maximum(h, 0),
    "silu": lambda h: h / (1 + np.exp(-h)),
    "tanh": np.tanh,
    "none": lambda h: h,
}


def test_every_activation_is_tested():
    assert set(BY_HAND) == set(networks.ACTIVATIONS)


@pytest.mark.parametrize("activation", BY_HAND)
def test_an_mlp_is_what_its_specification_says(activation):
    network = networks.mlp([6, 5, 4, 3], activation).double()
    specification = networks.layer_specification(network)
    assert [(layer["in"], layer["out"]) for layer in specification] == [(6, 5), (5, 4), (4, 3)]
    assert [layer["activation"] for layer in specification] == [activation, activation, "none"]
    weights = [value.detach().numpy() for value in network.parameters()]
    x = torch.randn(2, 6, dtype=torch.float64)
    h = x.numpy()
    for layer, weight, bias in zip(specification, weights[::2], weights[1::2], strict=True):
        h = BY_HAND[layer["activation"]](h @ weight.T + bias)
    np.testing.assert_allclose(network(x).detach().numpy(), h, rtol=1e-12)


def test_two_sizes_make_one_linear_layer():
    assert networks.layer_specification(networks.mlp([784, 2])) == [{"in": 784, "out": 2, "activation": "none"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([784],), "input and an output"),
        (([], "relu"), "input and an output"),
        (([784, 0, 2],), "at least one unit"),
        (([4, 2], "gelu"), "gelu.*relu"),
    ],
)
def test_impossible_networks_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        networks.mlp(*arguments)


@pytest.mark.parametrize("build", [networks.conv_encoder, networks.conv_decoder])
def test_convolutions_refuse_an_unknown_activation(build):
    with pytest.raises(ValueError, match=r"unknown activation 'gelu': choose from \['relu'"):
        build((1, 28, 28), (2, 4), (8, 2), "gelu")


@pytest.mark.parametrize(
    "make",
    [
        lambda: [nn.Conv2d(1, 1, 3)],
        lambda: [nn.ReLU(), nn.Linear(2, 2)],
        lambda: [nn.Linear(2, 2), nn.ReLU(), nn.Tanh()],
        lambda: [nn.Linear(2, 2), nn.Dropout()],
        lambda: [nn.Linear(2, 2), nn.GELU()],
    ],
    ids=["convolution", "activation first", "two activations", "dropout", "unknown activation"],
)
def test_what_the_browser_cannot_run_is_refused(make):
    with pytest.raises(ValueError, match="the browser runs linear layers"):
        networks.layer_specification(nn.Sequential(*make()))


# ---------------------------------------------------------------- gated by log β


def gated_by_hand(network: networks.GatedSequential, x: np.ndarray, log_beta: np.ndarray) -> np.ndarray:
    knots, h = np.linspace(*np.log(networks.BETA_RANGE), networks.KNOTS), x
    for layer in network:
        if isinstance(layer, networks.GatedLinear):
            weight, bias, gate = (value.detach().numpy() for value in (layer.weight, layer.bias, layer.gate))
            bent = np.stack([np.interp(log_beta[:, 0], knots, values) for values in gate.T], axis=1)  # (B, outputs)
            h = (h @ weight.T + bias) / (1 + np.exp(-networks.GATE_SCALE * bent))
        else:
            h = np.tanh(h)
    return h


def test_a_gated_network_is_the_written_formula():
    network = networks.gated_mlp([6, 5, 3], "tanh").double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
    betas = torch.tensor([[0.03], [0.5], [7.0], [100.0]], dtype=torch.float64)
    x, log_beta = torch.randn(4, 6, dtype=torch.float64), betas.log()
    expected = gated_by_hand(network, x.numpy(), log_beta.numpy())
    np.testing.assert_allclose(network(x, log_beta).detach().numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(network(x, log_beta[2]).detach().numpy()[2], expected[2], rtol=1e-9)  # one β for all


def test_the_specification_says_which_layers_are_gated():
    specification = networks.layer_specification(networks.gated_mlp([6, 5, 3], "silu"))
    gate = {"knots": networks.KNOTS, "range": networks.BETA_RANGE, "scale": networks.GATE_SCALE}
    assert specification == [
        {"in": 6, "out": 5, "activation": "silu", "gate": gate},
        {"in": 5, "out": 3, "activation": "none", "gate": gate},
    ]


# ---------------------------------------------------------------- convolutions


@pytest.mark.parametrize("leading", [(), (3,), (2, 3)])
def test_convolutions_take_and_give_flat_vectors_of_any_leading_shape(leading):
    encoder = networks.conv_encoder((1, 28, 28), (4, 8), (16, 6))
    decoder = networks.conv_decoder((1, 28, 28), (8, 4), (3, 16))
    assert encoder(torch.rand(*leading, 784)).shape == (*leading, 6)
    assert decoder(torch.randn(*leading, 3)).shape == (*leading, 784)


def test_each_image_goes_through_the_convolutions_alone():
    encoder = networks.conv_encoder((3, 16, 8), (4, 8), (5,), "tanh").double()
    x = torch.rand(2, 3, 3 * 16 * 8, dtype=torch.float64)
    torch.testing.assert_close(encoder(x)[1, 2], encoder(x[1, 2]))


def test_a_convolution_sees_its_neighbourhood_and_no_more():
    """A pixel of the decoded image depends on the first layer's output within reach of two 4×4 kernels only."""
    encoder = networks.conv_encoder((1, 16, 16), (2,), (1,), "none").double()
    convolution = encoder[1]
    image = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    dark = convolution(image)
    image[0, 0, 5, 9] = 1
    changed = (convolution(image) != dark).any(1)[0].nonzero()
    rows, columns = changed.unbind(1)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 3, 4, 5)  # kernel 4, stride 2, padding 1


@pytest.mark.parametrize(("shape", "channels"), [((1, 28, 28), (4, 8, 16)), ((1, 27, 28), (4,)), ((1, 28, 28), ())])
def test_images_that_cannot_be_halved_are_refused(shape, channels):
    for make in (networks.conv_encoder, networks.conv_decoder):
        with pytest.raises(ValueError, match="convolutions want an image divisible by"):
            make(shape, channels, (5, 2))


@pytest.mark.parametrize(("before", "after", "height", "width"), [(32, 1, 14, 14), (5, 3, 4, 7)])
def test_the_last_convolution_is_torchs_own_in_another_order(before, after, height, width):
    torch.manual_seed(0)
    plain = torch.nn.ConvTranspose2d(before, after, 4, stride=2, padding=1).double()
    ours = networks.ConvTransposeToFew(before, after, 4, stride=2, padding=1).double()
    ours.load_state_dict(plain.state_dict())
    x = torch.randn(3, before, height, width, dtype=torch.float64)
    torch.testing.assert_close(ours(x), plain(x))
    torch.testing.assert_close(ours.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last)), plain(x))


@pytest.mark.parametrize(
    ("precision", "instructions", "product"),
    [
        ("float32", {"avx512_bf16": True}, torch.float32),
        ("bfloat16", {}, torch.bfloat16),
        ("fast", {"avx512_bf16": False, "amx_bf16": False}, torch.float32),
        ("fast", {"avx512_bf16": True}, torch.bfloat16),
        ("fast", {"avx512_bf16": False, "amx_bf16": True}, torch.bfloat16),
    ],
)
def test_fast_products_are_in_bfloat16_only_where_there_are_instructions_for_it(precision, instructions, product, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions, raising=False)
    with networks.products_in(precision):
        assert (torch.ones(2, 3) @ torch.ones(3, 2)).dtype == product


@pytest.mark.parametrize(("capability", "fast"), [((7, 5), False), ((8, 0), True), ((12, 0), True)])
def test_gpus_multiply_in_bfloat16_since_ampere(capability, fast, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert networks.has_bfloat16(torch.device("cuda")) is fast


def test_an_old_torch_that_does_not_tell_gets_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not networks.has_bfloat16(torch.device("cpu"))
