"""The cache that is never wrong: TTL, LRU, a byte budget, one load per key at a time, versions of tables."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Any, NamedTuple

from opsboard.cache.body import Body
from opsboard.cache.counts import Event, new_counts
from opsboard.cache.entries import Entries, Entry
from opsboard.cache.flight import Flight
from opsboard.cache.key import Key, answers_to
from opsboard.cache.shared import SharedCache
from opsboard.cache.statistics import statistics
from opsboard.cache.versions import Versions
from opsboard.errors import DatabaseUnavailable, DeadlineExceeded, PoolFull, PoolTimeout

# The database is away or has no time: an old answer is better than none.
UNAVAILABLE = (DatabaseUnavailable, PoolTimeout, PoolFull, DeadlineExceeded)

# While nobody can say what has changed, a load is joined for this long: so its answer is no older than that.
JOINED_BLINDLY = 2.0  # seconds


class Outcome(StrEnum):
    """How an answer was come by; the value of X-Cache."""

    HIT = "HIT"
    MISS = "MISS"
    STALE = "STALE"


class Found(NamedTuple):
    """A body, how it was come by, the seconds since its load began, and until when a HIT may be given again."""

    body: Body
    outcome: Outcome
    age: float
    expires: float = -math.inf


# On the way of every hit; a member of an enumeration and a named tuple's own constructor are slower to reach.
HIT = Event.HIT
new_tuple = tuple.__new__


class Store:
    """Bodies by key, for all threads of one process.

    The promise: a caller that comes after `bump` or `clear` returned never gets a body whose load
    began before, unless it is marked STALE. One lock guards everything and is never held while a body is
    loaded.

    STALE is given in two cases: the load failed because the database is away, up to `stale_if_error` seconds
    after the body's TTL ended; or, up to `stale_while_revalidate` seconds after the TTL ended and with no table
    changed, another caller is loading it anew at this moment. While `trusted()` is false nobody can say what
    has changed, so every kept body is loaded again.

    With a `shared` cache a caller who would load asks there first; what another worker made is a hit.
    """

    def __init__(
        self,
        max_entries: int,
        max_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        *,
        stale_if_error: float = 0.0,
        stale_while_revalidate: float = 0.0,
        in_sync: Callable[[], bool] = lambda: True,
        shared: SharedCache | None = None,
        limits: Mapping[str, int] | None = None,
    ) -> None:
        self.clock = clock
        self._stale_if_error = stale_if_error
        self._stale_while_revalidate = stale_while_revalidate
        self._in_sync = in_sync
        self._shared = shared
        self._lock = threading.Lock()
        self._counts = new_counts()
        self._entries = Entries(max_entries, max_bytes, self._counts, keep=stale_if_error, limits=limits)
        self._flights: dict[Key, Flight] = {}
        # While its count stands still, what was found is still valid: until it expires, or trust ends.
        self.versions = Versions()
        # Hits that were given again without asking, to be told one by one; `_settle` counts them.
        self._given: deque[Key] = deque()
        self.given: Callable[[Key], None] = self._given.append

    def get_or_load(
        self,
        key: Key,
        ttl: float,
        tables: frozenset[str],
        load: Callable[[], Body],
        deadline: float | None = None,
        last_good: bool = True,
    ) -> Found:
        """The kept body, or the one that is being made for this key, or the one that `load` makes now.

        `ttl` counts from the beginning of the load. `deadline` (a value of the store's clock) bounds
        the wait for another caller's load; bounding its own is the loader's business. `last_good`: when the
        database is away, an answer from before a change will do.
        """
        try:
            return self._get_or_load(key, ttl, tables, load, deadline)
        except UNAVAILABLE:
            stale = self.last_good(key) if last_good else None
            if stale is None:
                raise
            return stale

    def _get_or_load(
        self, key: Key, ttl: float, tables: frozenset[str], load: Callable[[], Body], deadline: float | None
    ) -> Found:
        while True:
            with self._lock:
                now = self.clock()
                entry = self._valid(key, now)
                if entry is not None:
                    return self._hit(entry, now)
                flight = self._flights.get(key)
                if flight is not None and self._may_join(flight, key, tables, now):
                    if meanwhile := self._meanwhile(key, now):
                        return meanwhile
                    leads = False
                else:
                    leads = True
                    flight = self._flights[key] = Flight(self.versions.now, now, tables)
            if leads:
                return self._load(key, ttl, flight, load)
            body = self._wait(key, flight, deadline)
            if body is None:
                continue
            undeclared = body.tables - tables
            if undeclared and self._changed(key, undeclared, flight):
                # They may have changed before this caller came, which nobody could know then.
                tables |= undeclared
                continue
            return self._share(key, flight, body)

    def peek(self, key: Key) -> Found | None:
        """The kept body if it is valid; counts a hit, but no miss: `get_or_load` follows and counts it."""
        with self._lock:
            self._settle()
            now = self.clock()
            entry = self._entries.get(key)
            if entry is None or not _is_valid(entry, self.versions, now) or not self._in_sync():
                return None
            return self._hit(entry, now)

    def bump(self, tenant_id: int, tables: AbstractSet[str]) -> None:
        """This worker has changed tables: nothing read from them before this moment is served again."""
        if self._shared is not None:
            self._shared.horizon.record_write(tenant_id, tables)
        with self._lock:
            self.versions.bump(tenant_id, tables)

    def apply_changes(self, tenant_id: int, newest: Mapping[str, int]) -> None:
        """The same for tables somebody changed, each with the highest number of the transactions that did."""
        if self._shared is not None:
            self._shared.horizon.apply_changes(tenant_id, newest)
        with self._lock:
            self.versions.bump(tenant_id, newest.keys())

    def clear(self, prefix: str | None = None, tenant_id: int | None = None) -> int:
        """Drop all entries, or an endpoint prefix's, or a tenant's; say how many.

        Loads under way answer those who already wait for them, and are not kept.
        """

        def meant(key: Key) -> bool:
            return (prefix is None or answers_to(key.endpoint, prefix)) and (
                tenant_id is None or key.tenant_id == tenant_id
            )

        with self._lock:
            self._settle()
            # Whoever holds a body must ask again, also where it stayed.
            self.versions.now += 1
            dropped = [entry for entry in self._entries.snapshot() if meant(entry.key)]
            for entry in dropped:
                self._entries.drop(entry, Event.CLEARED)
            for key in [key for key in self._flights if meant(key)]:
                del self._flights[key]
        return len(dropped)

    def stats(self, prefix: str | None = None) -> dict[str, Any]:
        """Sizes and counts since the start, of all endpoints or of those that answer to the prefix."""
        with self._lock:
            self._settle()
            now = self.clock()
            entries = self._entries.snapshot()
            versions = self.versions.copy()
            counts = {endpoint: counter.copy() for endpoint, counter in self._counts.items()}
        return statistics(
            entries=[entry for entry in entries if prefix is None or answers_to(entry.key.endpoint, prefix)],
            counts={name: of for name, of in counts.items() if prefix is None or answers_to(name, prefix)},
            is_active=lambda entry: _is_valid(entry, versions, now),
            max_entries=self._entries.max_entries,
            max_bytes=self._entries.max_bytes,
        )

    def _valid(self, key: Key, now: float) -> Entry | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if _is_valid(entry, self.versions, now):
            return entry if self._in_sync() else None
        if self._stale_if_error <= 0 or now >= entry.expires + self._stale_if_error:
            self._entries.drop(entry, _reason(entry, now))
        return None

    def _meanwhile(self, key: Key, now: float) -> Found | None:
        """What a caller gets while another loads it anew: only a body no table of which has changed."""
        entry = self._entries.get(key)
        if entry is None or now >= entry.expires + self._stale_while_revalidate or not self._in_sync():
            return None
        if entry.body.lasts < math.inf:  # time itself may have changed it
            return None
        unchanged = self.versions.unchanged(key.tenant_id, entry.tables, entry.began)
        return self._stale(entry, now) if unchanged else None

    def last_good(self, key: Key) -> Found | None:
        """What a caller gets when the database is away."""
        with self._lock:
            now = self.clock()
            entry = self._entries.get(key)
            if entry is None or now >= entry.expires + self._stale_if_error:
                return None
            return self._stale(entry, now)

    def _stale(self, entry: Entry, now: float) -> Found:
        self._entries.touch(entry.key)
        self._counts[entry.key.endpoint][Event.STALE] += 1
        return Found(entry.body, Outcome.STALE, now - entry.since)

    def _hit(self, entry: Entry, now: float) -> Found:
        self._entries.touch(entry.key)
        self._counts[entry.key.endpoint][HIT] += 1
        return new_tuple(Found, (entry.body, Outcome.HIT, now - entry.since, entry.expires))

    def _settle(self) -> None:
        """Count what was given again, and mark it as used in that order."""
        for _ in range(len(self._given)):
            key = self._given.popleft()
            self._counts[key.endpoint][HIT] += 1
            # It may have left meanwhile.
            if key in self._entries:
                self._entries.touch(key)

    def _may_join(self, flight: Flight, key: Key, tables: frozenset[str], now: float) -> bool:
        """Whether what that load will bring is as good as what one begun now would bring."""
        limit = flight.abandoned if self._in_sync() else flight.since + JOINED_BLINDLY
        return now < limit and self.versions.unchanged(key.tenant_id, flight.tables | tables, flight.began)

    def _load(self, key: Key, ttl: float, flight: Flight, load: Callable[[], Body]) -> Found:
        # Pages of lists stay here: the second level has no bound for each user.
        shared = self._shared if ttl > 0 and self._in_sync() and not key.of_list else None
        # Taken before the load begins: what was heard by then is in the body.
        label = shared and shared.horizon.label()
        try:
            if shared and label and (found := shared.find(key, ttl, label)):
                flight.body, flight.since = found.body, self.clock() - found.age
                flight.elsewhere = True
            else:
                flight.body = load()
            body = flight.body
        except Exception as error:
            flight.error = error
            raise
        finally:
            # Also when the thread itself is being ended: its waiters must not wait for ever.
            self._land(key, ttl, flight)
        if shared and label and not flight.elsewhere:
            shared.save(key, ttl, body, flight.tables | body.tables, label)
        return self._brought(flight, body)

    def _land(self, key: Key, ttl: float, flight: Flight) -> None:
        try:
            with self._lock:
                self._counts[key.endpoint].update((HIT,) if flight.elsewhere else (Event.MISS, Event.LOAD))
                if flight.body is None:
                    self._counts[key.endpoint][Event.FAILURE] += 1
                # No longer the key's flight: cleared, or overtaken by a load that knows of a change.
                if self._flights.get(key) is flight:
                    del self._flights[key]
                    self._keep(key, ttl, flight)
        finally:
            flight.landed.set()

    def _keep(self, key: Key, ttl: float, flight: Flight) -> None:
        if flight.body is None:
            return
        tables = flight.tables | flight.body.tables
        expires = flight.since + min(ttl, flight.body.lasts)
        entry = Entry(key, flight.body, tables, flight.began, flight.since, expires)
        now = self.clock()
        if _is_valid(entry, self.versions, now):
            # Before anything is pushed out for having been used the longest ago.
            self._settle()
            # One that was kept for the time when the database is away leaves now.
            old = self._entries.get(key)
            if old is not None and not _is_valid(old, self.versions, now):
                self._entries.drop(old, _reason(old, now))
            self._entries.put(entry, now)

    def _wait(self, key: Key, flight: Flight, deadline: float | None) -> Body | None:
        """The body that another caller loads; None if that caller is lost and this one must try again."""
        limit = flight.abandoned if deadline is None else min(deadline, flight.abandoned)
        landed = flight.landed.wait(max(0.0, limit - self.clock()))
        if not landed and limit != deadline:
            return None
        try:
            if not landed:
                raise DeadlineExceeded
            return flight.result()
        except Exception:
            self._count(key, Event.MISS, *([Event.SHARED] if landed else []))
            raise

    def _share(self, key: Key, flight: Flight, body: Body) -> Found:
        self._count(key, HIT if flight.elsewhere else Event.MISS, Event.SHARED)
        return self._brought(flight, body)

    def _brought(self, flight: Flight, body: Body) -> Found:
        outcome = Outcome.HIT if flight.elsewhere else Outcome.MISS
        return Found(body, outcome, self.clock() - flight.since)

    def _changed(self, key: Key, tables: frozenset[str], flight: Flight) -> bool:
        with self._lock:
            return not self.versions.unchanged(key.tenant_id, tables, flight.began)

    def _count(self, key: Key, *events: Event) -> None:
        with self._lock:
            self._counts[key.endpoint].update(events)


def _reason(entry: Entry, now: float) -> Event:
    """Why an entry that is not valid is not."""
    return Event.EXPIRED if entry.expires <= now else Event.INVALIDATED


def _is_valid(entry: Entry, versions: Versions, now: float) -> bool:
    if now >= entry.expires:
        return False
    # Mostly nothing at all has changed since, and then the tables need not be looked through.
    return versions.now == entry.began or versions.unchanged(entry.key.tenant_id, entry.tables, entry.began)
