"""Measure every page that has an explorer against its budget: bytes transferred, and when its first slider can be moved.

The built site is served gzipped on this machine and opened in Chromium, each time in a fresh profile: several times as it is
(the median counts), and once through a slow line (1.6 Mbit/s, 150 ms) on a processor four times slower.

The budget for bytes counts all that has arrived when the page is open, the explorers near its top are ready, its formulas written
and the line has gone quiet. What is further down, pictures and explorers, comes as the reader scrolls: the column "read" counts it too.
"""

import argparse
import gzip
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]  # what the browser tests know of site and browser
from built_site import SITE, explorers  # noqa: E402
from chromium import ADVICE, executable  # noqa: E402

BUDGETS = {"bytes": 1_200_000, "cold": 1.5, "slow": 9.0}  # bytes, seconds, seconds
TURNS = 5  # cold visits, of which the median counts
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 1.6e6 / 8}  # ms, bytes a second
SLOWDOWN = 4
ALONE = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # nothing outside can answer
PATIENCE = 120_000  # milliseconds
COMPRESSED = ("text/", "application/javascript", "application/json", "image/svg+xml")

# Notes the time, in milliseconds after the request, of the first painting after which an explorer with a slider stands ready.
USABLE = """() => {
    const ready = () => [...document.querySelectorAll('.vae-explorer[data-ready=true]')]
        .some((el) => el.closest('.widget-vbox')?.querySelector('.noUi-handle'));
    const look = () => {
        if (ready()) requestAnimationFrame(() => setTimeout(() => { window.usableAfter ??= performance.now(); }));
        else requestAnimationFrame(look);
    };
    look();
}"""


# Every explorer that has begun is ready, and every formula is written, so that nothing more comes without the reader.
READY = """() => [...document.querySelectorAll('.vae-explorer')].every((el) => el.dataset.ready === 'true')
    && (document.documentElement.dataset.formulasReady || !document.querySelector('.math'))"""
ALL_DRAWN = "() => [...document.querySelectorAll('.vae-waits')].every((area) => !area.getClientRects().length)"  # but what is folded away

# Scrolls through the whole page as a reader does, so that every picture and every explorer has been near.
READ = """async () => {
    for (let top = 0; top < document.documentElement.scrollHeight; top += innerHeight / 2) {
        scrollTo(0, top);
        await new Promise((done) => setTimeout(done, 50));
    }
    const pictures = [...document.querySelectorAll('main img')].filter((image) => image.getClientRects().length);
    await Promise.all(pictures.map((image) => image.decode().catch(() => {})));
}"""


class Gzipped(BaseHTTPRequestHandler):
    """Serves the files of a folder, text gzipped once and kept."""

    protocol_version = "HTTP/1.1"
    folder = SITE

    def do_GET(self) -> None:
        """Answer with the file, or with 404."""
        path = (self.folder / unquote(urlsplit(self.path).path).lstrip("/")).resolve()
        if not (path.is_relative_to(self.folder.resolve()) and path.is_file()):
            self.send_error(404)
            return
        body, kind, encoding = packed(path)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")  # as GitHub Pages does; without it what was prefetched comes a second time
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@cache
def packed(path: Path) -> tuple[bytes, str, str]:
    """A file as it travels: its bytes, type and encoding."""
    kind = guess_type(path.name)[0] or "application/octet-stream"
    if kind == "text/javascript" or path.suffix == ".js":
        kind = "application/javascript"
    if kind.startswith(COMPRESSED):
        return gzip.compress(path.read_bytes(), mtime=0), kind, "gzip"
    return path.read_bytes(), kind, ""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of a folder."""
    handler = type("Handler", (Gzipped,), {"folder": folder})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def visit(browser: Browser, address: str, slow: bool = False) -> dict[str, float]:
    """Open a page in a fresh profile: seconds until its first slider is usable, and bytes received (headers included).

    `bytes` is what a reader at the top of the page has received once all is still, `read` what one at its end has.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        received: list[float] = []
        session = context.new_cdp_session(page)
        session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
        session.send("Network.enable")
        if slow:
            session.send("Network.emulateNetworkConditions", LINE)
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        page.add_init_script(f"({USABLE})()")
        page.goto(address)
        page.wait_for_function("() => window.usableAfter")
        seconds = page.evaluate("() => window.usableAfter") / 1000
        page.wait_for_function(READY)
        page.wait_for_load_state("networkidle")
        opened = sum(received)
        page.evaluate(READ)
        page.wait_for_function(ALL_DRAWN)
        page.wait_for_function(READY)
        page.wait_for_load_state("networkidle")
        return {"bytes": opened, "read": sum(received), "seconds": seconds}
    finally:
        context.close()


def pages_with_sliders() -> dict[str, int]:
    """Every page of the site that has explorers with sliders, and how many: a quiz has none."""
    found: dict[str, int] = {}
    for explorer in explorers():
        if explorer.kind != "Quiz":
            found[explorer.page] = found.get(explorer.page, 0) + 1
    return found


def measure(look: Callable[..., dict[str, float]], page: str, turns: int) -> dict[str, Any]:
    """All visits to one page in one row of the table; look(page, slow) is a visit."""
    cold = [look(page, slow=False) for _ in range(turns)]
    slow = look(page, slow=True)
    return {
        **{name: max(each[name] for each in [*cold, slow]) for name in ("bytes", "read")},
        "cold": median(each["seconds"] for each in cold),
        "slow": slow["seconds"],
    }


def broken(row: dict[str, float]) -> list[str]:
    """The budgets that a page breaks."""
    return [name for name, most in BUDGETS.items() if row[name] > most]


def line(page: str, count: int, row: dict[str, float]) -> str:
    """A row of the table; what breaks its budget has a mark behind it."""
    marks = {name: "!" if name in broken(row) else " " for name in BUDGETS}
    kib, read = (f"{row[name] / 1024:,.0f}" for name in ("bytes", "read"))
    return f"{page:46}{count:>10}{kib:>11}{marks['bytes']}{read:>10}{row['cold']:>10.2f}{marks['cold']}{row['slow']:>10.1f}{marks['slow']}"


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit code is 1 if a page breaks a budget, 2 without a site or a browser."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="pages such as intro.html (default: all that have an explorer)")
    parser.add_argument("--turns", type=int, default=TURNS, help="cold visits to each page")
    options = parser.parse_args(arguments)
    known = pages_with_sliders()
    path = executable()
    if not known or path is None or not set(options.pages) <= set(known):
        print(ADVICE if path is None else f"{SITE} has no such page with an explorer: run `make book` first", file=sys.stderr)
        return 2
    print(f"{'page':46}{'explorers':>10}{'open, KiB':>11} {'read, KiB':>10}{'cold, s':>10} {'slow, s':>10}")
    print(f"{'budget':56}{BUDGETS['bytes'] / 1024:>11,.0f} {'':10}{BUDGETS['cold']:>10.2f} {BUDGETS['slow']:>10.1f}", flush=True)
    complaints = 0
    with served(SITE) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ALONE)
        for page in options.pages or known:
            row = measure(lambda name, slow: visit(browser, base + name, slow), page, options.turns)
            complaints += len(broken(row))
            print(line(page, known[page], row), flush=True)
        browser.close()
    return int(complaints > 0)


if __name__ == "__main__":
    sys.exit(main())
