"""What only the perplexity explorer has: a menu of codes, points to press in either picture, and keys that move both."""

from __future__ import annotations

import numpy as np
import pytest
from live_explorer import PHONE, each
from references import reference
from waiting import next_frame

pytestmark = pytest.mark.browser


@each("Perplexity")
def test_every_cloud_is_shown(show, explorer):
    live, expected = show(explorer), reference(explorer)
    menu = live.box.locator("select")
    names = [each["name"] for each in explorer.state["clouds"]]
    assert [text.replace("\u00a0", " ") for text in menu.locator("option").all_inner_texts()] == names  # ipywidgets' own spaces
    for place, name in enumerate(names):
        menu.select_option(index=place)
        next_frame(live.page)
        assert live.agree(expected, name)["cloud"] == place, f"{explorer}: the menu's {name} shows another cloud"


@pytest.mark.parametrize("device", ["mouse", "finger"])
@each("Perplexity")
def test_a_pressed_point_is_marked_in_both_pictures(show, explorer, device):
    live, expected = show(explorer, **(PHONE if device == "finger" else {})), reference(explorer)
    press = live.touch if device == "finger" else live.stroke
    pane = live.el.locator("canvas[data-map=tsne]")
    for share in ((0.5, 0.3), (0.2, 0.6)):
        press(live.points_in(pane, [share, share]))
        next_frame(live.page)
        shown = live.agree(expected, f"map pressed at {share} by {device}")
        flat = np.reshape(shown["positions"], (-1, 2))
        frame = (np.array([share[0], 1 - share[1]]) - 0.5) * 1.06 * 255 + 127.5
        away = np.hypot(*(flat - frame).T)
        further = away[shown["point"] - 1] - away.min()  # of 255; a finger comes down on a whole pixel
        assert further < 3, f"{explorer}: pressing the map marks point {shown['point']}, {further:.1f} further than the nearest"
    before = live.el.locator("canvas[data-map=codes]").evaluate("(canvas) => canvas.toDataURL()")
    press(live.points_in(live.el.locator("canvas[data-map=codes]"), [(0.8, 0.5), (0.8, 0.5)]))
    next_frame(live.page)
    after = live.el.locator("canvas[data-map=codes]").evaluate("(canvas) => canvas.toDataURL()")
    assert after != before, f"{explorer}: pressing the codes by {device} marks nothing"


@each("Perplexity")
def test_keys_move_point_and_perplexity(show, explorer):
    live, expected = show(explorer, "perplexity=16&point=20"), reference(explorer)
    live.el.locator("canvas[data-map=tsne]").focus()
    for key in ("ArrowRight", "Shift+ArrowRight", "ArrowUp", "ArrowUp"):
        live.page.keyboard.press(key)
    shown = live.agree(expected, "arrow keys")["sliders"]
    assert (shown["point"], shown["perplexity"]) == (31, pytest.approx(16 * 2**0.5, rel=0.01)), f"{explorer}: arrow keys"
    assert "interpolated" in live.el.inner_text(), f"{explorer}: it does not say that positions are interpolated"
    live.page.keyboard.press("Home")
    assert live.agree(expected, "Home")["sliders"]["perplexity"] == 32, f"{explorer}: Home"
    assert "A recorded map" in live.el.inner_text()


@each("Perplexity")
def test_both_pictures_fit_a_phone(show, explorer):
    live = show(explorer, **PHONE)
    wide = live.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, f"{explorer}: the page is {wide} px wide on a phone"
