"""What a VAE must satisfy, as functions of an implementation: the library must pass them, each mutant must fail one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from linear_gaussian import as_images, example
from torch import Tensor, nn

from vae_tutorial import data, models, objectives, training


@dataclass(frozen=True)
class Implementation:
    """The parts that make a VAE; a mutant replaces one of them."""

    vae: type[models.VAE] = models.VAE
    negative_elbo: Callable[..., objectives.Terms] = objectives.negative_elbo
    load_images: Callable[..., data.Images] = data.load_images
    fit: Callable[..., training.History] = training.fit


LIBRARY = Implementation()
DRAWS = 20_000


def decoded_codes(made: Implementation, model: models.VAE, x: Tensor) -> tuple[objectives.Terms, Tensor]:
    """The loss terms, and the codes z (B, d) that the decoder was given on the way."""
    codes: list[Tensor] = []
    hook = model.decoder.register_forward_pre_hook(lambda _, inputs: codes.append(inputs[0].detach()))
    try:
        terms = made.negative_elbo(model, x)
    finally:
        hook.remove()
    return terms, codes[-1].reshape(len(x), -1)


def repeated_image(made: Implementation, **options: Any) -> tuple[models.VAE, Tensor, np.ndarray]:
    """A correlated linear-Gaussian model, one image DRAWS times (DRAWS, 1, 1, D), and the image (1, D)."""
    truth, x = example(correlated=True)
    return truth.vae(kind=made.vae, **options).train(), as_images(x[:1]).expand(DRAWS, -1, -1, -1), x[:1]


def check_elbo_is_the_hand_computed_one(made: Implementation) -> None:
    """The mean loss over many draws is KL(q‖p) − E_q log p(x|z) in closed form, within five standard errors."""
    truth, _ = example(correlated=True)
    model, x, pixels = repeated_image(made, variance=np.array([0.04, 0.3]), shift=0.1)
    q = model.posterior(x[:1])
    mean, variance = q.mean.detach().numpy(), q.variance.detach().numpy()
    rate = 0.5 * (mean**2 + variance - 1 - np.log(variance)).sum()
    loss = made.negative_elbo(model, x)["loss"].detach().numpy()
    error = 5 * loss.std() / np.sqrt(DRAWS) + 1e-9
    assert abs(loss.mean() - (rate + truth.expected_distortion(pixels, mean, variance).item())) < error


def check_elbo_bounds_the_evidence(made: Implementation) -> None:
    """What is reported as the ELBO is at most log p(x), known exactly; within five standard errors of the mean.

    The posterior of this model is a diagonal Gaussian and q hits it, so that the bound is tight: no flattery fits in.
    """
    truth, x = example(correlated=False)
    model = truth.vae(kind=made.vae).train()
    reported = -made.negative_elbo(model, as_images(x[:1]).expand(DRAWS, -1, -1, -1))["loss"].detach().numpy()
    assert reported.mean() - 5 * reported.std() / np.sqrt(DRAWS) <= truth.log_evidence(x[:1]).item() + 1e-9


def check_rate_is_the_divergence_of_what_is_decoded(made: Implementation) -> None:
    """The reported rate is the KL to the prior of the codes really drawn, whatever the head's numbers are called."""
    model, x, _ = repeated_image(made, variance=np.array([0.04, 0.3]))
    terms, z = decoded_codes(made, model, x)
    variance = z.var(0)
    rate = 0.5 * (z.mean(0) ** 2 + variance - 1 - variance.log()).sum()  # of a Gaussian with the codes' moments
    assert terms["rate"][0].item() == pytest.approx(float(rate), rel=0.03)


def check_rate_is_summed_over_latents(made: Implementation) -> None:
    """With the encoder's output fixed, the rate is Σ ½(μ² + σ² − 1 − log σ²) over all d = 5 latents."""
    model, x = constant_networks(made)
    q = model.posterior(x)
    mean, variance = q.mean.detach().numpy(), q.variance.detach().numpy()
    expected = 0.5 * (mean**2 + variance - 1 - np.log(variance)).sum(1)
    np.testing.assert_allclose(made.negative_elbo(model, x)["rate"].detach().numpy(), expected, rtol=1e-5)


def check_distortion_is_summed_over_pixels(made: Implementation) -> None:
    """A decoder that says ½ everywhere costs D·log 2 nats, whatever the image."""
    model, x = constant_networks(made)
    distortion = made.negative_elbo(model, x)["distortion"].detach().numpy()
    np.testing.assert_allclose(distortion, np.full(len(x), 784 * np.log(2)), rtol=1e-5)


def constant_networks(made: Implementation) -> tuple[models.VAE, Tensor]:
    """A VAE with d = 5 whose encoder ignores x and whose logits are 0, and three random images."""
    model = made.vae(5, ())
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    with torch.no_grad():
        model.encoder[0].bias.copy_(torch.linspace(-1, 1.5, 10))
    return model.train(), torch.rand(3, 1, 28, 28)


def check_noise_is_fresh(made: Implementation) -> None:
    """No two images, and no two passes over the same image, get the same code."""
    model, x, _ = repeated_image(made)
    codes = torch.cat([decoded_codes(made, model, x[:50])[1] for _ in range(3)])
    assert len(torch.unique(codes, dim=0)) == len(codes) == 150


def check_evaluation_keeps_the_noise(made: Implementation) -> None:
    """`model.eval()` changes nothing: the same draw gives the same terms as in training, not those of the mean."""
    model, x, _ = repeated_image(made)
    found = []
    for training_mode in (True, False):
        model.train(training_mode)
        torch.manual_seed(3)
        found.append(made.negative_elbo(model, x[:50])["loss"].detach())
    torch.testing.assert_close(*found)


def check_pictures_have_no_noise(made: Implementation) -> None:
    """Encoding twice gives the same codes, the means of q; decoding a code twice gives the same picture."""
    model = made.vae(2, (16,)).eval()
    x = torch.rand(6, 1, 28, 28)
    first, again = model.encode(x)[0], model.encode(x)[0]
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    torch.testing.assert_close(first, model.posterior(x).mean, rtol=0, atol=0)
    torch.testing.assert_close(model.likelihood(first).mean, model.likelihood(first).mean, rtol=0, atol=0)


def check_beta_weighs_the_rate(made: Implementation) -> None:
    """With the same draw, loss = β·rate + distortion, and so are its gradients."""
    model, x, _ = repeated_image(made)
    gradients = {}
    for beta in (0.0, 1.0, 4.0):
        torch.manual_seed(3)
        terms = made.negative_elbo(model, x[:8], beta=beta)
        torch.testing.assert_close(terms["loss"], beta * terms["rate"] + terms["distortion"])
        gradients[beta] = torch.autograd.grad(terms["loss"].mean(), model.encoder[0].bias)[0]
    torch.testing.assert_close(gradients[4.0] - gradients[0.0], 4 * (gradients[1.0] - gradients[0.0]))
    assert (gradients[1.0] - gradients[0.0]).abs().max() > 0.1


def check_fit_uses_beta(made: Implementation) -> None:
    """Training at β = 20 leaves a lower rate than training at β = 0."""
    x = torch.rand(64, 1, 28, 28)
    rates = {}
    for beta in (0.0, 20.0):
        torch.manual_seed(5)
        model = made.vae(2, (16,))
        options = {"epochs": 10, "batch_size": 32, "learning_rate": 1e-2, "settings": {"beta": beta}, "progress": False}
        rates[beta] = made.fit(model, x, made.negative_elbo, **options).train["rate"][-1]
    assert rates[20.0] < 0.5 * rates[0.0]


def check_images_lie_in_the_unit_interval(made: Implementation) -> None:
    """Pixels are grey levels that span [0, 1]."""
    x = made.load_images().x
    assert (float(x.min()), float(x.max())) == (0.0, 1.0)


def check_wrong_range_is_refused(made: Implementation) -> None:
    """Training on 8-bit or normalised pixels stops at once instead of giving a number without meaning."""
    x = torch.rand(64, 1, 28, 28)
    for wrong in (255 * x, (x - 0.1307) / 0.3081, 2 * x - 1):
        with pytest.raises(ValueError, match="pixels"):
            made.fit(made.vae(2, (16,)), wrong, made.negative_elbo, epochs=1, batch_size=32, progress=False)


CHECKS: dict[str, Callable[[Implementation], None]] = {
    name: function for name, function in list(globals().items()) if name.startswith("check_")
}
