"""What only the interpolation explorer has: two paths on a map, film strips to press, an ELBO that fills in."""

from __future__ import annotations

import pytest
from live_explorer import PHONE, each
from references import reference
from waiting import next_frame

pytestmark = pytest.mark.browser


@each("Interpolation")
def test_rows_are_chosen_and_walked(show, explorer):
    live, expected = show(explorer), reference(explorer)
    seen = {}
    for row, name in enumerate(("VAE, straight", "VAE, spherical", "autoencoder, straight", "autoencoder, spherical")):
        live.button(name).click()
        next_frame(live.page)
        seen[name] = live.agree(expected, name)
        assert seen[name]["row"] == row
        assert name in seen[name]["pressed"]
    assert seen["VAE, straight"]["norm"] < seen["VAE, spherical"]["norm"] - 0.2, f"{explorer}: the straight midpoint is not shorter"
    strips = live.el.locator("canvas.vae-film")
    live.stroke(live.points_in(strips.nth(1), [(0.5, 0.5), (0.9, 0.5), (0.999, 0.5)]))
    at_end = live.agree(expected, "dragged along a strip")
    assert (at_end["row"], at_end["sliders"]["t"]) == (1, 1.0), f"{explorer}: dragging along a strip"


@each("Interpolation")
@pytest.mark.parametrize("device", ["mouse", "finger"])
def test_the_map_is_dragged(show, explorer, device):
    live, expected = show(explorer, **(PHONE if device == "finger" else {})), reference(explorer)
    canvas = live.el.locator("canvas[role=application]")
    drag = live.touch if device == "finger" else live.stroke
    drag(live.points_in(canvas, [(0.5, 0.4), (0.7, 0.4), (0.98, 0.4)]))
    assert live.agree(expected, f"map dragged by {device}")["sliders"]["t"] > 0.8, f"{explorer}: dragging to the right by {device}"
    canvas.focus()
    live.page.keyboard.press("Home")
    assert live.agree(expected, "Home")["sliders"]["t"] == 0.5
    live.page.keyboard.press("ArrowLeft")
    live.page.keyboard.press("ArrowDown")
    assert live.agree(expected, "arrow keys")["sliders"]["t"] == pytest.approx(0.4)


@each("Interpolation")
def test_digits_are_picked_and_everything_fills_in(show, explorer):
    live, expected = show(explorer, "path=1&network=1"), reference(explorer)
    assert live.agree(expected, "as linked")["row"] == 3, f"{explorer}: the link does not choose path and network"
    for group, label, slider in (("From", "from this 7", "from"), ("To", "to this 2", "to")):
        live.el.get_by_role("group", name=group).get_by_role("button", name=label).click()
        next_frame(live.page)
        shown = live.agree(expected, label)
        assert label in shown["pressed"]
        assert shown["sliders"][slider] == float(label[-1])
    live.page.wait_for_function("(el) => el.dataset.complete === 'true'", arg=live.el.element_handle())
    labels = live.el.evaluate("(el) => [...el.querySelectorAll('canvas')].map((canvas) => canvas.getAttribute('aria-label'))")
    assert not [label for label in labels if label and "not yet known" in label], f"{explorer}: a curve is not filled in"


@each("Interpolation", "ContinuousBeta")
def test_no_number_crosses_the_card_on_a_phone(show, explorer):
    live = show(explorer, **PHONE)
    across = live.el.evaluate("""(el) => {
        const within = el.getBoundingClientRect().right - parseFloat(getComputedStyle(el).paddingRight);
        const nodes = [...el.querySelectorAll('dt, dd')];
        return nodes.filter((node) => node.getBoundingClientRect().right > within + 1).map((node) => node.textContent);
    }""")
    assert not across, f"{explorer}: over the card's inner edge: {across}"
