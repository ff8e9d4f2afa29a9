"""The first page, live in JupyterLab: run all cells, move a slider, compare what is decoded with PyTorch."""

from __future__ import annotations

import re

import pytest
from built_site import ROOT, Explorer
from lab import running_lab
from live_explorer import LiveExplorer
from playwright.sync_api import TimeoutError as NotInTime
from playwright.sync_api import expect
from references import reference

pytestmark = pytest.mark.browser

PAGE = ROOT / "book" / "intro.ipynb"
MINUTES = 60_000  # in Playwright's milliseconds


@pytest.fixture
def lab(tmp_path):
    with running_lab(PAGE, tmp_path) as address:
        yield address


def run_all(page):
    """Run all cells. JupyterLab says "idle" before it takes commands, and then forgets them: ask until a cell has begun."""
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first
    begun = page.locator(".jp-InputPrompt").filter(has_text=re.compile(r"\[(\*|\d+)\]")).first
    for _ in range(6):
        expect(idle).to_be_visible(timeout=2 * MINUTES)
        page.wait_for_timeout(1000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        try:
            begun.wait_for(timeout=MINUTES / 6)
        except NotInTime:
            continue
        return
    pytest.fail("JupyterLab runs no cell")


def test_first_page_runs_live(context, lab):
    page = context(viewport={"width": 1400, "height": 1000}).new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(error.message))
    page.goto(lab, timeout=2 * MINUTES)
    run_all(page)
    box = page.locator(".widget-vbox", has=page.locator(".vae-explorer")).first
    expect(box.locator(".vae-explorer[data-ready=true]"), f"{PAGE.name} in JupyterLab shows no explorer").to_be_visible(timeout=2 * MINUTES)
    live = LiveExplorer(page, box, f"{PAGE.name} in JupyterLab")
    both = live.el.evaluate("(el) => 'decodedAutoencoder' in el")
    expected = reference(Explorer(PAGE.name, 0, "LatentMap", {"state": {"autoencoder_layers": both}}))
    live.agree(expected, "after Run All")
    for label in live.labels:
        start = live.readout(label)
        live.press(label, "ArrowRight", 20)
        assert live.agree(expected, f"{label} moved by keyboard")["sliders"][label] > start
        live.stroke([live.middle_of(live.handle(label)), live.place_on(label, 0.25)])
        assert live.agree(expected, f"{label} dragged")["sliders"][label] < start
    live.stroke(live.points_in(live.el.locator("canvas[data-map]").first, [(0.5, 0.5), (0.7, 0.3)]))
    assert all(value > 0 for value in live.agree(expected, "map dragged")["sliders"].values())
    failed = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error'], .jp-RenderedText[data-mime-type*=stderr]")
    assert not failed.count(), f"a cell of {PAGE.name} fails in JupyterLab: {failed.first.inner_text()}"
    assert not errors, f"page errors in JupyterLab: {errors}"
