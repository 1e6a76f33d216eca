"""An answer that the fast path may repeat, and the conditions under which it is still valid."""

from __future__ import annotations

from typing import Any
from weakref import ref

from opsboard.cache.body import Body, matches
from opsboard.cache.store import Found
from opsboard.observability.durations import Series
from opsboard.web.document import CACHE_CONTROL, JSON, VARY, accepts_gzip
from opsboard.web.lifecycle import DATA_POLICY, HSTS, SECURITY_HEADERS

Environ = dict[str, Any]
Header = tuple[str, str]

# The headers that every answer shares.
ALWAYS = [
    ("Cache-Control", CACHE_CONTROL),
    ("Vary", VARY),
    *SECURITY_HEADERS.items(),
    ("Content-Security-Policy", DATA_POLICY),
    ("X-Queries", "0"),
]


class PreparedResponse:
    """200 or 304 for one request, with the headers that do not change.

    It is valid while the clock is before `until`, the store's change count equals `changes`, and the number of
    revocations equals `revoked`. The body is referenced weakly, so that eviction from the cache frees it.
    """

    # The durations that this answer is counted in.
    series: Series

    __slots__ = (
        "accept_encoding",
        "body",
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
        zipped = body.gzipped is not None and accepts_gzip(self.accept_encoding or "")
        # The attribute of the body to send.
        self.sends = "gzipped" if zipped else "identity"
        if matches(self.if_none_match, body):
            self.status, self.line, content = 304, "304 NOT MODIFIED", None
        else:
            self.status, self.line, content = 200, "200 OK", body.gzipped if zipped else body.identity
        self.headers = representation_headers(body, zipped, content, environ["wsgi.url_scheme"])
        self.headers.append(("X-Cache", self.outcome))


def representation_headers(body: Body, zipped: bool, content: bytes | None, scheme: str) -> list[Header]:
    """Return the headers that are equal each time this representation is sent."""
    headers = []
    if content is not None:
        headers += [("Content-Type", JSON), ("Content-Length", str(len(content)))]
        if zipped:
            headers.append(("Content-Encoding", "gzip"))
    headers += [("ETag", body.gzip_etag if zipped else body.etag), *ALWAYS]
    if scheme == "https":
        headers.append(("Strict-Transport-Security", HSTS))
    return headers
