"""What this worker has heard of the database, and the rule by which a body that another made may be used."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple, Self

from opsboard.cache.key import Key, answers_to

# Prefixes are a client's to choose: beyond so many, the oldest order counts for every endpoint.
MOST_ORDERS = 256


class Snapshot(NamedTuple):
    """Which transactions were over at a moment, as `pg_current_snapshot()` tells it: `xmin:xmax:running`."""

    xmax: int
    running: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError when it is none."""
        _, xmax, running = text.split(":")
        return cls(int(xmax), frozenset(map(int, running.split(","))) if running else frozenset())

    def sees(self, xid: int) -> bool:
        return xid < self.xmax and xid not in self.running


class Label(NamedTuple):
    """What a worker had heard before a load began: the body holds at least that."""

    # The life of the database: a crash, a restart or another server begins a new one, with other numbers.
    epoch: str
    snapshot: str
    # When the load began, or a little before, by the clock of the database.
    at: float


@dataclass(frozen=True, slots=True)
class Moment:
    """One answer of the database about itself."""

    epoch: str
    text: str
    snapshot: Snapshot
    # The database's clock minus ours lies between: it was read after we asked, and before we had the answer.
    least: float
    most: float


class Horizon:
    """The fleet-wide version of every table, as far as this worker knows; docs/decisions.md has the proof.

    For each (tenant, table) the number of the newest transaction heard to have changed it. A body may be used
    when all that this worker has heard of its tables was over in the snapshot on the body's label.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, max_tracked: int = 32_768) -> None:
        self._clock = clock
        self._max_tracked = max_tracked
        self._lock = threading.Lock()
        self._moment: Moment | None = None
        # Counts for every pair that is not in `_newest`.
        self._floor = 0
        self._newest: dict[tuple[int, str], int] = {}
        self._orders: dict[str, int] = {}
        # Own writes, whose numbers are not known before the change feed has heard of them: pair -> when.
        self._unheard: dict[tuple[int, str], float] = {}
        # Own orders to clear, likewise.
        self._unheard_orders: dict[str | None, float] = {}

    def observe_server(self, asked: float, epoch: str, snapshot: str, server_clock: float) -> None:
        """The database answered; what it said has changed follows. First of all calls of a beat."""
        moment = Moment(
            epoch,
            snapshot,
            Snapshot.parse(snapshot),
            least=server_clock - self._clock(),
            most=server_clock - asked,
        )
        with self._lock:
            self._moment = moment

    def apply_changes(self, tenant_id: int, newest: Mapping[str, int]) -> None:
        """Tables of a tenant, each with the highest number of the transactions that changed it."""
        with self._lock:
            for table, xid in newest.items():
                pair = (tenant_id, table)
                # Taken out first, so that the dict stays in the order of the changes.
                self._newest[pair] = max(xid, self._newest.pop(pair, 0), self._floor)
            if len(self._newest) > self._max_tracked:
                self._forget_oldest_half()

    def record_write(self, tenant_id: int, tables: AbstractSet[str]) -> None:
        """This worker has changed them: until the change feed hears the number, no shared body of theirs will do."""
        now = self._clock()
        with self._lock:
            self._unheard.update(((tenant_id, table), now) for table in tables)

    def record_clear(self, prefix: str | None, xid: int | None) -> None:
        """Bodies from before an order to clear will not do; None: this worker's own, not heard yet."""
        now = self._clock()
        with self._lock:
            if xid is None:
                self._unheard_orders[prefix] = now
            elif prefix is None:
                self._raise_floor(xid)
            else:
                self._orders[prefix] = max(xid, self._orders.pop(prefix, 0))
                if len(self._orders) > MOST_ORDERS:
                    self._raise_floor(self._orders.pop(next(iter(self._orders))))

    def reset(self) -> None:
        """Something may have been missed: only bodies that hold all that is over by now will do."""
        with self._lock:
            self._floor = self._moment.snapshot.xmax - 1 if self._moment else 0
            self._newest.clear()
            self._orders.clear()

    def mark_current(self, asked: float) -> None:
        """Everything that was over at `asked` has been told. Last of all calls of a beat."""
        with self._lock:
            self._unheard = {pair: at for pair, at in self._unheard.items() if at >= asked}
            orders = self._unheard_orders.items()
            self._unheard_orders = {prefix: at for prefix, at in orders if at >= asked}

    def label(self) -> Label | None:
        """For the body of a load that begins after this call; None before anything was heard."""
        moment = self._moment
        return Label(moment.epoch, moment.text, self._clock() + moment.least) if moment else None

    def age(self, label: Label) -> float:
        """Seconds since the label was made, by the database's clock; never less than it is."""
        moment = self._moment
        return self._clock() + moment.most - label.at if moment else float("inf")

    def vouches_for(self, key: Key, tables: AbstractSet[str], label: Label) -> bool:
        """Whether nothing that this worker has heard of can be missing from a body with that label."""
        try:
            there = Snapshot.parse(label.snapshot)
        except ValueError:
            return False
        with self._lock:
            here = self._moment
            if here is None or here.epoch != label.epoch or self._is_unheard(key, tables):
                return False
            newest = self._newest_for(key, tables)
            # Numbers are given in the order in which transactions begin, not end: one that was running then,
            # is over here, and is not younger than the newest may be what changed a table.
            return newest < there.xmax and not any(
                xid <= newest and here.snapshot.sees(xid) for xid in there.running
            )

    def _is_unheard(self, key: Key, tables: AbstractSet[str]) -> bool:
        """Whether this worker did something to them whose number it does not know yet."""
        return any((key.tenant_id, table) in self._unheard for table in tables) or any(
            prefix is None or answers_to(key.endpoint, prefix) for prefix in self._unheard_orders
        )

    def _newest_for(self, key: Key, tables: AbstractSet[str]) -> int:
        changes = (self._newest.get((key.tenant_id, table), self._floor) for table in tables)
        orders = (xid for prefix, xid in self._orders.items() if answers_to(key.endpoint, prefix))
        return max([self._floor, *changes, *orders])

    def _raise_floor(self, xid: int) -> None:
        self._floor = max(self._floor, xid)
        self._newest = {pair: max(at, xid) for pair, at in self._newest.items()}

    def _forget_oldest_half(self) -> None:
        # What is forgotten counts as changed when the youngest forgotten was, for every table.
        oldest = list(self._newest)[: len(self._newest) // 2]
        self._floor = max(self._floor, *(self._newest.pop(pair) for pair in oldest))
