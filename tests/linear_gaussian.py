"""The linear-Gaussian VAE, whose evidence and posterior are known: x = W z + b + σ ε, so x ~ N(b, W Wᵀ + σ² I).

The closed forms are computed with NumPy and SciPy in double precision and share no code with the package.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import multivariate_normal
from torch import Tensor

from vae_tutorial.models import VAE


@dataclass(frozen=True)
class LinearGaussian:
    """p(z) = N(0, I), p(x|z) = N(W z + b, σ² I), with W (D, d) and b (D,)."""

    weight: np.ndarray
    bias: np.ndarray
    sigma: float

    @property
    def precision(self) -> np.ndarray:
        """Λ = I + WᵀW/σ², the precision of p(z|x), (d, d)."""
        return np.eye(self.weight.shape[1]) + self.weight.T @ self.weight / self.sigma**2

    @property
    def covariance(self) -> np.ndarray:
        """Of p(z|x), the same for every x."""
        return np.linalg.inv(self.precision)

    def log_evidence(self, x: np.ndarray) -> np.ndarray:
        """log p(x) in nats, for x (N, D)."""
        covariance = self.weight @ self.weight.T + self.sigma**2 * np.eye(len(self.bias))
        return np.atleast_1d(multivariate_normal(self.bias, covariance).logpdf(x))

    def posterior_mean(self, x: np.ndarray) -> np.ndarray:
        """Of p(z|x), (N, d) for x (N, D)."""
        return (x - self.bias) @ self.weight @ self.covariance / self.sigma**2

    def expected_distortion(self, x: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """−E log p(x|z) under z ~ N(mean, diag(variance)), for x (N, D), mean and variance (N, d)."""
        residual = x - self.bias - mean @ self.weight.T
        spread = variance @ (self.weight**2).sum(0)
        return ((residual**2).sum(1) + spread) / (2 * self.sigma**2) + len(self.bias) / 2 * np.log(2 * np.pi * self.sigma**2)

    def vae(self, variance: np.ndarray | None = None, shift: float = 0.0, kind: type[VAE] = VAE, dtype: torch.dtype = torch.float64) -> VAE:
        """The same model as a VAE with linear networks.

        Its q(z|x) is the best diagonal Gaussian (the exact mean, variances 1/Λᵢᵢ), unless given another variance (d,) or
        a shift of the mean.
        """
        width, d = self.weight.shape
        model = kind(d, (), "none", "gaussian", self.sigma, (1, 1, width)).to(dtype)
        variance = 1 / np.diag(self.precision) if variance is None else variance
        to_mean = self.covariance @ self.weight.T / self.sigma**2  # (d, D)
        with torch.no_grad():
            model.decoder[0].weight.copy_(torch.from_numpy(self.weight))
            model.decoder[0].bias.copy_(torch.from_numpy(self.bias))
            model.encoder[0].weight.copy_(torch.from_numpy(np.vstack([to_mean, np.zeros_like(to_mean)])))
            model.encoder[0].bias.copy_(torch.from_numpy(np.concatenate([shift - to_mean @ self.bias, np.log(variance)])))
        return model


def kl_of_gaussians(mean_q: np.ndarray, variance_q: np.ndarray, mean_p: np.ndarray, covariance_p: np.ndarray) -> float:
    """KL(N(mean_q, diag(variance_q)) ‖ N(mean_p, covariance_p)) in nats."""
    inverse, difference = np.linalg.inv(covariance_p), mean_p - mean_q
    trace = float(np.diag(inverse) @ variance_q)
    log_determinants = np.linalg.slogdet(covariance_p)[1] - np.log(variance_q).sum()
    return (trace + difference @ inverse @ difference - len(mean_q) + log_determinants) / 2


def as_images(x: np.ndarray, dtype: torch.dtype = torch.float64) -> Tensor:
    """(N, D) → (N, 1, 1, D)."""
    return torch.from_numpy(x).to(dtype).view(len(x), 1, 1, -1)


def example(correlated: bool, d: int = 2, sigma: float = 0.3) -> tuple[LinearGaussian, np.ndarray]:
    """A model with five pixels and four images drawn from it; its WᵀW is diagonal, or not."""
    draw = np.random.default_rng(7)
    basis = np.linalg.qr(draw.normal(size=(5, d)))[0]  # orthonormal columns
    scale = np.array([1.5, 0.5])[:d]
    weight = basis * scale
    if correlated:
        weight = weight @ np.array([[1.0, 0.8], [0.0, 0.6]])[:d, :d]
    truth = LinearGaussian(weight, draw.uniform(0.3, 0.7, 5), sigma)
    x = truth.bias + draw.normal(size=(4, d)) @ truth.weight.T + sigma * draw.normal(size=(4, 5))
    return truth, x
