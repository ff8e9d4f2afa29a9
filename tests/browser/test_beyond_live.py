"""What only the code grid and the importance bound have: cells and codes to press, a menu, single digits, keys that move them."""

from __future__ import annotations

import numpy as np
import pytest
from live_explorer import PHONE, each
from references import reference
from waiting import all_of, next_frame

from vae_tutorial import checkpoints
from vae_tutorial.networks import layer_specification

pytestmark = pytest.mark.browser


@each("CodeGrid")
def test_the_grid_carries_the_shipped_decoder(show, explorer):
    model = checkpoints.load_model("mnist-vq")
    assert [layer["in"] for layer in explorer.state["decoder_layers"]] == [layer["in"] for layer in layer_specification(model.decoder)]
    np.testing.assert_array_equal(np.frombuffer(explorer.bytes_of("codebook"), "<f4"), model.codebook.numpy().ravel())


@pytest.mark.parametrize("device", ["mouse", "finger"])
@each("CodeGrid")
def test_a_cell_and_a_code_are_pressed(show, explorer, device):
    live, expected = show(explorer, **(PHONE if device == "finger" else {})), reference(explorer)
    press = live.touch if device == "finger" else live.stroke
    for name, share, cell in (("canvas[role=application]", (0.5, 0.36), 18), ("canvas[data-grid=codes]", (0.93, 0.07), 7)):
        press(live.points_in(live.el.locator(name), [share, share]))
        next_frame(live.page)
        assert live.agree(expected, f"{name} pressed by {device}")["sliders"]["cell"] == cell, f"{explorer}: {name}"
    before = live.snapshot()
    ink = np.frombuffer(explorer.bytes_of("patches"), np.uint8).reshape(len(explorer.state["frequency"]), -1).sum(1)
    code = int(ink.argmax())  # the corner is blank
    assert code != before["code"]
    pick = live.el.locator(".vae-codebook button").nth(code)
    pick.tap() if device == "finger" else pick.click()
    next_frame(live.page)
    shown = live.agree(expected, "a code pressed")
    assert (shown["sliders"]["code"], shown["edited"]) == (code, 1)
    assert 0 < shown["changed"] <= 10 * 10, f"{explorer}: one code changes {shown['changed']} pixels"
    far = np.ones((28, 28), bool)
    far[:8, 20:] = False  # cell 7 is the top right one: two cells to its left and below are felt
    apart = np.abs(np.subtract(shown["decoded"], before["decoded"])).reshape(28, 28)
    assert apart[far].max() < 1e-6, f"{explorer}: a code is felt beyond its neighbours"
    live.button("undo edits").click()
    next_frame(live.page)
    assert live.agree(expected, "edits undone")["edited"] == 0


@each("CodeGrid")
def test_keys_move_the_cell_and_its_code(show, explorer):
    live, expected = show(explorer, "digit=2&cell=10"), reference(explorer)
    code = live.snapshot()["code"]
    live.el.locator("canvas[role=application]").focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "PageUp", "PageUp"):
        live.page.keyboard.press(key)
    shown = live.agree(expected, "keys")
    assert shown["sliders"]["cell"] == 10
    assert shown["code"] == (code + 2) % len(explorer.state["frequency"])
    assert shown["edited"] == 1
    live.page.keyboard.press("Home")
    assert live.agree(expected, "Home")["edited"] == 0


@each("ImportanceBound")
def test_models_and_digits_are_chosen(show, explorer):
    live, expected = show(explorer, "k=5000"), reference(explorer)
    menu = live.box.locator("select")
    bounds = []
    for place in range(len(explorer.state["variants"])):
        menu.select_option(index=place)
        for pick in all_of(live.el.locator(".vae-ten button"), 10)[:3]:
            pick.click()
            next_frame(live.page)
            bounds.append(live.agree(expected, "a digit")["bound"])
        live.button("all digits").click()
        next_frame(live.page)
        shown = live.agree(expected, "all digits")
        assert (shown["variant"], shown["gap"]) == (place, 0)
    assert len(set(bounds)) == len(bounds)


@each("ImportanceBound")
def test_keys_and_the_plot_move_k(show, explorer):
    live, expected = show(explorer), reference(explorer)
    live.el.locator("canvas[data-plot=bound]").focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "ArrowUp"):
        live.page.keyboard.press(key)
    shown = live.agree(expected, "keys")
    assert shown["k"] == pytest.approx(10**0.55, rel=1e-3)
    assert shown["digit"] == 0
    live.stroke(live.points_in(live.el.locator("canvas[data-plot=effective]"), [(0.5, 0.5)]))
    next_frame(live.page)
    assert 30 < live.agree(expected, "plot pressed")["k"] < 200


@each("CodeGrid", "ImportanceBound")
def test_the_page_fits_a_phone(show, explorer):
    live = show(explorer, **PHONE)
    wide = live.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"{explorer}: the page is {wide} px wide on a phone"


@each("CodeGrid")
def test_a_finger_finds_a_cell_of_codes(show, explorer):
    live = show(explorer, **PHONE)
    wide = live.el.locator("canvas[data-grid=codes]").evaluate("(canvas) => canvas.clientWidth")
    cell = wide / explorer.state["size"][1]
    assert cell >= 24, f"{explorer}: {cell:.0f} px for two figures and a finger"
