"""The site of a fork, which has the buttons and the downloads that the book without an address lacks: one page, in every window."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import published_site
import pytest
import repository_address
from built_site import ROOT
from live_explorer import PHONE
from playwright.sync_api import Page
from test_site import AXE, CUT_OFF, OF_A_THEME, WINDOWS
from waiting import next_frame, settle
from watch import Watch

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("the site of a fork")]

URL = "https://github.com/teacher/vae-book"
FILES = ["variational-autoencoders-live.zip", "vae_tutorial-1-py3-none-any.whl"]
OUTSIDE = """(selector) => [...document.querySelectorAll(selector)].filter((node) => node.checkVisibility())
    .filter((node) => node.getBoundingClientRect().left < -1 || node.getBoundingClientRect().right > innerWidth + 1)
    .map((node) => node.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def fork(tmp_path_factory) -> Path:
    """A book of one page with an address, built with the book's own settings and strictness, and published; its cells do not run."""
    fork = tmp_path_factory.mktemp("fork")
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A page"), nbformat.v4.new_code_cell("1 + 1")])
    page.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
    (fork / "book" / "part").mkdir(parents=True)
    nbformat.write(page, fork / "book" / "part" / "page.ipynb")
    shutil.copy(ROOT / "book" / "references.bib", fork / "book")
    (fork / "book" / "_ext").symlink_to(ROOT / "book" / "_ext")
    (fork / "_toc.yml").write_text("format: jb-book\nroot: part/page\n")
    settings = (ROOT / "_config.yml").read_text("utf-8")
    (fork / "_config.yml").write_text(settings.replace("execute_notebooks: force", "execute_notebooks: 'off'"), "utf-8")
    repository_address.write_address(URL, fork)
    program = str(Path(sys.executable).with_name("jupyter-book"))
    command = [program, "build", "book", "--config", "_config.yml", "--toc", str(fork / "_toc.yml"), "--path-output", "."]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT / "book" / "_ext")}
    done = subprocess.run([*command, "-W", "-n", "--keep-going"], cwd=fork, env=surroundings, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    for name in FILES:
        (fork / name).write_bytes(bytes(2_000_000))
    assert published_site.write(fork / "published", fork / "_build" / "html", [fork / name for name in FILES])
    return fork


@pytest.fixture(scope="module")
def page_of_a_fork(fork) -> Path:
    return fork / "published" / "part" / "page.html"


def test_it_can_be_launched(page_of_a_fork):
    text = page_of_a_fork.read_text("utf-8")
    launched = dict(re.findall(r'<a href="([^"]+)"[^>]*title="Launch on (\w+)"', text))
    assert launched == {
        "https://mybinder.org/v2/gh/teacher/vae-book/main?urlpath=lab/tree/book/part/page.ipynb": "Binder",
        "https://colab.research.google.com/github/teacher/vae-book/blob/main/book/part/page.ipynb": "Colab",
    }
    assert f'<a href="{URL}" ' in text
    assert f'<a href="{URL}/issues/new?' in text


def test_it_asks_no_other_server(page_of_a_fork):
    for page in page_of_a_fork.parents[1].rglob("*.html"):
        loaded = re.findall(r'<(?:script|link|img|iframe|source)\b[^>]*?\s(?:src|href)="([^"]+)"', page.read_text("utf-8"))
        assert not [address for address in loaded if re.match(r"([a-z]+:)?//", address)], page.name
    shown = re.findall(r'<img alt="(?:Binder|Colab) logo" src="([^"]+)"', page_of_a_fork.read_text("utf-8"))
    assert len(shown) == 2
    assert all((page_of_a_fork.parent / name).is_file() for name in shown)


def test_it_can_be_saved_with_its_address(page_of_a_fork):
    [name] = re.findall(r'<a href="([^"]+\.ipynb)" download ', page_of_a_fork.read_text("utf-8"))
    assert [cell.source for cell in nbformat.read(page_of_a_fork.parent / name, as_version=4).cells] == ["# A page", "1 + 1"]


def test_every_page_with_a_foot_leads_to_the_downloads_and_the_site_without_them_to_none(fork):
    pages = [page for page in (fork / "published").rglob("*.html") if "extra_footer" in page.read_text("utf-8")]
    assert {page.name for page in pages} >= {"page.html", "search.html", "genindex.html"}
    for page in pages:
        found = re.findall(r'href="([^"]*downloads/[^"]*)"', page.read_text("utf-8"))
        assert [(page.parent / link).resolve() for link in found] == [fork / "published" / "downloads" / name for name in FILES]
    site = fork / "_build" / "html"
    assert not (site / "downloads").exists()
    assert not [page for page in site.rglob("*.html") if "downloads/" in page.read_text("utf-8")]


@pytest.mark.parametrize("size", WINDOWS)
def test_it_is_quiet_and_fits_and_axe_finds_no_violation(context, axe_source, page_of_a_fork, size):
    page = context(**(PHONE if size == "phone" else {"viewport": WINDOWS[size]})).new_page()
    watch = Watch(page, page_of_a_fork.parents[1].as_uri())
    page.goto(page_of_a_fork.as_uri())
    settle(page)
    page.evaluate(axe_source)
    assert page.locator(".extra_footer a:visible").count() == len(FILES)
    menus = page.locator(".bd-header-article .dropdown > button:visible")
    assert menus.count() == 2, "what launches the page, and what shows its source"
    look_at(page, "closed")
    for menu in menus.all():
        menu.click()
        page.locator(".bd-header-article .dropdown-menu.show a").first.wait_for()
        look_at(page, menu.get_attribute("aria-label") or "open")
        page.keyboard.press("Escape")
    assert not watch.problems, "\n".join(watch.problems)


def look_at(page: Page, state: str) -> None:
    """Width and accessibility of what is on the screen."""
    for theme, rules in (("light", None), ("dark", OF_A_THEME)):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.wait_for_selector(f'html[data-theme="{theme}"]')
        next_frame(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{state}, {theme}: scrolls sideways"
        cut = page.evaluate(CUT_OFF) + page.evaluate(OUTSIDE, ".bd-header-article :is(a, button), .bd-footer-content *")
        assert not cut, f"{state}, {theme}: {cut}"
        violations = page.evaluate(AXE, rules)
        assert not violations, f"{state}, {theme}:\n" + "\n".join(violations)
