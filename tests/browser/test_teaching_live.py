"""The teaching kit in a browser: links of the session page scroll and set, the sheet prints on two pages."""

from __future__ import annotations

import re

import pytest
from waiting import next_frame, settle

pytestmark = pytest.mark.browser

SESSION, SHEET = "teaching/session.html", "teaching/sheet.html"
ALL_PICTURES = """() => Promise.all([...document.querySelectorAll('main img')]
    .map((image) => { image.loading = 'eager'; return image.decode(); }))"""
TOP = "(id) => document.getElementById(id).getBoundingClientRect().top"


def readout(page, place: str, label: str) -> float:
    """A slider's number in the section of a heading."""
    row = page.locator(f"#{place} .widget-inline-hbox", has=page.get_by_text(label, exact=True)).first
    return float(row.locator(".widget-readout").text_content().replace("−", "-"))


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_link_goes_to_its_explorer_and_sets_it(site, visit, scheme):
    page = visit(f"{SESSION}#the-price-of-a-nat&beta=4", scheme)
    page.wait_for_function(f"() => Math.abs(({TOP})('the-price-of-a-nat')) < 200")
    assert readout(page, "the-price-of-a-nat", "β") == 4


def test_another_link_on_the_page_starts_its_explorer_again(site, visit):
    page = visit(f"{SESSION}#two-maps&z1=0&z2=0")
    page.get_by_role("link", name="a rare 4", exact=True).click()
    page.wait_for_load_state()
    settle(page)
    page.wait_for_function(f"() => Math.abs(({TOP})('a-cloud-for-each-digit')) < 200")
    picked = page.locator("#a-cloud-for-each-digit .vae-explorer").evaluate("(el) => el.rate")
    assert picked > 12  # it is dear


def test_on_a_projector_an_explorer_fills_the_page(site, visit):
    page = visit(SESSION, viewport={"width": 1600, "height": 900})
    widths = page.locator(".vae-explorer").evaluate_all("(all) => all.map((el) => el.getBoundingClientRect().width)")
    assert min(widths) > 1000


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
