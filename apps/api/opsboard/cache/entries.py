"""The cached bodies, bounded in number and bytes; the least recently used are evicted first."""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from opsboard.cache.body import Body
from opsboard.cache.counts import CacheEvent, Counts
from opsboard.cache.key import Key
from opsboard.cache.shares import Shares

# Memory of entry, key and places in dict and heap (measured, rounded up): the byte bound must hold for many
# small bodies too.
OVERHEAD = 1024

# One body may use this fraction of the bytes. A larger one is served but not cached.
LARGEST_SHARE = 8

# A put removes at most this many expired entries, so that no single request pays for a thousand.
SWEEP = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """A cached body and the facts its validity depends on."""

    key: Key
    body: Body
    tables: frozenset[str]
    began: int
    """The change count when its load began (see `Versions`)."""
    since: float
    """The time its load began: the data may be that old."""
    expires: float

    @property
    def size(self) -> int:
        """The bytes counted for this entry."""
        return self.body.size + self.key.size + OVERHEAD


class Entries:
    """Entries by key, bounded in number and bytes. Every removal is counted with its reason.

    cachetools' TLRUCache does not fit: it has one bound, does not tell why an entry left, and hides expired entries,
    which the statistics show. Not thread-safe by itself: the store holds its lock.
    """

    def __init__(
        self,
        max_entries: int,
        max_bytes: int,
        counts: Counts,
        keep: float = 0.0,
    ) -> None:
        """`keep`: seconds an expired entry stays, to be served while the database is away."""
        self._limits: dict[str, int] = {}
        self._of_limited: Counter[str] = Counter()
        self._keep = keep
        self._lists = Shares(max_entries, max_bytes)
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.bytes = 0
        self._counts = counts
        self._by_use: OrderedDict[Key, Entry] = OrderedDict()
        # Bound methods, because every hit calls them. `get` returns the entry, valid or not, without marking it as
        # used; `touch` marks a key that is present.
        self.get: Callable[[Key], Entry | None] = self._by_use.get
        self.touch: Callable[[Key], None] = self._by_use.move_to_end
        # Holds no bodies. Keys that left the dict stay here until their time or the next rebuild.
        self._by_expiry: list[tuple[float, int, Key]] = []
        self._pushed = 0

    def limit(self, endpoint: str, most: int) -> None:
        """Let an endpoint have only so many of the entries; before it has any."""
        self._limits[endpoint] = most

    def __contains__(self, key: Key) -> bool:
        return key in self._by_use

    def __len__(self) -> int:
        return len(self._by_use)

    def snapshot(self) -> list[Entry]:
        """Return all entries, least recently used first."""
        return list(self._by_use.values())

    def put(self, entry: Entry, now: float) -> None:
        """Add the entry; expired entries and then the least recently used make room."""
        self._sweep(now)
        largest = self._lists.user_bytes if entry.key.of_list else self.max_bytes // LARGEST_SHARE
        if entry.size > largest:
            self._counts[entry.key.endpoint][CacheEvent.TOO_LARGE] += 1
            return
        replaced = self._by_use.pop(entry.key, None)
        self.bytes += entry.size - (replaced.size if replaced else 0)
        self._by_use[entry.key] = entry
        endpoint = entry.key.endpoint
        if endpoint in self._limits:
            self._of_limited[endpoint] += replaced is None
            if self._of_limited[endpoint] > self._limits[endpoint]:
                oldest = next(one for key, one in self._by_use.items() if key.endpoint == endpoint)
                self.drop(oldest, CacheEvent.EVICTED_BY_ENTRIES)
        if entry.key.of_list:
            self._lists.replace(entry.key, replaced.size if replaced else None, entry.size)
            while surplus := self._lists.surplus(entry.key):
                self.drop(self._by_use[surplus.key], surplus.reason)
        self._pushed += 1
        heapq.heappush(self._by_expiry, (entry.expires, self._pushed, entry.key))
        while len(self._by_use) > self.max_entries:
            self.drop(self._least_recent(), CacheEvent.EVICTED_BY_ENTRIES)
        while self.bytes > self.max_bytes:
            self.drop(self._least_recent(), CacheEvent.EVICTED_BY_BYTES)

    def drop(self, entry: Entry, reason: CacheEvent) -> None:
        """Remove the entry and count the reason."""
        del self._by_use[entry.key]
        self.bytes -= entry.size
        if entry.key.endpoint in self._limits:
            self._of_limited[entry.key.endpoint] -= 1
        if entry.key.of_list:
            self._lists.remove(entry.key, entry.size)
        self._counts[entry.key.endpoint][reason] += 1

    def _least_recent(self) -> Entry:
        return next(iter(self._by_use.values()))

    def _sweep(self, now: float) -> None:
        """Drop a few expired entries: more than one per put, so they cannot accumulate."""
        if len(self._by_expiry) > 2 * len(self._by_use) + SWEEP:
            self._rebuild_heap()
        for _ in range(SWEEP):
            if not self._by_expiry or self._by_expiry[0][0] + self._keep > now:
                return
            _, _, key = heapq.heappop(self._by_expiry)
            entry = self._by_use.get(key)
            if entry is not None and entry.expires + self._keep <= now:
                self.drop(entry, CacheEvent.EXPIRED)

    def _rebuild_heap(self) -> None:
        """Rebuild the heap once most of it names entries that have left."""
        self._by_expiry = [(entry.expires, at, entry.key) for at, entry in enumerate(self._by_use.values())]
        self._pushed = len(self._by_expiry)
        heapq.heapify(self._by_expiry)
