"""One browser, one server and one watch over what the pages do, shared by all browser tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from built_site import ROOT, SITE, Explorer
from chromium import ADVICE, executable
from live_explorer import LiveExplorer
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from shelf import Shelf
from waiting import settle
from watch import Watch

SUB_FOLDER = "/shelf/vae/"  # the site must not need a server of its own
PATIENCE = 30_000  # milliseconds: nothing is measured by it, a machine may be busy
FAILED = pytest.StashKey[bool]()

expect.set_options(timeout=PATIENCE)


def page_of(item: pytest.Item) -> str:
    """The page of the site that a test is about, or nothing."""
    given = item.callspec.params if hasattr(item, "callspec") else {}
    return getattr(given.get("explorer"), "page", None) or given.get("name") or ""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all tests of a page follow one another, in the same worker (`--dist loadgroup`), which keeps the page open."""
    items.sort(key=page_of)
    for item in items:
        if page := page_of(item):
            item.add_marker(pytest.mark.xdist_group(page))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a test whose group does not hold (pytest-xdist writes it into the id): two workers would make one deck in one folder."""
    if item.config.getoption("loadgroup", False) and item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
        pytest.fail("this pytest-xdist groups nothing with this pytest: install the pair of requirements.txt", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note that a test failed, so that nothing it left behind meets the next one."""
    report = yield
    item.stash[FAILED] = report.failed or item.stash.get(FAILED, False)
    return report


class _SubFolder(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        if not path.startswith(SUB_FOLDER):
            return str(SITE / "outside-the-site")
        return super().translate_path(path.removeprefix(SUB_FOLDER.rstrip("/")))

    def log_message(self, *_: object) -> None:
        """Keep quiet: the watch reports what matters."""


@pytest.fixture(scope="session")
def site() -> Path:
    """The built site's folder."""
    if not (SITE / "index.html").is_file():
        pytest.fail(f"there is no site in {SITE}: run `make site` first", pytrace=False)
    return SITE


@pytest.fixture(scope="session")
def bases(site: Path) -> Iterator[dict[str, str]]:
    """Where the site stands: in a sub-folder of a web server, and as plain files."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_SubFolder, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {"http": f"http://127.0.0.1:{server.server_port}{SUB_FOLDER}", "file": site.resolve().as_uri() + "/"}
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A Chromium that can resolve no host name, so that nothing outside can answer."""
    path = executable()
    if path is None:
        pytest.fail(ADVICE, pytrace=False)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def open_context(browser: Browser) -> Callable[..., BrowserContext]:
    """Open a browser context (settings as Playwright's `new_context`) that waits with patience."""

    def open_one(**settings: object) -> BrowserContext:
        opened = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | settings))
        opened.set_default_timeout(PATIENCE)
        opened.set_default_navigation_timeout(3 * PATIENCE)
        return opened

    return open_one


@pytest.fixture
def context(open_context: Callable[..., BrowserContext]) -> Iterator[Callable[..., BrowserContext]]:
    """Open browser contexts that are closed after the test."""
    opened: list[BrowserContext] = []

    def open_one(**settings: object) -> BrowserContext:
        opened.append(open_context(**settings))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def visit(context: Callable[..., BrowserContext], bases: dict[str, str]) -> Iterator[Callable[..., Page]]:
    """Open a page of the site, wait until it is usable, and fail the test if it did anything that a page must not do."""
    watches: list[Watch] = []

    def open_page(name: str, scheme: str = "http", slowdown: float = 1, script: str = "", **settings: object) -> Page:
        page = context(**settings).new_page()
        page.add_init_script(script)
        if slowdown != 1:
            page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
            page.set_default_timeout(4 * PATIENCE)
        watches.append(Watch(page, bases[scheme]))
        page.goto(bases[scheme] + name)
        if settings.get("java_script_enabled", True):
            settle(page)
        return page

    yield open_page
    problems = [problem for watch in watches for problem in watch.problems]
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="session")
def shelf(open_context: Callable[..., BrowserContext], bases: dict[str, str]) -> Iterator[Shelf]:
    """The pages that stay open from test to test."""
    kept = Shelf(open_context, bases)
    yield kept
    kept.clear()


@pytest.fixture
def look(shelf: Shelf, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """As `visit`, but of a page that may have been open before: it stands as it opened, and is watched as one that is visited."""
    watches: list[Watch] = []

    def take(name: str, scheme: str = "http", place: int | None = None, **settings: object) -> Page:
        kept = shelf.take(name, scheme, place, **settings)
        watches.append(kept.watch)
        return kept.page

    yield take
    problems = [problem for watch in watches for problem in watch.collect()]
    if problems or request.node.stash.get(FAILED, False):
        shelf.clear()
    assert not problems, "\n".join(problems)


@pytest.fixture
def show(visit: Callable[..., Page], look: Callable[..., Page]) -> Callable[..., LiveExplorer]:
    """Return an explorer alive, as its page opens it; with a link, a slowdown or `fresh` on a page that nobody has touched."""

    def open_explorer(
        explorer: Explorer, link: str = "", scheme: str = "http", slowdown: float = 1, fresh: bool = False, **settings: object
    ) -> LiveExplorer:
        assert explorer, "the site has no explorer of this kind"
        if link or fresh or slowdown != 1:
            page = visit(explorer.page + (f"#{link}" if link else ""), scheme, slowdown, **settings)
        else:
            page = look(explorer.page, scheme, explorer.place, **settings)
        return LiveExplorer(page, page.locator(".widget-subarea").nth(explorer.place), str(explorer))

    return open_explorer


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The accessibility checker axe-core, which runs inside the page."""
    path = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        pytest.fail("axe-core is missing in node_modules: run `make widgets` first", pytrace=False)
    return path.read_text(encoding="utf8")
