"""The denoising explorer: what it hands over, its networks and its median in the browser, and what it refuses."""

import base64
from pathlib import Path

import node
import pytest
import torch
import traitlets

from vae_tutorial import explorers
from vae_tutorial.data import Images
from vae_tutorial.denoisers import median
from vae_tutorial.explorers import weights
from vae_tutorial.explorers.canvas import Canvas
from vae_tutorial.models import VAE, Autoencoder

JS = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def images():
    generator = torch.Generator().manual_seed(0)
    return Images(torch.rand(40, 1, 28, 28, generator=generator), torch.arange(40) % 10, "noise")


@pytest.fixture(scope="module")
def models():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Autoencoder(6, (12,), "silu"), VAE(5, (9,), "silu")


def canvas_of(box):
    canvas = box.children[-1]
    assert isinstance(canvas, Canvas)
    assert "0x" not in repr(box)
    return canvas


def test_what_it_hands_over(models, images):
    box = explorers.denoising(*models, images, samples=[3, 14], level=0.3)
    canvas = canvas_of(box)
    assert [child.description for child in box.children[:-1]] == ["noise", "level", "seed"]
    assert box.children[0].options == ("Gaussian", "salt and pepper", "masking")
    assert (canvas.kind, canvas.level, canvas.seed, canvas.digit) == (0, 0.3, 0, 0)
    assert box.children[1].value == 0.3
    assert list(canvas.sample_labels) == [3, 4]
    assert canvas.samples == weights.uint8_bytes(images.x[[3, 14]])
    assert len(canvas_of(explorers.denoising(*models, images)).sample_labels) == 20
    for trait, value in {"kind": 3, "level": 1.1, "seed": -1, "digit": -2}.items():
        with pytest.raises(traitlets.TraitError):
            setattr(canvas, trait, value)


@pytest.mark.parametrize("precision", weights.PRECISIONS)
def test_the_browser_denoises_as_pytorch_does(models, images, precision):
    denoiser, vae = models
    canvas = canvas_of(explorers.denoising(denoiser, vae, images, precision=precision))
    y = images.x[:3] + torch.randn(3, 1, 28, 28)
    expected = {"denoiser": denoiser.decode(denoiser.encode(y)).flatten(1), "encoder": torch.cat(vae.encode(y), 1)}
    for name, values in expected.items():
        packed = base64.b64encode(getattr(canvas, f"{name}_weights")).decode()
        job = {"layers": getattr(canvas, f"{name}_layers"), "weights": packed, "precision": precision, "inputs": y.flatten(1).tolist()}
        found = torch.tensor(node.ask(JS / "network.mjs", job | {"beta": None}))
        torch.testing.assert_close(found, values.detach(), rtol=0.02, atol=0.02)


def test_the_browsers_median_is_scipys(images):
    y = images.x[:2] + 0.5 * torch.randn(2, 1, 28, 28)
    found = torch.tensor(node.ask(JS / "noise.mjs", {"side": 28, "pictures": y.flatten(1).tolist()}))
    torch.testing.assert_close(found, median(y, 3).flatten(1))


def test_what_it_refuses(models, images):
    denoiser, vae = models
    with pytest.raises(ValueError, match="denoiser must decode to logits"):
        explorers.denoising(Autoencoder(4, (8,), output="none"), vae, images)
    with pytest.raises(ValueError, match="vae is a model of images of shape"):
        explorers.denoising(denoiser, VAE(2, (4,), image_shape=(1, 8, 8)), images)
    with pytest.raises(ValueError, match="samples must be indices"):
        explorers.denoising(denoiser, vae, images, samples=[40])
    with pytest.raises(traitlets.TraitError, match="level must be finite, not nan"):
        explorers.denoising(denoiser, vae, images, level=float("nan"))
