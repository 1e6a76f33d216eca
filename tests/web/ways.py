"""The two ways a request can be answered, asked side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from werkzeug.test import Client, TestResponse

from opsboard.web.fast_path import FastPath
from opsboard.web.proxies import TrustedProxies
from tests.application import Application

CHANGING = {
    "X-Request-Id": re.compile(r"[A-Za-z0-9._-]{8,64}"),
    "Server-Timing": re.compile(r"cache;desc=(HIT|STALE), wait;dur=0\.0, db;dur=0\.0, total;dur=\d+\.\d"),
}


class Ways:
    """An application whose slow path is counted: `asked` is the number of requests that took it."""

    def __init__(self, app: Application) -> None:
        self.app = app
        proxies = app.flask.wsgi_app
        assert isinstance(proxies, TrustedProxies)
        fast_path = proxies.app
        assert isinstance(fast_path, FastPath)
        self.fast_path = fast_path
        self.asked = 0
        self._flask = fast_path.app
        fast_path.app = self._count

    def _count(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        return self._flask(environ, start_response)

    def ask(self, path: str, method: str = "GET", **how: Any) -> TestResponse:
        """As a client asks: the fast path comes first."""
        return Client(self.app.flask, use_cookies=False).open(path, method=method, **how)

    def ask_slow(self, path: str, method: str = "GET", **how: Any) -> TestResponse:
        """Flask itself; the fast path neither answers nor hears of it."""
        return Client(self._flask, use_cookies=False).open(path, method=method, **how)

    def goes_long(self, path: str, method: str = "GET", **how: Any) -> TestResponse | None:
        """The answer if the fast path did not give it."""
        before = self.asked
        answer = self.ask(path, method, **how)
        return answer if self.asked > before else None

    def ask_fast(self, path: str, method: str = "GET", **how: Any) -> TestResponse:
        """The answer of the fast path; it is an error if it passed the request on."""
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
