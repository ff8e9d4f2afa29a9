"""Training replay: an epoch slider moves the map of codes, the decoded digits and the curves of one recorded training."""

import zlib
from base64 import b64decode
from io import BytesIO
from typing import Any

import ipywidgets
import numpy as np
import torch
import traitlets
from PIL import Image

from vae_tutorial.data import Images
from vae_tutorial.explorers.canvas import LOOK, Canvas, FiniteFloat, label_bytes
from vae_tutorial.explorers.javascript import join_modules
from vae_tutorial.explorers.latent_map import extent_of

PIXELS = 28  # along a side of a digit
TERMS = ("rate", "distortion", "loss")


class TrainingReplay(Canvas):
    """The canvas of `training_replay`: frame counts the recorded epochs from 0; everything else is fixed at construction."""

    _esm = join_modules("training_replay.js")
    shown = ("frame",)
    frame = traitlets.Int(0, min=0).tag(sync=True)
    epochs = traitlets.List(traitlets.Int()).tag(sync=True)  # of the frames
    extent = FiniteFloat(3.5, min=0.1).tag(sync=True)  # the map shows ±extent
    labels = traitlets.Bytes().tag(sync=True)  # uint8 (N,)
    codes = traitlets.Bytes().tag(sync=True)  # float16 (frames, N, 2)
    digits = traitlets.Bytes().tag(sync=True)  # zlib, uint8 (frames, digits, 784): each frame minus the one before it, modulo 256
    rate = traitlets.List(FiniteFloat()).tag(sync=True)  # of the held-out images at epochs 0, 1, 2, …
    distortion = traitlets.List(FiniteFloat()).tag(sync=True)
    loss = traitlets.List(FiniteFloat()).tag(sync=True)  # minus the ELBO


def training_replay(replay: dict[str, Any], images: Images, epoch: int = 0) -> ipywidgets.VBox:
    """Replay a training: held-out codes on the map, decoded places of the prior, rate and distortion, epoch by epoch.

    Try: find the epoch at which the rate is highest; find the first epoch at which you can name a digit among the samples;
    see which classes part last.

    Args:
        replay: the recorded frames, `checkpoints.model_card("mnist-replay")["replay"]`.
        images: the held-out images whose codes were recorded, in their order: `data.load_images("mnist", "test")`.
        epoch: one of the recorded epochs, to start at.

    Raises:
        ValueError: other images than the recorded ones, or an epoch that was not recorded.
    """
    epochs = list(replay["epochs"])
    if epoch not in epochs:
        raise ValueError(f"epoch {epoch} was not recorded: choose from {epochs}")
    codes = np.stack([np.frombuffer(b64decode(frame["codes"]), "<f2").reshape(-1, 2) for frame in replay["frames"]])
    if codes.shape[1] != len(images):
        raise ValueError(f"the codes of {codes.shape[1]} images were recorded, not of {len(images)}: give the images of the recording")
    digits = np.stack([unpack_digits(b64decode(frame["digits"])) for frame in replay["frames"]])
    canvas = TrainingReplay(
        frame=epochs.index(epoch),
        epochs=epochs,
        extent=max(extent_of(torch.from_numpy(each.astype(np.float32))) for each in codes),
        labels=label_bytes(images.y),
        codes=codes.tobytes(),
        digits=zlib.compress(np.diff(digits, axis=0, prepend=np.uint8(0)).tobytes(), 9),  # a sixth smaller than the frames themselves
        **{term: replay["held_out"][term] for term in TERMS},
    )
    slider = ipywidgets.SelectionSlider(
        description="epoch", options=epochs, value=epoch, **LOOK | {"style": {"description_width": "3.5em"}}
    )
    ipywidgets.jslink((slider, "index"), (canvas, "frame"))
    canvas.layout.width = "auto"
    return ipywidgets.VBox([slider, canvas])


def unpack_digits(picture: bytes) -> np.ndarray:
    """A grey mosaic of digits (rows·28, columns·28) in a lossless file → uint8 (rows·columns, 784), row by row."""
    with Image.open(BytesIO(picture)) as image:
        grey = np.asarray(image.convert("L"))  # WebP knows colours only
    rows, columns = grey.shape[0] // PIXELS, grey.shape[1] // PIXELS
    return grey.reshape(rows, PIXELS, columns, PIXELS).transpose(0, 2, 1, 3).reshape(rows * columns, -1)
