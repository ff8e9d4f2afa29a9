"""An explorer in a browser's page, moved as a reader moves it: handles, keys, mouse, finger."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from built_site import Explorer, explorers
from playwright.sync_api import Locator, Page, expect
from waiting import next_frame

TOLERANCE = 2e-3  # of a pixel's probability, at the shipped precision
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
PATIENCE = 30  # seconds until a picture must have followed

# As one text: Playwright takes long over tens of thousands of numbers. JSON knows no NaN, Python's reader does.
SNAPSHOT = """(el) => {
    const box = el.closest('.widget-vbox');
    const tell = (_, value) => ArrayBuffer.isView(value) ? Array.from(value)
        : typeof value === 'number' && !Number.isFinite(value) ? `${value}` : value;
    const names = ['decoded', 'decodedAutoencoder', 'input', 'mu', 'sigma', 'z', 'rate', 'distortion', 'betaEffective', 'lossScale',
        'family', 'digit', 'sample', 'noise', 'rms', 'outside'];
    return JSON.stringify({
        ...Object.fromEntries(names.filter((name) => name in el).map((name) => [name, el[name]])),
        ...el.values,
        sliders: Object.fromEntries([...box.querySelectorAll('.widget-slider, .widget-inline-hbox:has(.noUi-handle)')].map((slider) =>
            [slider.querySelector('.widget-label').textContent, slider.querySelector('.widget-readout').textContent])),
        fields: Object.fromEntries([...el.querySelectorAll('select, input')].map((node) => [node.getAttribute('aria-label'), node.value])),
        pressed: [...el.querySelectorAll('[aria-pressed=true]')].map((node) => node.getAttribute('aria-label') ?? node.textContent),
    }, tell);
}"""


def each(*kinds: str) -> pytest.MarkDecorator:
    """Run a test once for every explorer of these kinds (all with sliders, if none is named) that the site has."""
    return pytest.mark.parametrize("explorer", _chosen(kinds) or [None], ids=str)


def each_kind(*kinds: str) -> pytest.MarkDecorator:
    """Run a test once for each of these kinds: on the first that the site has, with other networks in it on the first of these."""
    first: dict[tuple[str, ...], Explorer] = {}
    for explorer in _chosen(kinds):
        networks = sorted(trait for trait, value in explorer.state.items() if trait.endswith("_layers") and value)
        first.setdefault((explorer.kind, *networks), explorer)
    return pytest.mark.parametrize("explorer", [*first.values()] or [None], ids=str)


def _chosen(kinds: tuple[str, ...]) -> list[Explorer]:
    return [explorer for explorer in explorers() if (explorer.kind in kinds if kinds else explorer.kind != "Quiz")]


class LiveExplorer:
    """One explorer: the box of its sliders and the canvas element `el` beneath them."""

    def __init__(self, page: Page, box: Locator, name: str) -> None:
        self.page, self.box, self.name = page, box, name
        self.el = box.locator(".vae-explorer")
        self.box.scroll_into_view_if_needed()  # it may have waited for that
        expect(self.el).to_have_attribute("data-ready", "true")
        expect(self.el).not_to_have_attribute("data-filled", "false", timeout=90_000)  # what is computed once it is in view

    def snapshot(self) -> dict[str, Any]:
        """What the explorer shows at this moment: its numbers, arrays and sliders' readouts."""
        return parsed(self.el.evaluate(SNAPSHOT))

    @property
    def labels(self) -> list[str]:
        """The sliders' labels, from top to bottom."""
        return list(self.snapshot()["sliders"])

    def readout(self, label: str) -> float:
        """The number beside a slider."""
        return self.snapshot()["sliders"][label]

    def handle(self, label: str) -> Locator:
        """A slider's handle."""
        return self.box.locator(".widget-inline-hbox", has=self.page.get_by_text(label, exact=True)).locator(".noUi-handle")

    def press(self, label: str, key: str, times: int = 1) -> None:
        """Press a key on a slider's handle."""
        self.handle(label).focus()
        for _ in range(times):
            self.page.keyboard.press(key)

    def place_on(self, label: str, share: float) -> tuple[float, float]:
        """The window coordinates at a share 0 … 1 of a slider's track."""
        box = self.handle(label).locator("xpath=ancestor::*[contains(@class, 'noUi-target')]").bounding_box()
        return box["x"] + share * box["width"], box["y"] + box["height"] / 2

    def middle_of(self, locator: Locator) -> tuple[float, float]:
        """The window coordinates of an element's middle."""
        locator.scroll_into_view_if_needed()
        box = locator.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def stroke(self, points: list[tuple[float, float]]) -> None:
        """Drag the mouse along points of the window."""
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for x, y in points[1:]:
            self.page.mouse.move(x, y, steps=4)
        self.page.mouse.up()

    def touch(self, points: list[tuple[float, float]]) -> None:
        """Drag a finger along points of the window (the context needs `has_touch`)."""
        session = self.page.context.new_cdp_session(self.page)
        for kind, (x, y) in zip(["touchStart", *["touchMove"] * (len(points) - 1)], points, strict=True):
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        session.detach()

    def points_in(self, locator: Locator, shares: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """Window coordinates of points given as shares of an element's width and height."""
        locator.scroll_into_view_if_needed()
        box = locator.bounding_box()
        return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in shares]

    def button(self, name: str) -> Locator:
        """One of the explorer's buttons, by its words."""
        return self.el.get_by_role("button", name=name, exact=True)

    def agree(self, reference: Callable[[dict[str, Any]], dict[str, np.ndarray]], step: str) -> dict[str, Any]:
        """Wait until what is shown equals PyTorch's numbers, and return it; fail with the largest difference otherwise."""
        deadline = time.monotonic() + PATIENCE
        while True:
            shown = self.snapshot()
            differences = compared(shown, reference(shown))
            if all(difference < TOLERANCE for difference in differences.values()):  # what is not a number yet agrees with nothing
                return shown
            assert time.monotonic() < deadline, f"{self.name}, {step}: differs from PyTorch by {differences} at {shown['sliders']}"
            next_frame(self.page)


def parsed(snapshot: str) -> dict[str, Any]:
    """What `SNAPSHOT` tells, with numbers for the sliders' readouts."""
    shown = json.loads(re.sub(r'"(NaN|-?Infinity)"', r"\1", snapshot))
    shown["sliders"] = {label: _number(text) for label, text in shown["sliders"].items()}
    return shown


def compared(shown: dict[str, Any], expected: dict[str, np.ndarray]) -> dict[str, float]:
    """The largest difference between what is shown and what is expected, by name; of large numbers the relative one."""
    assert expected, "nothing is compared"
    return {name: float(np.abs(np.asarray(shown[name]) - value).max() / max(1, np.abs(value).max())) for name, value in expected.items()}


def _number(text: str) -> float:
    return float(re.sub(r"[,\s]", "", text).replace("−", "-"))
