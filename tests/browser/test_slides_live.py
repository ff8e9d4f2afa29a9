"""The deck of `make slides` in a browser: every explorer comes to life on its slide, whole, and moves; the PDF has all slides."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from slides import make as slides
from watch import Watch

pytestmark = pytest.mark.browser

WITH_EXPLORER = """() => Reveal.getSlides().map((slide, place) => [slide, Reveal.getIndices(slide)])
    .filter(([slide]) => slide.querySelector('script[type$="widget-view+json"]')).map(([, { h, v }]) => [h, v])"""
FOOT = """(area) => {
    const slide = area.closest('section'), box = slide.getBoundingClientRect();
    return (area.getBoundingClientRect().bottom - box.top) / (box.width / slide.offsetWidth);
}"""
HEIGHT = 720  # of a slide, in its own pixels


@pytest.fixture(scope="module")
def deck() -> Path:
    """The deck, made from the pages as `make slides` makes it, with its PDF."""
    subprocess.run([sys.executable, slides.__file__], check=True)
    return slides.OUTPUT / "index.html"


def test_every_explorer_of_the_deck_is_whole_and_moves_and_the_pdf_has_all_slides(context, deck):
    """One test, not two: two workers would each make the deck in the same folder."""
    page = context(viewport={"width": 1280, "height": 720}).new_page()
    watch = Watch(page, deck.parent.as_uri() + "/")
    page.goto(deck.as_uri())
    page.wait_for_function("() => window.Reveal?.isReady()")
    places = page.evaluate(WITH_EXPLORER)
    assert len(places) == 7, "the guide's session has seven explorers"
    for h, v in places:
        page.evaluate("([h, v]) => Reveal.slide(h, v)", [h, v])
        area = page.locator("section.present .widget-subarea[data-fits]")
        area.locator(".vae-explorer[data-ready=true]").wait_for()
        assert area.evaluate(FOOT) <= HEIGHT, f"slide {h}: the explorer's foot is cut off"
        readout, handle = area.locator(".widget-readout").first, area.locator(".noUi-handle").first
        before = readout.text_content()
        handle.focus()
        key = "ArrowLeft" if handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax") else "ArrowRight"
        page.keyboard.press(key)
        page.wait_for_function("([node, before]) => node.textContent !== before", arg=[readout.element_handle(), before])
        assert page.evaluate("Reveal.getIndices().h") == h, "the arrow key turned the slide, too"
    assert not watch.problems, "\n".join(watch.problems)
    printed = deck.with_name("slides.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == page.evaluate("Reveal.getTotalSlides()")
    assert len(re.findall(rb"/Subtype\s*/Image\b", printed)) >= 7  # a canvas on each explorer's slide at least
