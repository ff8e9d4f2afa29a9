"""Waiting for conditions instead of for time; every wait ends after the page's default timeout."""

from playwright.sync_api import Page

LOADED = "() => document.readyState === 'complete' && document.fonts.ready.then(() => true)"
WIDGETS_DRAWN = """() => document.documentElement.dataset.widgetsReady
    || !document.querySelector('script[type$="widget-view+json"]')"""
EXPLORERS_READY = """() => [...document.querySelectorAll('.vae-explorer')].every((el) => el.dataset.ready === 'true')"""
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"


def settle(page: Page) -> None:
    """Wait until the page stands still: loaded, fonts there, explorers ready."""
    for condition in (LOADED, WIDGETS_DRAWN, EXPLORERS_READY, FRAMES):
        page.wait_for_function(condition)


def next_frame(page: Page) -> None:
    """Wait for two animation frames: what was set has been computed and drawn."""
    page.wait_for_function(FRAMES)
