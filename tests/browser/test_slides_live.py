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
from bs4 import BeautifulSoup
from built_site import explorers
from live_explorer import LiveExplorer
from playwright.sync_api import Locator, Page, expect
from readable import HEIGHT, READABLE, SMALL_PRINT, TEXT, WATCH_CANVASES
from slides import make as slides
from waiting import settle
from watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("deck")]  # two workers would each make it in the same folder

PLACES = "() => Reveal.getSlides().map((slide) => Reveal.getIndices(slide)).map(({ h, v }) => [h, v])"
# What of a slide's own content reaches over its edges or is cut off by a box around it, in words; the notes are no part of it.
CUT_OFF = """(slide) => {
    const found = [], beyond = (inner, outer) => inner.left < outer.left - 1 || inner.right > outer.right + 1
        || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
    for (const node of slide.querySelectorAll(':scope > .jp-Cell *')) {
        const box = node.getBoundingClientRect();
        if (!box.width || !box.height || node.closest('.vae-live, mjx-assistive-mml')) continue;
        const cuts = (outer) => outer === slide || (getComputedStyle(outer).overflow !== 'visible' && !outer.closest('mjx-container'));
        let outer = node.parentElement;
        while (!cuts(outer)) outer = outer.parentElement;
        const edges = [slide.closest('.slides'), ...(outer === slide ? [] : [outer])].map((edge) => edge.getBoundingClientRect());
        if (edges.some((edge) => beyond(box, edge)))
            found.push(`${node.localName}.${node.getAttribute('class')} ${node.textContent.trim().slice(0, 40)}`);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def deck() -> Path:
    """The deck, made from the pages as `make slides` makes it, with its PDF."""
    subprocess.run([sys.executable, slides.__file__], check=True)
    return slides.OUTPUT / "index.html"


@pytest.fixture
def opened(context, deck) -> Iterator[Page]:
    """The deck as a double-click opens it; nothing may go wrong in it."""
    page = context(viewport={"width": 1280, "height": HEIGHT}).new_page()
    page.add_init_script(WATCH_CANVASES)
    watch = Watch(page, deck.parent.as_uri() + "/")
    page.goto(deck.as_uri())
    page.wait_for_function("() => window.Reveal?.isReady()")
    yield page
    assert not watch.problems, "\n".join(watch.problems)


def shown_slides(page: Page) -> Iterator[tuple[Locator, Locator | None]]:
    """Each slide of the deck on the screen, all its lines there, and its explorer, ready, if it has one."""
    for place in page.evaluate(PLACES):
        page.evaluate("([h, v]) => Reveal.slide(h, v, Infinity)", place)
        slide = page.locator("section.present > section.present")
        if slide.locator("script[type$='widget-view+json'], .widget-subarea").count():
            area = slide.locator(".widget-subarea[data-fits]")
            area.locator(".vae-explorer[data-ready=true]").wait_for()
            yield slide, area
        else:
            yield slide, None


def test_all_slides_are_whole_and_readable_from_the_back_row(opened):
    opened.wait_for_function("() => document.documentElement.dataset.formulasReady")
    opened.evaluate("document.fonts.ready")
    titles = []
    for slide, area in shown_slides(opened):
        titles.append(slide.locator("h1, h2").inner_text())
        assert slide.evaluate(CUT_OFF) == [], titles[-1]
        for answers in slide.locator("ol[type=A]").all():
            assert answers.evaluate("(list) => getComputedStyle(list).listStyleType") == "upper-alpha"
        assert slide.evaluate(SMALL_PRINT, False) >= TEXT, f"{titles[-1]}: small letters"
        assert not area or slide.evaluate(SMALL_PRINT, True) >= READABLE, f"{titles[-1]}: small print in the explorer"
    assert len(titles) == opened.evaluate("Reveal.getTotalSlides()")
    assert {"The board", "Code, and which β", "Quiz before", "The exit card"} <= set(titles)


def test_every_explorer_of_the_deck_comes_after_its_question_and_moves(opened):
    page, before, explorers = opened, "", 0
    for slide, area in shown_slides(page):
        if area is not None:
            explorers += 1
            title = slide.locator("h2").inner_text()
            assert before.startswith(title)
            assert "Predict:" in before, f"{title}: the explorer comes before its question"
            assert "Predict:" not in slide.inner_text(), f"{title}: question and answer on one slide"
            place = page.evaluate("Reveal.getIndices().h")
            readout, handle = area.locator(".widget-readout").first, area.locator(".noUi-handle").first
            shown = readout.text_content()
            handle.focus()
            key = "ArrowLeft" if handle.get_attribute("aria-valuenow") == handle.get_attribute("aria-valuemax") else "ArrowRight"
            page.keyboard.press(key)
            page.wait_for_function("([node, before]) => node.textContent !== before", arg=[readout.element_handle(), shown])
            assert page.evaluate("Reveal.getIndices().h") == place, "the arrow key turned the slide, too"
        before = slide.inner_text()
    assert explorers == 7, "the guide's session has seven explorers"


def test_keys_turn_the_slide_after_an_explorer_was_used(opened):
    page = opened
    horizontal = "() => Reveal.getIndices().h"
    for _, area in shown_slides(page):
        if area is None:
            continue
        place, numbers = page.evaluate(horizontal), area.locator(".widget-readout").element_handles()
        used = [(area.locator(".noUi-handle").first, "PageDown"), (area.locator("button").first, "ArrowRight")]
        used += [(canvas, "PageDown") for canvas in area.locator("canvas.vae-active").all()[:1]]
        for control, key in used:
            page.evaluate("(h) => Reveal.slide(h)", place)
            control.focus()
            before = [number.text_content() for number in numbers]
            page.keyboard.press(key)
            assert page.evaluate(horizontal) == place + 1, f"{key} did not turn the slide"
            assert [number.text_content() for number in numbers] == before, f"{key} moved the explorer, too"


def test_a_finger_on_an_enlarged_map_sets_the_place_under_it(opened):
    for _, area in shown_slides(opened):
        if area is not None:
            break
    for label in ("z₁", "z₂"):
        area.locator(".widget-inline-hbox", has=opened.get_by_text(label, exact=True)).locator(".widget-readout").fill("5")
        opened.keyboard.press("Enter")
    area.locator("canvas.vae-active").first.click()  # in its middle, where z = 0
    for label in ("z₁", "z₂"):
        shown = area.locator(".widget-inline-hbox", has=opened.get_by_text(label, exact=True)).locator(".widget-readout")
        expect(shown).to_have_text(re.compile(r"[−-]?0\.\d\d"))  # a pixel is a third


def test_what_the_notes_say_to_set_can_be_set(opened):
    """Each place of an explorer's notes, typed beside its sliders, which are found by the notes' names."""
    places = 0
    for _, area in shown_slides(opened):
        if area is None:
            continue
        said = BeautifulSoup(opened.evaluate("Reveal.getSlideNotes()"), "html.parser").find(string="Places:").find_parent("p").get_text()
        for told in re.findall(r"\(([^()]*)\)", said) or re.findall(r"β = [\d.]+", said):
            for setting in told.replace("−", "-").split(", "):
                if picture := re.fullmatch(r"picture (\d+) of the row", setting):
                    area.locator(".vae-samples button").nth(int(picture[1]) - 1).click()
                    continue
                label, value = setting.split(" = ")
                row = area.locator(".widget-inline-hbox", has=opened.get_by_text(label, exact=True))
                expect(row).to_have_count(1)
                readout = row.locator(".widget-readout")
                if readout.get_attribute("contenteditable") == "true":
                    readout.fill(value)
                    opened.keyboard.press("Enter")
                    shown = float(readout.inner_text().replace("−", "-"))
                    assert shown == pytest.approx(float(value), rel=0.05), told  # a slider for β has steps of a twentieth
            places += 1
    assert places > 20


def test_the_boards_lines_come_one_by_one(opened):
    opened.wait_for_function("() => document.documentElement.dataset.formulasReady")
    place = opened.evaluate("Reveal.getSlides().findIndex((slide) => slide.querySelector(':scope > .jp-Cell div.math'))")
    opened.evaluate("(h) => Reveal.slide(h)", place)
    rows = "section.present > .jp-Cell div.math mjx-mtr"
    cells = opened.locator(f"{rows} > mjx-mtd:nth-child(2)")  # what stands right of log p(x), line by line
    expect(opened.locator(f"{rows}:first-child > mjx-mtd:first-child")).to_be_visible()
    for shown in range(7):
        if shown:
            expect(cells.nth(shown - 1)).to_be_visible()  # a press takes a moment
        assert [cell.is_visible() for cell in cells.all()] == [True] * shown + [False] * (6 - shown)
        opened.keyboard.press("PageDown" if shown % 2 else "Space")
    opened.wait_for_function("(next) => Reveal.getIndices().h === next", arg=place + 1)


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
