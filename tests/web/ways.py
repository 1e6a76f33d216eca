"""The two ways a request can be answered, asked side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from werkzeug.test import Client, TestResponse

from opsboard.web.front import Front
from opsboard.web.proxies import TrustedProxies
from tests.application import Application

CHANGING = {
    "X-Request-Id": re.compile(r"[A-Za-z0-9._-]{8,64}"),
    "Server-Timing": re.compile(r"cache;desc=(HIT|STALE), wait;dur=0\.0, db;dur=0\.0, total;dur=\d+\.\d"),
}


class Ways:
    """An application whose long way is counted. `asked` is how many requests went it."""

    def __init__(self, shop: Application) -> None:
        self.shop = shop
        proxies = shop.app.wsgi_app
        assert isinstance(proxies, TrustedProxies)
        front = proxies._app
        assert isinstance(front, Front)
        self.front = front
        self.asked = 0
        self._flask = front._app
        front._app = self._count

    def _count(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        return self._flask(environ, start_response)

    def ask(self, path: str, method: str = "GET", **how: Any) -> TestResponse:
        """As a client asks: the front comes first."""
        return Client(self.shop.app, use_cookies=False).open(path, method=method, **how)

    def ask_long(self, path: str, method: str = "GET", **how: Any) -> TestResponse:
        """Flask itself; the front neither answers nor hears of it."""
        return Client(self._flask, use_cookies=False).open(path, method=method, **how)

    def goes_long(self, path: str, method: str = "GET", **how: Any) -> TestResponse | None:
        """The answer if the front did not give it."""
        before = self.asked
        answer = self.ask(path, method, **how)
        return answer if self.asked > before else None

    def ask_short(self, path: str, method: str = "GET", **how: Any) -> TestResponse:
        """The answer of the front; it is an error if it passed the request on."""
        before = self.asked
        answer = self.ask(path, method, **how)
        assert self.asked == before, (answer.status, path, how)
        return answer


def comparable(answer: TestResponse) -> tuple[str, bytes, list[tuple[str, str]]]:
    """Status, bytes and headers, without the values that differ from request to request."""
    headers = []
    for name, value in answer.headers:
        if name in CHANGING:
            assert CHANGING[name].fullmatch(value), (name, value)
            value = "..."
        headers.append((name, str(value)))
    return answer.status, answer.data, sorted(headers)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def cookie(token: str) -> dict[str, str]:
    """As a browser sends it over http or https: each has a name of its own, and the other is not read."""
    return {"Cookie": f"theme=dark; opsboard_token={token}; __Host-opsboard_token={token}"}
