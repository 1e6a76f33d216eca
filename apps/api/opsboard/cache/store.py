"""The cache of one worker: TTL, LRU, a byte limit, one load per key at a time, versions of tables."""

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
from opsboard.cache.counts import CacheEvent, new_counts
from opsboard.cache.entries import Entries, Entry
from opsboard.cache.flight import Flight
from opsboard.cache.key import Key, matches_prefix
from opsboard.cache.shared import SharedCache
from opsboard.cache.statistics import statistics
from opsboard.cache.versions import Versions
from opsboard.errors import DatabaseUnavailable, DeadlineExceeded, PoolFull, PoolTimeout
from opsboard.staleness import STALE_AFTER

# The database is away or overloaded: an old answer is better than none.
UNAVAILABLE = (DatabaseUnavailable, PoolTimeout, PoolFull, DeadlineExceeded)

# While this worker is stale, a load may be joined for this long, so that its answer is no older than that.
JOIN_WHILE_STALE = STALE_AFTER


class Outcome(StrEnum):
    """The source of an answer; the value of X-Cache."""

    HIT = "HIT"
    MISS = "MISS"
    STALE = "STALE"


class Found(NamedTuple):
    """A body, its outcome, the seconds since its load began, and the time until which a HIT may be repeated."""

    body: Body
    outcome: Outcome
    age: float
    expires: float = -math.inf


# Used by every hit; looking up an enum member and calling a named tuple's constructor are slower.
HIT = CacheEvent.HIT
new_tuple = tuple.__new__


class Store:
    """Bodies by key, for all threads of one process.

    Invariant: a caller that arrives after `bump` or `clear` returned never gets a body whose load began before, unless
    it is marked STALE. One lock guards everything and is never held during a load.

    A body is STALE in two cases: the load failed because the database is away, up to `stale_if_error` seconds after
    its TTL; or another caller is reloading it, no table changed, and its TTL ended less than `stale_while_revalidate`
    seconds ago. While `in_sync()` is false, changes may be unknown here, so every cached body is loaded again.

    With a `shared` cache, a caller looks there before it loads; a body found there is a hit.
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
    ) -> None:
        self.clock = clock
        self._stale_if_error = stale_if_error
        self._stale_while_revalidate = stale_while_revalidate
        self.in_sync = in_sync
        self._shared = shared
        self._lock = threading.Lock()
        self._counts = new_counts()
        self._entries = Entries(max_entries, max_bytes, self._counts, keep=stale_if_error)
        self.limit = self._entries.limit
        self._flights: dict[Key, Flight] = {}
        # While its count stays, a body returned as a hit stays valid until it expires or this worker is out of sync.
        self.versions = Versions()
        # Keys of hits that the fast path repeated without asking; `_count_repeats` counts them.
        self._repeats: deque[Key] = deque()
        self.note_repeat: Callable[[Key], None] = self._repeats.append

    def get_or_load(
        self,
        key: Key,
        ttl: float,
        tables: frozenset[str],
        load: Callable[[], Body],
        deadline: float | None = None,
        last_good: bool = True,
    ) -> Found:
        """Return the cached body, or join the load in progress for this key, or call `load`.

        `ttl` counts from the beginning of the load. `deadline` (a value of the store's clock) limits the wait for
        another caller's load; `load` limits its own time. `last_good`: while the database is away, an answer from
        before a change is acceptable.
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
                    if stale := self._while_revalidating(key, now):
                        return stale
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
                # These tables may have changed before this caller arrived; they were not known then.
                tables |= undeclared
                continue
            return self._share(key, flight, body)

    def peek(self, key: Key) -> Found | None:
        """Return the cached body if it is valid. Counts a hit but no miss: `get_or_load` follows and counts it."""
        with self._lock:
            self._count_repeats()
            now = self.clock()
            entry = self._entries.get(key)
            if entry is None or not _is_valid(entry, self.versions, now) or not self.in_sync():
                return None
            return self._hit(entry, now)

    def bump(self, tenant_id: int, tables: AbstractSet[str]) -> None:
        """Note that this worker changed tables: bodies read from them before are not served again."""
        if self._shared is not None:
            self._shared.horizon.record_write(tenant_id, tables)
        with self._lock:
            self.versions.bump(tenant_id, tables)

    def apply_changes(self, tenant_id: int, newest: Mapping[str, int]) -> None:
        """The same for changes of any worker, each table with the highest transaction number that changed it."""
        if self._shared is not None:
            self._shared.horizon.apply_changes(tenant_id, newest)
        with self._lock:
            self.versions.bump(tenant_id, newest.keys())

    def observe_server(self, asked: float, epoch: str, snapshot: str, server_clock: float) -> None:
        """Note the state of the database: the first call of each poll of the change feed."""
        if self._shared is not None:
            self._shared.horizon.observe_server(asked, epoch, snapshot, server_clock)

    def mark_current(self, asked: float) -> None:
        """Note that every change before `asked` has been applied: the last call of each poll."""
        if self._shared is not None:
            self._shared.horizon.mark_current(asked)

    def reset(self) -> None:
        """Drop everything: changes may have been missed."""
        # The second level first, here and below: a body that is dropped must not come back from there.
        if self._shared is not None:
            self._shared.horizon.reset()
        self.clear()

    def apply_clear(self, prefix: str | None, xid: int | None) -> None:
        """Carry out an order to clear; `xid` None: an own order whose number is not known yet."""
        if self._shared is not None:
            self._shared.horizon.record_clear(prefix, xid)
        self.clear(prefix)

    @property
    def generation(self) -> int:
        """The number of changes so far. While it stays, a body returned as a hit stays valid until it expires."""
        return self.versions.now

    def clear(self, prefix: str | None = None, tenant_id: int | None = None) -> int:
        """Drop all entries, or those of an endpoint prefix or of a tenant. Returns how many.

        Loads in progress answer the callers that already wait for them, and are not cached.
        """

        def is_selected(key: Key) -> bool:
            return (prefix is None or matches_prefix(key.endpoint, prefix)) and (
                tenant_id is None or key.tenant_id == tenant_id
            )

        with self._lock:
            self._count_repeats()
            # Invalidates every hit that the fast path repeats, also of entries that stay.
            self.versions.now += 1
            dropped = [entry for entry in self._entries.snapshot() if is_selected(entry.key)]
            for entry in dropped:
                self._entries.drop(entry, CacheEvent.CLEARED)
            for key in [key for key in self._flights if is_selected(key)]:
                del self._flights[key]
        return len(dropped)

    def stats(self, prefix: str | None = None) -> dict[str, Any]:
        """Return sizes and counts since the start, of all endpoints or of those that the prefix selects."""
        with self._lock:
            self._count_repeats()
            now = self.clock()
            entries = self._entries.snapshot()
            versions = self.versions.copy()
            counts = {endpoint: counter.copy() for endpoint, counter in self._counts.items()}
        return statistics(
            entries=[
                entry for entry in entries if prefix is None or matches_prefix(entry.key.endpoint, prefix)
            ],
            counts={
                name: of for name, of in counts.items() if prefix is None or matches_prefix(name, prefix)
            },
            is_active=lambda entry: _is_valid(entry, versions, now),
            max_entries=self._entries.max_entries,
            max_bytes=self._entries.max_bytes,
        )

    def _valid(self, key: Key, now: float) -> Entry | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        if _is_valid(entry, self.versions, now):
            return entry if self.in_sync() else None
        if self._stale_if_error <= 0 or now >= entry.expires + self._stale_if_error:
            self._entries.drop(entry, _reason(entry, now))
        return None

    def _while_revalidating(self, key: Key, now: float) -> Found | None:
        """Return an expired body while another caller reloads it, if none of its tables changed."""
        entry = self._entries.get(key)
        if entry is None or now >= entry.expires + self._stale_while_revalidate or not self.in_sync():
            return None
        if entry.body.lasts < math.inf:  # the passage of time may have changed it
            return None
        unchanged = self.versions.unchanged(key.tenant_id, entry.tables, entry.began)
        return self._stale(entry, now) if unchanged else None

    def last_good(self, key: Key) -> Found | None:
        """Return the last good body while the database is away."""
        with self._lock:
            now = self.clock()
            entry = self._entries.get(key)
            if entry is None or now >= entry.expires + self._stale_if_error:
                return None
            return self._stale(entry, now)

    def _stale(self, entry: Entry, now: float) -> Found:
        self._entries.touch(entry.key)
        self._counts[entry.key.endpoint][CacheEvent.STALE] += 1
        return Found(entry.body, Outcome.STALE, now - entry.since)

    def _hit(self, entry: Entry, now: float) -> Found:
        self._entries.touch(entry.key)
        self._counts[entry.key.endpoint][HIT] += 1
        return new_tuple(Found, (entry.body, Outcome.HIT, now - entry.since, entry.expires))

    def _count_repeats(self) -> None:
        """Count the repeated hits and mark their entries as used in that order."""
        for _ in range(len(self._repeats)):
            key = self._repeats.popleft()
            self._counts[key.endpoint][HIT] += 1
            # It may have been removed since.
            if key in self._entries:
                self._entries.touch(key)

    def _may_join(self, flight: Flight, key: Key, tables: frozenset[str], now: float) -> bool:
        """Return True if the result of that load is as fresh as that of a new one."""
        limit = flight.abandoned if self.in_sync() else flight.since + JOIN_WHILE_STALE
        return now < limit and self.versions.unchanged(key.tenant_id, flight.tables | tables, flight.began)

    def _load(self, key: Key, ttl: float, flight: Flight, load: Callable[[], Body]) -> Found:
        # Pages of lists are not shared: the second level has no limit per user.
        shared = self._shared if ttl > 0 and self.in_sync() and not key.of_list else None
        # Taken before the load begins: the body contains every change known by then.
        watermark = shared and shared.horizon.watermark()
        try:
            if shared and watermark and (found := shared.find(key, ttl, watermark)):
                flight.body, flight.since = found.body, self.clock() - found.age
                flight.is_shared = True
            else:
                flight.body = load()
            body = flight.body
        except Exception as error:
            flight.error = error
            raise
        finally:
            # Also when the thread is being killed: its waiters must not wait for ever.
            self._land(key, ttl, flight)
        if shared and watermark and not flight.is_shared:
            shared.save(key, ttl, body, flight.tables | body.tables, watermark)
        return self._result(flight, body)

    def _land(self, key: Key, ttl: float, flight: Flight) -> None:
        try:
            with self._lock:
                self._counts[key.endpoint].update(
                    (HIT,) if flight.is_shared else (CacheEvent.MISS, CacheEvent.LOAD)
                )
                if flight.body is None:
                    self._counts[key.endpoint][CacheEvent.FAILURE] += 1
                # Otherwise the flight was cleared, or replaced by a load that began after a change.
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
            # Before `put` evicts the least recently used.
            self._count_repeats()
            # Replaces an expired entry that was kept for an outage.
            old = self._entries.get(key)
            if old is not None and not _is_valid(old, self.versions, now):
                self._entries.drop(old, _reason(old, now))
            self._entries.put(entry, now)

    def _wait(self, key: Key, flight: Flight, deadline: float | None) -> Body | None:
        """Wait for the body that another caller loads. Returns None if that caller died: try again."""
        limit = flight.abandoned if deadline is None else min(deadline, flight.abandoned)
        landed = flight.landed.wait(max(0.0, limit - self.clock()))
        if not landed and limit != deadline:
            return None
        try:
            if not landed:
                raise DeadlineExceeded
            return flight.result()
        except Exception:
            self._count(key, CacheEvent.MISS, *([CacheEvent.SHARED] if landed else []))
            raise

    def _share(self, key: Key, flight: Flight, body: Body) -> Found:
        self._count(key, HIT if flight.is_shared else CacheEvent.MISS, CacheEvent.SHARED)
        return self._result(flight, body)

    def _result(self, flight: Flight, body: Body) -> Found:
        outcome = Outcome.HIT if flight.is_shared else Outcome.MISS
        return Found(body, outcome, self.clock() - flight.since)

    def _changed(self, key: Key, tables: frozenset[str], flight: Flight) -> bool:
        with self._lock:
            return not self.versions.unchanged(key.tenant_id, tables, flight.began)

    def _count(self, key: Key, *events: CacheEvent) -> None:
        with self._lock:
            self._counts[key.endpoint].update(events)


def _reason(entry: Entry, now: float) -> CacheEvent:
    """Return the reason why an entry is not valid."""
    return CacheEvent.EXPIRED if entry.expires <= now else CacheEvent.INVALIDATED


def _is_valid(entry: Entry, versions: Versions, now: float) -> bool:
    if now >= entry.expires:
        return False
    # Usually nothing has changed since, and then no table needs to be looked up.
    return versions.now == entry.began or versions.unchanged(entry.key.tenant_id, entry.tables, entry.began)
