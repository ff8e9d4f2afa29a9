"""Explorers that are far from the reader: they wait, come when needed, and nothing on the page jumps."""

from __future__ import annotations

import pytest
from built_site import Explorer, explorers, read
from live_explorer import LiveExplorer
from references import reference
from waiting import EXPLORERS_READY, FORMULAS_WRITTEN, FRAMES
from watch import Watch

pytestmark = pytest.mark.browser

DRAWN = "() => [...document.querySelectorAll('.widget-subarea')].map((area) => !area.classList.contains('vae-waits'))"
FIRST_DRAWN = "() => document.querySelector('script[data-first]').previousElementSibling.querySelector('[data-ready=true]')"
PRINTED = "() => { window.printed = 0; window.print = () => { window.printed += 1; }; }"
TOP = "(node) => node.getBoundingClientRect().top"


def last_far_explorer() -> Explorer | None:
    """The last explorer with sliders on the page that has most widgets."""
    found = [explorer for explorer in explorers() if explorer.kind != "Quiz" and explorer.place]
    return max(found, key=lambda explorer: (len(read(explorer.page).views), explorer.place), default=None)


@pytest.fixture
def opened(context, bases):
    """Open a page and do not scroll: its first explorer is there, and the formulas are. Returns the page and the watch over it."""

    def open_page(name, scheme="http", link="", **settings):
        page = context(**settings).new_page()
        watch = Watch(page, bases[scheme])
        page.goto(bases[scheme] + name + link)
        for condition in (FIRST_DRAWN, FORMULAS_WRITTEN, FRAMES):
            page.wait_for_function(condition)
        return page, watch

    return open_page


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_far_explorer_comes_with_the_reader(opened, scheme):
    explorer = last_far_explorer()
    page, watch = opened(explorer.page, scheme)
    drawn = page.evaluate(DRAWN)
    assert len(drawn) == len(read(explorer.page).views)
    assert drawn[0], f"{explorer.page}: the first explorer is not there"
    assert not drawn[explorer.place], f"{explorer} does not wait for the reader"
    untypeset = page.locator(".math:not(:has(mjx-container))").count()
    assert not untypeset, f"{explorer.page}: {untypeset} formulas wait for the reader"
    live = LiveExplorer(page, page.locator(".widget-subarea").nth(explorer.place), str(explorer))
    live.agree(reference(explorer), "after scrolling to it")
    assert not watch.problems, "\n".join(watch.problems)


def test_settings_in_the_address_call_every_explorer(opened):
    explorer = last_far_explorer()
    page, _ = opened(explorer.page, link="#z1=1")
    page.wait_for_function("() => document.documentElement.dataset.widgetsReady")
    assert all(page.evaluate(DRAWN))


def test_all_explorers_are_there_before_the_page_is_printed(opened):
    page, _ = opened(last_far_explorer().page)
    page.evaluate(PRINTED)
    assert not all(page.evaluate(DRAWN))
    page.keyboard.press("Control+p")
    page.wait_for_function("() => window.printed === 1")
    assert all(page.evaluate(DRAWN))
    assert page.evaluate(EXPLORERS_READY)


@pytest.mark.parametrize("width", [1280, 360])
def test_a_heading_that_a_link_leads_to_stays_in_sight(opened, width):
    name = last_far_explorer().page
    heading = [link for link in read(name).links if link.startswith("#") and len(link) > 1 and "=" not in link][-1]
    page, _ = opened(name, link=heading, viewport={"width": width, "height": 800})
    for condition in (EXPLORERS_READY, FRAMES):
        page.wait_for_function(condition)
    top = page.locator(heading).first.evaluate(TOP)
    assert -50 < top < 400, f"{name}{heading} stands at {top:.0f} px"


def test_an_explorer_that_cannot_come_says_so(context, bases):
    explorer = last_far_explorer()
    page = context().new_page()
    addresses = read(explorer.page).widget_files
    address = [each for each in addresses if addresses.count(each) == 1][-1]  # of the last one only
    page.route("**/_widgets/*", lambda route: route.abort() if route.request.url.endswith(address.split("/")[-1]) else route.continue_())
    page.goto(bases["http"] + explorer.page)
    page.wait_for_function(FIRST_DRAWN)
    area = page.locator(".widget-subarea").last
    area.scroll_into_view_if_needed()
    area.get_by_text("could not be shown").wait_for()
