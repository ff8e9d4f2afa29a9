"""What only the rotation explorer has: codes to press, curves to drag along, buttons for three angles."""

from __future__ import annotations

import pytest
from live_explorer import PHONE, each
from references import reference
from waiting import next_frame

pytestmark = pytest.mark.browser


@each("Rotation")
def test_the_evidence_stays_while_elbo_and_mig_fall(show, explorer):
    live, expected = show(explorer), reference(explorer)
    seen = {}
    for degrees in (0, 45, 90):
        live.button(f"{degrees}°").click()
        next_frame(live.page)
        seen[degrees] = live.agree(expected, f"{degrees} degrees")
        assert seen[degrees]["sliders"]["angle"] == degrees
    assert [seen[d]["logEvidence"] for d in (45, 90)] == pytest.approx([seen[0]["logEvidence"]] * 2, abs=0.02)
    assert seen[45]["elbo"] < seen[0]["elbo"] - 0.05
    assert seen[90]["elbo"] == pytest.approx(seen[0]["elbo"], abs=0.02)
    assert seen[45]["mig"] < 0.3 < seen[0]["mig"]


@pytest.mark.parametrize("device", ["mouse", "finger"])
@each("Rotation")
def test_a_code_is_pressed_on_the_map(show, explorer, device):
    live, expected = show(explorer, **(PHONE if device == "finger" else {})), reference(explorer)
    net = live.el.locator("canvas[role=application]")
    drag = live.touch if device == "finger" else live.stroke
    chosen = set()
    for x, y in ((0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7)):
        drag(live.points_in(net, [(x, y), (x, y)]))
        next_frame(live.page)
        chosen.add(live.agree(expected, f"map pressed at {x}, {y}")["sliders"]["x"])
    assert len(chosen) == 4, f"{explorer}: pressing the map by {device} chose {chosen}"


@each("Rotation")
def test_arrow_keys_walk_from_picture_to_picture(show, explorer):
    live, expected = show(explorer, "place=41"), reference(explorer)
    live.el.locator("canvas[role=application]").focus()
    for key, number in (("ArrowRight", 42), ("ArrowDown", 51), ("ArrowLeft", 50), ("ArrowUp", 41)):
        live.page.keyboard.press(key)
        next_frame(live.page)
        assert live.agree(expected, key)["sliders"]["x"] == number


@each("Rotation")
def test_the_angle_is_dragged_along_the_curves(show, explorer):
    live, expected = show(explorer), reference(explorer)
    for place in (0, 1):
        curve = live.el.locator("canvas.vae-area").nth(place)
        live.stroke(live.points_in(curve, [(0.3, 0.5), (0.5, 0.5)]))
        half = live.agree(expected, "curve dragged to the middle")["sliders"]["angle"]
        live.stroke(live.points_in(curve, [(0.5, 0.5), (0.9, 0.5)]))
        assert 30 < half < 60 < live.agree(expected, "curve dragged to the right")["sliders"]["angle"]
