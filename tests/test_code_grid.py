"""The code grid: what Python hands over, the decoder and the layout of codes in Node against PyTorch, and what is refused."""

import base64
from pathlib import Path

import node
import numpy as np
import pytest
import torch
import traitlets

from vae_tutorial import checkpoints, explorers
from vae_tutorial.data import Images, binarize
from vae_tutorial.explorers.code_grid import mean_patches
from vae_tutorial.vector_quantisation import VectorQuantisedVAE

JS = Path(__file__).parent / "js"


@pytest.fixture(scope="module")
def images(test_digits) -> Images:
    return Images(binarize(test_digits.x, 3), test_digits.y, "binarised digits")


@pytest.fixture(scope="module")
def model(images, tmp_path_factory) -> VectorQuantisedVAE:
    """An untrained one whose pictures depend on the codes, rounded as it would be shipped."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    fresh = VectorQuantisedVAE(6, 4, 8)
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.mul_(2)
    fresh.start_codebook(images.x[:50], 0)
    checkpoints.save_model(fresh, "vq", {}, "int8", folder)
    return checkpoints.load_model("vq", folder)


def test_factory(model, images):
    box = explorers.code_grid(model, images, digit=2, cell=10)
    canvas = box.children[-1]
    grids = np.frombuffer(canvas.grids, np.uint8).reshape(10, 49)
    every = model.quantise(images.x)
    chosen = [int((images.y == label).nonzero()[0]) for label in range(10)]
    np.testing.assert_array_equal(grids, every[chosen].flatten(1).numpy())
    assert canvas.code == grids[2, 9]
    counts = np.bincount(every.flatten().numpy(), minlength=6)
    assert canvas.background == counts.argmax()
    assert canvas.frequency == pytest.approx((counts / counts.sum()).tolist(), abs=1e-4)
    assert [slider.description for slider in box.children[:-1]] == ["digit", "cell", "code"]
    assert [(slider.min, slider.max) for slider in box.children[:-1]] == [(0, 9), (1, 49), (0, 5)]
    assert repr(canvas) == f"CodeGrid(digit=2, cell=10, code={canvas.code})"
    assert (canvas.precision, canvas.size) == ("int8", [7, 7])
    with pytest.raises(traitlets.TraitError):
        canvas.cell = 0


def test_an_edited_grid_is_decoded_in_node_as_in_pytorch(model, images):
    canvas = explorers.code_grid(model, images).children[-1]
    grid = model.quantise(images.x[:1])[0]
    grid[3, 4] = (grid[3, 4] + 1) % 6
    codebook = np.frombuffer(canvas.codebook, "<f4")
    picture = torch.rand(28 * 28)
    other = picture + torch.where(torch.arange(784) % 7 == 0, 0.1, 0.01)
    job = {"codes": grid.flatten().tolist(), "codebook": codebook.tolist(), "dimension": 4, "picture": picture.tolist()}
    job["other"] = other.tolist()
    answer = node.ask(JS / "codes.mjs", job)
    assert answer["changed"] == 112
    network = {"layers": canvas.decoder_layers, "weights": base64.b64encode(canvas.decoder_weights).decode(), "precision": canvas.precision}
    logits = torch.tensor(node.ask(JS / "network.mjs", network | {"inputs": [answer["vectors"]], "beta": None}))
    with torch.no_grad():
        torch.testing.assert_close(logits[0].sigmoid(), model.likelihood(grid).mean.flatten(), rtol=0, atol=1e-4)


def test_a_codes_picture_is_the_mean_around_its_cells():
    x, grids = torch.rand(5, 1, 28, 28), torch.randint(0, 3, (5, 7, 7))
    framed, sums, counts = np.pad(x[:, 0].numpy(), ((0, 0), (4, 4), (4, 4))), np.zeros((4, 12, 12)), np.zeros(4)
    for n, row, column in np.ndindex(5, 7, 7):
        code = int(grids[n, row, column])
        sums[code] += framed[n, 4 * row : 4 * row + 12, 4 * column : 4 * column + 12]
        counts[code] += 1
    np.testing.assert_allclose(mean_patches(x, grids, 4)[:3], sums[:3] / counts[:3, None, None], rtol=1e-5)
    assert not mean_patches(x, grids, 4)[3].any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"digits": range(11)}, "at most 10"),
        ({"digit": 10}, r"digit must lie in 0 … 9"),
        ({"cell": 50}, r"cell in 1 … 49"),
        ({"digits": [1_000]}, "indices"),
    ],
)
def test_what_is_not_there_is_refused(model, images, wrong, message):
    with pytest.raises(ValueError, match=message):
        explorers.code_grid(model, images, **wrong)


def test_other_models_are_refused(images):
    torch.manual_seed(0)
    for other in (VectorQuantisedVAE(33, 4, 8), VectorQuantisedVAE(8, 4, 8, (1, 32, 32))):
        with pytest.raises(ValueError, match="at most 32 codes"):
            explorers.code_grid(other, images)
