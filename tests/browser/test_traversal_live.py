"""The traversal on the site: models to choose, strips to press, pictures to start from, all against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from live_explorer import PHONE, TOLERANCE, each
from references import reference
from references_experiments import traversed
from waiting import next_frame

from vae_tutorial.checkpoints import model_names

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif("sprites-vae" not in model_names(), reason="the sprites' checkpoints are not shipped"),
]

CUT_OFF = """(el) => [...el.querySelectorAll('*:not(.vae-live)')]
    .filter((node) => node.clientWidth && node.scrollWidth > node.clientWidth + 1).map((node) => node.className)"""
FILLED = "(el) => el.dataset.filled === 'true'"


def codes_of(explorer):
    """(variants, pictures, d), units by rank."""
    variants = explorer.state["variants"]
    return np.frombuffer(explorer.bytes_of("codes"), "<f4").reshape(len(variants), -1, len(variants[0]["units"]))


def strips_of(live, explorer):
    """What the strips show once they are filled, (d, columns, pixels), by rank."""
    live.page.wait_for_function(FILLED, arg=live.el.element_handle())
    return np.array(live.el.evaluate("(el) => Array.from(el.strips)")).reshape(len(explorer.state["variants"][0]["units"]), 7, -1)


@torch.no_grad()
def expected_strips(explorer, shown):
    """Every unit at −3 … 3 with the others where they are, by PyTorch."""
    variant = explorer.state["variants"][shown["variant"]]
    z = torch.tensor(shown["z"]).repeat(len(variant["units"]), 7, 1)
    for rank, unit in enumerate(variant["units"]):
        z[rank, :, unit["unit"]] = torch.arange(-3.0, 4.0)
    return traversed(variant).decode(z).sigmoid().flatten(2).numpy()


@each("Traversal")
def test_every_model_is_chosen_by_keyboard_and_goes_to_its_own_code(show, explorer):
    live, expected = show(explorer), reference(explorer)
    menu = live.box.locator(".widget-dropdown select")
    seen = []
    for place, variant in enumerate(explorer.state["variants"]):
        menu.focus()
        menu.select_option(label=variant["label"])
        next_frame(live.page)
        shown = live.agree(expected, variant["label"])
        assert shown["variant"] == place
        assert list(shown["sliders"].values()) == pytest.approx(codes_of(explorer)[place, 0].tolist(), abs=0.006)
        seen.append(shown["decoded"])
        lines = live.el.locator(".vae-unit").all()
        for unit, line in zip(variant["units"], lines, strict=True):
            text = line.inner_text()
            assert f"{unit['rate']:.2f}" in text, f"{explorer}: {text!r} does not say the unit's KL"
            assert ("inactive" in text) == (unit["rate"] < 0.01), f"{explorer}: {text!r} with a rate of {unit['rate']}"
        rates = [unit["rate"] for unit in variant["units"]]
        assert rates == sorted(rates, reverse=True)
        strips = strips_of(live, explorer)
        assert np.abs(strips - expected_strips(explorer, shown)).max() < TOLERANCE, f"{explorer}: strips of {variant['label']}"
    assert len({tuple(picture) for picture in seen}) == len(seen)


@each("Traversal")
def test_strips_follow_a_slider_and_are_pressed(show, explorer):
    live, expected = show(explorer), reference(explorer)
    before = strips_of(live, explorer)
    live.press("1st", "End")
    shown = live.agree(expected, "1st at its end")
    after = strips_of(live, explorer)
    assert np.abs(after - expected_strips(explorer, shown)).max() < TOLERANCE
    assert np.array_equal(before[0], after[0]), f"{explorer}: a unit's own strip depends on where it stands"
    assert np.abs(before[1] - after[1]).max() > 0.1
    for share, value in ((0.01, -3), (0.5, 0), (0.99, 3)):
        live.stroke(live.points_in(live.el.locator("canvas.vae-strip").nth(1), [(share, 0.4)]))
        next_frame(live.page)
        assert live.agree(expected, f"2nd strip pressed at {share}")["sliders"]["2nd"] == value


@each("Traversal")
def test_a_strip_is_touched_on_a_phone_and_nothing_is_cut_off(show, explorer):
    live, expected = show(explorer, **PHONE), reference(explorer)
    strip = live.el.locator("canvas.vae-strip").nth(2)
    strip.scroll_into_view_if_needed()
    box = strip.bounding_box()
    live.page.touchscreen.tap(box["x"] + 0.93 * box["width"], box["y"] + 0.3 * box["height"])
    next_frame(live.page)
    assert live.agree(expected, "3rd strip touched")["sliders"]["3rd"] == 3
    wide = live.el.evaluate(CUT_OFF)
    assert not wide, f"{explorer}: cut off on a phone: {wide}"
    assert live.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{explorer}: the page scrolls sideways"


@each("Traversal")
def test_a_picture_sets_the_sliders(show, explorer):
    live, expected = show(explorer), reference(explorer)
    picks = live.el.get_by_role("button", name="start from picture").all()
    assert len(picks) == codes_of(explorer).shape[1]
    for index, pick in enumerate(picks):
        pick.click()
        live.press("2nd", "PageUp")
        pick.click()  # back to its code
        next_frame(live.page)
        shown = live.agree(expected, f"picture {index + 1}")
        assert list(shown["sliders"].values()) == pytest.approx(codes_of(explorer)[0, index].tolist(), abs=0.006)
        assert shown["pressed"] == [f"start from picture {index + 1}"]
    live.button("z = 0").click()
    next_frame(live.page)
    shown = live.agree(expected, "z = 0")
    assert set(shown["sliders"].values()) == {0}
    assert shown["pressed"] == ["z = 0"]
