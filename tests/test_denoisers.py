"""Denoisers without codes: PCA against NumPy's SVD, the median against a sort, the noise that passes in closed form."""

import numpy as np
import pytest
import torch

from vae_tutorial.denoisers import OneLayer, PrincipalComponents, best_of, median, passed_noise


def test_pca_is_the_nearest_image_in_the_plane():
    x, y = torch.randn(40, 1, 3, 4), torch.randn(5, 1, 3, 4)
    flat = x.flatten(1).double().numpy()
    axes = np.linalg.svd(flat - flat.mean(0), full_matrices=False)[2][:4]
    expected = (y.flatten(1).double().numpy() - flat.mean(0)) @ axes.T @ axes + flat.mean(0)
    np.testing.assert_allclose(PrincipalComponents(x).project(y, 4).flatten(1).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("components", [3, 12, 40, 64])
def test_pca_passes_k_of_d_of_white_noise(components):
    x = torch.randn(100, 1, 8, 8)
    y = x + torch.randn(100, 1, 8, 8)
    pca = PrincipalComponents(x)
    assert passed_noise(lambda image: pca.project(image, components), x, y) == pytest.approx(components / 64, abs=0.02)


def test_noise_that_passes():
    x = torch.rand(6, 1, 4, 4)
    y = x + torch.randn(6, 1, 4, 4)
    assert passed_noise(lambda image: image, x, y) == pytest.approx(1.0)
    assert passed_noise(torch.zeros_like, x, y) == 0
    assert passed_noise(lambda image: 0.3 * image + 7, x, y) == pytest.approx(0.3)


def test_median_is_the_middle_of_its_neighbours():
    y = torch.rand(2, 1, 6, 7)
    padded = np.pad(y.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3)).reshape(2, 1, 6, 7, 9)
    np.testing.assert_allclose(median(y, 3).numpy(), np.median(windows, -1))
    speck = torch.zeros(1, 1, 9, 9)
    speck[0, 0, 4, 4] = 1
    assert not median(speck, 3).any()


def test_one_layer_has_a_code_without_negative_numbers_and_can_be_the_identity():
    torch.manual_seed(0)
    model, x = OneLayer(2 * 784), torch.randn(3, 1, 28, 28)
    assert (model.encode(x) >= 0).all()
    with torch.no_grad():  # x = ReLU(x) − ReLU(−x)
        model.encoder[0].weight.copy_(torch.cat([torch.eye(784), -torch.eye(784)]))
        model.decoder[0].weight.copy_(torch.cat([torch.eye(784), -torch.eye(784)], 1))
        for layer in (model.encoder[0], model.decoder[0]):
            layer.bias.zero_()
    torch.testing.assert_close(model(x), x)


def test_the_best_method_is_chosen_by_its_error():
    x = torch.rand(4, 1, 3, 3)
    assert best_of({1: torch.zeros_like, 2: lambda y: y}, x, x + 0.01)(x) is x
