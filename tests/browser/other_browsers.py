"""Firefox and WebKitGTK, as Debian ships them: each visits a page, runs one script in it, and says what came out.

Firefox is driven by Puppeteer over WebDriver BiDi (Debian has no geckodriver), WebKitGTK, Safari's engine, by Selenium.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import node

MINUTES = 2  # until a script must have ended
MINI_BROWSERS = "/usr/lib/*/webkit2gtk-4.*/MiniBrowser"


class Firefox:
    """One Firefox, in a Node process that answers line by line."""

    needs = "firefox-esr"

    def __init__(self, base: str) -> None:
        command = [*node.command(), Path(__file__).with_name("firefox.mjs"), self.path(), base]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @staticmethod
    def path() -> str | None:
        """The browser, where there is one."""
        return shutil.which("firefox-esr") or shutil.which("firefox")

    def run(self, url: str, script: str) -> dict[str, Any]:
        """Open a page and return {"result" or "error", "problems"} of a script, an expression that may be a promise."""
        self.process.stdin.write(json.dumps({"url": url, "script": script}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        """End the browser and its process."""
        self.process.communicate(timeout=60)


class WebKit:
    """One WebKitGTK, on a screen of its own that nobody sees."""

    needs = "webkit2gtk-driver and xvfb"

    def __init__(self, base: str) -> None:
        from selenium.common.exceptions import WebDriverException
        from selenium.webdriver import WebKitGTK, WebKitGTKOptions
        from selenium.webdriver.webkitgtk.service import Service

        self.base = base
        self.screen = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x900x24"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        options = WebKitGTKOptions()
        options.binary_location = self.path()
        options.add_argument("--automation")
        display = f":{self.screen.stdout.readline().strip()}"
        with warnings.catch_warnings():  # Selenium 4.51's own class for WebKitGTK calls what Selenium deprecates
            warnings.filterwarnings("ignore", "setting remote_server_addr in RemoteConnection", DeprecationWarning)
            try:
                self.driver = WebKitGTK(options, Service(shutil.which("WebKitWebDriver"), env=os.environ | {"DISPLAY": display}))
            except WebDriverException:
                self._leave_screen()
                raise
        self.driver.set_page_load_timeout(60 * MINUTES)
        self.driver.set_script_timeout(60 * MINUTES)

    @staticmethod
    def path() -> str | None:
        """The browser, where there is one with its driver and a screen for it."""
        found = sorted(Path("/").glob(MINI_BROWSERS.removeprefix("/")))
        return str(found[-1]) if found and shutil.which("WebKitWebDriver") and shutil.which("Xvfb") else None

    def run(self, url: str, script: str) -> dict[str, Any]:
        """As Firefox's; its console cannot be read, so problems are what was asked of other servers."""
        self.driver.get("about:blank")  # else an address that differs in its fragment only would not be loaded anew
        self.driver.get(url)
        answer = self.driver.execute_async_script(
            "const done = arguments[1]; Promise.resolve((0, eval)(arguments[0]))"
            ".then((result) => done({ result }), (error) => done({ error: `${error}` }))",
            script,
        )
        loaded = self.driver.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        return answer | {"problems": [name for name in loaded if not name.startswith((self.base, "data:", "blob:"))]}

    def close(self) -> None:
        """End the browser, its driver and its screen."""
        self.driver.quit()
        self._leave_screen()

    def _leave_screen(self) -> None:
        self.screen.terminate()
        self.screen.communicate(timeout=60)


BROWSERS = {"firefox": Firefox, "webkit": WebKit}
