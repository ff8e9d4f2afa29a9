"""Shapes, distributions and configurations of the autoencoder and the VAE."""

import numpy as np
import pytest
import torch
from scipy import stats

from vae_tutorial.models import VAE, Autoencoder

SHAPE = (2, 3, 4)


@pytest.fixture
def vae() -> VAE:
    return VAE(5, (16, 8), "tanh", image_shape=SHAPE).double()


def images(count: int = 6) -> torch.Tensor:
    return torch.rand(count, *SHAPE, dtype=torch.float64)


@pytest.mark.parametrize("leading", [(), (6,), (3, 6), (2, 3, 6)])
@pytest.mark.parametrize("family", ["bernoulli", "gaussian"])
def test_codes_of_any_leading_shape_decode_to_images(family, leading):
    model = VAE(5, (16,), likelihood=family, image_shape=SHAPE)
    p_x = model.likelihood(torch.randn(*leading, 5))
    assert p_x.batch_shape == leading
    assert p_x.event_shape == SHAPE
    assert p_x.mean.shape == (*leading, *SHAPE)
    assert p_x.log_prob(torch.rand(*leading[-1:], *SHAPE)).shape == leading


def test_several_samples_decode_as_each_would_alone(vae):
    z, x = torch.randn(3, 6, 5, dtype=torch.float64), images()
    together = vae.likelihood(z).log_prob(x)
    alone = torch.stack([vae.likelihood(z[s]).log_prob(x) for s in range(3)])
    torch.testing.assert_close(together, alone)


def test_posterior_reads_mean_and_log_variance(vae):
    x = images()
    outputs = vae.encoder(x.reshape(6, -1))
    q = vae.posterior(x)
    assert (q.batch_shape, q.event_shape) == ((6,), (5,))
    torch.testing.assert_close(q.mean, outputs[:, :5])
    torch.testing.assert_close(q.variance, outputs[:, 5:].exp())
    mu, log_var = vae.encode(x)
    torch.testing.assert_close(torch.cat([mu, log_var], 1), outputs)
    z = torch.randn(6, 5, dtype=torch.float64)
    expected = stats.norm(mu.detach().numpy(), np.exp(0.5 * log_var.detach().numpy())).logpdf(z.numpy()).sum(1)
    np.testing.assert_allclose(q.log_prob(z).detach().numpy(), expected)


def test_samples_carry_gradients_to_both_heads(vae):
    z = vae.posterior(images()).rsample()
    gradient = torch.autograd.grad(z.square().sum(), vae.encoder[-1].bias)[0]
    assert (gradient != 0).all()


def test_prior_is_standard_normal_in_the_models_precision(vae):
    z = torch.randn(7, 5, dtype=torch.float64)
    assert vae.prior.event_shape == (5,)
    np.testing.assert_allclose(vae.prior.log_prob(z).numpy(), stats.norm.logpdf(z.numpy()).sum(1))
    assert vae.prior.sample((4,)).dtype == vae.prior.stddev.dtype == torch.float64


def test_bernoulli_decoder_gives_logits_and_gaussian_decoder_means():
    z = torch.randn(4, 5)
    bernoulli, gaussian = VAE(5, image_shape=SHAPE), VAE(5, likelihood="gaussian", sigma=0.2, image_shape=SHAPE)
    torch.testing.assert_close(bernoulli.likelihood(z).mean, torch.sigmoid(bernoulli.decode(z)))
    torch.testing.assert_close(gaussian.likelihood(z).mean, gaussian.decode(z))
    torch.testing.assert_close(gaussian.likelihood(z).stddev, torch.full((4, *SHAPE), 0.2))


def test_decoder_mirrors_the_encoder():
    model = VAE(2, (256, 128), "silu")
    assert [layer.out_features for layer in model.encoder[::2]] == [256, 128, 4]
    assert [layer.out_features for layer in model.decoder[::2]] == [128, 256, 784]
    model = VAE(2, (16,), channels=(3, 5))
    down = [module for module in model.encoder.modules() if isinstance(module, torch.nn.Conv2d)]
    up = [module for module in model.decoder.modules() if isinstance(module, torch.nn.ConvTranspose2d)]
    assert [(layer.in_channels, layer.out_channels) for layer in down] == [(1, 3), (3, 5)]
    assert [(layer.in_channels, layer.out_channels) for layer in up] == [(5, 3), (3, 1)]


@pytest.mark.parametrize("output", ["sigmoid", "none"])
def test_autoencoder_reconstructs_by_way_of_its_code(output):
    model, x = Autoencoder(3, (8,), output=output, image_shape=SHAPE).double(), images()
    z = model.encode(x)
    assert z.shape == (6, 3)
    decoded = model.decode(z)
    assert decoded.shape == x.shape
    torch.testing.assert_close(model(x), torch.sigmoid(decoded) if output == "sigmoid" else decoded)
    torch.testing.assert_close(model.reconstruct(z.expand(2, 6, 3))[1], model(x))


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        (VAE, (3, (8, 4), "tanh", "gaussian", 0.3, SHAPE)),
        (VAE, (3, (8,), "tanh", "gaussian", "learned", (1, 8, 8), (4, 6))),
        (Autoencoder, (3, (8, 4), "silu", "none", SHAPE)),
    ],
)
def test_configuration_rebuilds_the_model(kind, arguments):
    model = kind(*arguments)
    twin = kind(**model.configuration)
    assert str(twin) == str(model)
    assert twin.configuration == model.configuration
    twin.load_state_dict(model.state_dict())
    x = torch.rand(2, *model.image_shape)
    torch.testing.assert_close(twin.decode(torch.ones(2, 3)), model.decode(torch.ones(2, 3)), rtol=0, atol=0)
    torch.testing.assert_close(twin.encode(x), model.encode(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: VAE(2, likelihood="poisson"), "poisson.*bernoulli"),
        (lambda: VAE(2, likelihood="gaussian", sigma=0.0), "standard deviation"),
        (lambda: VAE(2, likelihood="gaussian", sigma="learnt"), "or 'learned', got 'learnt'"),
        (lambda: VAE(2, conditioned_on="class"), "'class'.*'beta' or 'label'"),
        (lambda: VAE(2, channels=(8,), conditioned_on="label"), "only dense networks take a condition"),
        (lambda: VAE(2, activation="gelu"), "gelu"),
        (lambda: VAE(0), "at least one unit"),
        (lambda: Autoencoder(2, output="softmax"), "softmax.*sigmoid"),
    ],
)
def test_impossible_models_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


# ---------------------------------------------------------------- learned σ


def test_a_learned_sigma_settles_at_the_root_mean_square_residual():
    """Setting the derivative of the Gaussian −log p(x|z) in σ to zero gives σ² = the mean squared residual."""
    model = VAE(2, (4,), likelihood="gaussian", sigma="learned", image_shape=SHAPE).double()
    z, x = torch.randn(6, 2, dtype=torch.float64), images()
    residual = (x - model.decode(z)).square().mean()
    with torch.no_grad():
        model.log_sigma.copy_(residual.sqrt().log())
    gradient = torch.autograd.grad(model.likelihood(z).log_prob(x).sum(), model.log_sigma)[0]
    assert gradient.item() == pytest.approx(0, abs=1e-9)
    assert VAE(2, likelihood="gaussian", sigma=0.3).log_sigma is None


# ---------------------------------------------------------------- conditions


def test_given_beta_gates_encoder_and_decoder_and_shares_the_weights():
    model, x, z = VAE(2, (4,), image_shape=SHAPE, conditioned_on="beta").double(), images(), torch.randn(6, 2, dtype=torch.float64)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "gate" in name:
                parameter.normal_()
    low, high = model.given(beta=0.1), model.given(beta=10.0)
    assert not torch.allclose(low.posterior(x).mean, high.posterior(x).mean)
    assert not torch.allclose(low.decode(z), high.decode(z))
    each = model.given(beta=torch.tensor([0.1, 10.0] * 3, dtype=torch.float64).view(-1, 1))
    torch.testing.assert_close(each.decode(z)[0::2], low.decode(z)[0::2])
    torch.testing.assert_close(each.decode(z.expand(3, 6, 2))[2, 1::2], high.decode(z)[1::2])
    assert all(mine is theirs for mine, theirs in zip(model.parameters(), low.parameters(), strict=True))
    assert model.condition is None  # the model itself is as before


def test_given_label_feeds_it_to_encoder_and_decoder():
    model = VAE(2, (4,), image_shape=SHAPE, conditioned_on="label", labels=3).double()
    x, z = images(), torch.randn(6, 2, dtype=torch.float64)
    classes = torch.tensor([0, 1, 2, 0, 1, 2])
    each = model.given(label=classes)
    for k in range(3):
        one = model.given(label=k)
        torch.testing.assert_close(each.encode(x)[0][classes == k], one.encode(x)[0][classes == k])
        torch.testing.assert_close(each.decode(z.expand(2, 6, 2))[1, classes == k], one.decode(z)[classes == k])
    expected = model.decoder(torch.cat([z[:1], torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64)], 1))  # one-hot for class 1
    torch.testing.assert_close(model.given(label=1).decode(z[:1]).flatten(1), expected)


@pytest.mark.parametrize(
    ("condition", "given", "message"),
    [
        (None, {"beta": 1.0}, "conditioned on nothing, but given .'beta'"),
        ("beta", {}, "conditioned on beta, but given nothing"),
        ("beta", {"label": 3}, "conditioned on beta, but given .'label'"),
        ("label", {"beta": 1.0, "label": 3}, "conditioned on label"),
        ("beta", {"beta": 0.0}, "from 0.03 to 100"),
        ("beta", {"beta": 0.029}, "from 0.03 to 100"),
        ("beta", {"beta": 101.0}, "from 0.03 to 100"),
        ("label", {"label": 10}, "0 to 9"),
        ("label", {"label": -1}, "0 to 9"),
        ("label", {"label": 3.0}, r"labels are classes.* got torch.float32 \(\)"),
        ("label", {"label": torch.zeros(2, 1, dtype=torch.int64)}, r"one for each \(B,\), got torch.int64 \(2, 1\)"),
    ],
)
def test_a_wrong_condition_is_refused(condition, given, message):
    with pytest.raises(ValueError, match=message):
        VAE(2, (4,), conditioned_on=condition).given(**given)


def test_labels_of_any_whole_type_are_taken():
    model = VAE(2, (4,), conditioned_on="label")
    for kind in (torch.uint8, torch.int32, torch.int64):
        assert torch.equal(model.given(label=torch.tensor([3, 0], dtype=kind)).condition.argmax(1), torch.tensor([3, 0]))


@pytest.mark.parametrize("condition", ["beta", "label"])
def test_a_conditioned_model_says_how_it_is_used(condition):
    with pytest.raises(ValueError, match=rf"call model.given\({condition}="):
        VAE(2, (4,), conditioned_on=condition).posterior(torch.rand(1, 1, 28, 28))


@pytest.mark.parametrize("kind", [VAE, Autoencoder])
def test_an_image_without_channels_is_refused(kind):
    """Its loss would hold every image against every code."""
    with pytest.raises(ValueError, match=r"image_shape is \(C, H, W\), such as \(1, 28, 28\), not \(28, 28\)"):
        kind(2, (8,), image_shape=(28, 28))
