"""The second level: bodies in Redis or Valkey, shared by all workers of all machines; optional."""

from __future__ import annotations

import threading
import time
from collections import Counter
from enum import StrEnum
from typing import Any, NamedTuple

from opsboard.cache.body import Body
from opsboard.cache.envelope import LARGEST, Envelope, Refused
from opsboard.cache.horizon import Horizon, Watermark
from opsboard.cache.key import Key
from opsboard.cache.link import Disconnected, Link, Unavailable
from opsboard.cache.wire import Declined
from opsboard.observability import record
from opsboard.observability.performance import CacheStatistics

# After the server declined a save (full, read only, not permitted), the next one waits this long.
SAVE_RETRY_AFTER = 1.0  # seconds
# Clocks of two machines differ by at least this much.
CLOCK_TOLERANCE = -0.1  # seconds


class SharedCacheEvent(StrEnum):
    """The events counted; the value is the name in the statistics."""

    OUTDATED = "outdated"
    REFUSED = "refused"
    ERROR = "errors"
    SKIPPED = "skipped"
    SAVED = "saved"
    NOT_SAVED = "not_saved"


class SharedBody(NamedTuple):
    """A body from the second level and the seconds since its load began."""

    body: Body
    age: float


class SharedCache:
    """Looked up after a local miss and before the database; every load is saved to it.

    A body is used only if `Horizon` proves that it contains every change this worker knows of, and if it is younger
    than its TTL by the clock of the database. Every failure here counts as a miss.
    """

    def __init__(self, link: Link, envelope: Envelope, horizon: Horizon) -> None:
        self.link = link
        self.horizon = horizon
        self._envelope = envelope
        self.lookups = CacheStatistics("second level")
        self._lock = threading.Lock()
        self._counts: Counter[SharedCacheEvent] = Counter()
        self._asked, self._ms, self._longest_ms = 0, 0.0, 0.0
        self._declined: str | None = None
        self._saves_from = 0.0

    def find(self, key: Key, ttl: float, watermark: Watermark) -> SharedBody | None:
        """Return a body that is valid for this worker now, or None. Raises nothing."""
        name = self._envelope.name(key, watermark.epoch)
        try:
            # Never reads more than this code would have stored.
            value = self._ask("GETRANGE", name, 0, LARGEST)
        except (Disconnected, Declined) as error:
            self._count(
                SharedCacheEvent.SKIPPED if isinstance(error, Unavailable) else SharedCacheEvent.ERROR
            )
            return None
        if not value:
            self.lookups.miss()
            return None
        try:
            saved, body = self._envelope.open(name, value)
        except Refused:
            self._count(SharedCacheEvent.REFUSED)
            return None
        age = self.horizon.age(saved)
        # A negative age: the clock of the database was set back, so the age is unknown.
        if not CLOCK_TOLERANCE < age < ttl or not self.horizon.is_valid_for(key, body.tables, saved):
            self._count(SharedCacheEvent.OUTDATED)
            return None
        self.lookups.hit()
        return SharedBody(body, max(0.0, age))

    def save(self, key: Key, ttl: float, body: Body, tables: frozenset[str], watermark: Watermark) -> None:
        """Save a body whose load began after the watermark was taken. Raises nothing."""
        left = ttl - self.horizon.age(watermark)
        # A body that this worker would no longer use itself is useless to the others.
        if (
            left <= 0
            or time.monotonic() < self._saves_from
            or not self.horizon.is_valid_for(key, tables, watermark)
        ):
            self._count(SharedCacheEvent.NOT_SAVED)
            return
        name = self._envelope.name(key, watermark.epoch)
        value = self._envelope.seal(name, watermark, body, tables)
        saved = value is not None and self._put(name, value, left)
        self._count(SharedCacheEvent.SAVED if saved else SharedCacheEvent.NOT_SAVED)

    def statistics(self) -> dict[str, Any]:
        """Return its state with the reason, counts since the start, and times."""
        with self._lock:
            counts, asked, ms, longest = self._counts.copy(), self._asked, self._ms, self._longest_ms
        reason = self.link.reason
        return {
            "state": "down" if reason else "up",
            "reason": reason or (f"does not save: {self._declined}" if self._declined else None),
            "hits": self.lookups.hits,
            "misses": self.lookups.misses,
            **{event.value: counts[event] for event in SharedCacheEvent},
            "commands": asked,
            "commands_ms": round(ms, 1),
            "longest_ms": round(longest, 1),
        }

    def _put(self, name: bytes, value: bytes, seconds: float) -> bool:
        try:
            self._ask("SET", name, value, "PX", max(1, int(seconds * 1000)))
        except (Disconnected, Declined) as error:
            if not isinstance(error, Unavailable):
                self._count(SharedCacheEvent.ERROR)
            if isinstance(error, Declined):
                self._declined, self._saves_from = str(error), time.monotonic() + SAVE_RETRY_AFTER
            return False
        self._declined = None
        return True

    def _ask(self, *words: Any) -> Any:
        """Send a command and record its time; nothing is recorded if no connection is open."""
        began = time.perf_counter()
        try:
            answer = self.link.ask(*words)
        except Unavailable:
            raise
        except (Disconnected, Declined):
            self._record_time(began)
            raise
        self._record_time(began)
        return answer

    def _record_time(self, began: float) -> None:
        ms = (time.perf_counter() - began) * 1000
        if current := record.current():
            current.shared_ms += ms
        with self._lock:
            self._asked += 1
            self._ms += ms
            self._longest_ms = max(self._longest_ms, ms)

    def _count(self, event: SharedCacheEvent) -> None:
        with self._lock:
            self._counts[event] += 1
