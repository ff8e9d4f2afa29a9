"""The explorer 'training replay': what it hands to the browser is the card's record, and the record is what the shipped model does."""

import base64
import json
import zlib
from io import BytesIO
from pathlib import Path

import node
import numpy as np
import pytest
import torch
from PIL import Image

from vae_tutorial import checkpoints, explorers
from vae_tutorial.data import Images
from vae_tutorial.explorers import javascript
from vae_tutorial.explorers.latent_map import BULK
from vae_tutorial.explorers.training_replay import TrainingReplay, unpack_digits


@pytest.fixture(scope="module")
def replay() -> dict:
    return checkpoints.model_card("mnist-replay")["replay"]


@pytest.fixture(scope="module")
def box(replay, test_digits):
    return explorers.training_replay(replay, test_digits)


def test_the_slider_stops_at_the_recorded_epochs(box, replay):
    slider, canvas = box.children
    assert list(slider.options) == canvas.epochs == replay["epochs"]
    assert (slider.index, canvas.frame) == (0, 0)
    assert repr(canvas) == "TrainingReplay(frame=0)"


def test_one_may_start_at_any_recorded_epoch(replay, test_digits):
    slider, canvas = explorers.training_replay(replay, test_digits, epoch=10).children
    assert (slider.value, canvas.epochs[canvas.frame]) == (10, 10)
    with pytest.raises(ValueError, match=r"epoch 9 was not recorded: choose from \[0, 1, 2"):
        explorers.training_replay(replay, test_digits, epoch=9)


def test_the_last_frame_is_what_the_shipped_model_does(box, test_digits):
    """Up to the shipped weights' rounding to int8: the frames were recorded before it."""
    model, canvas = checkpoints.load_model("mnist-replay"), box.children[-1]
    codes = np.frombuffer(canvas.codes, "<f2").reshape(len(canvas.epochs), -1, 2)
    quantiles = torch.special.ndtri((torch.arange(8) + 0.5) / 8)
    with torch.no_grad():
        mu = model.posterior(test_digits.x).mean
        z = torch.stack([torch.tensor([z1, z2]) for z2 in quantiles.flip(0) for z1 in quantiles])  # z₂ falls from row to row
        drawn = model.likelihood(z).mean.flatten(1)
    assert (mu - torch.from_numpy(codes[-1].astype(np.float32))).abs().mean() < 0.03
    digits = np.frombuffer(zlib.decompress(canvas.digits), np.uint8).reshape(len(canvas.epochs), 64, 784).cumsum(0, dtype=np.uint8)
    assert np.abs(digits[-1] / 255 - drawn.numpy()).mean() < 0.01
    assert np.abs(digits[0] / 255 - drawn.numpy()).mean() > 0.2  # and the first one is another


def test_the_map_is_wide_enough_for_every_frame(replay, test_digits):
    """Here for one in the middle, whose codes lie three times as far out."""
    frames = list(replay["frames"])
    codes = 3 * np.frombuffer(base64.b64decode(frames[4]["codes"]), "<f2")
    frames[4] = frames[4] | {"codes": base64.b64encode(codes.tobytes()).decode()}
    extent = explorers.training_replay(replay | {"frames": frames}, test_digits).children[-1].extent
    bulk = np.quantile(np.abs(codes.astype(np.float32)), BULK)
    assert max(bulk, 3.5) <= extent < max(bulk, 3.5) + 0.5
    assert bulk > explorers.training_replay(replay, test_digits).children[-1].extent


def test_curves_have_a_value_for_every_epoch(box):
    canvas = box.children[-1]
    for curve in (canvas.rate, canvas.distortion, canvas.loss):
        assert len(curve) == canvas.epochs[-1] + 1
    np.testing.assert_allclose(np.add(canvas.rate, canvas.distortion), canvas.loss, atol=2e-3)  # β = 1


def test_a_mosaic_is_cut_row_by_row():
    digits = np.arange(6 * 784).reshape(6, 28, 28) % 256
    mosaic = np.block([[*digits[:3]], [*digits[3:]]]).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(mosaic).save(file, "WEBP", lossless=True)
    np.testing.assert_array_equal(unpack_digits(file.getvalue()), digits.reshape(6, 784))


def test_other_images_are_refused(replay, test_digits):
    with pytest.raises(ValueError, match="the codes of 1000 images were recorded, not of 10"):
        explorers.training_replay(replay, Images(test_digits.x[:10], test_digits.y[:10], "few"))


def test_the_browser_unpacks_the_same_digits(box, replay):
    """The widget's bytes through the JavaScript that reads them, against Pillow's reading of the card."""
    canvas = box.children[-1]
    module = json.dumps((Path(javascript.FOLDER) / "training_replay.js").as_uri())
    script = f"""
        const {{ addFrames, inflate }} = await import({module});
        const text = await new Response(process.stdin).text();
        process.stdout.write(Buffer.from(addFrames(await inflate(Buffer.from(text, "base64")), 64 * 784)).toString("base64"));
    """
    printed = node.run("--input-type=module", "--eval", script, text=base64.b64encode(canvas.digits).decode())
    unpacked = np.frombuffer(base64.b64decode(printed), np.uint8).reshape(len(canvas.epochs), 64, 784)
    for frame, recorded in zip(unpacked, replay["frames"], strict=True):
        with Image.open(BytesIO(base64.b64decode(recorded["digits"]))) as image:
            picture = np.asarray(image.convert("L"))
        np.testing.assert_array_equal(frame[9].reshape(28, 28), picture[28:56, 28:56])
        np.testing.assert_array_equal(frame[7].reshape(28, 28), picture[:28, 196:])


def test_the_joined_module_is_small():
    assert len(TrainingReplay._esm) < 60_000
