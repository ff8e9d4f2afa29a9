"""Image quality against closed forms, and on digits that are blurred or drowned in noise."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.ndimage import laplace
from torch.nn.functional import avg_pool2d

from vae_tutorial.image_quality import class_entropy, digit_classifier, digit_confidence, digit_probabilities, psnr, sharpness


def blurred(x: torch.Tensor) -> torch.Tensor:
    return avg_pool2d(x, 5, stride=1, padding=2)


def noisy(x: torch.Tensor, strength: float) -> torch.Tensor:
    return (x + strength * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)


# ---------------------------------------------------------------- PSNR


def test_psnr_of_a_known_error():
    x = torch.rand(3, 1, 8, 8)
    found = psnr(x, x + torch.tensor([0.1, 0.01, 0.0]).view(3, 1, 1, 1))
    torch.testing.assert_close(found[:2], torch.tensor([20.0, 40.0]), rtol=1e-4, atol=0)
    assert found[2] == torch.inf


def test_psnr_of_gaussian_noise_is_its_variance_in_decibels():
    x = torch.rand(1, 3, 300, 300)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    assert psnr(x, x + 0.05 * noise).item() == pytest.approx(-20 * np.log10(0.05), abs=0.05)


def test_psnr_does_not_broadcast():
    with pytest.raises(ValueError, match="one shape"):
        psnr(torch.zeros(2, 1, 4, 4), torch.zeros(1, 1, 4, 4))


# ---------------------------------------------------------------- sharpness


def test_sharpness_of_images_whose_laplacian_is_known():
    """A plane has none, a paraboloid the same everywhere; on a checkerboard it is ±4."""
    row = torch.arange(10.0)
    plane = (row[:, None] + 2 * row).expand(1, 1, 10, 10)
    paraboloid = (row[:, None] ** 2 + row**2).expand(1, 1, 10, 10)
    checkerboard = ((row[:, None] + row) % 2).expand(1, 1, 10, 10)
    torch.testing.assert_close(sharpness(torch.cat([plane, paraboloid, checkerboard])), torch.tensor([0.0, 0.0, 16.0]))


def test_sharpness_is_the_variance_of_scipys_laplacian(test_digits):
    expected = [laplace(image.astype(np.float64))[1:-1, 1:-1].var() for image in test_digits.x[:20, 0].numpy()]
    np.testing.assert_allclose(sharpness(test_digits.x[:20]), expected, rtol=1e-5)


def test_noise_adds_twenty_times_its_variance():
    noise = torch.randn(1, 1, 500, 500, generator=torch.Generator().manual_seed(1))
    assert sharpness(0.3 * noise).item() == pytest.approx(20 * 0.09, rel=0.02)


def test_colours_are_averaged():
    x = torch.rand(2, 3, 9, 9)
    torch.testing.assert_close(sharpness(x), sharpness(x.mean(1, keepdim=True)))


# ---------------------------------------------------------------- the digit classifier


def test_the_classifier_knows_held_out_digits(test_digits):
    probabilities = digit_probabilities(test_digits.x)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(1_000))
    assert (probabilities.argmax(1) == test_digits.y).float().mean() > 0.95


def test_blur_costs_sharpness_and_noise_costs_confidence(test_digits):
    """Neither measure alone: blur lowers sharpness; noise raises it, while the classifier loses its confidence."""
    x = test_digits.x[:500]
    sharp, confident = sharpness(x).mean(), digit_confidence(x).mean()
    assert sharpness(blurred(x)).mean() < 0.1 * sharp
    assert (sharpness(blurred(x)) < sharpness(x)).all()
    assert sharpness(noisy(x, 0.5)).mean() > 2 * sharp
    confidences = [confident, *(digit_confidence(noisy(x, strength)).mean() for strength in (1.0, 2.0))]
    assert all(more > less + 0.1 for more, less in pairwise(confidences))
    assert confident > 0.9


def test_pure_noise_is_no_digit():
    x = torch.rand(300, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert digit_confidence(x).mean() < 0.5


def test_confidence_is_the_largest_probability(test_digits):
    probabilities = digit_probabilities(test_digits.x[:10]).numpy()
    np.testing.assert_allclose(digit_confidence(test_digits.x[:10]), np.sort(probabilities, 1)[:, -1])


def test_class_entropy_counts_the_classes(test_digits):
    ones = test_digits.x[test_digits.y == 1]
    half = torch.cat([ones[:80], test_digits.x[test_digits.y == 0][:80]])
    assert class_entropy(test_digits.x) == pytest.approx(np.log(10), abs=0.02)
    assert class_entropy(half) == pytest.approx(np.log(2), abs=0.2)
    assert class_entropy(ones) < 0.2


def test_a_seed_fixes_the_classifier(test_digits):
    before = torch.get_rng_state()
    found = digit_probabilities(test_digits.x[:5])
    digit_classifier.cache_clear()
    torch.testing.assert_close(digit_probabilities(test_digits.x[:5]), found, rtol=0, atol=0)
    assert torch.equal(torch.get_rng_state(), before)
