"""What only the denoising explorer has: a menu of noises, draws that a seed fixes, a digit of one's own."""

from __future__ import annotations

import numpy as np
import pytest
from live_explorer import PHONE, each
from references import reference
from waiting import next_frame

pytestmark = pytest.mark.browser


@each("Denoising")
def test_every_noise_is_drawn_and_cleaned(show, explorer):
    live, expected = show(explorer, "level=0.4"), reference(explorer)
    menu = live.box.locator("select")
    seen = []
    for place, name in enumerate(("Gaussian", "salt and pepper", "masking")):
        menu.select_option(label=name)
        next_frame(live.page)
        shown = live.agree(expected, name)
        assert shown["kind"] == place, f"{explorer}: {name} is not chosen"
        seen.append(np.array(shown["noisy"]))
    x = np.array(shown["input"])
    assert seen[0].min() < -0.3, f"{explorer}: Gaussian noise is cut off"
    share = np.mean((seen[1] != x) & (x == 0))
    assert share == pytest.approx(0.2 * np.mean(x == 0), abs=0.05), f"{explorer}: a fifth of the black pixels should be white"
    assert (seen[2] <= x).all(), f"{explorer}: masking makes white"
    live.press("level", "Home")
    shown = live.agree(expected, "no noise")
    assert shown["noisy"] == shown["input"], f"{explorer}: level 0 changes the digit"
    assert live.el.get_by_text("no error").count() == 1


@each("Denoising")
def test_a_seed_fixes_the_noise(show, explorer):
    live, expected = show(explorer), reference(explorer)
    first = live.agree(expected, "first seed")["noise"]
    live.press("seed", "ArrowRight")
    assert live.agree(expected, "second seed")["noise"] != first, f"{explorer}: the seed does nothing"
    live.press("seed", "ArrowLeft")
    assert live.agree(expected, "first seed again")["noise"] == first, f"{explorer}: the same seed draws other noise"


@pytest.mark.parametrize("device", ["mouse", "finger"])
@each("Denoising")
def test_a_drawn_digit_is_cleaned(show, explorer, device):
    live, expected = show(explorer, **(PHONE if device == "finger" else {})), reference(explorer)
    pad = live.el.locator("canvas[aria-label^='Drawing pad']")
    draw = live.touch if device == "finger" else live.stroke
    draw(live.points_in(pad, [(0.3, 0.25), (0.5, 0.24), (0.7, 0.25), (0.6, 0.45), (0.5, 0.65), (0.45, 0.8)]))
    shown = live.agree(expected, f"a seven drawn by {device}")
    assert shown["digit"] == -1, f"{explorer}: drawing by {device} does nothing"
    assert sum(shown["input"]) > 30
    live.el.locator(".vae-samples button").nth(6).click()
    next_frame(live.page)
    assert live.agree(expected, "a sample picked")["digit"] == 6
    live.button("reset").click()
    next_frame(live.page)
    assert live.agree(expected, "reset")["digit"] == 0
