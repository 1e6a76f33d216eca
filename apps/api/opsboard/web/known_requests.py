"""What the front knows: which kept body a request of a signed-in caller leads to."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from opsboard.auth.identity import Identity
from opsboard.cache.key import Key
from opsboard.web.ready import Ready

# Where a view leaves, in the WSGI environ of its request, what its answer was kept under: a `Known`.
KEPT = "opsboard.kept"

Request = tuple[str, str, str, bytes, str]
"""Path, query string, which header the token came in, a digest of that header, http or https; all as sent."""

# Longer ones are answered, but not learned.
LONGEST = 1000  # characters of path and query string
# A request, its place in two dicts, the key and the identity (measured, rounded up).
OVERHEAD = 1536
SWEEP_EVERY = 60.0  # seconds


class Known:
    """Who asks and which body is theirs, as the long way found out. Never the body, never the token."""

    __slots__ = ("identity", "key", "ready", "used")

    def __init__(self, identity: Identity, key: Key) -> None:
        self.identity = identity
        self.key = key
        self.ready: Ready | None = None
        self.used = False

    @property
    def user(self) -> tuple[int, int]:
        return self.identity.tenant_id, self.identity.user_id


class KnownRequests:
    """Requests and what they lead to, bounded in number, in bytes and per user.

    A user's requests push out that user's own once there are `share` of them, so nobody can push out another's
    by asking in ever new spellings: it takes max_requests / share users to fill the memory. Then the requests go
    that were not asked for the longest (by second chance: a mark instead of an order, so that looking up takes no
    lock).
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
        self._known: dict[Request, Known] = {}
        # Asked on every request, so without a step between. Who uses what was found marks it.
        self.find: Callable[[Request], Known | None] = self._known.get
        self._users: OrderedDict[tuple[int, int], OrderedDict[Request, Known]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, request: Request, known: Known) -> None:
        """Remember where the request leads; at the cost of others once a bound is reached."""
        if len(request[0]) + len(request[1]) > LONGEST:
            return
        with self._lock:
            self._drop(request)
            self._sweep()
            requests = self._users.setdefault(known.user, OrderedDict())
            requests[request] = self._known[request] = known
            self.bytes += size(request, known)
            while len(requests) > self._share:
                self._evict_from(requests)
            while len(self._known) > self._max_requests or self.bytes > self._max_bytes:
                self._evict()

    def forget(self, request: Request) -> None:
        with self._lock:
            self._drop(request)

    def _evict(self) -> None:
        user, requests = next(iter(self._users.items()))
        self._users.move_to_end(user)
        self._evict_from(requests)

    def _evict_from(self, requests: OrderedDict[Request, Known]) -> None:
        """Drop the oldest request, or take the mark of one that was used and let it wait once more."""
        request, known = next(iter(requests.items()))
        if known.used:
            known.used = False
            requests.move_to_end(request)
        else:
            self._drop(request)

    def _drop(self, request: Request) -> None:
        known = self._known.pop(request, None)
        if known is None:
            return
        self.bytes -= size(request, known)
        requests = self._users[known.user]
        del requests[request]
        if not requests:
            del self._users[known.user]

    def _sweep(self) -> None:
        """Now and then let go what can never be used again."""
        now = self._clock()
        if now - self._swept_at < SWEEP_EVERY:
            return
        self._swept_at = now
        for request in [
            request for request, known in self._known.items() if known.identity.expires_at <= now
        ]:
            self._drop(request)


def size(request: Request, known: Known) -> int:
    """The bytes that are accounted for a request; a character may take four."""
    return 4 * (len(request[0]) + len(request[1])) + known.key.size + OVERHEAD
