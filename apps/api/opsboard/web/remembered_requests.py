"""The requests the fast path remembers, each with the cache key of its answer."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from opsboard.auth.identity import Identity
from opsboard.auth.last_use import Use
from opsboard.cache.key import Key
from opsboard.web.prepared_response import PreparedResponse

# The key in the WSGI environ under which a view stores a `RememberedRequest`.
REMEMBER = "opsboard.kept"

Request = tuple[str, str, str, bytes, str]
"""Path, query string, the name of the token's header, a digest of that header, and the scheme; all as sent."""

# Longer requests are answered but not remembered.
LONGEST = 1000  # characters of path and query string
# A request, its place in two dicts, the key and the identity (measured, rounded up).
OVERHEAD = 1536
SWEEP_EVERY = 60.0  # seconds


class RememberedRequest:
    """The caller and the cache key of a request, as reported by the slow path. Never the body, never the token."""

    __slots__ = ("identity", "key", "prepared", "use", "used")

    def __init__(self, identity: Identity, key: Key, use: Use | None = None) -> None:
        self.identity = identity
        self.key = key
        self.prepared: PreparedResponse | None = None
        self.used = False
        self.use = use or Use(identity)

    @property
    def user(self) -> tuple[int, int]:
        return self.identity.tenant_id, self.identity.user_id


class RememberedRequests:
    """Remembered requests, bounded in number, in bytes and per user.

    A user with `share` requests evicts only their own, so no user can evict another's by varying the spelling: it takes
    max_requests / share users to fill the memory. Then the least recently used go (by second chance: a mark instead of
    an order, so that a look-up takes no lock).
    """

    def __init__(
        self,
        max_requests: int = 10_000,
        max_bytes: int = 16 << 20,
        share: int = 128,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.bytes = 0
        self._max_requests = max_requests
        self._max_bytes = max_bytes
        self._share = share
        self._clock = clock
        self._swept_at = clock()
        self._lock = threading.Lock()
        self._requests: dict[Request, RememberedRequest] = {}
        # A bound method, because every request calls it. The caller marks the result as used.
        self.find: Callable[[Request], RememberedRequest | None] = self._requests.get
        self._users: OrderedDict[tuple[int, int], OrderedDict[Request, RememberedRequest]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._requests)

    def add(self, request: Request, remembered: RememberedRequest) -> None:
        """Remember the request; evicts others once a limit is reached."""
        if len(request[0]) + len(request[1]) > LONGEST:
            return
        with self._lock:
            self._drop(request)
            self._sweep()
            requests = self._users.setdefault(remembered.user, OrderedDict())
            requests[request] = self._requests[request] = remembered
            self.bytes += size(request, remembered)
            while len(requests) > self._share:
                self._evict_from(requests)
            while len(self._requests) > self._max_requests or self.bytes > self._max_bytes:
                self._evict()

    def remove(self, request: Request) -> None:
        with self._lock:
            self._drop(request)

    def _evict(self) -> None:
        user, requests = next(iter(self._users.items()))
        self._users.move_to_end(user)
        self._evict_from(requests)

    def _evict_from(self, requests: OrderedDict[Request, RememberedRequest]) -> None:
        """Drop the oldest request; if it was used, clear its mark and move it to the end instead."""
        request, remembered = next(iter(requests.items()))
        if remembered.used:
            remembered.used = False
            requests.move_to_end(request)
        else:
            self._drop(request)

    def _drop(self, request: Request) -> None:
        remembered = self._requests.pop(request, None)
        if remembered is None:
            return
        self.bytes -= size(request, remembered)
        requests = self._users[remembered.user]
        del requests[request]
        if not requests:
            del self._users[remembered.user]

    def _sweep(self) -> None:
        """Drop requests whose token has expired, once a minute."""
        now = self._clock()
        if now - self._swept_at < SWEEP_EVERY:
            return
        self._swept_at = now
        for request in [
            request for request, remembered in self._requests.items() if remembered.identity.expires_at <= now
        ]:
            self._drop(request)


def size(request: Request, remembered: RememberedRequest) -> int:
    """Return the bytes counted for a request; a character may take four."""
    return 4 * (len(request[0]) + len(request[1])) + remembered.key.size + OVERHEAD
