"""Shares of a worker: no business takes so much of it that nothing is left for another."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

# A business that asked within this time is one to leave room for.
RECENTLY = 600.0  # seconds


class Businesses:
    """Which businesses this worker has answered lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen_at: dict[int, float] = {}
        self._lock = threading.Lock()

    def seen(self, tenant_id: int) -> None:
        """This business asks now."""
        now = self._clock()
        with self._lock:
            self._seen_at[tenant_id] = now
            if len(self._seen_at) > 1:
                self._seen_at = {one: at for one, at in self._seen_at.items() if now - at < RECENTLY}

    def has_other(self, tenant_id: int) -> bool:
        """Return True if another business has asked lately."""
        now = self._clock()
        with self._lock:
            return any(one != tenant_id and now - at < RECENTLY for one, at in self._seen_at.items())


class Share:
    """Something a worker has `total` of. One business may have `most` of it while there are others, else all."""

    def __init__(self, total: int, most: int, businesses: Businesses) -> None:
        self._total, self._most = total, max(1, most)
        self._businesses = businesses
        self._held: Counter[int] = Counter()
        self._lock = threading.Lock()

    def take(self, tenant_id: int) -> bool:
        """Take one for a business; False when there is none for it now."""
        limit = self._most if self._businesses.has_other(tenant_id) else self._total
        with self._lock:
            if self._held[tenant_id] >= limit or self._held.total() >= self._total:
                return False
            self._held[tenant_id] += 1
            return True

    def give_back(self, tenant_id: int) -> None:
        with self._lock:
            self._held[tenant_id] -= 1
            if self._held[tenant_id] <= 0:
                del self._held[tenant_id]
