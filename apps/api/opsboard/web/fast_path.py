"""Answers a repeated request from the cache before Flask runs; passes every other request to Flask."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

from opsboard.auth.sign_in import SignIn
from opsboard.cache.body import Body
from opsboard.cache.store import Store
from opsboard.observability.tally import Tally
from opsboard.web.lifecycle import server_timing
from opsboard.web.prepared_response import Environ, PreparedResponse
from opsboard.web.remembered_requests import REMEMBER, RememberedRequest, RememberedRequests, Request
from opsboard.web.request_ids import request_id

WSGI = Callable[[Environ, Any], Iterable[bytes]]

# Set in the environ of a request that must be answered without waiting, or not at all (`web/inline_answers.py`).
INLINE_ONLY = "opsboard.inline_only"

AGES = [("Age", str(seconds)) for seconds in range(301)]  # up to the longest time to live by default
SHORTER_THAN_SHOWN = 0.00005  # seconds: 0.0 ms
INSTANT = ("Server-Timing", server_timing("HIT", 0.0, 0.0, 0.0))


class FastPath:
    """WSGI middleware around the application.

    The slow path through Flask reports the cache key of its answer. The fast path remembers it for the same token
    header, path and query string, byte for byte. Sign-in decides if the token is still valid, the store if the body
    is. Their decision holds until one of them learns of a change; until then they are not asked again. Anything the
    fast path cannot answer is passed to Flask unchanged.
    """

    def __init__(
        self,
        app: WSGI,
        sign_in: SignIn,
        store: Store,
        tally: Tally,
        remembered: RememberedRequests | None = None,
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        self.app = app
        self._sign_in = sign_in
        self._store = store
        self._given = store.note_repeat
        self._tally = tally
        self._add = tally.add
        self.remembered = remembered if remembered is not None else RememberedRequests()
        self._find = self.remembered.find
        self._is_away = is_away

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes] | None:
        now = self._store.clock()
        method = environ["REQUEST_METHOD"]
        if (method != "GET" and method != "HEAD") or "HTTP_UPGRADE" in environ:
            return self._slow_path(environ, start_response)
        # As on the slow path, the Authorization header wins over the cookie.
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
        remembered = self._find(request)
        if remembered is None:
            return self._ask(request, None, environ, start_response)
        prepared = remembered.prepared
        # Still valid: no change or revocation since it was prepared. Read without a lock: each is one number, and
        # the response was prepared after they were read.
        if (
            prepared is not None
            and prepared.changes == self._store.generation
            and prepared.revoked == self._sign_in.generation
            and now < prepared.until
            and now <= self._sign_in.fresh_until
            and prepared.accept_encoding == environ.get("HTTP_ACCEPT_ENCODING")
            and prepared.if_none_match == environ.get("HTTP_IF_NONE_MATCH")
            and (body := prepared.body()) is not None
        ):
            self._given(remembered.key)
        elif (response_and_body := self._prepare(remembered, environ, now)) is not None:
            prepared, body = response_and_body
        elif self._is_away() and (last_good := self._last_good(remembered, environ, now)) is not None:
            prepared, body = last_good
        else:
            return self._ask(request, remembered, environ, start_response)
        remembered.used = remembered.use.is_new = True
        age, seconds = int(now - prepared.since), self._store.clock() - now
        self._add(prepared.series, seconds, prepared.sums, prepared.bytes if method == "GET" else 0)
        start_response(
            prepared.line,
            [
                *prepared.headers,
                AGES[age] if age < len(AGES) else ("Age", str(age)),
                (
                    "X-Request-Id",
                    request_id(environ.get("HTTP_X_REQUEST_ID"), environ.get("HTTP_TRACEPARENT")),
                ),
                INSTANT
                if seconds < SHORTER_THAN_SHOWN and prepared.outcome == "HIT"
                else ("Server-Timing", server_timing(prepared.outcome, 0.0, 0.0, seconds * 1000)),
            ],
        )
        return () if prepared.status == 304 or method == "HEAD" else (getattr(body, prepared.sends),)

    def _prepare(
        self, remembered: RememberedRequest, environ: Environ, now: float
    ) -> tuple[PreparedResponse, Body] | None:
        """Ask sign-in and the store. The counters are read first, so that a later change invalidates the response."""
        changes, revoked = self._store.generation, self._sign_in.generation
        if not self._sign_in.is_valid_for(remembered.identity):
            return None
        # The page's cookie is renewed on the slow path.
        by_header = "HTTP_AUTHORIZATION" in environ
        renewal = math.inf if by_header else self._sign_in.renewal_due_in(remembered.identity)
        if renewal <= 0:
            return None
        # `peek` counts a hit, so this request must be answered from here.
        found = self._store.peek(remembered.key)
        if found is None:
            return None
        until = min(found.expires, now + self._sign_in.seconds_left(remembered.identity), now + renewal)
        remembered.prepared = prepared = PreparedResponse(environ, found, now, until, changes, revoked)
        self._count_in(prepared, remembered)
        return prepared, found.body

    def _last_good(
        self, remembered: RememberedRequest, environ: Environ, now: float
    ) -> tuple[PreparedResponse, Body] | None:
        """While the database is away: return the answer that the slow path would give after a failed query."""
        if not self._sign_in.was_admitted(remembered.identity):
            return None
        found = self._store.last_good(remembered.key)
        if found is None:
            return None
        prepared = PreparedResponse(environ, found, now, now, 0, 0)  # for this request alone
        self._count_in(prepared, remembered)
        return prepared, found.body

    def _count_in(self, prepared: PreparedResponse, remembered: RememberedRequest) -> None:
        prepared.series = self._tally.series(remembered.key.endpoint, prepared.status)
        prepared.sums = self._tally.usage.of(remembered.identity.tenant_id)

    def _ask(
        self, request: Request, remembered: RememberedRequest | None, environ: Environ, start_response: Any
    ) -> Iterable[bytes] | None:
        """Take the slow path, and remember or forget the request as it reports."""
        result = self._slow_path(environ, start_response)
        if result is None:
            return None
        kept: RememberedRequest | None = environ.pop(REMEMBER, None)
        if kept is not None:
            # Not while this worker is stale: then the slow path asks the database about each token.
            if self._sign_in.is_valid_for(kept.identity):
                self.remembered.add(request, kept)
        elif remembered is not None:
            self.remembered.remove(request)
        return result

    def _slow_path(self, environ: Environ, start_response: Any) -> Iterable[bytes] | None:
        """Run Flask. Returns None, without any effect, for a request that must be answered inline or not at all."""
        return None if INLINE_ONLY in environ else self.app(environ, start_response)
