"""Pages that stay open from test to test: a test gets one back as it was when it opened, or a new one.

Opening a page (widgets, formulas, fonts) takes most of a test's time. Only one page of the site is kept at a time, once for each way of
looking at it, so the tests of one page should follow one another: `conftest.py` sends them to the same worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page
from playwright.sync_api import TimeoutError as NotInTime
from waiting import next_frame, settle
from watch import Watch

RESTORED = 3_000  # milliseconds until a reset must have brought everything back; else the page is opened anew
DESKTOP = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}

# All that a reader can set in an explorer and what it computed from that, as one text.
SHOWN = """(area) => {
    const el = area.querySelector('.vae-explorer'), every = (selector, tell) => [...area.querySelectorAll(selector)].map(tell);
    return JSON.stringify([
        every('.widget-readout', (node) => node.textContent),
        every('select, input', (node) => [node.value, node.checked]),
        every('[aria-pressed]', (node) => node.getAttribute('aria-pressed')),
        every('[aria-live]:not(.vae-live)', (node) => node.textContent),
        ...['decoded', 'input', 'noise', 'sample'].map((name) => Array.from(el[name] ?? [])),
    ]);
}"""
RESET = """(area) => [...area.querySelectorAll('.vae-explorer button')]
    .filter((button) => ['reset', 'Start again'].includes(button.textContent)).forEach((button) => button.click())"""
UNTOUCHED = """() => {
    document.activeElement?.blur();
    getSelection().removeAllRanges();
    scrollTo({ left: 0, top: 0, behavior: 'instant' });
}"""


@dataclass
class Kept:
    """An open page, what it must not do, and how its explorers stood when it opened."""

    page: Page
    watch: Watch
    settings: dict[str, Any]
    opening: list[str] = field(default_factory=list)  # SHOWN, by the explorer's place
    touched: set[int] = field(default_factory=set)  # the explorers that a test has had

    def tidy(self) -> None:
        """Put away what a test did to the window: its size, the theme, focus, scrolling, the mouse."""
        if self.page.viewport_size != self.settings["viewport"]:
            self.page.set_viewport_size(self.settings["viewport"])
        self.page.emulate_media(color_scheme=self.settings["color_scheme"], reduced_motion="no-preference")
        self.page.wait_for_selector(f'html[data-theme="{self.settings["color_scheme"]}"]')
        self.page.mouse.move(1, 1)
        self.page.evaluate(UNTOUCHED)
        next_frame(self.page)

    def restored(self, place: int) -> bool:
        """Press an explorer's reset button, if a test has had it, and tell whether it stands as it did when the page opened."""
        area = self.page.locator(".widget-subarea").nth(place)
        if place in self.touched:
            area.evaluate(RESET)
        try:
            handle = area.element_handle()
            same = f"([area, opening]) => ({SHOWN})(area) === opening"
            self.page.wait_for_function(same, arg=[handle, self.opening[place]], timeout=RESTORED)
        except NotInTime:
            return False
        next_frame(self.page)
        return True


class Shelf:
    """The pages that are open, by scheme and settings, all of them the same page of the site."""

    def __init__(self, open_context: Callable[..., BrowserContext], bases: dict[str, str]) -> None:
        self.open_context, self.bases = open_context, bases
        self.name, self.kept = "", {}

    def take(self, name: str, scheme: str, place: int | None = None, **settings: Any) -> Kept:
        """A page as it opens, with the explorer at a place untouched; what its watch noted stays there until it is asked."""
        if name != self.name:
            self.clear()
            self.name = name
        settings = DESKTOP | settings
        key = f"{scheme} {sorted(settings.items())}"
        found, problems = self.kept.get(key), []
        if found:
            found.tidy()
            if place is not None and not found.restored(place):
                problems = self.kept.pop(key).watch.collect()
                found.page.context.close()
        if key not in self.kept:
            self.kept[key] = self._open(name, scheme, settings)
            self.kept[key].watch.problems += problems
        if place is not None:
            self.kept[key].touched.add(place)
        return self.kept[key]

    def _open(self, name: str, scheme: str, settings: dict[str, Any]) -> Kept:
        page = self.open_context(**settings).new_page()
        kept = Kept(page, Watch(page, self.bases[scheme]), settings)
        try:
            page.goto(self.bases[scheme] + name)
            settle(page)
        except Error as error:
            error.add_note("\n".join(kept.watch.collect()))
            page.context.close()
            raise
        areas = page.locator(".widget-subarea")
        kept.opening = areas.evaluate_all(f"(areas) => areas.map((area) => (area.querySelector('.vae-explorer') ? ({SHOWN})(area) : ''))")
        return kept

    def clear(self) -> None:
        """Close every page, so that the next test opens its own."""
        for each in self.kept.values():
            each.page.context.close()
        self.kept.clear()
