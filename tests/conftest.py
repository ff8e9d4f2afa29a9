"""What every test shares: one seed, one thread, and the embedded digits read once."""

from collections.abc import Iterator

import pytest
import torch

from vae_tutorial.data import Images, load_images

torch.set_num_threads(1)  # bitwise comparisons want one order of summation


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """Start every test from the same random state, and leave the global one as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture(scope="session")
def train_digits() -> Images:
    """The 4,000 embedded training digits."""
    return load_images("mnist", "train")


@pytest.fixture(scope="session")
def test_digits() -> Images:
    """The 1,000 embedded held-out digits."""
    return load_images("mnist", "test")


@pytest.fixture(scope="session")
def embedded_digits(train_digits: Images, test_digits: Images) -> Images:
    """All 5,000 embedded digits, in the order in which the cards' numbers were measured."""
    return Images(torch.cat([train_digits.x, test_digits.x]), torch.cat([train_digits.y, test_digits.y]), "embedded digits")
