"""Waiting for conditions instead of for time; every wait ends after the page's default timeout."""

from playwright.sync_api import Locator, Page, expect

LOADED = "() => document.readyState === 'complete' && document.fonts.ready.then(() => true)"
# Widgets wait until the reader is near; before the page is printed all of them come.
WIDGETS_DRAWN = """() => dispatchEvent(new Event('beforeprint')) && document.documentElement.dataset.widgetsReady
    || !document.querySelector('script[type$="widget-view+json"]')"""
FORMULAS_WRITTEN = "() => document.documentElement.dataset.formulasReady || !document.querySelector('.math')"
EXPLORERS_READY = """() => [...document.querySelectorAll('.vae-explorer')].every((el) => el.dataset.ready === 'true')"""
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"


def settle(page: Page) -> None:
    """Wait until the page stands still: loaded, fonts there, every explorer ready, wherever it is, and every formula written."""
    for condition in (LOADED, WIDGETS_DRAWN, EXPLORERS_READY, FORMULAS_WRITTEN, FRAMES):
        page.wait_for_function(condition)
        if condition == WIDGETS_DRAWN:
            page.evaluate("dispatchEvent(new Event('afterprint'))")  # no paper after all


def all_of(locator: Locator, count: int) -> list[Locator]:
    """All elements of a locator, once they are so many: its own `all` does not wait, and a loop over none of them tests nothing."""
    assert count, f"no elements are expected of {locator}"
    expect(locator).to_have_count(count)
    return locator.all()


def next_frame(page: Page) -> None:
    """Wait for two animation frames: what was set has been computed and drawn."""
    page.wait_for_function(FRAMES)
