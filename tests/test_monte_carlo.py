"""The Monte Carlo explorer: its closed forms, random numbers and estimates against `naive_estimates`, and against theory."""

from pathlib import Path

import naive_estimates
import node
import numpy as np
import pytest
import traitlets
from naive_estimates import REPETITIONS
from scipy.special import logsumexp
from scipy.stats import kstest

from vae_tutorial import explorers

PROGRAM = Path(__file__).parent / "js" / "monte_carlo.mjs"
JOBS = [
    {"d": 1, "information": 1.0, "samples": 200, "seed": 0},
    {"d": 2, "information": 0.5, "samples": 300, "seed": 1},
    {"d": 9, "information": 0.2, "samples": 100, "seed": 2},
    {"d": 50, "information": 0.02, "samples": 100, "seed": 3},
    {"d": 50, "information": 3.0, "samples": 50, "seed": 4},  # weights far too small for a number of their own
]


@pytest.fixture(scope="module")
def browser():
    """What the browser's modules compute for JOBS."""
    return node.ask(PROGRAM, JOBS)


@pytest.mark.parametrize("place", range(len(JOBS)))
def test_closed_forms(browser, place):
    d, information = JOBS[place]["d"], JOBS[place]["information"]
    log_second_moment, told = naive_estimates.moments(information)
    assert told == pytest.approx(information, rel=1e-6)  # what the slider says
    assert browser[place]["sigma"] == pytest.approx(naive_estimates.typical(d, information)[1], rel=1e-9)
    assert browser[place]["logEvidence"] == pytest.approx(naive_estimates.log_evidence(d, information), rel=1e-9)
    assert browser[place]["logSecondMoment"] == pytest.approx(d * log_second_moment, rel=1e-6)  # the dimensions multiply
    error = np.sqrt(np.expm1(d * log_second_moment) / JOBS[place]["samples"])
    assert browser[place]["predictedError"] == pytest.approx(error, rel=1e-4)


@pytest.mark.parametrize("place", range(len(JOBS)))
def test_estimates_equal_the_reference(browser, place):
    log_weight = naive_estimates.log_weights(**JOBS[place])
    expected = [logsumexp(log_weight[:s], axis=0) - np.log(s) for s in browser[place]["kept"]]
    found = np.reshape(browser[place]["logRatio"], (-1, REPETITIONS))
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
    effective = np.exp(2 * logsumexp(log_weight, axis=0) - logsumexp(2 * log_weight, axis=0))
    np.testing.assert_allclose(browser[place]["effectives"], effective, rtol=1e-8)
    assert browser[place]["effective"] == pytest.approx(np.median(effective))
    ratios = np.exp(expected[-1])
    assert browser[place]["meanRatio"] == pytest.approx(ratios.mean())
    assert browser[place]["standardError"] == pytest.approx(ratios.std(ddof=1) / np.sqrt(REPETITIONS))
    assert browser[place]["measuredError"] == pytest.approx(np.sqrt(np.mean((ratios - 1) ** 2)))
    assert browser[place]["meanLog"] == pytest.approx(np.mean(expected[-1]))


@pytest.mark.parametrize("d", [1, 2, 9, 50])
def test_draws_are_standard_normal(d):
    along, squared = naive_estimates.draws(d, 200, 5)
    assert kstest(along.ravel(), "norm").pvalue > 0.001
    assert kstest(squared.ravel(), "chi2", (d,)).pvalue > 0.001
    if d > 1:
        assert abs(np.corrcoef(along.ravel(), (squared - along**2).ravel())[0, 1]) < 0.03


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
