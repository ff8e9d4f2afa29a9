"""What only the training replay has: curves that choose an epoch, and a play button."""

from __future__ import annotations

import pytest
from live_explorer import PHONE, each
from references import reference
from waiting import next_frame

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("device", ["mouse", "finger"])
@each("TrainingReplay")
def test_curves_choose_the_epoch(show, explorer, device):
    live, expected = show(explorer, **(PHONE if device == "finger" else {})), reference(explorer)
    drag = live.touch if device == "finger" else live.stroke
    for curve in live.el.locator("canvas[role=slider]").all():
        drag(live.points_in(curve, [(0.3, 0.5), (0.6, 0.5), (0.97, 0.5)]))
        assert live.agree(expected, f"curve dragged to its end by {device}")["sliders"]["epoch"] == 60
        drag(live.points_in(curve, [(0.9, 0.5), (0.4, 0.5), (0.1, 0.5)]))
        assert live.agree(expected, f"curve dragged to its start by {device}")["sliders"]["epoch"] == 0


@each("TrainingReplay")
def test_curves_are_steered_by_keys(show, explorer):
    live, expected = show(explorer, "epoch=10"), reference(explorer)
    for curve in live.el.locator("canvas[role=slider]").all():
        curve.focus()
        live.page.keyboard.press("ArrowRight")
        assert live.agree(expected, "arrow to the right")["sliders"]["epoch"] == 13
        assert curve.get_attribute("aria-valuenow") == "13"
        live.page.keyboard.press("ArrowLeft")
        assert live.agree(expected, "and back")["sliders"]["epoch"] == 10


@each("TrainingReplay")
def test_nothing_moves_unasked_and_play_runs_to_the_end(show, explorer):
    live, expected = show(explorer, "epoch=40"), reference(explorer)
    live.page.wait_for_timeout(1500)
    assert live.agree(expected, "left alone")["sliders"]["epoch"] == 40, f"{explorer}: it moves unasked"
    live.button("play").click()
    live.page.wait_for_function("(el) => el.values.epoch === 60", arg=live.el.element_handle())
    next_frame(live.page)
    shown = live.agree(expected, "played to the end")
    assert shown["sliders"]["epoch"] == 60
    live.page.wait_for_function("(el) => !el.querySelector('[aria-pressed=true]')", arg=live.el.element_handle())
