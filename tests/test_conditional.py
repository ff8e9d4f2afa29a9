"""The conditional VAE: slant, all classes of one code, classification by bounds; the explorer and its JavaScript."""

import base64
from pathlib import Path

import node
import numpy as np
import pytest
import torch
import traitlets

from vae_tutorial import checkpoints, conditional, explorers, image_quality
from vae_tutorial.explorers.canvas import Canvas
from vae_tutorial.models import VAE

FOLDER = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def shipped():
    return checkpoints.load_model("mnist-conditional").requires_grad_(False)


def sheared(by: float) -> torch.Tensor:
    """A bar three pixels wide and twenty high, moved to the right by `by` for each row upwards."""
    image = torch.zeros(1, 28, 28)
    for row in range(4, 24):
        left = 12 + by * (14 - row)
        for column in range(28):
            image[0, row, column] = max(0.0, min(column + 1, left + 3) - max(column, left))
    return image


def test_slant_of_sheared_bars_is_the_shear_here_and_in_the_browser():
    shears = [-0.4, -0.1, 0.0, 0.25, 0.5]
    bars = torch.stack([sheared(by) for by in shears])
    np.testing.assert_allclose(image_quality.slant(bars), shears, atol=0.01)
    np.testing.assert_allclose(image_quality.slant(2 * bars), image_quality.slant(bars), rtol=1e-5)
    found = node.ask(FOLDER / "visible.mjs", [{"kind": "slant", "picture": bar.flatten().tolist()} for bar in bars])
    np.testing.assert_allclose(found, image_quality.slant(bars), atol=1e-5)
    assert image_quality.slant(torch.zeros(1, 1, 28, 28)).isnan().all()


def test_one_code_as_every_class(shipped):
    z = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    pictures = conditional.all_classes(shipped, z)
    assert pictures.shape == (3, 10, 1, 28, 28)
    each = shipped.given(label=torch.tensor([4, 4, 4])).likelihood(z).mean
    torch.testing.assert_close(pictures[:, 4], each)


def test_slants_that_move_together_correlate_and_others_do_not():
    shears = torch.linspace(-0.4, 0.4, 9).tolist()
    together = torch.stack([torch.stack([sheared(by), sheared(by / 2)]) for by in shears])
    assert float(conditional.shared_slant(together)[0, 1]) == pytest.approx(1.0, abs=0.01)
    against = torch.stack([torch.stack([sheared(by), sheared(-by)]) for by in shears])
    assert float(conditional.shared_slant(against)[0, 1]) == pytest.approx(-1.0, abs=0.01)


def test_bounds_are_elbos_given_the_class(shipped, test_digits):
    """Against importance-weighted bounds of many codes: never above them beyond the noise, and near."""
    from vae_tutorial.evaluation import log_evidence

    x = test_digits.x[:4]
    bounds = conditional.bounds_by_class(shipped, x, draws=200, seed=0)
    assert bounds.shape == (4, 10)
    for label in (0, 7):
        evidence = log_evidence(shipped.given(label=label), x, 500, seed=1, progress=False)
        assert (bounds[:, label] < evidence + 0.5).all()
        assert (bounds[:, label] > evidence - 30).all()  # of some 100 to 250 nats; the gap is widest for a class that the digit is not of
    state = torch.get_rng_state()
    assert torch.equal(conditional.bounds_by_class(shipped, x, 2, 5), conditional.bounds_by_class(shipped, x, 2, 5))
    assert torch.equal(torch.get_rng_state(), state)


def test_bounds_share_their_noise_between_classes():
    """A model that does not look at the label has the same bounds for all classes, to the last bit."""
    torch.manual_seed(3)
    model = VAE(2, (8,), conditioned_on="label", labels=4)
    with torch.no_grad():
        model.encoder[0].weight[:, 784:] = 0
        model.decoder[0].weight[:, 2:] = 0
    bounds = conditional.bounds_by_class(model, torch.rand(3, 1, 28, 28), draws=2, seed=0)
    assert torch.equal(bounds, bounds[:, :1].expand(3, 4))


def test_the_shipped_model_draws_the_class_it_is_told_and_keeps_the_slant(shipped, test_digits):
    z = torch.randn(100, 6, generator=torch.Generator().manual_seed(1))
    pictures = conditional.all_classes(shipped, z)
    seen = image_quality.digit_probabilities(pictures.flatten(0, 1)).argmax(1).view(100, 10)
    assert (seen == torch.arange(10)).float().mean() > 0.8
    table = conditional.shared_slant(pictures)
    assert table[*torch.triu_indices(10, 10, 1)].min() > 0.7
    few = test_digits.x[:300], test_digits.y[:300]
    assert (conditional.bounds_by_class(shipped, few[0], 5, 0).argmax(1) == few[1]).float().mean() > 0.93


# ---------------------------------------------------------------- the explorer


@pytest.fixture(scope="module")
def box():
    return explorers.conditional(label=4)


def test_controls_and_canvas_start_together(box):
    choice, sliders, canvas = box.children
    assert isinstance(canvas, Canvas)
    assert "0x" not in repr(box)
    assert (choice.index, canvas.label) == (4, 4)
    assert [control.description for control in sliders.children] == ["1st", "2nd", "3rd", "4th", "5th", "6th"]
    rates = checkpoints.model_card("mnist-conditional")["rate_per_unit"]
    assert [rates[unit] for unit in canvas.order] == sorted(rates, reverse=True)
    assert canvas.precision == "int8"
    with pytest.raises(traitlets.TraitError):
        canvas.label = 10


def test_the_browser_s_decoder_takes_the_code_and_then_the_class(box, shipped):
    canvas = box.children[-1]
    z = torch.randn(2, 6, generator=torch.Generator().manual_seed(3))
    one_of_ten = torch.eye(10)[[3, 8]]
    job = {
        "layers": canvas.decoder_layers, "weights": base64.b64encode(canvas.decoder_weights).decode(), "precision": canvas.precision,
        "inputs": torch.cat([z, one_of_ten], 1).tolist(),
    }  # fmt: skip
    found = torch.tensor(node.ask(FOLDER / "network.mjs", job)).sigmoid()
    expected = shipped.given(label=torch.tensor([3, 8])).likelihood(z).mean.flatten(1)
    assert (found - expected).abs().max() < 2e-3


def test_other_models_are_refused(tmp_path):
    with pytest.raises(ValueError, match="must be conditioned on ten labels"):
        explorers.conditional("mnist-2d")
    checkpoints.save_model(VAE(6, (8,), conditioned_on="label"), "no-rates", {}, "int8", tmp_path)
    with pytest.raises(ValueError, match="their rates on its card"):
        explorers.conditional("no-rates", folder=tmp_path)
