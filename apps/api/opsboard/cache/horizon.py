"""The changes this worker knows of, and the rule that decides if another worker's body may be used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple, Self

from opsboard.cache.key import Key, matches_prefix

# A client chooses the prefixes of clears. Beyond this many, the oldest clear counts for every endpoint.
MAX_ORDERS = 256


class Snapshot(NamedTuple):
    """The transactions that had ended at a moment, as in `pg_current_snapshot()`: `xmin:xmax:running`."""

    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse its text form. Raises ValueError."""
        _, xmax, running = text.split(":")
        return cls(int(xmax), frozenset(map(int, running.split(","))) if running else frozenset())

    def sees(self, xid: int) -> bool:
        return xid < self.xmax and xid not in self.running


class Watermark(NamedTuple):
    """The state a worker knew before a load began: the body contains at least these changes."""

    # Identifies one run of the server. A crash, a restart or another server starts a new epoch.
    epoch: str
    snapshot: str
    # The time the load began, or slightly earlier, by the clock of the database.
    at: float


@dataclass(frozen=True, slots=True)
class ServerState:
    """The epoch, snapshot and clock of the database in one answer."""

    epoch: str
    text: str
    snapshot: Snapshot
    # Bounds of the database's clock minus ours: it was read after we asked and before we had the answer.
    least: float
    most: float


class Horizon:
    """The newest known change of every table; docs/decisions.md has the proof.

    For each (tenant, table) it holds the number of the newest transaction known to have changed it. A body may be
    used if every change of its tables that this worker knows of had ended in the snapshot of the body's watermark.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_tracked: int = 32_768) -> None:
        self._clock = clock
        self._max_tracked = max_tracked
        self._lock = threading.Lock()
        self._server: ServerState | None = None
        # Applies to every pair that is not in `_newest`.
        self._floor = 0
        self._newest: dict[tuple[int, str], int] = {}
        self._clears: dict[str, int] = {}
        # Own writes; their numbers are unknown until the change feed reads them. Pair -> time of the write.
        self._pending_writes: dict[tuple[int, str], float] = {}
        # Own orders to clear, likewise unknown.
        self._pending_clears: dict[str | None, float] = {}

    def observe_server(self, asked: float, epoch: str, snapshot: str, server_clock: float) -> None:
        """Note the state of the server. The first call of each poll; the changes follow."""
        server = ServerState(
            epoch,
            snapshot,
            Snapshot.parse(snapshot),
            least=server_clock - self._clock(),
            most=server_clock - asked,
        )
        with self._lock:
            self._server = server

    def apply_changes(self, tenant_id: int, newest: Mapping[str, int]) -> None:
        """Note changed tables of a tenant, each with the highest number of the transactions that changed it."""
        with self._lock:
            for table, xid in newest.items():
                pair = (tenant_id, table)
                # Removed first, so that the dict stays in the order of the changes.
                self._newest[pair] = max(xid, self._newest.pop(pair, 0), self._floor)
            if len(self._newest) > self._max_tracked:
                self._forget_oldest_half()

    def record_write(self, tenant_id: int, tables: AbstractSet[str]) -> None:
        """Note an own write. Until the change feed reads its number, no shared body of these tables may be used."""
        now = self._clock()
        with self._lock:
            self._pending_writes.update(((tenant_id, table), now) for table in tables)

    def record_clear(self, prefix: str | None, xid: int | None) -> None:
        """Reject bodies from before an order to clear. `xid` None: an own order whose number is not known yet."""
        now = self._clock()
        with self._lock:
            if xid is None:
                self._pending_clears[prefix] = now
            elif prefix is None:
                self._raise_floor(xid)
            else:
                self._clears[prefix] = max(xid, self._clears.pop(prefix, 0))
                if len(self._clears) > MAX_ORDERS:
                    self._raise_floor(self._clears.pop(next(iter(self._clears))))

    def reset(self) -> None:
        """Accept only bodies that contain every transaction ended by now: changes may have been missed."""
        with self._lock:
            self._floor = self._server.snapshot.xmax - 1 if self._server else 0
            self._newest.clear()
            self._clears.clear()

    def mark_current(self, asked: float) -> None:
        """Note that every change before `asked` has been applied. The last call of each poll."""
        with self._lock:
            self._pending_writes = {pair: at for pair, at in self._pending_writes.items() if at >= asked}
            orders = self._pending_clears.items()
            self._pending_clears = {prefix: at for prefix, at in orders if at >= asked}

    def watermark(self) -> Watermark | None:
        """Return the watermark for a load that begins after this call; None before the first poll."""
        server = self._server
        return Watermark(server.epoch, server.text, self._clock() + server.least) if server else None

    def age(self, watermark: Watermark) -> float:
        """Return the seconds since the watermark by the database's clock, rounded up by the clock's uncertainty."""
        server = self._server
        return self._clock() + server.most - watermark.at if server else float("inf")

    def is_valid_for(self, key: Key, tables: AbstractSet[str], watermark: Watermark) -> bool:
        """Return True if a body with that watermark contains every change this worker knows of."""
        try:
            there = Snapshot.parse(watermark.snapshot)
        except ValueError:
            return False
        with self._lock:
            here = self._server
            if here is None or here.epoch != watermark.epoch or self._has_pending(key, tables):
                return False
            newest = self._newest_for(key, tables)
            # Numbers follow the order of begins, not of commits: a transaction that was running then, has ended by now
            # and is not newer than `newest` may be the one that changed a table.
            return newest < there.xmax and not any(
                xid <= newest and here.snapshot.sees(xid) for xid in there.running
            )

    def _has_pending(self, key: Key, tables: AbstractSet[str]) -> bool:
        """Return True if an own write or clear of them has no known number yet."""
        return any((key.tenant_id, table) in self._pending_writes for table in tables) or any(
            prefix is None or matches_prefix(key.endpoint, prefix) for prefix in self._pending_clears
        )

    def _newest_for(self, key: Key, tables: AbstractSet[str]) -> int:
        changes = (self._newest.get((key.tenant_id, table), self._floor) for table in tables)
        orders = (xid for prefix, xid in self._clears.items() if matches_prefix(key.endpoint, prefix))
        return max([self._floor, *changes, *orders])

    def _raise_floor(self, xid: int) -> None:
        self._floor = max(self._floor, xid)
        self._newest = {pair: max(at, xid) for pair, at in self._newest.items()}

    def _forget_oldest_half(self) -> None:
        # Every forgotten pair counts as changed by the newest forgotten transaction.
        oldest = list(self._newest)[: len(self._newest) // 2]
        self._floor = max(self._floor, *(self._newest.pop(pair) for pair in oldest))
