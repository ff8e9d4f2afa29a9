"""Checks of the page Debug this VAE: what any sound loss of a VAE does, tried on a small model with known answers."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits

from vae_tutorial.devices import fork_random_states
from vae_tutorial.exercises import agrees, exercise
from vae_tutorial.models import VAE

Loss = Callable[..., dict[str, Tensor]]
NAMES = ("loss", "rate", "distortion")
DRAWS = 4_000
UNITS, SIDE = 5, 6
SIZES = f"(The model of this check has {UNITS} units and {SIDE**2} pixels: no size may be typed as a number.)"


def sound_loss(answer: Any) -> str | None:
    """None if `answer(model, x, beta)` gives rate, distortion and β-ELBO of what it decodes, per image in nats; else a hint."""
    if not callable(answer) or isinstance(answer, type | nn.Module):
        return "a function of (model, x, beta) is asked for: give its name without brackets."
    model, x = _patient_zero()
    with fork_random_states():
        torch.manual_seed(100)
        try:
            terms, z = _with_codes(answer, model, x, 1.0)
        except Exception as error:  # whatever a learner's lines raise
            return f"it stops with {type(error).__name__}: {error}"
        return _form(terms, z) or next(filter(None, (find(answer, model, x, terms, z) for find in FINDINGS)), None)


def _patient_zero() -> tuple[VAE, Tensor]:
    """A linear VAE whose q(z|x) has σ between 0.3 and 0.9, and one image DRAWS times."""
    with fork_random_states():
        torch.manual_seed(7)
        model = VAE(UNITS, (), image_shape=(1, SIDE, SIDE)).train()
        x = torch.rand(1, 1, SIDE, SIDE).expand(DRAWS, -1, -1, -1)
        with torch.no_grad():
            model.encoder[-1].bias.copy_(torch.cat([torch.linspace(-1, 1.5, UNITS), torch.linspace(-2.4, -0.2, UNITS)]))
    return model, x


def _with_codes(answer: Loss, model: VAE, x: Tensor, beta: float) -> tuple[dict[str, Tensor], Tensor]:
    """The terms, and the codes (B, d) that the decoder was given for them."""
    codes: list[Tensor] = []
    hook = model.decoder.register_forward_pre_hook(lambda _, inputs: codes.append(inputs[0].detach()))
    try:
        terms = answer(model, x, beta=beta)
    finally:
        hook.remove()
    return terms, codes[-1].reshape(len(x), -1) if codes else torch.empty(0)


def _form(terms: Any, z: Tensor) -> str | None:
    if terms is None:
        return "it returns None: put your lines in place of the three dots, and end with `return`."
    if not isinstance(terms, dict) or not set(NAMES) <= set(terms):
        return f"it must return a dictionary with {', '.join(NAMES)}."
    if any(not isinstance(terms[name], Tensor) or terms[name].shape != (DRAWS,) for name in NAMES):
        return "each term is one number per image: shape (B,). Average over the batch later, and only there."
    return None if z.numel() else "the decoder was never asked: where does the distortion come from?"


def _noise(answer: Loss, model: VAE, x: Tensor, terms: dict[str, Tensor], z: Tensor) -> str | None:
    again = _with_codes(answer, model, x, 1.0)[1]
    if float(z.std(0).max()) < 1e-6:
        if torch.equal(z, again):
            return "ten passes over one image decode the same code. What makes a code cost anything, then?"
        return "all images of one batch get the same noise. How many dice are thrown, and how many are needed?"
    if torch.equal(z, again) or len(torch.unique(z, dim=0)) < DRAWS // 2:
        return "look at two codes of one image, in one batch and in two: some of the dice fall the same way each time."
    return None


def _codes(answer: Loss, model: VAE, x: Tensor, terms: dict[str, Tensor], z: Tensor) -> str | None:
    q = model.posterior(x[:1]).base_dist
    if not torch.allclose(z.mean(0), q.loc[0], atol=0.08):
        return "the codes do not lie around the encoder's μ."
    if not torch.allclose(z.std(0) / q.scale[0], torch.ones(UNITS), atol=0.06):
        return "measure the spread of the codes that are decoded, and hold it against the encoder's σ."
    if (torch.corrcoef(z.T) - torch.eye(UNITS)).abs().max() > 0.1:  # of 4,000 independent draws: below 0.08
        return "the numbers of one code move together. How many dice does a code of five numbers need?"
    return None


def _rate(answer: Loss, model: VAE, x: Tensor, terms: dict[str, Tensor], z: Tensor) -> str | None:
    q = model.posterior(x[:1])
    rate, found = kl_divergence(q, model.prior).item(), terms["rate"][0].item()
    if abs(found - rate) < 1e-3 * rate:
        return None
    if abs(found * UNITS - rate) < 1e-3 * rate:
        return "give the model twice as many units, copies of the old: the information doubles. Does the rate?"
    if abs(found - kl_divergence(model.prior, q).item()) < 1e-3 * found:
        return "a KL has two places. Which of the two distributions is the mean taken over?"
    return f"the rate is not the KL divergence of q(z|x) from the prior, in nats per image. {SIZES}"


def _distortion(answer: Loss, model: VAE, x: Tensor, terms: dict[str, Tensor], z: Tensor) -> str | None:
    expected = _cross_entropy(model, x, z)
    found = terms["distortion"]
    if torch.allclose(found, expected, rtol=1e-3):
        return None
    if torch.allclose(found * SIDE**2, expected, rtol=1e-3):
        return "a picture of twice as many pixels should cost about twice as much. Does it?"
    return f"the distortion is not −log p(x|z) of the code that was decoded, summed over the image. {SIZES}"


def _cross_entropy(model: VAE, x: Tensor, z: Tensor) -> Tensor:
    """−log p(x|z) of each image, (B,), without the library's likelihood."""
    return binary_cross_entropy_with_logits(model.decoder(z).reshape(x.shape), x, reduction="none").flatten(1).sum(1)


def _gradient(answer: Loss, model: VAE, x: Tensor, terms: dict[str, Tensor], z: Tensor) -> str | None:
    """What reaches the encoder's last bias, μ and log σ² in turn, against that of the same codes through μ + σ·ε."""
    q = model.posterior(x)
    reparameterised = q.mean + q.stddev * ((z - q.mean) / q.stddev).detach()
    expected = {"distortion": _cross_entropy(model, x, reparameterised), "rate": kl_divergence(q, model.prior)}
    for name, term in expected.items():
        found, wanted = _reaches(terms[name], model), _reaches(term, model)
        if found is None:
            return f"no gradient of the {name} reaches the encoder. Where is the way cut?"
        for part, got, right in zip(("μ", "σ"), found.chunk(2), wanted.chunk(2), strict=True):
            if not torch.allclose(got, right, rtol=0.01, atol=1e-3 * float(right.abs().max())):
                return f"the gradient of the {name} that reaches the encoder's {part} is not that of its value. Is the way cut in part?"
    return None


def _reaches(term: Tensor, model: VAE) -> Tensor | None:
    if not term.requires_grad:
        return None
    return torch.autograd.grad(term.mean(), model.encoder[-1].bias, allow_unused=True, retain_graph=True)[0]


def _weight(answer: Loss, model: VAE, x: Tensor, terms: dict[str, Tensor], z: Tensor) -> str | None:
    for beta in (0.0, 1.0, 4.0):
        terms = answer(model, x, beta=beta)
        if not torch.allclose(terms["loss"], beta * terms["rate"] + terms["distortion"], rtol=1e-4):
            return f"at β = {beta:g} the loss is not β times the rate plus the distortion."
    return None


def _evaluation(answer: Loss, model: VAE, x: Tensor, terms: dict[str, Tensor], z: Tensor) -> str | None:
    model.eval()
    terms, z = _with_codes(answer, model, x, 1.0)
    if model.training:
        return "the model was set to evaluation, and your loss sets it back to training. That is for the caller to say."
    if _form(terms, z) or _codes(answer, model, x, terms, z) or _distortion(answer, model, x, terms, z):
        return "it is another loss after `model.eval()`. A bound needs its draws on test images, too."
    return None


FINDINGS = (_noise, _codes, _rate, _distortion, _gradient, _weight, _evaluation)
PATIENTS = (1, 2, 3, 4, 6, 7, 8, 9)  # those whose loss is sick; all must pass the whole examination

for _number in PATIENTS:
    exercise(f"debug-this-vae/patient-{_number}")(sound_loss)


@exercise("debug-this-vae/patient-5")
def pixels(answer: object) -> str | None:
    """Pixels as they are stored, 0 … 255 in 8 bits, to grey levels in [0, 1]."""
    raw = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    hints = [
        (lambda x: x.float(), "the cross-entropy wants probabilities. Which of these numbers are none?"),
        (lambda x: (x / 255 - 0.1307) / 0.3081, "mean 0 and deviation 1 is for classifiers. A probability of ink cannot be negative."),
        (lambda x: x / 127.5 - 1, "a probability of ink cannot be negative."),
        (lambda x: (x > 127).float(), "that rounds: the grey levels are gone, and the data are others."),
    ]
    return agrees(answer, lambda x: x / 255, [(raw,), (raw[..., :3],)], tolerance=1e-5, hints=hints)
