"""An answer that the fast path may repeat, and the conditions under which it is still valid."""

from __future__ import annotations

from typing import Any
from weakref import ref

from opsboard.cache.store import Found
from opsboard.observability.durations import Series, Sums
from opsboard.web.lifecycle import DATA_POLICY, HSTS, SECURITY_HEADERS
from opsboard.web.representation import represent

Environ = dict[str, Any]
LINES = {200: "200 OK", 304: "304 NOT MODIFIED"}

# The headers that every answer shares.
ALWAYS = [
    *SECURITY_HEADERS.items(),
    ("Content-Security-Policy", DATA_POLICY),
    ("X-Queries", "0"),
]


class PreparedResponse:
    """200 or 304 for one request, with the headers that do not change.

    It is valid while the clock is before `until`, the store's change count equals `changes`, and the number of
    revocations equals `revoked`. The body is referenced weakly, so that eviction from the cache frees it.
    """

    # The durations and the use of a business that this answer is counted in.
    series: Series
    sums: Sums

    __slots__ = (
        "accept_encoding",
        "body",
        "bytes",
        "changes",
        "headers",
        "if_none_match",
        "line",
        "outcome",
        "revoked",
        "sends",
        "series",
        "since",
        "status",
        "sums",
        "until",
    )

    def __init__(self, environ: Environ, found: Found, now: float, until: float, changes: int, revoked: int):
        body = found.body
        self.outcome = str(found.outcome)
        self.until, self.changes, self.revoked = until, changes, revoked
        self.since = now - found.age
        self.body = ref(body)
        self.accept_encoding: str | None = environ.get("HTTP_ACCEPT_ENCODING")
        self.if_none_match: str | None = environ.get("HTTP_IF_NONE_MATCH")
        chosen = represent(body, self.accept_encoding, self.if_none_match)
        self.sends = chosen.part
        self.status, self.line = chosen.status, LINES[chosen.status]
        self.bytes = len(chosen.content or b"")
        self.headers = [*chosen.headers, *ALWAYS]
        if environ["wsgi.url_scheme"] == "https":
            self.headers.append(("Strict-Transport-Security", HSTS))
        self.headers.append(("X-Cache", self.outcome))
