"""Every explorer of the built site, moved by keys, mouse and finger; what it computes must equal PyTorch."""

from __future__ import annotations

import pytest
from built_site import explorers
from live_explorer import PHONE, each, each_kind
from playwright.sync_api import Locator
from references import reference
from waiting import next_frame

pytestmark = pytest.mark.browser

KINDS = ("LatentMap", "Bottleneck", "DrawDigit", "BetaCalculator", "MonteCarlo", "MeanAndSample", "TwoDensities", "DragQ", "Reparameterise")
KINDS += ("Interpolation", "Perplexity", "ContinuousBeta", "TrainingReplay", "Traversal", "Rotation")
KINDS += ("Denoising",)
KINDS += ("Completion", "Conditional")
KINDS += ("CodeGrid", "ImportanceBound")
DEEP_LINKS = {
    "LatentMap": ("z1=1.2&z2=-0.5", {"z₁": 1.2, "z₂": -0.5}),
    "Bottleneck": ("d=7&digit=3", {"d": 7}),
    "DrawDigit": ("digit=17&eps1=1&eps2=-0.5", {"ε₁": 1, "ε₂": -0.5}),
    "BetaCalculator": ("beta=10&d=50", {"β": 10, "d": 50}),
    "MeanAndSample": ("z1=1.2&z2=-0.5&sigma=0.3&seed=7&row=9", {"z₁": 1.2, "z₂": -0.5, "σ": 0.3, "seed": 7, "row": 9}),
    "TwoDensities": ("separation=3&weight=0.3&kl_mu=-1&kl_sigma=0.5", {"Δ": 3, "w": 0.3, "μ": -1, "σ": 0.5}),
    "DragQ": ("x=2&q_mu=0.5&q_log_sigma=-2&q_beta=0.5", {"x": 2, "μ": 0.5, "log σ": -2, "β": 0.5}),
    "Reparameterise": ("z_mu=-1&z_sigma=0.5&samples=30", {"μ": -1, "σ": 0.5, "n": 30}),
    "TrainingReplay": ("epoch=10", {"epoch": 10}),
    "ContinuousBeta": ("beta=4", {"β": 4}),
    "Completion": ("completed=3&from=0&covered=20", {"digit": 3, "covered": 20}),
    "Conditional": (
        "class=3&" + "&".join(f"style{rank}={rank / 2 - 2}" for rank in range(1, 7)),
        {name: rank / 2 - 2 for rank, name in enumerate(("1st", "2nd", "3rd", "4th", "5th", "6th"), 1)},
    ),
    "Rotation": ("turn=30&place=12", {"angle": 30, "x": 12}),
    "MonteCarlo": ("S=1000&d=10&nats=0.1", {"S": 1000, "d": 10, "nats": 0.1}),
    "Interpolation": ("from=3&to=8&t=0.25&path=1", {"from": 3, "to": 8, "t": 0.25}),
    "Denoising": ("noise=1&level=0.3&seed=7&digit=4", {"level": 0.3, "seed": 7}),
    "Perplexity": ("codes=2&perplexity=8&point=17", {"perplexity": 8, "point": 17}),
    "CodeGrid": ("digit=3&cell=25&code=7", {"digit": 3, "cell": 25, "code": 7}),
    "ImportanceBound": ("k=100&model=1&digit=4", {"k": 100}),
    "Traversal": (
        "model=1&picture=2&" + "&".join(f"rank{rank}={rank / 2 - 2.5}" for rank in range(1, 11)),
        {name: rank / 2 - 2.5 for rank, name in enumerate(("1st", "2nd", "3rd", *(f"{n}th" for n in range(4, 11))), 1)},
    ),
}

PICTURES = """(el) => [...el.querySelectorAll('canvas')].filter((canvas) => canvas.clientWidth)
    .map((canvas) => canvas.toDataURL())"""
BLURRED = """(el) => [...el.querySelectorAll('canvas')].filter((canvas) => canvas.width < 2 * canvas.clientWidth - 1)
    .map((canvas) => `${canvas.width} pixels on ${canvas.clientWidth} px`)"""
RING = """(node) => {
    const s = getComputedStyle(node);
    return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.borderColor].join();
}"""
# Until nothing has been said for longer than an announcement takes.
SILENCE = """(node) => new Promise((done) => {
    let timer = setTimeout(done, 1200);
    new MutationObserver(() => {
        clearTimeout(timer);
        timer = setTimeout(done, 1200);
    }).observe(node, { childList: true, characterData: true, subtree: true });
})"""
FOCUSABLE = ".noUi-handle, [contenteditable=true], button:visible, canvas[tabindex], select:visible, input:visible"


def in_its_upper_half(handle: Locator) -> bool:
    """Whether a slider has more room below than above."""
    low, now, high = (float(handle.get_attribute(f"aria-value{end}")) for end in ("min", "now", "max"))
    return now - low > high - now


def test_the_site_has_every_explorer(site):
    assert {explorer.kind for explorer in explorers()} == {*KINDS, "Quiz"}, "an explorer is on no page, or one is not tested here"
    assert any(explorer.state.get("autoencoder_layers") for explorer in explorers()), "no page shows VAE and autoencoder side by side"


@each("DrawDigit")
def test_explorers_start_on_a_slow_phone(show, explorer):
    live = show(explorer, slowdown=6, **PHONE)
    live.agree(reference(explorer), "on a slow phone")


@each()
def test_sliders_move_by_keyboard(show, explorer):
    steps_cancel(show(explorer), explorer)


@each_kind()
def test_sliders_move_on_a_page_opened_as_a_file(show, explorer):
    steps_cancel(show(explorer, scheme="file"), explorer, most=1)  # the same scripts move the others, once they are there


def steps_cancel(live, explorer, most: int | None = None) -> None:
    """Press arrow keys on the first sliders: three steps move each, three back bring it home, and the numbers are right all the way."""
    expected = reference(explorer)
    live.agree(expected, "as the page opens")
    for label in live.labels[:most]:
        handle, start = live.handle(label), live.readout(label)
        assert handle.get_attribute("aria-label"), f"{explorer}: slider {label} has no name"
        there, back, sign = ("ArrowLeft", "ArrowRight", -1) if in_its_upper_half(handle) else ("ArrowRight", "ArrowLeft", 1)
        live.press(label, there, 3)
        moved = live.agree(expected, f"{label}, three steps")["sliders"][label]
        assert sign * moved > sign * start, f"{explorer}: {there} does not move {label}"
        live.press(label, back, 3)
        returned = live.agree(expected, f"{label}, three steps back")["sliders"][label]
        assert returned == pytest.approx(start), f"{explorer}: three steps there and three back do not cancel for {label}"


@each_kind("BetaCalculator", "ContinuousBeta", "LatentMap", "TrainingReplay")
def test_a_screen_reader_says_what_stands_beside_a_slider(show, explorer):
    """Not the exponent of a logarithmic one, and no more digits than are shown."""
    live = show(explorer)
    beside = """(handle) => [
        handle.getAttribute('aria-valuetext'), handle.closest('.jupyter-widgets').querySelector('.widget-readout').textContent,
    ]"""
    for label in live.labels:
        for key in ("ArrowRight", "ArrowLeft", "ArrowLeft"):
            live.press(label, key)
            next_frame(live.page)
            said, shown = live.handle(label).evaluate(beside)
            assert said == shown, f"{explorer}: {label} is {shown}, and a screen reader says {said}"


@each_kind()
def test_sliders_move_by_mouse(show, explorer):
    live, expected = show(explorer), reference(explorer)
    for label in live.labels:
        seen = []
        for share in (0.2, 0.9):
            live.stroke([live.middle_of(live.handle(label)), live.place_on(label, share)])
            seen.append(live.agree(expected, f"{label} dragged to {share:.0%}")["sliders"][label])
        assert seen[0] < seen[1], f"{explorer}: dragging the handle does not move {label}: {seen}"


@each_kind()
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


@each_kind()
def test_link_sets_and_reset_restores(show, explorer):
    link, told = DEEP_LINKS[explorer.kind]
    live, expected = show(explorer, link), reference(explorer)
    shown = live.agree(expected, f"opened with #{link}")
    assert shown["sliders"] == pytest.approx(told), f"{explorer}: #{link} is not followed"
    untouched = show(explorer).snapshot()
    live.button("reset").click()
    next_frame(live.page)
    after = live.agree(expected, "reset")
    for what in ("sliders", "pressed", "fields"):
        assert after[what] == untouched[what], f"{explorer}: reset does not restore the {what}"


@each_kind()
def test_screen_reader_hears_the_change(show, explorer):
    live = show(explorer)
    region = live.el.locator("[aria-live=polite]")
    live.page.wait_for_function("(node) => node.textContent", arg=region.element_handle())
    region.evaluate(SILENCE)
    before = region.text_content()
    live.press(live.labels[0], "Home" if in_its_upper_half(live.handle(live.labels[0])) else "End")
    live.page.wait_for_function("([node, before]) => node.textContent !== before", arg=[region.element_handle(), before])
    nameless = live.el.locator("canvas:not([aria-label]):not([aria-hidden]), canvas[aria-label='']").count()
    assert not nameless, f"{explorer}: {nameless} canvases without a name"


@each_kind()
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


@each_kind()
def test_canvases_are_sharp_and_follow_the_theme(show, explorer):
    live = show(explorer, **PHONE)
    assert live.page.evaluate("devicePixelRatio") == 2
    blurred = live.el.evaluate(BLURRED)
    assert not blurred, f"{explorer}: canvases with too few pixels for the screen: {blurred}"
    light = live.el.evaluate(PICTURES)
    live.page.emulate_media(color_scheme="dark")
    live.page.wait_for_selector('html[data-theme="dark"]')
    next_frame(live.page)
    dark = live.el.evaluate(PICTURES)
    same = [place for place, pictures in enumerate(zip(light, dark, strict=True)) if len(set(pictures)) == 1]
    assert not same, f"{explorer}: canvases {same} look alike in light and dark"
    background = live.el.evaluate("(el) => getComputedStyle(el).backgroundColor")
    assert max(map(int, background.strip("rgb()").split(","))) < 80, f"{explorer}: {background} in the dark theme"
