"""The Monte Carlo explorer in NumPy and SciPy: its model, its random numbers and its estimates, from their definitions."""

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm

REPETITIONS = 100
STEP, WORD = 0x6D2B79F5, 2**32


def uniforms(seed: int, count: int) -> np.ndarray:
    """mulberry32, as in random.js."""
    state = (seed + STEP * np.arange(1, count + 1, dtype=np.uint64)) % WORD
    bits = ((state ^ (state >> 15)) * (state | 1)) % WORD
    bits ^= (bits + ((bits ^ (bits >> 7)) * (bits | 61)) % WORD) % WORD
    return (bits ^ (bits >> 14)) / WORD


def draws(d: int, samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """z along the posterior's mean and ‖z‖², each (samples, REPETITIONS), from the same uniform numbers as the browser's."""
    pairs = (d - 1) // 2
    u = uniforms(seed, samples * REPETITIONS * (2 + pairs)).reshape(samples, REPETITIONS, -1)
    radius = -2 * np.log(1 - u[..., 0])
    along = np.sqrt(radius) * np.cos(2 * np.pi * u[..., 1])
    rest = -2 * np.log(1 - u[..., 2:]).sum(-1)
    return along, (along**2 if d % 2 else radius) + rest


def typical(d: int, information: float) -> tuple[np.ndarray, float]:
    """x with every number one standard deviation of p(x) from 0, and σ."""
    sigma = 1 / np.sqrt(np.exp(2 * information) - 1)
    return np.full(d, np.sqrt(1 + sigma**2)), sigma


def log_evidence(d: int, information: float) -> float:
    """log p(x) of that x, nats."""
    x, sigma = typical(d, information)
    return norm(0, np.sqrt(1 + sigma**2)).logpdf(x).sum()


def log_weights(d: int, information: float, samples: int, seed: int) -> np.ndarray:
    """log p(x|z) − log p(x) of the browser's codes, (samples, REPETITIONS)."""
    x, sigma = typical(d, information)
    along, squared = draws(d, samples, seed)
    distance = x @ x - 2 * along * np.linalg.norm(x) + squared  # ‖x − z‖²
    return -distance / (2 * sigma**2) - d / 2 * np.log(2 * np.pi * sigma**2) - log_evidence(d, information)


def moments(information: float) -> tuple[float, float]:
    """log(1 + χ²) and the information of one dimension, by quadrature."""
    x, sigma = typical(1, information)
    z, step = np.linspace(-12, 12, 200_001, retstep=True)
    log_prior, log_joint = norm.logpdf(z), norm.logpdf(z) + norm.logpdf(x[0], z, sigma)
    log_posterior = log_joint - logsumexp(log_joint) - np.log(step)
    told = (np.exp(log_posterior) * (log_posterior - log_prior)).sum() * step
    return logsumexp(2 * log_posterior - log_prior) + np.log(step), told
