"""What only the explorers of the page More uses have: a cover from four sides, samples, a map to press; classes, new handwriting."""

from __future__ import annotations

import numpy as np
import pytest
from live_explorer import PHONE, TOLERANCE, each
from references import reference
from references_more_uses import code_grid
from shipped import pictures
from waiting import next_frame

from vae_tutorial import inpainting

pytestmark = pytest.mark.browser

CUT_OFF = """(el) => [...el.querySelectorAll('*:not(.vae-live)')]
    .filter((node) => node.clientWidth && node.scrollWidth > node.clientWidth + 1).map((node) => node.className)"""
SHORTENED = """(labels) => labels.filter((label) => {  // a tenth of a pixel too wide is an ellipsis, and scrollWidth is rounded
    const text = document.createRange();
    text.selectNodeContents(label);
    return text.getBoundingClientRect().width > label.getBoundingClientRect().width;
}).map((label) => label.textContent)"""


def assert_nothing_is_cut_off(live):
    wide = live.el.evaluate(CUT_OFF)
    assert not wide, f"{live.name}: cut off on a phone: {wide}"
    labels = live.box.locator(".widget-label").evaluate_all(SHORTENED)
    assert not labels, f"{live.name}: labels cut off on a phone: {labels}"
    assert live.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{live.name}: the page scrolls sideways"


# ---------------------------------------------------------------- completion


@each("Completion")
def test_the_cover_comes_from_every_side(show, explorer):
    live, expected = show(explorer), reference(explorer)
    menu, seen = live.box.locator(".widget-dropdown select"), []
    for place, side in enumerate(inpainting.SIDES):
        menu.select_option(label=side)
        next_frame(live.page)
        shown = live.agree(expected, f"covered from the {side}")
        assert shown["side"] == place
        seen.append(shown["decoded"])
    assert len({tuple(picture) for picture in seen}) == 4


@each("Completion")
def test_the_page_opens_on_two_modes_and_everything_covered_leaves_one(show, explorer):
    live, expected = show(explorer), reference(explorer)
    assert live.agree(expected, "as the page opens")["masses"][1] > 0.2
    live.press("covered", "End")
    shown = live.agree(expected, "all covered")
    assert shown["count"] == 1
    assert np.hypot(shown["codes"][0], shown["codes"][3]) < 0.1  # the prior's summit


@each("Completion")
def test_samples_are_drawn_from_the_posterior_and_drawn_again(show, explorer):
    live, expected = show(explorer), reference(explorer)
    shown = live.agree(expected, "as the page opens")
    grid = code_grid(explorer.state["points"], explorer.state["extent"])
    image, seen = pictures(explorer, "digits")[0], inpainting.visible(inpainting.SIDES[shown["side"]], int(shown["sliders"]["covered"]))
    log_posterior = grid.log_posterior(image[None], seen)[0]
    drawn = [shown["samples"]]
    for _ in range(3):
        live.button("draw again").click()
        next_frame(live.page)
        drawn.append(live.agree(expected, "drawn again")["samples"])
    assert len({tuple(cells) for cells in drawn}) == 4
    assert (log_posterior[np.array(drawn).ravel()] > log_posterior.max() - 12).all(), "a sample from where there is no mass"
    sampled = np.array(live.el.evaluate("(el) => Array.from(el.sampled)")).reshape(6, 1, 28, 28)
    assert np.abs(sampled - grid.complete(image, seen, drawn[-1]).numpy()).max() < TOLERANCE


@each("Completion")
def test_the_map_is_walked_by_arrow_keys(show, explorer):
    live, expected = show(explorer), reference(explorer)
    start = live.agree(expected, "as the page opens")
    live.el.locator("canvas[role=application]").focus()
    live.page.keyboard.press("Shift+ArrowRight")
    shown = live.agree(expected, "ten cells to the right")
    assert shown["held"] >= 0
    assert shown["decoded"][-784:] != start["decoded"][-784:]
    live.page.keyboard.press("Home")
    assert live.agree(expected, "Home")["decoded"] == start["decoded"]


@each("Completion")
def test_a_finger_on_the_map_completes_there_and_nothing_is_cut_off(show, explorer):
    live, expected = show(explorer, **PHONE), reference(explorer)
    start = live.agree(expected, "as the page opens")
    session = live.page.context.new_cdp_session(live.page)
    ((x, y),) = live.points_in(live.el.locator("canvas[role=application]"), [(0.2, 0.3)])
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    next_frame(live.page)
    shown = live.agree(expected, "finger down")
    assert shown["held"] == pytest.approx(19 * 64 + 12, abs=65)
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    next_frame(live.page)
    assert live.agree(expected, "finger up")["decoded"] == start["decoded"]
    assert_nothing_is_cut_off(live)


# ---------------------------------------------------------------- conditional


@each("Conditional")
def test_a_class_is_chosen_by_menu_and_by_pressing_and_the_code_stays(show, explorer):
    live, expected = show(explorer), reference(explorer)
    live.press("1st", "End")
    before = live.agree(expected, "1st at its end")
    live.box.locator(".widget-dropdown select").select_option(label="3")
    next_frame(live.page)
    shown = live.agree(expected, "class 3 by menu")
    assert (shown["label"], shown["z"]) == (3, before["z"])
    live.el.get_by_role("button", name="class 8").click()
    next_frame(live.page)
    shown = live.agree(expected, "class 8 pressed")
    assert (shown["label"], shown["z"], shown["decoded"]) == (8, before["z"], before["decoded"])
    assert shown["pressed"] == ["class 8"]
    assert live.box.locator(".widget-dropdown select").evaluate("(node) => node.options[node.selectedIndex].text") == "8"


@each("Conditional")
def test_new_handwriting_and_none(show, explorer):
    live, expected = show(explorer), reference(explorer)
    hands = set()
    for _ in range(3):
        live.button("new handwriting").click()
        next_frame(live.page)
        hands.add(tuple(live.agree(expected, "new handwriting")["z"]))
    assert len(hands) == 3
    live.button("z = 0").click()
    next_frame(live.page)
    assert set(live.agree(expected, "z = 0")["z"]) == {0}


@each("Conditional")
def test_some_slider_slants_every_class(show, explorer):
    live, expected = show(explorer), reference(explorer)
    moved = []
    for label in live.labels:
        ends = []
        for key in ("Home", "End"):
            live.press(label, key)
            ends.append(live.agree(expected, f"{label}, {key}")["slants"])
        moved.append(np.abs(np.subtract(*ends)).min())
        live.button("z = 0").click()
    assert max(moved) > 0.3


@each("Conditional")
def test_a_class_is_tapped_on_a_phone_and_nothing_is_cut_off(show, explorer):
    live, expected = show(explorer, **PHONE), reference(explorer)
    live.el.get_by_role("button", name="class 2").tap()
    next_frame(live.page)
    assert live.agree(expected, "class 2 tapped")["label"] == 2
    assert_nothing_is_cut_off(live)
