"""What a page must never do: ask another server, fail to load a part of itself, or complain in the console."""

from playwright.sync_api import ConsoleMessage, Error, Page, Request, Response

HARMLESS = ("data:", "blob:", "about:")


class Watch:
    """Collects the problems of a page, each as one line that names the page it happened on."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base, self.problems = page, base, []
        page.on("request", self._request)
        page.on("requestfailed", self._failed)
        page.on("response", self._response)
        page.on("console", self._console)
        page.on("pageerror", self._error)

    def collect(self) -> list[str]:
        """The problems since the last call."""
        problems, self.problems = self.problems, []
        return problems

    def _note(self, what: str) -> None:
        self.problems.append(f"{self.page.url}: {what}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base, *HARMLESS)):
            self._note(f"external request to {request.url[:200]}")

    def _failed(self, request: Request) -> None:
        # "csp": a script that Chromium leaves out because JavaScript is off; aborted: the page was left before all had come
        if request.failure not in ("csp", "net::ERR_ABORTED"):
            self._note(f"request failed ({request.failure}): {request.url[:200]}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self._note(f"status {response.status}: {response.url[:200]}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console {message.type}: {message.text[:500]}")

    def _error(self, error: Error) -> None:
        self._note(f"page error: {error.message[:500]}")
