"""Makes the Fashion-MNIST images that ship with the package: the first 100 of each class of the official test set.

Run `python tests/fashion_sheet.py FOLDER`, where FOLDER holds FashionMNIST/raw, or receives it.
"""

import hashlib
import sys

import numpy as np
from PIL import Image

from vae_tutorial.data import FASHION_SHEET, load_images


def contact_sheet(pixels: np.ndarray, labels: np.ndarray, columns: int = 100) -> np.ndarray:
    """Images (N, 28, 28) → a sheet (280, 28 * columns) whose row k holds the first images of class k."""
    rows = [np.concatenate(list(pixels[labels == label][:columns]), axis=1) for label in range(10)]
    return np.concatenate(rows)


def main(folder: str) -> None:
    test = load_images("fashion-mnist", "test", full=True, root=folder)
    sheet = contact_sheet((255 * test.x[:, 0]).round().byte().numpy(), test.y.numpy())
    FASHION_SHEET.parent.mkdir(exist_ok=True)
    Image.fromarray(sheet).save(FASHION_SHEET, optimize=True)
    print(f"{FASHION_SHEET}: {FASHION_SHEET.stat().st_size:,} bytes, sha256 of its pixels {hashlib.sha256(sheet.tobytes()).hexdigest()}")


if __name__ == "__main__":
    main(sys.argv[1])
