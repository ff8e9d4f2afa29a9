"""What recipes and experiments train on, and what they are measured on."""

from pathlib import Path

import torch

from vae_tutorial.data import Images, binarize, load_images
from vae_tutorial.laboratory import spiral
from vae_tutorial.rotation import pictures
from vae_tutorial.sprites import Sprites

MEASURING_SEED = 1_000_000  # of the noise in the reported numbers, and of the binarisation of test images; no training uses it
# Training images, each rendered when a batch asks for it, drawn with replacement from 737,280: held-out draws repeat most of them.
SPRITES = 1_000_000
HELD_OUT_SPRITES = 10_000
POINTS_ON_SPIRAL = 10_000  # to train on, and as many others held out
PLACES = 10_000  # of the ellipse, the same


def training_images(data: str, root: str | Path | None, seed: int) -> Images:
    """The training images of `"mnist"` or `"fashion-mnist"` (see `data`), `"embedded"`, `"sprites"`, `"spiral"` or `"places"`."""
    if data == "places":
        return _ellipses(seed, f"{PLACES:,} pictures of an ellipse, its place drawn at random")
    if data == "spiral":
        return _points(seed, f"{POINTS_ON_SPIRAL:,} points on a spiral")
    if data == "sprites":
        sprites = Sprites(SPRITES, seed=seed)
        return Images(sprites, sprites.factors, f"{len(sprites):,} sprites rendered on demand")
    return load_images("mnist", "train") if data == "embedded" else load_images(data, "train", full=True, root=root)


def held_out(data: str, root: str | Path | None, binarized: bool = False) -> dict[str, Images]:
    """Images that no model of these data was trained on, by name, the ones to report first."""
    if data in ("sprites", "spiral", "places"):
        return {data: at_hand(data, binarized)}
    name = "mnist" if data == "embedded" else data
    official = load_images(name, "test", full=True, root=root)
    return {"official_test": _binarized(official) if binarized else official, "embedded": at_hand(data, binarized)}


def at_hand(data: str, binarized: bool = False) -> Images:
    """Those of them that need no download; binarised once, where asked, with the measuring seed."""
    if data == "spiral":
        images = _points(MEASURING_SEED, f"{POINTS_ON_SPIRAL:,} other points on the spiral")
    elif data == "places":
        images = _ellipses(MEASURING_SEED, f"{PLACES:,} other places of the ellipse")
    elif data == "sprites":
        sprites = Sprites(HELD_OUT_SPRITES, seed=MEASURING_SEED)
        images = Images(sprites[:], sprites.factors, f"{len(sprites):,} other draws of the factors")
    elif data == "mnist":
        parts = [load_images("mnist", split) for split in ("train", "test")]
        images = Images(torch.cat([part.x for part in parts]), torch.cat([part.y for part in parts]), "the 5,000 embedded digits")
    else:
        images = load_images("mnist" if data == "embedded" else data, "test")
    return _binarized(images) if binarized else images


def _points(seed: int, source: str) -> Images:
    return Images(spiral(POINTS_ON_SPIRAL, seed), torch.zeros(POINTS_ON_SPIRAL, dtype=torch.int64), source)


def _ellipses(seed: int, source: str) -> Images:
    place = torch.rand(PLACES, 2, generator=torch.Generator().manual_seed(seed))
    return Images(pictures(place), torch.zeros(PLACES, dtype=torch.int64), source)


def _binarized(images: Images) -> Images:
    return Images(binarize(images.x, MEASURING_SEED), images.y, f"{images.source}, binarised")
