"""The deck of `make slides` as a file in a browser: explorers live, whole and moving, notes at a press of S, all slides in the PDF.

The zip of `make bundle` too, unpacked as on a USB stick: its front door leads to the book, whose explorers move.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import offline_bundle
import pytest
from built_site import explorers
from live_explorer import LiveExplorer
from playwright.sync_api import Page, expect
from slides import make as slides
from waiting import settle
from watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("deck")]  # two workers would each make it in the same folder

WITH_EXPLORER = """() => Reveal.getSlides().map((slide, place) => [slide, Reveal.getIndices(slide)])
    .filter(([slide]) => slide.querySelector('script[type$="widget-view+json"]')).map(([, { h, v }]) => [h, v])"""
FOOT = """(area) => {
    const slide = area.closest('section'), box = slide.getBoundingClientRect();
    return (area.getBoundingClientRect().bottom - box.top) / (box.width / slide.offsetWidth);
}"""
HEIGHT = 720  # of a slide, in its own pixels
# The least size of a text in an explorer as shown, with subscripts and what only screen readers see left out.
SMALL_PRINT = """(area) => {
    const sizes = [], walk = document.createTreeWalker(area, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const text = walk.currentNode, holder = text.parentElement, shown = holder.getBoundingClientRect();
        if (!text.textContent.trim() || !holder.offsetHeight || holder.closest('sub, script, style, select, .vae-live')) continue;
        sizes.push(parseFloat(getComputedStyle(holder).fontSize) * shown.height / holder.offsetHeight);
    }
    return Math.min(...sizes);
}"""
READABLE = HEIGHT / 55  # a picture two metres high then has letters of nearly four centimetres


@pytest.fixture(scope="module")
def deck() -> Path:
    """The deck, made from the pages as `make slides` makes it, with its PDF."""
    subprocess.run([sys.executable, slides.__file__], check=True)
    return slides.OUTPUT / "index.html"


@pytest.fixture
def opened(context, deck) -> Iterator[Page]:
    """The deck as a double-click opens it; nothing may go wrong in it."""
    page = context(viewport={"width": 1280, "height": 720}).new_page()
    watch = Watch(page, deck.parent.as_uri() + "/")
    page.goto(deck.as_uri())
    page.wait_for_function("() => window.Reveal?.isReady()")
    yield page
    assert not watch.problems, "\n".join(watch.problems)


def test_every_explorer_of_the_deck_is_whole_and_moves(opened):
    page = opened
    places = page.evaluate(WITH_EXPLORER)
    assert len(places) == 7, "the guide's session has seven explorers"
    for h, v in places:
        page.evaluate("([h, v]) => Reveal.slide(h, v)", [h, v])
        area = page.locator("section.present .widget-subarea[data-fits]")
        area.locator(".vae-explorer[data-ready=true]").wait_for()
        assert area.evaluate(FOOT) <= HEIGHT, f"slide {h}: the explorer's foot is cut off"
        assert area.evaluate(SMALL_PRINT) >= READABLE, f"slide {h}: small print"
        readout, handle = area.locator(".widget-readout").first, area.locator(".noUi-handle").first
        before = readout.text_content()
        handle.focus()
        key = "ArrowLeft" if handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax") else "ArrowRight"
        page.keyboard.press(key)
        page.wait_for_function("([node, before]) => node.textContent !== before", arg=[readout.element_handle(), before])
        assert page.evaluate("Reveal.getIndices().h") == h, "the arrow key turned the slide, too"


def test_s_opens_the_speakers_notes_and_they_follow(opened):
    with opened.expect_popup() as popup:
        opened.keyboard.press("s")
    notes = popup.value.locator(".speaker-controls-notes .value")
    for _ in range(2):
        opened.keyboard.press("Space")
        said = opened.evaluate("Reveal.getSlideNotes()")
        assert said, "the slide has no notes"
        expect(notes).to_have_text(opened.evaluate("(html) => new DOMParser().parseFromString(html, 'text/html').body.textContent", said))


def test_the_pdf_has_all_slides(opened, deck):
    printed = deck.with_name("slides.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == opened.evaluate("Reveal.getTotalSlides()")
    assert len(re.findall(rb"/Subtype\s*/Image\b", printed)) >= 7  # a canvas on each explorer's slide at least


def test_the_bundles_front_door_leads_to_the_live_book(context, deck, site, tmp_path):
    """Unpacked in a folder whose name has a space and an umlaut, as sticks' folders have; two files stand in for notebooks and wheel."""
    (tmp_path / "notebooks" / "student").mkdir(parents=True)
    wheel, stick = tmp_path / "vae_tutorial-1-py3-none-any.whl", tmp_path / "Übungen am Stick"
    wheel.write_text("wheel")
    offline_bundle.write(tmp_path / "book.zip", site=site, slides=deck.parent, notebooks=tmp_path / "notebooks", wheel=wheel)
    zipfile.ZipFile(tmp_path / "book.zip").extractall(stick)
    page = context().new_page()
    watch = Watch(page, stick.as_uri())
    page.goto((stick / offline_bundle.TOP / "index.html").as_uri())
    page.wait_for_url("**/site/*.html")
    page.wait_for_load_state()
    shown = next(explorer for explorer in explorers() if explorer.page.endswith("/the-maths.html"))
    page.locator(f"nav a[href$='{shown.page}']").first.click()
    settle(page)
    live = LiveExplorer(page, page.locator(".widget-subarea").nth(shown.place), str(shown))
    before = live.snapshot()
    live.press(live.labels[0], "ArrowRight")
    assert live.snapshot() != before
    assert not watch.problems, "\n".join(watch.problems)
