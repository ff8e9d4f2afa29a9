"""A small 2-D VAE, trained on the embedded digits in seconds and recorded on the way: what the epoch slider replays."""

from base64 import b64encode
from io import BytesIO
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from vae_tutorial.data import Images, load_images
from vae_tutorial.models import VAE
from vae_tutorial.objectives import negative_elbo
from vae_tutorial.schedules import one_cycle
from vae_tutorial.training import History, evaluate, fit

NAME = "mnist-replay"
HIDDEN = (256, 128)
ACTIVATION = "silu"
EPOCHS = 60
BATCH_SIZE = 128
PEAK_LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.05
PRECISION = "int8"
SEED = 0
DATA = "embedded"
BINARISATION = "none"
MEASURE = negative_elbo
FRAMES = (0, 1, 2, 3, 4, 6, 8, 10, 13, 16, 20, 25, 30, 35, 40, 50, 60)  # epochs: the map moves most at the start
LEVELS = 32  # of grey, all that a small picture shows: half the bytes of 256
SIDE = 8  # decoded digits along a side, codes at evenly spaced quantiles of the prior


def train(images: Images, state: Path | None, seed: int = SEED) -> tuple[VAE, dict]:
    """Train on the images, from the start each time: an interruption costs seconds, and frames would be missing."""
    held_out = load_images("mnist", "test").x
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = VAE(2, HIDDEN, ACTIVATION)
    before = evaluate(model, held_out, negative_elbo, seed=seed)
    frames = [frame(model, held_out)]

    def film(history: History) -> None:
        if len(history) in FRAMES:
            frames.append(frame(model, held_out))

    history = fit(
        model, images.x, negative_elbo, epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=one_cycle(PEAK_LEARNING_RATE),
        weight_decay=WEIGHT_DECAY, validation=held_out, seed=seed, on_epoch=film,
    )  # fmt: skip
    curves = {"train": history.train, "held_out": {name: [before[name], *values] for name, values in history.validation.items()}}
    rounded = {part: {name: [round(value, 3) for value in values] for name, values in terms.items()} for part, terms in curves.items()}
    return model, {"replay": {"epochs": list(FRAMES), "frames": frames, **rounded}}


@torch.no_grad()
def frame(model: VAE, x: Tensor) -> dict[str, str]:
    """One moment, base64: `codes`, the means of q(z|x) as little-endian float16 (N, 2); `digits`, SIDE × SIDE decoded means, a WebP."""
    from torchvision.utils import make_grid  # takes seconds to import and 180 MB: only where it is needed

    codes = model.posterior(x).mean.numpy().astype("<f2").tobytes()
    quantiles = torch.special.ndtri((torch.arange(SIDE) + 0.5) / SIDE)
    z = torch.cartesian_prod(quantiles.flip(0), quantiles).flip(1)  # rows from the top, z₂ falling; z₁ to the right
    pixels = make_grid(model.likelihood(z).mean, nrow=SIDE, padding=0)[0].mul(LEVELS - 1).round().mul(255 / (LEVELS - 1)).round().byte()
    digits = BytesIO()
    Image.fromarray(pixels.numpy()).save(digits, "WEBP", lossless=True, quality=100, method=6)  # a third smaller than PNG
    return {"codes": b64encode(codes).decode(), "digits": b64encode(digits.getvalue()).decode()}
