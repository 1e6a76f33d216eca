"""Answers a request whose kept body is known and valid before Flask hears of it; all others go the long way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from time import monotonic
from typing import Any

from opsboard.auth.sign_in import SignIn
from opsboard.cache.body import matches
from opsboard.cache.store import Found, Store
from opsboard.observability.tally import Tally
from opsboard.web.document import CACHE_CONTROL, JSON, VARY, accepts_gzip
from opsboard.web.known_requests import KEPT, Known, KnownRequests, Request
from opsboard.web.lifecycle import DATA_POLICY, HSTS, SECURITY_HEADERS, server_timing
from opsboard.web.request_ids import request_id

Environ = dict[str, Any]
WSGI = Callable[[Environ, Any], Iterable[bytes]]
Header = tuple[str, str]

LINES = {200: "200 OK", 304: "304 NOT MODIFIED"}
# What is the same in every answer, made once.
ALWAYS = [
    ("Cache-Control", CACHE_CONTROL),
    ("Vary", VARY),
    ("X-Cache", "HIT"),
    *SECURITY_HEADERS.items(),
    ("Content-Security-Policy", DATA_POLICY),
    ("X-Queries", "0"),
]
AGES = [("Age", str(seconds)) for seconds in range(301)]  # up to the longest time to live by default
SOONER_THAN_SHOWN = 0.00005  # seconds: 0.0 ms
AT_ONCE = ("Server-Timing", server_timing("HIT", 0.0, 0.0, 0.0))


class Front:
    """WSGI middleware around the application.

    The long way tells which key its answer is kept under; the front remembers that for the same token header,
    path and query string, letter by letter. It decides nothing itself: sign-in says whether the token still
    holds, the store whether the body does. Whatever it is not sure of goes the long way, untouched.
    """

    def __init__(
        self, app: WSGI, sign_in: SignIn, store: Store, tally: Tally, known: KnownRequests | None = None
    ) -> None:
        self._app = app
        self._vouches_for = sign_in.vouches_for
        self._peek = store.peek
        self._answered = tally.answered
        self.known = known if known is not None else KnownRequests()
        self._find = self.known.find

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        started = monotonic()
        method = environ["REQUEST_METHOD"]
        if (method != "GET" and method != "HEAD") or "HTTP_UPGRADE" in environ:
            return self._app(environ, start_response)
        # As on the long way, the Authorization header is stronger: beside it the cookie is not looked at.
        source, sent = "HTTP_AUTHORIZATION", environ.get("HTTP_AUTHORIZATION")
        if sent is None:
            source, sent = "HTTP_COOKIE", environ.get("HTTP_COOKIE", "")
        request = (
            environ.get("PATH_INFO", ""),
            environ.get("QUERY_STRING", ""),
            source,
            blake2b(sent.encode()).digest(),
            environ["wsgi.url_scheme"],
        )
        known = self._find(request)
        if known is not None and self._vouches_for(known.identity):
            # Counts as a hit, so from here on there must be an answer.
            found = self._peek(known.key)
            if found is not None:
                known.used = True
                status, content = answer(environ, start_response, known, found, started)
                self._answered(status)
                return content
        return self._ask(request, known, environ, start_response)

    def _ask(
        self, request: Request, known: Known | None, environ: Environ, start_response: Any
    ) -> Iterable[bytes]:
        """The long way; what it says about its answer is remembered, or forgotten when it says nothing more."""
        result = self._app(environ, start_response)
        kept: Known | None = environ.pop(KEPT, None)
        if kept is not None:
            # While this worker is deaf its answers are no lesson: the long way had to ask about the token.
            if self._vouches_for(kept.identity):
                self.known.learn(request, kept)
        elif known is not None:
            self.known.forget(request)
        return result


def answer(
    environ: Environ, start_response: Any, known: Known, found: Found, started: float
) -> tuple[int, Iterable[bytes]]:
    """200 or 304, with what `respond` and `finish` of the long way say."""
    body, _, seconds_old = found
    age, content, etag = int(seconds_old), body.identity, body.etag
    if "HTTP_ACCEPT_ENCODING" in environ and body.gzipped and accepts_gzip(environ["HTTP_ACCEPT_ENCODING"]):
        content, etag = body.gzipped, body.gzip_etag
    if "HTTP_IF_NONE_MATCH" in environ and matches(environ["HTTP_IF_NONE_MATCH"], body):
        status, shown = 304, None
    else:
        status, shown = 200, content
    lasting = known.lasting
    if lasting is None or lasting[0] is not etag or lasting[1] != status:
        known.lasting = lasting = (
            etag,
            status,
            lasting_headers(etag, shown, etag is body.gzip_etag, environ["wsgi.url_scheme"]),
        )
    seconds = monotonic() - started
    start_response(
        LINES[status],
        [
            *lasting[2],
            AGES[age] if age < len(AGES) else ("Age", str(age)),
            ("X-Request-Id", request_id(environ.get("HTTP_X_REQUEST_ID"))),
            AT_ONCE
            if seconds < SOONER_THAN_SHOWN
            else ("Server-Timing", server_timing("HIT", 0.0, 0.0, seconds * 1000)),
        ],
    )
    return status, () if shown is None or environ["REQUEST_METHOD"] == "HEAD" else (shown,)


def lasting_headers(etag: str, content: bytes | None, zipped: bool, scheme: str) -> list[Header]:
    """Those that are the same each time this body is sent this way."""
    headers = []
    if content is not None:
        headers += [("Content-Type", JSON), ("Content-Length", str(len(content)))]
        if zipped:
            headers.append(("Content-Encoding", "gzip"))
    headers += [("ETag", etag), *ALWAYS]
    if scheme == "https":
        headers.append(("Strict-Transport-Security", HSTS))
    return headers
