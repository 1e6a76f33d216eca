"""Chromium against the application on a real port, and what a page did while a test looked at it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from apiflask import APIFlask
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, Request, Response, Route
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from opsboard.web.access import COOKIE

CHROMIUM = Path("/usr/bin/chromium")
# Root has no user namespace for the sandbox in a container; /dev/shm is small there.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}},
    "phone": {
        "color_scheme": "light",
        "viewport": {"width": 390, "height": 844},
        "is_mobile": True,
        "has_touch": True,
        "device_scale_factor": 2,
    },
}


class Quiet(WSGIRequestHandler):
    """Says nothing about requests."""

    def log(self, *_: Any) -> None:
        pass


class Site:
    """The application on a port of 127.0.0.1; it can go away and come back on the same one."""

    def __init__(self, app: APIFlask) -> None:
        self._app = app
        self._server: BaseWSGIServer | None = None
        self._port = 0
        self.come_back()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def come_back(self) -> None:
        self._server = make_server("127.0.0.1", self._port, self._app, threaded=True, request_handler=Quiet)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._port = self._server.server_port
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def go_away(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@dataclass
class Visit:
    """A page in a browser, and everything that went wrong on it."""

    page: Page
    site: Site
    requests: list[Request] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    """Parts of complaints that the test provokes."""

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.site.url + path)
        return self.page

    def open_board(self, address: str = "") -> Page:
        """Open a view and wait until the first round of the poll is through."""
        page = self.open(f"/{address}")
        page.wait_for_selector("#freshness[data-state=fresh]")
        return page

    def assert_clean(self) -> None:
        unexpected = [text for text in self.complaints if not any(part in text for part in self.expected)]
        assert (unexpected, self.strangers) == ([], []), unexpected

    def listen(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("response", lambda response: self.responses.append(response))
        # A violation of the Content-Security-Policy is an error in the console too.
        self.page.on("console", lambda m: m.type in ("error", "warning") and self.complaints.append(m.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def strangers(self) -> list[str]:
        """Requests that went to another host."""
        here = urlsplit(self.site.url).netloc
        asked = [urlsplit(request.url) for request in self.requests]
        return [url.geturl() for url in asked if url.scheme != "data" and url.netloc != here]

    def answers(self, path: str) -> list[int]:
        """The statuses of what was answered under a path."""
        return [found.status for found in self.responses if urlsplit(found.url).path == path]


def start_chromium(playwright: Playwright) -> Browser:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not there (Debian: apt-get install chromium)")
    return playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


@contextmanager
def visiting(browser: Browser, site: Site, look: str = "light", token: str | None = None) -> Iterator[Visit]:
    """A visit in a browser profile of its own, signed in when there is a token."""
    context = browser.new_context(
        **LOOKS[look], reduced_motion="reduce", locale="en-GB", timezone_id="America/New_York"
    )
    try:
        if token is not None:
            sign_in(context, site, token)
        visit = Visit(context.new_page(), site)
        visit.page.set_default_timeout(20_000)
        visit.listen()
        yield visit
    finally:
        context.close()


def until(page: Page, expression: str, argument: Any = None, seconds: float = 20) -> Any:
    """Return the value of an expression once it is true. Playwright's own wait needs eval, which the page forbids."""
    deadline = time.monotonic() + seconds
    while not (found := page.evaluate(expression, argument)):
        assert time.monotonic() < deadline, f"never true: {expression}"
        page.wait_for_timeout(50)
    return found


def sign_in(context: BrowserContext, site: Site, token: str) -> None:
    """The cookie the sign-in form would get, without the time a password check takes."""
    context.add_cookies(
        [{"name": COOKIE, "value": token, "url": site.url, "httpOnly": True, "sameSite": "Strict"}]
    )


def change_answer(page: Page, path: str, change: Callable[[Any], Any]) -> None:
    """Let the page see another answer at the addresses that begin so, among those it reads together."""

    def answer(route: Route) -> None:
        headers = {name: value for name, value in route.request.headers.items() if name != "if-none-match"}
        document = route.fetch(headers=headers).json()
        for part in document["answers"]:
            if part["path"].startswith(path):
                part["body"] = change(part["body"])
                part["etag"] = f'"{hash(json.dumps(part["body"]))}"'
        route.fulfill(json=document)

    page.route("**/api/batch?*", answer)


def drag(page: Page, source: Locator, target: Locator) -> None:
    """Drag as a hand does: a drop counts where the page has seen the pointer before."""
    source.hover()
    page.mouse.down()
    target.hover()
    target.hover()
    page.mouse.up()
