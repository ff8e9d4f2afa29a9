"""The perplexity explorer: what Python hands over, and its numbers from the browser's modules against NumPy's."""

from pathlib import Path

import node
import numpy as np
import pytest
import torch
import traitlets
from map_numbers import preserved

from vae_tutorial import explorers
from vae_tutorial.embeddings import load_clouds

PROGRAM = Path(__file__).parent / "js" / "neighbours.mjs"


@pytest.fixture(scope="module")
def clouds():
    return load_clouds()


@pytest.mark.parametrize("name", ["three blobs, d = 2", "β = 1, d = 10", "autoencoder, d = 2"])
def test_the_browsers_numbers_are_numpys(clouds, name):
    cloud, step = clouds[name], 3
    flat = (0.75 * cloud.maps[step] + 0.25 * cloud.maps[step + 1]).double().numpy()  # between two recorded maps
    codes, labels = cloud.codes.double().numpy(), cloud.labels.numpy()
    job = {"codes": codes.ravel().tolist(), "d": codes.shape[1], "map": flat.ravel().tolist(), "labels": labels.tolist(), "k": 10}
    shown, expected = node.ask(PROGRAM, job), preserved(codes, flat, labels, 10)
    assert {name: shown[name] for name in expected} == pytest.approx(expected, rel=1e-9)


def test_factory(clouds):
    box = explorers.perplexity("one Gaussian, d = 2", perplexity=8, point=3)
    canvas = box.children[-1]
    choice, strength, number = box.children[:-1]
    assert choice.options[choice.index] == "one Gaussian, d = 2"
    assert canvas.cloud == choice.index
    assert (strength.value, number.value) == (canvas.perplexity, canvas.point) == (8, 3)
    assert repr(canvas) == f"Perplexity(cloud={choice.index}, perplexity=8.0, point=3)"
    counts = [(each["count"], each["d"]) for each in canvas.clouds]
    assert len(canvas.codes) == sum(2 * count * d for count, d in counts)
    assert len(canvas.labels) == sum(count for count, _ in counts)
    assert len(canvas.maps) == sum(2 * count * len(canvas.perplexities) for count, _ in counts)
    first = np.frombuffer(canvas.codes, "<f2")[: counts[0][0] * counts[0][1]].astype(np.float32)
    np.testing.assert_array_equal(first, next(iter(clouds.values())).codes.numpy().ravel())
    with pytest.raises(traitlets.TraitError, match="cloud must lie in"):
        canvas.cloud = len(counts)
    assert explorers.perplexity().children[-1].cloud == 0


def test_clouds_by_hand_are_shown_whole_and_models_beside_the_prior(clouds):
    canvas = explorers.perplexity().children[-1]
    for facts, (name, cloud) in zip(canvas.clouds, clouds.items(), strict=True):
        assert facts["name"] == name
        widest = float(cloud.codes[:, :2].abs().max())
        assert facts["extent"] >= 3.5 if facts["model"] else facts["extent"] > 1.1 * widest


def test_the_first_point_lies_in_the_wide_blob_and_beside_every_centre(clouds):
    box = explorers.perplexity("three blobs, d = 2")
    blobs, point = clouds["three blobs, d = 2"], box.children[-1].point - 1
    assert box.children[-2].value == point + 1
    assert blobs.labels[point] == 2
    for places in (blobs.codes.float(), blobs.maps[4].float()):  # perplexity 32
        half = places.sub(places.mean(0)).abs().max()
        centres = torch.stack([places[blobs.labels == label].mean(0) for label in (1, 2, 3)])
        assert (centres - places[point]).norm(dim=1).min() > 0.2 * half, "the cursor covers a blob's centre"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cloud": "nine blobs"}, "unknown cloud"),
        ({"perplexity": 1.5}, "perplexity must lie in 2 … 128"),
        ({"point": 0}, "point must lie in"),
    ],
)
def test_what_is_not_there_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        explorers.perplexity(**wrong)
