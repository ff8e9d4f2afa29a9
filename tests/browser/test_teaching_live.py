"""The teaching kit in a browser: the session page fills a projector, its links scroll and set, the sheet prints on two pages."""

from __future__ import annotations

import re

import pytest
from bs4 import BeautifulSoup
from built_site import SESSION
from readable import READABLE, SMALL_PRINT, WATCH_CANVASES
from waiting import next_frame, settle

pytestmark = pytest.mark.browser

SHEET = "teaching/sheet.html"
ALL_PICTURES = """() => Promise.all([...document.querySelectorAll('main img')]
    .map((image) => { image.loading = 'eager'; return image.decode(); }))"""
# Whether an explorer stands whole on the screen, with its links above it, or its question alone
SHOWN = """(id) => {
    const [links, area] = ['p + p', '.widget-subarea[data-fits]'].map((found) => document.getElementById(id).querySelector(found));
    if (!area) return false;
    const top = links.getBoundingClientRect().top, { left, right, bottom } = area.getBoundingClientRect();
    return Math.abs(top) < 2 && bottom <= innerHeight && left >= 0 && right <= innerWidth && right - left > 0.9 * innerWidth;
}"""
QUESTION_SHOWN = """(id) => {
    const found = ['h2', 'p', 'p + p'].map((place) => document.getElementById(id).querySelector(place));
    const [heading, question, links] = found.map((element) => element.getBoundingClientRect());
    const whole = Math.abs(heading.top) < 2 && heading.bottom <= question.top + 1 && question.bottom <= innerHeight + 1;
    return whole && links.top >= innerHeight - 2;
}"""
OVER_THEIR_COLUMN = "(all) => all.filter((el) => el.scrollWidth > el.clientWidth + 1).map((el) => el.textContent)"


def readout(page, place: str, label: str) -> float:
    """A slider's number in the section of a heading."""
    row = page.locator(f"#{place} .widget-inline-hbox", has=page.get_by_text(label, exact=True)).first
    return float(row.locator(".widget-readout").text_content().replace("−", "-"))


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_link_goes_to_its_explorer_and_sets_it(site, visit, scheme):
    page = visit(f"{SESSION}#the-price-of-a-nat&beta=4", scheme)
    page.wait_for_function(SHOWN, arg="the-price-of-a-nat")
    assert readout(page, "the-price-of-a-nat", "β") == 4


def test_another_link_on_the_page_starts_its_explorer_again(site, visit):
    page = visit(f"{SESSION}#two-maps&z1=0&z2=0")
    page.get_by_role("link", name="a rare 4", exact=True).click()
    page.wait_for_load_state()
    settle(page)
    page.wait_for_function(SHOWN, arg="a-cloud-for-each-digit")
    picked = page.locator("#a-cloud-for-each-digit .vae-explorer").evaluate("(el) => el.rate")
    assert picked > 12  # it is dear


# the last is the first at 150 %
@pytest.mark.parametrize("size", [(1280, 720), (1024, 768), (1920, 1080), (853, 480)], ids="{0[0]}x{0[1]}".format)
def test_on_a_projector_a_question_fills_a_screen_and_its_explorer_the_next(site, visit, size):
    text = BeautifulSoup((site / SESSION).read_text("utf-8"), "html.parser")
    sections = [section["id"] for section in text.select("#session-page > section")]
    assert len(sections) == 7
    page = visit(SESSION, viewport={"width": size[0], "height": size[1]}, script=WATCH_CANVASES)
    for place in sections:
        page.keyboard.press("PageDown")
        page.wait_for_function(QUESTION_SHOWN, arg=place)
        page.keyboard.press("PageDown")
        page.wait_for_function(SHOWN, arg=place)
        settle(page)
        least = page.locator(f"#{place}").evaluate(SMALL_PRINT, True)
        assert least >= READABLE * min(size[1] / 720, size[0] / 1280), f"{place}: letters of {least:.1f} pixels"
        assert page.locator(f"#{place} .vae-stage").evaluate_all(OVER_THEIR_COLUMN) == [], place
    page.keyboard.press("PageUp")
    page.wait_for_function(QUESTION_SHOWN, arg=sections[-1])


@pytest.mark.parametrize("control", [".noUi-handle", "canvas.vae-active", ".vae-buttons button"])
def test_the_page_keys_turn_the_screen_wherever_the_focus_is(site, visit, control):
    page = visit(f"{SESSION}#two-maps&z1=1&z2=0")
    page.wait_for_function(SHOWN, arg="two-maps")
    page.locator(f"#two-maps {control}").first.focus()
    page.keyboard.press("PageDown")
    page.wait_for_function(QUESTION_SHOWN, arg="a-cloud-for-each-digit")
    page.keyboard.press("Space")  # the focus has left the explorer
    page.wait_for_function(SHOWN, arg="a-cloud-for-each-digit")
    for shown in (QUESTION_SHOWN.replace("(id)", "(id = 'a-cloud-for-each-digit')"), SHOWN.replace("(id)", "(id = 'two-maps')")):
        page.keyboard.press("PageUp")
        page.wait_for_function(shown)
    assert readout(page, "two-maps", "z₁") == 1, "the slider moved"


def test_the_session_page_follows_the_window(site, visit):
    page = visit(f"{SESSION}#drag-q&x=1", viewport={"width": 1600, "height": 900})
    for size in ((1280, 600), (1600, 900), (1280, 720)):  # a projector is plugged in, F11
        page.wait_for_function(SHOWN, arg="drag-q")
        page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_function(SHOWN, arg="drag-q")
    page.keyboard.press("PageUp")
    page.wait_for_function(QUESTION_SHOWN, arg="drag-q")
    page.set_viewport_size({"width": 1600, "height": 900})
    page.wait_for_function(QUESTION_SHOWN, arg="drag-q")
    page.evaluate("scrollTo(0, 0)")
    page.get_by_role("button", name="Toggle primary sidebar").click()  # the page is narrower now
    page.wait_for_function("() => { const { left, right } = document.querySelector('#two-maps .widget-subarea').getBoundingClientRect();"
                           " return left > 200 && right <= innerWidth; }")  # fmt: skip


@pytest.mark.parametrize("size", [(844, 390), (700, 900)], ids=["a phone on its side", "narrow"])
def test_elsewhere_the_session_page_is_a_page_as_others(site, visit, size):
    page = visit(f"{SESSION}#two-maps&z1=1&z2=0", viewport={"width": size[0], "height": size[1]})
    page.wait_for_function("() => Math.abs(document.getElementById('two-maps').getBoundingClientRect().top) < 200")
    assert not page.locator("[data-fits]").count()
    assert page.locator("#two-maps").evaluate("(section) => section.getBoundingClientRect().height") < 1.5 * 900


def test_on_paper_the_session_page_has_no_empty_pages(site, visit):
    page = visit(SESSION)
    printed = page.pdf(format="A4")
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", printed)) <= 9


def test_the_sheet_is_two_pages_of_a4_without_code_or_answers(site, visit):
    page = visit(SHEET)
    page.evaluate(ALL_PICTURES)
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 2
    page.emulate_media(media="print")
    next_frame(page)
    for hidden in ("details", "div.cell_input", ".bd-header-article", "#answers"):
        for place in page.locator(hidden).all():
            assert not place.is_visible(), hidden
    assert page.locator("#sheet .vae-line").first.is_visible()
    assert page.locator("#sheet .cell_output img").count() == 5
