"""An answer that the front may give again as it is, and until when."""

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

# What is the same in every answer, made once.
ALWAYS = [
    ("Cache-Control", CACHE_CONTROL),
    ("Vary", VARY),
    *SECURITY_HEADERS.items(),
    ("Content-Security-Policy", DATA_POLICY),
    ("X-Queries", "0"),
]


class Ready:
    """200 or 304 for one request, with its lasting headers.

    Holds as long as the clock is before `until`, and as long as the store has heard of no more than `changes`
    changes and sign-in of no more than `revoked` ended tokens. The body is held weakly: what the cache lets go
    is gone.
    """

    # Where this answer is counted.
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
        # Which of the body's bytes.
        self.sends = "gzipped" if zipped else "identity"
        if matches(self.if_none_match, body):
            self.status, self.line, content = 304, "304 NOT MODIFIED", None
        else:
            self.status, self.line, content = 200, "200 OK", body.gzipped if zipped else body.identity
        self.headers = lasting_headers(body, zipped, content, environ["wsgi.url_scheme"])
        self.headers.append(("X-Cache", self.outcome))


def lasting_headers(body: Body, zipped: bool, content: bytes | None, scheme: str) -> list[Header]:
    """Those that are the same each time this body is sent this way."""
    headers = []
    if content is not None:
        headers += [("Content-Type", JSON), ("Content-Length", str(len(content)))]
        if zipped:
            headers.append(("Content-Encoding", "gzip"))
    headers += [("ETag", body.gzip_etag if zipped else body.etag), *ALWAYS]
    if scheme == "https":
        headers.append(("Strict-Transport-Security", HSTS))
    return headers
