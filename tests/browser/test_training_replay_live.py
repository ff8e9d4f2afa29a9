"""What only the training replay has: curves that choose an epoch, and a play button."""

from __future__ import annotations

import pytest
from built_site import SESSION
from live_explorer import PHONE, each
from references import reference
from waiting import all_of, next_frame

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("device", ["mouse", "finger"])
@each("TrainingReplay")
def test_curves_choose_the_epoch(show, explorer, device):
    live, expected = show(explorer, **(PHONE if device == "finger" else {})), reference(explorer)
    drag = live.touch if device == "finger" else live.stroke
    for curve in all_of(live.el.locator("canvas[role=slider]"), 2):
        drag(live.points_in(curve, [(0.3, 0.5), (0.6, 0.5), (0.97, 0.5)]))
        assert live.agree(expected, f"curve dragged to its end by {device}")["sliders"]["epoch"] == 60
        drag(live.points_in(curve, [(0.9, 0.5), (0.4, 0.5), (0.1, 0.5)]))
        assert live.agree(expected, f"curve dragged to its start by {device}")["sliders"]["epoch"] == 0


@each("TrainingReplay")
def test_curves_are_steered_by_keys(show, explorer):
    live, expected = show(explorer, "epoch=10"), reference(explorer)
    keys = {"Home": 0, "PageUp": 6, "ArrowRight": 8, "ArrowLeft": 6, "End": 60, "PageDown": 25, "Shift+ArrowLeft": 1}
    if explorer.page == SESSION:  # where the page keys turn the screen
        keys = {"Home": 0, "End": 60}
    for curve in all_of(live.el.locator("canvas[role=slider]"), 2):
        curve.focus()
        for key, epoch in keys.items():
            live.page.keyboard.press(key)
            assert live.agree(expected, key)["sliders"]["epoch"] == epoch
            assert curve.get_attribute("aria-valuenow") == str(epoch)
            assert curve.get_attribute("aria-valuetext").startswith(f"epoch {epoch}: "), f"{explorer}: after {key}"


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


@each("TrainingReplay")
def test_samples_before_training_are_said_to_be_untrained(show, explorer):
    live = show(explorer, "epoch=0")
    title = live.el.locator(".vae-stage", has_text="Samples")
    assert "0: nothing learned yet" in title.inner_text()
    live.el.locator("canvas[role=slider]").first.focus()
    live.page.keyboard.press("ArrowRight")
    next_frame(live.page)
    assert "learned" not in title.inner_text(), f"{explorer}: after one epoch"
