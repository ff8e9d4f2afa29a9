"""The shelf of open pages, on a page of its own: what a test gets back is as it was, or new."""

from __future__ import annotations

import pytest
from shelf import Shelf

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html><script>
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => { document.documentElement.dataset.theme = dark.matches ? 'dark' : 'light'; };
dark.addEventListener('change', follow);
follow();
</script><body style="height: 3000px">
<div class="widget-subarea"><div class="vae-explorer" data-ready="true"><input value="1"><button>reset</button></div></div>
<div class="widget-subarea"><div class="vae-explorer" data-ready="true"><input value="2"></div></div>
<script>document.querySelector('button').addEventListener('click', () => { document.querySelector('input').value = '1'; });</script>
"""


@pytest.fixture
def shelf(open_context, tmp_path):
    for name in ("a.html", "b.html"):
        (tmp_path / name).write_text(PAGE, "utf-8")
    kept = Shelf(open_context, {"file": tmp_path.as_uri() + "/"})
    yield kept
    kept.clear()


def test_a_page_comes_back_as_it_was(shelf):
    page = shelf.take("a.html", "file", 0).page
    page.locator("input").first.fill("7")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate("scrollTo(0, 500)")
    again = shelf.take("a.html", "file", 0).page
    assert again is page
    assert again.locator("input").first.input_value() == "1"
    assert again.evaluate("[innerWidth, scrollY, document.documentElement.dataset.theme]") == [1280, 0, "light"]
    assert again.evaluate("document.activeElement === document.body")


@pytest.mark.parametrize("place", [0, 1])
def test_an_explorer_that_is_not_as_it_was_is_opened_anew(shelf, place):
    page = shelf.take("a.html", "file", place).page
    page.evaluate("(place) => { document.querySelectorAll('.vae-explorer')[place].decoded = [1]; }", place)
    again = shelf.take("a.html", "file", place).page
    assert again is not page
    assert page.is_closed()
    assert again.evaluate("[...document.querySelectorAll('.vae-explorer')].every((el) => !el.decoded)")


def test_each_way_of_looking_has_its_own_page_and_another_page_closes_them(shelf):
    wide, dark = shelf.take("a.html", "file").page, shelf.take("a.html", "file", color_scheme="dark").page
    assert wide is not dark
    assert shelf.take("a.html", "file").page is wide
    shelf.take("b.html", "file")
    assert wide.is_closed()
    assert dark.is_closed()


def test_a_complaint_is_told_once(shelf):
    kept = shelf.take("a.html", "file")
    kept.page.evaluate("console.error('no')")
    kept.page.wait_for_function("() => true")
    assert ["console error: no" in problem for problem in kept.watch.collect()] == [True]
    assert shelf.take("a.html", "file").watch.collect() == []
