"""Find a Chromium or Chrome that runs, or install one: ``python tests/chromium.py`` prints its path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OTHERS = {"firefox-esr": "firefox-esr", "WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}  # program → Debian's package
APPLICATION = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
ADVICE = (
    "No Chromium or Chrome was found, and none could be installed. The browser tests need one: "
    "install it (Debian: apt-get install chromium) so that 'chromium' or 'google-chrome' is on the PATH, "
    "or run '.venv/bin/playwright install chromium'; then run make again."
)


def executable() -> str | None:
    """Return the path of the first Chromium or Chrome that answers ``--version``, or None."""
    return next((path for path in candidates() if runs(path)), None)


def candidates() -> Iterator[str]:
    """Yield the places to look at: the PATH, macOS' application folder, Playwright's own download."""
    yield from filter(None, map(shutil.which, NAMES))
    yield APPLICATION
    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path


def runs(path: str) -> bool:
    """Tell whether the browser starts: some distributions put a stub on the PATH that only names a shop."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install() -> None:
    """Install Chromium with the means at hand: apt as root on Debian, and if that gives none, Playwright's download."""
    if root_on_debian():
        run("apt-get", "update")
        run("apt-get", "install", "--yes", "--no-install-recommends", "chromium")
    if executable() is None:
        run(sys.executable, "-m", "playwright", "install", *(["--with-deps"] if root_on_debian() else []), "chromium")


def root_on_debian() -> bool:
    """Whether apt may be asked."""
    return bool(shutil.which("apt-get")) and os.geteuid() == 0


def install_others() -> None:
    """Install Firefox and WebKitGTK where that needs no question; elsewhere their smoke tests are skipped."""
    if root_on_debian() and not all(map(shutil.which, OTHERS)):
        run("apt-get", "update")
        run("apt-get", "install", "--yes", "--no-install-recommends", *OTHERS.values())


def run(*command: str) -> None:
    """Run a command aloud; whether it worked shows in what can be found afterwards."""
    print("+", *command, file=sys.stderr)
    subprocess.run(command, check=False, stdout=sys.stderr)


def main() -> int:
    """Print the browser's path, installing one first where there is none; return the exit code."""
    if executable() is None:
        install()
    path = executable()
    install_others()
    print(path or ADVICE, file=sys.stdout if path else sys.stderr)
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
