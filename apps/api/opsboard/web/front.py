"""Answers a request whose kept body is known and valid before Flask hears of it; all others go the long way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

from opsboard.auth.sign_in import SignIn
from opsboard.cache.body import Body
from opsboard.cache.store import Store
from opsboard.observability.tally import Tally
from opsboard.web.known_requests import KEPT, Known, KnownRequests, Request
from opsboard.web.lifecycle import server_timing
from opsboard.web.ready import Environ, Ready
from opsboard.web.request_ids import request_id

WSGI = Callable[[Environ, Any], Iterable[bytes]]

# In the environ of a request that is to be answered without any wait, or not at all (`web/at_once.py`).
AT_ONCE_ONLY = "opsboard.at_once_only"

AGES = [("Age", str(seconds)) for seconds in range(301)]  # up to the longest time to live by default
SOONER_THAN_SHOWN = 0.00005  # seconds: 0.0 ms
AT_ONCE = ("Server-Timing", server_timing("HIT", 0.0, 0.0, 0.0))


class Front:
    """WSGI middleware around the application.

    The long way tells which key its answer is kept under; the front remembers that for the same token header,
    path and query string, letter by letter. It decides nothing itself: sign-in says whether the token still
    holds, the store whether the body does. What they said holds until one of them hears of something new, and
    until then they need not be asked. Whatever the front is not sure of goes the long way, untouched.
    """

    def __init__(
        self,
        app: WSGI,
        sign_in: SignIn,
        store: Store,
        tally: Tally,
        known: KnownRequests | None = None,
        is_away: Callable[[], bool] = lambda: False,
    ) -> None:
        self._app = app
        self._sign_in = sign_in
        self._revocations = sign_in.revocations
        self._store = store
        self._versions = store.versions
        self._given = store.note_repeat
        self._tally = tally
        self._add = tally.add
        self.known = known if known is not None else KnownRequests()
        self._find = self.known.find
        self._is_away = is_away

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes] | None:
        now = self._store.clock()
        method = environ["REQUEST_METHOD"]
        if (method != "GET" and method != "HEAD") or "HTTP_UPGRADE" in environ:
            return self._long_way(environ, start_response)
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
        if known is None:
            return self._ask(request, None, environ, start_response)
        ready = known.ready
        # Nothing was heard that could end it. Read without a lock: each is one number, and it was proved after
        # they were read.
        if (
            ready is not None
            and ready.changes == self._versions.now
            and ready.revoked == self._revocations.added
            and now < ready.until
            and now <= self._revocations.fresh_until
            and ready.accept_encoding == environ.get("HTTP_ACCEPT_ENCODING")
            and ready.if_none_match == environ.get("HTTP_IF_NONE_MATCH")
            and (body := ready.body()) is not None
        ):
            self._given(known.key)
        elif (proved := self._prove(known, environ, now)) is not None:
            ready, body = proved
        elif self._is_away() and (last_good := self._last_good(known, environ, now)) is not None:
            ready, body = last_good
        else:
            return self._ask(request, known, environ, start_response)
        known.used = True
        age, seconds = int(now - ready.since), self._store.clock() - now
        self._add(ready.series, seconds)
        start_response(
            ready.line,
            [
                *ready.headers,
                AGES[age] if age < len(AGES) else ("Age", str(age)),
                (
                    "X-Request-Id",
                    request_id(environ.get("HTTP_X_REQUEST_ID"), environ.get("HTTP_TRACEPARENT")),
                ),
                AT_ONCE
                if seconds < SOONER_THAN_SHOWN and ready.outcome == "HIT"
                else ("Server-Timing", server_timing(ready.outcome, 0.0, 0.0, seconds * 1000)),
            ],
        )
        return () if ready.status == 304 or method == "HEAD" else (getattr(body, ready.sends),)

    def _prove(self, known: Known, environ: Environ, now: float) -> tuple[Ready, Body] | None:
        """Ask sign-in and the store; what they say is remembered with the numbers from before it was asked."""
        changes, revoked = self._versions.now, self._revocations.added
        if not self._sign_in.is_valid_for(known.identity):
            return None
        # Counts as a hit, so from here on there must be an answer.
        found = self._store.peek(known.key)
        if found is None:
            return None
        until = min(found.expires, now + self._sign_in.seconds_left(known.identity))
        known.ready = ready = Ready(environ, found, now, until, changes, revoked)
        ready.series = self._tally.series(known.key.endpoint, ready.status)
        return ready, found.body

    def _last_good(self, known: Known, environ: Environ, now: float) -> tuple[Ready, Body] | None:
        """While the database is away: what the slow path would give after it has asked in vain."""
        if not self._sign_in.was_admitted(known.identity):
            return None
        found = self._store.last_good(known.key)
        if found is None:
            return None
        ready = Ready(environ, found, now, now, 0, 0)  # for this request alone
        ready.series = self._tally.series(known.key.endpoint, ready.status)
        return ready, found.body

    def _ask(
        self, request: Request, known: Known | None, environ: Environ, start_response: Any
    ) -> Iterable[bytes] | None:
        """The long way; what it says about its answer is remembered, or forgotten when it says nothing more."""
        result = self._long_way(environ, start_response)
        if result is None:
            return None
        kept: Known | None = environ.pop(KEPT, None)
        if kept is not None:
            # While this worker is deaf its answers are no lesson: the long way had to ask about the token.
            if self._sign_in.is_valid_for(kept.identity):
                self.known.learn(request, kept)
        elif known is not None:
            self.known.forget(request)
        return result

    def _long_way(self, environ: Environ, start_response: Any) -> Iterable[bytes] | None:
        """Through Flask; None, and nothing has happened, for a request that is to be answered at once or not at all."""
        return None if AT_ONCE_ONLY in environ else self._app(environ, start_response)
