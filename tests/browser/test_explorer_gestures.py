"""What only one kind of explorer has: maps to drag, digits to draw and pick, curves, reductions to choose."""

from __future__ import annotations

import numpy as np
import pytest
from live_explorer import PHONE, each_kind
from references import reference
from shipped import pictures
from waiting import all_of, next_frame

from vae_tutorial.explorers.latent_map import PRIOR_EXTENT

pytestmark = pytest.mark.browser

# β → reductions over pixels, latent units and the batch, likelihood, and the β that they come to for d = 20 and 784 pixels.
REDUCTIONS = {
    0.001: [("mean", "sum", "sum", "squared error", 0.784 / (2 * 0.5**2))],
    1: [
        ("sum", "sum", "sum", "bernoulli", 1),
        ("mean", "sum", "mean", "bernoulli", 784),
        ("mean", "mean", "mean", "bernoulli", 784 / 20),
        ("sum", "mean", "mean", "bernoulli", 1 / 20),
        ("sum", "sum", "mean", "squared error", 1 / (2 * 0.5**2)),
    ],
    10: [("sum", "sum", "mean", "bernoulli", 10)],
}


@each_kind("LatentMap")
def test_map_is_dragged_and_steered(show, explorer):
    live, expected = show(explorer), reference(explorer)
    half = explorer.state["extent"] / 2
    for pane in all_of(live.el.locator("canvas[data-map]"), 1 + bool(explorer.state.get("autoencoder_layers"))):
        live.stroke(live.points_in(pane, [(0.5, 0.5), (0.7, 0.4), (0.75, 0.25)]))
        z = live.agree(expected, "map dragged")["sliders"]
        assert (z["z₁"], z["z₂"]) == pytest.approx((half, half), abs=half / 10), f"{explorer}: drag"
        pane.focus()
        live.page.keyboard.press("ArrowLeft")
        live.page.keyboard.press("Shift+ArrowDown")
        moved = live.agree(expected, "arrow keys on the map")["sliders"]
        assert (moved["z₁"] - z["z₁"], moved["z₂"] - z["z₂"]) == pytest.approx((-0.05, -0.5)), f"{explorer}: arrow keys on the map"
        live.page.keyboard.press("Home")
        assert set(live.agree(expected, "Home on the map")["sliders"].values()) == {0}, f"{explorer}: Home"


@each_kind("LatentMap")
def test_map_follows_a_finger(show, explorer):
    live, expected = show(explorer, **PHONE), reference(explorer)
    live.touch(live.points_in(live.el.locator("canvas[data-map]").first, [(0.5, 0.5), (0.4, 0.6), (0.25, 0.75)]))
    z = live.agree(expected, "map moved by finger")["sliders"]
    half = explorer.state["extent"] / 2
    assert (z["z₁"], z["z₂"]) == pytest.approx((-half, -half), abs=half / 10), f"{explorer}: finger on the map"


@each_kind("LatentMap")
def test_map_buttons_change_the_picture(show, explorer):
    live = show(explorer)
    pane = live.el.locator("canvas[data-map]").first
    picture = "(canvas) => canvas.toDataURL()"
    names = ["decoded grid", *(["zoom to the prior"] if explorer.state["extent"] > 1.3 * PRIOR_EXTENT else [])]
    assert [live.button(name).count() for name in ("decoded grid", "zoom to the prior")] == [1, len(names) - 1]
    for name in names:
        before = pane.evaluate(picture)
        live.button(name).click()
        live.page.wait_for_function("([canvas, before]) => canvas.toDataURL() !== before", arg=[pane.element_handle(), before])
        assert name in live.snapshot()["pressed"], f"{explorer}: {name} does not say that it is pressed"
        live.button(name).click()
        live.page.wait_for_function("([canvas, before]) => canvas.toDataURL() === before", arg=[pane.element_handle(), before])


@each_kind("Bottleneck")
def test_every_width_and_digit_is_decoded(show, explorer):
    live, expected = show(explorer), reference(explorer)
    live.press("d", "End")
    assert live.agree(expected, "d at its largest")["sliders"]["d"] == 64
    live.press("d", "Home")
    assert live.agree(expected, "d at its smallest")["sliders"]["d"] == 1
    for pick in all_of(live.el.get_by_role("button", name="enlarge digit"), len(pictures(explorer, "digits"))):
        pick.click()
        next_frame(live.page)
        assert pick.get_attribute("aria-pressed") == "true", f"{explorer}: {pick.get_attribute('aria-label')} is not pressed"
        assert len(live.snapshot()["pressed"]) == 2, f"{explorer}: one digit and one measure are chosen"


@each_kind("Bottleneck")
def test_curve_chooses_the_width(show, explorer):
    live, expected = show(explorer), reference(explorer)
    live.button("cross-entropy").click()
    curve = live.el.locator("canvas.vae-active")
    live.stroke(live.points_in(curve, [(0.3, 0.5), (0.6, 0.5)]))
    assert live.agree(expected, "curve dragged")["sliders"]["d"] > 2, f"{explorer}: dragging on the curve does not move d"


@each_kind("Bottleneck")
def test_what_is_pressed_is_outlined_in_forced_colours(show, explorer):
    live = show(explorer, fresh=True, forced_colors="active")
    tell = "(el) => [...el.querySelectorAll('[aria-pressed]')].map((node) => [node.ariaPressed, getComputedStyle(node).outlineStyle])"
    assert {tuple(each) for each in live.el.evaluate(tell)} == {("true", "solid"), ("false", "none")}


@each_kind("Bottleneck", "TrainingReplay", "Rotation", "ImportanceBound")
def test_a_finger_scrolls_the_page_past_a_plot(show, explorer):
    live, expected = show(explorer, **PHONE), reference(explorer)
    plot = live.el.locator("canvas.vae-active:is(.vae-curve, .vae-area)").first
    along = live.points_in(plot, [(0.6, 0.9), (0.6, 0.6), (0.6, 0.3), (0.6, 0.05)])
    plot.evaluate("(node) => node.addEventListener('pointercancel', () => { node.dataset.cancelled = 'true'; })")
    before = live.page.evaluate("scrollY")
    live.touch(along)
    live.page.wait_for_function("([node, before]) => node.dataset.cancelled && scrollY > before", arg=[plot.element_handle(), before])
    next_frame(live.page)
    shown = live.agree(expected, "scrolled past a plot")["sliders"][live.labels[0]]
    assert shown > 1, f"{explorer}: a finger that scrolls throws {live.labels[0]} back to its start"


@each_kind("DrawDigit")
def test_samples_are_picked(show, explorer):
    live, expected = show(explorer), reference(explorer)
    samples = pictures(explorer, "samples").flatten(1).numpy()
    for index, pick in enumerate(all_of(live.el.locator(".vae-samples button"), len(samples))):
        pick.click()
        next_frame(live.page)
        shown = live.agree(expected, f"sample {index} picked")
        assert np.abs(np.array(shown["input"]) - samples[index]).max() < 1e-6, f"{explorer}: sample {index} shows another digit"


@pytest.mark.parametrize("device", ["mouse", "finger"])
@each_kind("DrawDigit")
def test_a_digit_is_drawn(show, explorer, device):
    live, expected = show(explorer, **(PHONE if device == "finger" else {})), reference(explorer)
    before = live.snapshot()["input"]
    pad = live.el.locator("canvas[aria-label^='Drawing pad']")
    draw = live.touch if device == "finger" else live.stroke
    seven = [(0.3, 0.25), (0.5, 0.24), (0.7, 0.25), (0.6, 0.45), (0.5, 0.65), (0.45, 0.8)]
    draw(live.points_in(pad, seven))
    shown = live.agree(expected, f"a seven drawn by {device}")
    ink = np.array(shown["input"]).reshape(28, 28)
    assert shown["input"] != before, f"{explorer}: drawing by {device} does nothing"
    rows = np.nonzero(ink > 0.5)[0]
    assert rows.max() - rows.min() in range(17, 22), f"{explorer}: the drawn digit is not fitted into 20 rows"
    centre = (np.indices(ink.shape) * ink).sum((1, 2)) / ink.sum()
    assert centre == pytest.approx(13.5, abs=1), f"{explorer}: the drawn digit is not centred by mass: {centre}"
    draw(live.points_in(pad, [(0.35, 0.5), (0.5, 0.5), (0.7, 0.5)]))
    crossed = live.agree(expected, f"crossed by {device}")
    assert crossed["input"] != shown["input"], f"{explorer}: a second stroke does nothing"
    live.button("clear").click()
    next_frame(live.page)
    assert not any(live.agree(expected, "cleared")["input"]), f"{explorer}: clear leaves ink"


@each_kind("DrawDigit")
def test_noise_is_sampled_dragged_and_zeroed(show, explorer):
    live, expected = show(explorer), reference(explorer)
    drawn = []
    for turn in range(3):
        live.button("sample ε").click()
        next_frame(live.page)
        drawn.append(tuple(live.agree(expected, f"ε sampled, turn {turn}")["sliders"].values()))
    assert len(set(drawn)) == 3, f"{explorer}: the sampled ε repeats: {drawn}"
    live.button("reset").click()
    next_frame(live.page)
    live.button("sample ε").click()
    next_frame(live.page)
    again = tuple(live.agree(expected, "reset, ε sampled")["sliders"].values())
    assert again == drawn[0], f"{explorer}: after a reset the same seed must give the same ε"
    live.button("ε = 0").click()
    next_frame(live.page)
    assert set(live.agree(expected, "ε = 0")["sliders"].values()) == {0}
    close = live.el.locator("canvas[role=application]")
    live.stroke(live.points_in(close, [(0.5, 0.5), (0.6, 0.4), (0.7, 0.35)]))
    assert any(live.agree(expected, "close map dragged")["sliders"].values()), f"{explorer}: dragging the close map does nothing"
    close.focus()
    live.page.keyboard.press("Home")
    next_frame(live.page)
    assert set(live.agree(expected, "Home on the close map")["sliders"].values()) == {0}


@pytest.mark.parametrize("beta", [0.001, 1, 10])
@each_kind("BetaCalculator")
def test_calculator_knows_beta(show, explorer, beta):
    live, expected = show(explorer, f"beta={beta}&d=20"), reference(explorer)
    for pixel, latent, batch, likelihood, effective in REDUCTIONS[beta]:
        fields = {"distortion per pixel": likelihood, "reduction over the batch": batch}
        fields |= {"reduction over pixels": pixel, "reduction over latent units": latent}
        for label, value in fields.items():
            live.el.get_by_label(label, exact=True).select_option(value)
        next_frame(live.page)
        if likelihood == "squared error":
            live.el.get_by_label("σ of the pixels").fill("0.5")
            live.page.keyboard.press("Enter")
        next_frame(live.page)
        shown = live.agree(expected, f"β = {beta}, {fields}")
        assert shown["betaEffective"] == pytest.approx(effective), f"{explorer}: β = {beta}, {fields}"
        text = live.el.locator(".vae-result").inner_text()
        assert f"{effective:.3g}" in text.replace(",", ""), f"{explorer}: β = {beta}, {fields}: says {text!r}, not {effective:.3g}"


@each_kind("BetaCalculator")
def test_calculator_examples(show, explorer):
    live, expected = show(explorer), reference(explorer)
    seen = set()
    for example in all_of(live.el.get_by_role("group", name="examples").get_by_role("button"), 5):  # "reset" is the last
        example.click()
        next_frame(live.page)
        seen.add(live.agree(expected, example.inner_text())["betaEffective"])
    assert len(seen) > 1, f"{explorer}: all examples give β = {seen}"


@each_kind("MeanAndSample")
def test_seed_moves_the_sample_and_sigma_does_not_move_the_mean(show, explorer):
    live, expected = show(explorer), reference(explorer)
    start = live.agree(expected, "as the page opens")
    assert start["family"] == "bernoulli"
    assert set(start["sample"]) == {0, 1}
    live.press("seed", "ArrowRight")
    other = live.agree(expected, "another seed")
    assert other["decoded"] == start["decoded"], f"{explorer}: the seed moves the mean"
    assert other["sample"] != start["sample"], f"{explorer}: the seed does not move the sample"
    live.press("σ", "ArrowRight", 5)
    assert live.agree(expected, "σ under a Bernoulli")["sample"] == other["sample"], f"{explorer}: σ moves a Bernoulli sample"
    live.button("Gaussian").click()
    next_frame(live.page)
    gaussian = live.agree(expected, "Gaussian pixels")
    live.press("σ", "ArrowLeft", 10)
    narrow = live.agree(expected, "a smaller σ")
    assert narrow["decoded"] == gaussian["decoded"], f"{explorer}: σ moves the mean"
    assert narrow["outside"] < gaussian["outside"], f"{explorer}: less noise leaves the range as often"


@each_kind("MeanAndSample")
def test_likelihood_of_a_digit_is_best_at_its_own_rms_error(show, explorer):
    live, expected = show(explorer), reference(explorer)
    live.button("Gaussian").click()
    picks = live.el.get_by_role("button", name="go to the code of a")
    for index, pick in enumerate(all_of(picks, len(pictures(explorer, "digits")))[:3]):
        pick.click()
        next_frame(live.page)
        assert live.agree(expected, f"digit {index} picked")["digit"] == index
        found = {}
        live.press("σ", "Home")
        for _ in range(60):
            shown = live.snapshot()
            found[shown["distortion"]] = shown["sigma"]
            live.press("σ", "ArrowRight")
            next_frame(live.page)
        shown = live.agree(expected, "σ moved along")
        assert found[min(found)] == pytest.approx(shown["rms"], abs=0.006), f"{explorer}: digit {index}"
    live.button("learned σ").click()
    next_frame(live.page)
    assert live.agree(expected, "learned σ")["sigma"] == pytest.approx(explorer.state["learned_sigma"], abs=0.0026)


@each_kind("MeanAndSample")
def test_a_picture_is_pressed_to_choose_its_row(show, explorer):
    live, expected = show(explorer), reference(explorer)
    live.stroke(live.points_in(live.el.locator("canvas.vae-active").first, [(0.5, 0.5), (0.5, 0.9)]))
    assert live.agree(expected, "row dragged")["sliders"]["row"] == 25, f"{explorer}: dragging on a picture does not move the row"
