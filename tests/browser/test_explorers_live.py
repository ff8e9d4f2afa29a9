"""Every explorer of the built site, moved by keys, mouse and finger; what it computes must equal PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from built_site import Explorer, explorers
from live_explorer import LiveExplorer
from references import pictures, reference
from waiting import next_frame

pytestmark = pytest.mark.browser

ALL = explorers()
KINDS = ("LatentMap", "Bottleneck", "DrawDigit", "BetaCalculator")
DEEP_LINKS = {
    "LatentMap": ("z1=1.2&z2=-0.5", {"z₁": 1.2, "z₂": -0.5}),
    "Bottleneck": ("d=7&digit=3", {"d": 7}),
    "DrawDigit": ("digit=17&eps1=1&eps2=-0.5", {"ε₁": 1, "ε₂": -0.5}),
    "BetaCalculator": ("beta=10&d=50", {"β": 10, "d": 50}),
}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

PICTURES = "(el) => [...el.querySelectorAll('canvas')].filter((canvas) => canvas.clientWidth).map((canvas) => canvas.toDataURL())"
RING = "(node) => { const s = getComputedStyle(node); return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.borderColor].join() }"
FOCUSABLE = ".noUi-handle, [contenteditable=true], button:visible, canvas[tabindex], select:visible, input:visible"


def each(*kinds: str):
    """Run a test once for every explorer of these kinds (all, if none is named) that the site has."""
    chosen = [explorer for explorer in ALL if not kinds or explorer.kind in kinds]
    return pytest.mark.parametrize("explorer", chosen or [None], ids=str)


@pytest.fixture
def show(visit, site):
    """Open the page of an explorer and return it alive."""

    def show(explorer: Explorer, link: str = "", scheme: str = "http", **settings: object) -> LiveExplorer:
        assert explorer, "the site has no explorer of this kind"
        page = visit(explorer.page + (f"#{link}" if link else ""), scheme, **settings)
        return LiveExplorer(page, page.locator(".widget-subarea").nth(explorer.place), str(explorer))

    return show


def test_the_site_has_every_explorer(site):
    assert {explorer.kind for explorer in ALL} == set(KINDS), "an explorer is on no page, or one is not tested here"
    assert any(explorer.state.get("autoencoder_layers") for explorer in ALL), "no page shows VAE and autoencoder side by side"


@pytest.mark.parametrize("scheme", ["http", "file"])
@each()
def test_sliders_move_by_keyboard(show, explorer, scheme):
    live, expected = show(explorer, scheme=scheme), reference(explorer)
    live.agree(expected, "as the page opens")
    for label in live.labels:
        assert live.handle(label).get_attribute("aria-label"), f"{explorer}: slider {label} has no name"
        start = live.readout(label)
        live.press(label, "ArrowRight", 3)
        right = live.agree(expected, f"{label}, three steps right")["sliders"][label]
        assert right > start, f"{explorer}: arrow keys do not move {label}"
        live.press(label, "ArrowLeft", 3)
        left = live.agree(expected, f"{label}, three steps back")["sliders"][label]
        assert left == pytest.approx(start), f"{explorer}: three steps right and three left do not cancel for {label}"


@each()
def test_sliders_move_by_mouse(show, explorer):
    live, expected = show(explorer), reference(explorer)
    for label in live.labels:
        seen = []
        for share in (0.2, 0.9):
            live.stroke([live.middle_of(live.handle(label)), live.place_on(label, share)])
            seen.append(live.agree(expected, f"{label} dragged to {share:.0%}")["sliders"][label])
        assert seen[0] < seen[1], f"{explorer}: dragging the handle does not move {label}: {seen}"


@each()
def test_sliders_move_by_touch_on_a_phone(show, explorer):
    live, expected = show(explorer, **PHONE), reference(explorer)
    for label in live.labels:
        seen = []
        for share in (0.3, 0.8):
            start = live.middle_of(live.handle(label))
            end = live.place_on(label, share)
            live.touch([start, ((start[0] + end[0]) / 2, end[1]), end])
            seen.append(live.agree(expected, f"{label} moved by finger to {share:.0%}")["sliders"][label])
        assert seen[0] < seen[1], f"{explorer}: a finger does not move {label}: {seen}"


@each()
def test_link_sets_and_reset_restores(show, explorer):
    link, told = DEEP_LINKS[explorer.kind]
    live, expected = show(explorer, link), reference(explorer)
    shown = live.agree(expected, f"opened with #{link}")
    assert shown["sliders"] == pytest.approx(told), f"{explorer}: #{link} is not followed"
    start = show(explorer).snapshot()
    live.button("reset").click()
    next_frame(live.page)
    after = live.agree(expected, "reset")
    assert (after["sliders"], after["pressed"], after["fields"]) == (start["sliders"], start["pressed"], start["fields"]), f"{explorer}: reset"


@each()
def test_screen_reader_hears_the_change(show, explorer):
    live = show(explorer)
    region = live.el.locator("[aria-live=polite]")
    live.page.wait_for_function("(node) => node.textContent", arg=region.element_handle())
    before = region.text_content()
    live.press(live.labels[0], "End")
    live.page.wait_for_function("([node, before]) => node.textContent !== before", arg=[region.element_handle(), before])
    nameless = live.el.locator("canvas:not([aria-label]):not([aria-hidden]), canvas[aria-label='']").count()
    assert not nameless, f"{explorer}: {nameless} canvases without a name"


@each()
def test_focus_is_visible_and_free(show, explorer):
    live = show(explorer)
    stops = live.box.locator(FOCUSABLE).all()
    unfocused = [stop.evaluate(RING) for stop in stops]
    stops[0].focus()
    live.page.keyboard.press("Shift+Tab")
    for stop, before in zip(stops, unfocused, strict=True):
        live.page.keyboard.press("Tab")
        node = stop.evaluate("(node) => node.outerHTML.slice(0, 120)")
        assert stop.evaluate("(node) => node === document.activeElement"), f"{explorer}: Tab does not lead to {node}"
        assert stop.evaluate(RING) != before, f"{explorer}: no focus ring on {node}"
    live.page.keyboard.press("Tab")
    assert not live.box.evaluate("(box) => box.contains(document.activeElement)"), f"{explorer}: Tab cannot leave"


@each()
def test_theme_reaches_the_canvases(show, explorer):
    live = show(explorer, color_scheme="light")
    light = live.el.evaluate(PICTURES)
    live.page.emulate_media(color_scheme="dark")
    live.page.wait_for_selector('html[data-theme="dark"]')
    next_frame(live.page)
    dark = live.el.evaluate(PICTURES)
    same = [place for place, pictures in enumerate(zip(light, dark, strict=True)) if len(set(pictures)) == 1]
    assert not same, f"{explorer}: canvases {same} look alike in light and dark"
    background = live.el.evaluate("(el) => getComputedStyle(el).backgroundColor")
    assert max(map(int, background.strip("rgb()").split(","))) < 80, f"{explorer}: {background} in the dark theme"


@each("LatentMap")
def test_map_is_dragged_and_steered(show, explorer):
    live, expected = show(explorer), reference(explorer)
    half = explorer.state["extent"] / 2
    for pane in live.el.locator("canvas[data-map]").all():
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


@each("LatentMap")
def test_map_follows_a_finger(show, explorer):
    live, expected = show(explorer, **PHONE), reference(explorer)
    live.touch(live.points_in(live.el.locator("canvas[data-map]").first, [(0.5, 0.5), (0.4, 0.6), (0.25, 0.75)]))
    z = live.agree(expected, "map moved by finger")["sliders"]
    half = explorer.state["extent"] / 2
    assert (z["z₁"], z["z₂"]) == pytest.approx((-half, -half), abs=half / 10), f"{explorer}: finger on the map"


@each("LatentMap")
def test_map_buttons_change_the_picture(show, explorer):
    live = show(explorer)
    pane = live.el.locator("canvas[data-map]").first
    picture = "(canvas) => canvas.toDataURL()"
    for name in ("decoded grid", "zoom to the prior"):
        if not live.button(name).count():
            continue
        before = pane.evaluate(picture)
        live.button(name).click()
        live.page.wait_for_function("([canvas, before]) => canvas.toDataURL() !== before", arg=[pane.element_handle(), before])
        assert name in live.snapshot()["pressed"], f"{explorer}: {name} does not say that it is pressed"
        live.button(name).click()
        live.page.wait_for_function("([canvas, before]) => canvas.toDataURL() === before", arg=[pane.element_handle(), before])


@each("Bottleneck")
def test_every_width_and_digit_is_decoded(show, explorer):
    live, expected = show(explorer), reference(explorer)
    live.press("d", "End")
    assert live.agree(expected, "d at its largest")["sliders"]["d"] == 64
    live.press("d", "Home")
    assert live.agree(expected, "d at its smallest")["sliders"]["d"] == 1
    for pick in live.el.get_by_role("button", name="enlarge digit").all():
        pick.click()
        next_frame(live.page)
        assert pick.get_attribute("aria-pressed") == "true", f"{explorer}: {pick.get_attribute('aria-label')} is not pressed"
        assert len(live.snapshot()["pressed"]) == 2, f"{explorer}: one digit and one measure are chosen"


@each("Bottleneck")
def test_curve_chooses_the_width(show, explorer):
    live, expected = show(explorer), reference(explorer)
    live.button("cross-entropy").click()
    curve = live.el.locator("canvas.vae-active")
    live.stroke(live.points_in(curve, [(0.3, 0.5), (0.6, 0.5)]))
    assert live.agree(expected, "curve dragged")["sliders"]["d"] > 2, f"{explorer}: dragging on the curve does not move d"


@each("DrawDigit")
def test_samples_are_picked(show, explorer):
    live, expected = show(explorer), reference(explorer)
    samples = pictures(explorer, "samples").flatten(1).numpy()
    for index, pick in enumerate(live.el.locator(".vae-samples button").all()):
        pick.click()
        next_frame(live.page)
        shown = live.agree(expected, f"sample {index} picked")
        assert np.abs(np.array(shown["input"]) - samples[index]).max() < 1e-6, f"{explorer}: sample {index} shows another digit"


@pytest.mark.parametrize("device", ["mouse", "finger"])
@each("DrawDigit")
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
    rows, columns = np.nonzero(ink > 0.5)
    assert rows.max() - rows.min() in range(17, 22), f"{explorer}: the drawn digit is not fitted into 20 rows"
    centre = (np.indices(ink.shape) * ink).sum((1, 2)) / ink.sum()
    assert centre == pytest.approx(13.5, abs=1), f"{explorer}: the drawn digit is not centred by mass: {centre}"
    draw(live.points_in(pad, [(0.35, 0.5), (0.5, 0.5), (0.7, 0.5)]))
    crossed = live.agree(expected, f"crossed by {device}")
    assert crossed["input"] != shown["input"], f"{explorer}: a second stroke does nothing"
    live.button("clear").click()
    next_frame(live.page)
    assert not any(live.agree(expected, "cleared")["input"]), f"{explorer}: clear leaves ink"


@each("DrawDigit")
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


@pytest.mark.parametrize(
    ("pixel", "latent", "batch", "likelihood", "beta", "effective"),
    [
        ("sum", "sum", "sum", "bernoulli", 1, 1),
        ("sum", "sum", "mean", "bernoulli", 10, 10),
        ("mean", "sum", "mean", "bernoulli", 1, 784),
        ("mean", "mean", "mean", "bernoulli", 1, 784 / 20),
        ("sum", "mean", "mean", "bernoulli", 1, 1 / 20),
        ("sum", "sum", "mean", "squared error", 1, 1 / (2 * 0.5**2)),
        ("mean", "sum", "sum", "squared error", 0.001, 0.784 / (2 * 0.5**2)),
    ],
)
@each("BetaCalculator")
def test_calculator_knows_beta(show, explorer, pixel, latent, batch, likelihood, beta, effective):
    live, expected = show(explorer, f"beta={beta}&d=20"), reference(explorer)
    fields = {"distortion per pixel": likelihood, "reduction over pixels": pixel, "reduction over latent units": latent, "reduction over the batch": batch}
    for label, value in fields.items():
        live.el.get_by_label(label, exact=True).select_option(value)
    next_frame(live.page)
    if likelihood == "squared error":
        live.el.get_by_label("σ of the pixels").fill("0.5")
        live.page.keyboard.press("Enter")
    next_frame(live.page)
    shown = live.agree(expected, str(fields))
    assert shown["betaEffective"] == pytest.approx(effective), f"{explorer}: {fields}"
    text = live.el.locator(".vae-result").inner_text()
    assert f"{effective:.3g}" in text.replace(",", ""), f"{explorer}: says {text!r}, not {effective:.3g}"


@each("BetaCalculator")
def test_calculator_examples(show, explorer):
    live, expected = show(explorer), reference(explorer)
    seen = set()
    for example in live.el.get_by_role("group", name="examples").get_by_role("button").all():
        example.click()
        next_frame(live.page)
        seen.add(live.agree(expected, example.inner_text())["betaEffective"])
    assert len(seen) > 1, f"{explorer}: all examples give β = {seen}"
