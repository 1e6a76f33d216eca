"""The second level: finished bodies in Redis or Valkey, for all workers of all machines; never needed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from enum import StrEnum
from typing import Any, NamedTuple

from opsboard.cache.body import Body
from opsboard.cache.envelope import LARGEST, Envelope, Refused
from opsboard.cache.horizon import Horizon, Label
from opsboard.cache.key import Key
from opsboard.cache.link import Away, Link, NotNow
from opsboard.cache.wire import Declined
from opsboard.observability import record
from opsboard.observability.performance import CacheStatistics

# After one was declined (full, read only, not permitted) nothing is saved for this long.
SAVING_RESTS = 1.0  # seconds
# Two clocks are not compared more exactly than this.
FUTURE = -0.1  # seconds


class Event(StrEnum):
    """What is counted; the value is the name in the statistics."""

    OUTDATED = "outdated"
    REFUSED = "refused"
    ERROR = "errors"
    SKIPPED = "skipped"
    SAVED = "saved"
    NOT_SAVED = "not_saved"


class Elsewhere(NamedTuple):
    """A body that another worker made (or this one, once) and the seconds since its load began."""

    body: Body
    age: float


class SharedCache:
    """Asked after a local miss and before the database; told what was made.

    A body is used only when `Horizon` proves that it holds all this worker has heard of, and only as old as
    its TTL allows by the clock of the database. Whatever goes wrong here is a miss.
    """

    def __init__(self, link: Link, envelope: Envelope, horizon: Horizon) -> None:
        self.link = link
        self.horizon = horizon
        self._envelope = envelope
        self.lookups = CacheStatistics("second level")
        self._lock = threading.Lock()
        self._counts: Counter[Event] = Counter()
        self._asked, self._ms, self._longest_ms = 0, 0.0, 0.0
        self._declined: str | None = None
        self._saves_from = 0.0

    def find(self, key: Key, ttl: float, label: Label) -> Elsewhere | None:
        """A body that is valid for this worker now. Raises nothing."""
        name = self._envelope.name(key, label.epoch)
        try:
            # Never more than we would have put there, whatever lies there.
            value = self._ask("GETRANGE", name, 0, LARGEST)
        except (Away, Declined) as error:
            self._count(Event.SKIPPED if isinstance(error, NotNow) else Event.ERROR)
            return None
        if not value:
            self.lookups.miss()
            return None
        try:
            saved, body = self._envelope.open(name, value)
        except Refused:
            self._count(Event.REFUSED)
            return None
        age = self.horizon.age(saved)
        # From the future: the clock of the database was set back, so nobody knows its age.
        if not FUTURE < age < ttl or not self.horizon.vouches_for(key, body.tables, saved):
            self._count(Event.OUTDATED)
            return None
        self.lookups.hit()
        return Elsewhere(body, max(0.0, age))

    def save(self, key: Key, ttl: float, body: Body, tables: frozenset[str], label: Label) -> None:
        """Keep a body whose load began after the label was taken. Raises nothing."""
        left = ttl - self.horizon.age(label)
        # What this worker would not take itself by now, the others would not either.
        if (
            left <= 0
            or time.monotonic() < self._saves_from
            or not self.horizon.vouches_for(key, tables, label)
        ):
            self._count(Event.NOT_SAVED)
            return
        name = self._envelope.name(key, label.epoch)
        value = self._envelope.seal(name, label, body, tables)
        saved = value is not None and self._put(name, value, left)
        self._count(Event.SAVED if saved else Event.NOT_SAVED)

    def statistics(self) -> dict[str, Any]:
        """Whether it is up and why not, counts since the start, and how long it takes."""
        with self._lock:
            counts, asked, ms, longest = self._counts.copy(), self._asked, self._ms, self._longest_ms
        reason = self.link.reason
        return {
            "state": "down" if reason else "up",
            "reason": reason or (f"does not save: {self._declined}" if self._declined else None),
            "hits": self.lookups.hits,
            "misses": self.lookups.misses,
            **{event.value: counts[event] for event in Event},
            "commands": asked,
            "commands_ms": round(ms, 1),
            "longest_ms": round(longest, 1),
        }

    def _put(self, name: bytes, value: bytes, seconds: float) -> bool:
        try:
            self._ask("SET", name, value, "PX", max(1, int(seconds * 1000)))
        except (Away, Declined) as error:
            if not isinstance(error, NotNow):
                self._count(Event.ERROR)
            if isinstance(error, Declined):
                self._declined, self._saves_from = str(error), time.monotonic() + SAVING_RESTS
            return False
        self._declined = None
        return True

    def _ask(self, *words: Any) -> Any:
        """Ask, and measure it unless there was nobody to ask."""
        began = time.perf_counter()
        try:
            answer = self.link.ask(*words)
        except NotNow:
            raise
        except (Away, Declined):
            self._measured(began)
            raise
        self._measured(began)
        return answer

    def _measured(self, began: float) -> None:
        ms = (time.perf_counter() - began) * 1000
        if current := record.current():
            current.shared_ms += ms
        with self._lock:
            self._asked += 1
            self._ms += ms
            self._longest_ms = max(self._longest_ms, ms)

    def _count(self, event: Event) -> None:
        with self._lock:
            self._counts[event] += 1
