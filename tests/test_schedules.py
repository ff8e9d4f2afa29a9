"""Schedules at the points where their definition fixes the value."""

import numpy as np
import pytest

from vae_tutorial import schedules


def test_constant_is_constant():
    assert {schedules.constant(0.3)(progress) for progress in (0.0, 0.5, 1.0)} == {0.3}


def test_warm_up_is_a_line_then_a_plateau():
    beta = schedules.warm_up(4.0, until=0.5)
    found = [beta(progress) for progress in (0.0, 0.125, 0.25, 0.5, 0.75, 1.0)]
    assert found == pytest.approx([0.0, 1.0, 2.0, 4.0, 4.0, 4.0])


@pytest.mark.parametrize("until", [0.0, -0.5, 1.5, float("nan")])
def test_warm_up_must_end_within_training(until):
    with pytest.raises(ValueError, match="until"):
        schedules.warm_up(1.0, until)


def test_one_cycle_rises_to_its_peak_and_falls_to_zero():
    rate = schedules.one_cycle(2e-3, rise=0.25, start=0.1)
    assert [rate(progress) for progress in (0.0, 0.125, 0.25, 0.625, 1.0)] == pytest.approx([2e-4, 1.1e-3, 2e-3, 1e-3, 0.0], abs=1e-12)
    values = np.array([rate(progress) for progress in np.linspace(0, 1, 1_001)])
    peak = int(values.argmax())
    assert peak == 250
    assert (np.diff(values[: peak + 1]) > 0).all()
    assert (np.diff(values[peak:]) < 0).all()
    assert np.abs(np.diff(values)).max() < 2e-3 * 0.01  # no jumps


@pytest.mark.parametrize("rise", [1.0, -0.1, float("nan")])
def test_one_cycle_must_fall_within_training(rise):
    with pytest.raises(ValueError, match="rise"):
        schedules.one_cycle(1e-3, rise=rise)
