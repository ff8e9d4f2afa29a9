"""What only the explorers of the page 'The maths' have: a Gaussian to drag, best q's, a sum that stands still, frozen ε."""

from __future__ import annotations

import numpy as np
import pytest
from live_explorer import PHONE, each_kind
from references import reference
from waiting import next_frame

pytestmark = pytest.mark.browser

PRESSED_INTO = {"TwoDensities": ("μ", "σ"), "DragQ": ("μ", "log σ"), "Reparameterise": ("μ", "σ")}


@pytest.mark.parametrize("device", ["mouse", "finger"])
@each_kind(*PRESSED_INTO)
def test_q_is_dragged(show, explorer, device):
    live, expected = show(explorer, **(PHONE if device == "finger" else {})), reference(explorer)
    mean, width = PRESSED_INTO[explorer.kind]
    canvas = live.el.locator("canvas[role=application]")
    drag = live.touch if device == "finger" else live.stroke
    before = live.agree(expected, "before")["sliders"]
    drag(live.points_in(canvas, [(0.5, 0.5), (0.55, 0.5), (0.6, 0.5)]))
    right = live.agree(expected, f"dragged to the right by {device}")["sliders"]
    assert right[mean] > before[mean] + 0.3, f"{explorer}: dragging by {device} does not move {mean}"
    assert right[width] == pytest.approx(before[width], abs=0.011), f"{explorer}: dragging sideways changes {width}"
    drag(live.points_in(canvas, [(0.5, 0.5), (0.5, 0.4), (0.5, 0.3)]))
    narrow = live.agree(expected, f"dragged upwards by {device}")["sliders"]
    assert narrow[width] < right[width] - 0.05, f"{explorer}: dragging upwards does not narrow q"
    assert narrow[mean] == pytest.approx(right[mean], abs=0.011), f"{explorer}: dragging upwards moves {mean}"


@each_kind(*PRESSED_INTO)
def test_q_is_steered_by_keys(show, explorer):
    live, expected = show(explorer), reference(explorer)
    mean, width = PRESSED_INTO[explorer.kind]
    before = live.agree(expected, "before")["sliders"]
    live.el.locator("canvas[role=application]").focus()
    live.page.keyboard.press("ArrowLeft")
    live.page.keyboard.press("Shift+ArrowLeft")
    live.page.keyboard.press("Shift+ArrowDown")
    after = live.agree(expected, "arrow keys")["sliders"]
    assert after[mean] == pytest.approx(before[mean] - 0.55), f"{explorer}: arrow keys and {mean}"
    assert after[width] > before[width] + 0.2, f"{explorer}: arrow keys and {width}"
    live.page.keyboard.press("Home")
    assert live.agree(expected, "Home")["sliders"] == before, f"{explorer}: Home"


@each_kind("TwoDensities")
def test_best_q_seeks_one_hump_or_covers_both(show, explorer):
    seen = []
    for start in (-2.5, 2.5):
        live, expected = show(explorer, f"separation=4&weight=0.6&kl_mu={start}&kl_sigma=1"), reference(explorer)
        live.button("best q for KL(q‖p)").click()
        next_frame(live.page)
        seen.append(live.agree(expected, f"best q for KL(q‖p) from {start}")["sliders"]["μ"])
    assert seen == pytest.approx([-2, 2], abs=0.1), f"{explorer}: mode-seeking from both sides: {seen}"
    live.button("best q for KL(p‖q)").click()
    next_frame(live.page)
    cover = live.agree(expected, "best q for KL(p‖q)")["sliders"]
    moments = (-0.4, np.sqrt(explorer.state["hump"] ** 2 + 16 * 0.6 * 0.4))
    assert (cover["μ"], cover["σ"]) == pytest.approx(moments, abs=0.01), f"{explorer}: mass-covering"


@each_kind("DragQ")
def test_the_sum_stands_still(show, explorer):
    live, expected = show(explorer, "x=1&q_mu=0&q_log_sigma=-0.5&q_beta=1"), reference(explorer)
    sums, gaps = [], []
    for name in ("", "best q", "encoder's q"):
        if name:
            live.button(name).click()
            next_frame(live.page)
        shown = live.agree(expected, name or "start")
        sums.append(shown["gap"] + shown["elbo"])
        gaps.append(shown["gap"])
        assert shown["elbo"] <= shown["logEvidence"] + 1e-3
    assert sums == pytest.approx([shown["logEvidence"]] * 3, rel=1e-3), f"{explorer}: K + L moved: {sums}"
    assert gaps[1] < gaps[0], f"{explorer}: best q is not better: {gaps}"
    assert shown["sliders"]["μ"] == pytest.approx(explorer.state["encoder_mu"][0], abs=0.006)


@each_kind("DragQ")
def test_small_beta_is_no_bound(show, explorer):
    live, expected = show(explorer, "x=1&q_mu=0&q_log_sigma=-0.5&q_beta=0.3"), reference(explorer)
    live.button("best q").click()
    next_frame(live.page)
    shown = live.agree(expected, "best q at β = 0.3")
    assert shown["logEvidence"] < shown["elboBeta"] <= shown["highest"] + 1e-3, f"{explorer}: L_β at β = 0.3"


@each_kind("DragQ")
def test_a_point_is_picked_in_the_plane(show, explorer):
    live, expected = show(explorer), reference(explorer)
    plane = live.el.locator("canvas.vae-plane")
    picked = set()
    for share in ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9), (0.5, 0.5)):
        live.stroke(live.points_in(plane, [share, share]))
        next_frame(live.page)
        picked.add(live.agree(expected, f"plane pressed at {share}")["sliders"]["x"])
    assert len(picked) > 1, f"{explorer}: pressing the plane always gives x = {picked}"


@each_kind("Reparameterise")
def test_frozen_noise_stays_and_fresh_noise_changes(show, explorer):
    live, expected = show(explorer), reference(explorer)
    start = live.agree(expected, "start")["eps"]
    live.press("μ", "ArrowRight", 5)
    assert live.agree(expected, "μ moved")["eps"] == start, f"{explorer}: frozen ε changed"
    live.button("fresh ε").click()
    next_frame(live.page)
    seen = [live.agree(expected, "fresh ε")["eps"]]
    for _ in range(2):
        live.press("μ", "ArrowRight")
        next_frame(live.page)
        seen.append(live.agree(expected, "μ moved, fresh ε")["eps"])
    assert len({tuple(eps) for eps in [start, *seen]}) == 4, f"{explorer}: fresh ε repeats"
    live.button("reset").click()
    next_frame(live.page)
    assert live.agree(expected, "reset")["eps"] == start, f"{explorer}: the same seed must give the same ε after a reset"
    live.button("draw ε").click()
    next_frame(live.page)
    assert live.agree(expected, "new ε drawn")["eps"] != start, f"{explorer}: draw ε does nothing"
