"""The slots of the pool: each connection and its holder, guarded by the pool's lock."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Hashable, Iterator

from opsboard.db.connection import PooledConnection
from opsboard.db.lease import Lease
from opsboard.db.watchdog import Watchdog
from opsboard.errors import PoolFull

# Seconds between attempts to open the minimum while the server is away.
REFILL_SECONDS = 1.0
# After this many seconds without a packet on any connection, a waiting read makes the pool probe the server.
SILENCE = 0.5


class Slots:
    """Every connection is idle, checked out, or being connected; the sum never exceeds `maxconn`.

    Nothing in here waits or talks to the server, and every caller holds the pool's lock. There are idle connections
    only while the queue is empty, so no request overtakes the queue.
    """

    def __init__(
        self,
        minconn: int,
        maxconn: int,
        max_waiting: int,
        watchdog: Watchdog,
        *,
        max_idle: float,
        leak_seconds: float,
    ) -> None:
        self.minconn = minconn
        self.maxconn = maxconn
        self.max_waiting = max_waiting
        self.max_idle = max_idle
        self.leak_seconds = leak_seconds
        self.watchdog = watchdog
        self.idle: list[PooledConnection] = []  # the last one returned is the next one checked out
        self.checked_out: dict[Hashable, Lease] = {}
        self.waiting: deque[Lease] = deque()
        self.connecting = 0
        self.closed = False
        # True once the minimum is to be kept open.
        self.filled = False
        self.refill_at = -math.inf
        # True if a read was checked out since the watchdog last ran; it must run in time to notice a silence.
        self.has_new_read = False
        self.counts: Counter[str] = Counter()
        self.usage = self.waited = 0.0

    @property
    def size(self) -> int:
        """The number of connections, including those being opened."""
        return len(self.idle) + len(self.checked_out) + self.connecting

    def ask(self, lease: Lease, now: float, again: bool) -> None:
        """Grant at once or queue: at the end, or in front after a dead connection."""
        lease.asked, lease.ready = True, None
        if self.idle:
            self._grant(self.idle.pop(), lease, now)
            return
        # Requests with a free slot wait for a connect, not for another request, so they do not count.
        if not again and len(self.waiting) - (self.maxconn - len(self.checked_out)) >= self.max_waiting:
            raise PoolFull()
        lease.ready = threading.Lock()
        lease.ready.acquire()
        if again:
            self.waiting.appendleft(lease)
        else:
            self.waiting.append(lease)
            self.counts["requests_queued"] += 1

    def withdraw(self, lease: Lease, waited: float) -> None:
        """Remove a request from the queue if it is still there."""
        self.waited += waited
        if lease.granted is None and lease in self.waiting:
            self.waiting.remove(lease)

    def offer(self, connection: PooledConnection, now: float) -> None:
        """Grant a connection to the next request in the queue, or keep it idle."""
        if self.waiting:
            lease = self._next_waiting()
            self.waiting.remove(lease)
            self._grant(connection, lease, now)
            return
        connection.idle_since = now
        self.idle.append(connection)
        too_long = now + self.max_idle
        self.watchdog.expect(too_long if too_long < connection.expires else connection.expires)

    def end(self, lease: Lease, now: float) -> bool:
        """End a lease. Returns False if it had ended before."""
        name = lease.name
        if self.checked_out.get(name) is not lease:
            return False
        del self.checked_out[name]
        self.usage += now - lease.since
        return True

    def claim_connects(self) -> int:
        """Reserve slots for connections to be opened for the queue. Returns their number."""
        room = 0 if self.closed else self.maxconn - self.size
        missing = min(room, len(self.waiting) - self.connecting)
        if missing <= 0:
            return 0
        self.connecting += missing
        return missing

    def claim_minimum(self, now: float) -> int:
        """Reserve slots for connections to be opened up to `minconn`. Returns their number."""
        if not self.is_short() or now < self.refill_at:
            return 0
        missing = self.minconn - self.size
        self.refill_at = now + REFILL_SECONDS
        self.connecting += missing
        return missing

    def is_short(self) -> bool:
        """Return True if there are fewer connections than the minimum."""
        return self.filled and not self.closed and self.size < self.minconn

    def overdue(self, now: float) -> Iterator[Lease]:
        """Return leases past their deadline that are not cut yet."""
        return (lease for lease in self.checked_out.values() if lease.cut_at <= now and not lease.cut)

    def silent(self, now: float) -> list[Lease]:
        """Return reads that have waited so long that the server may be silent."""
        return [lease for lease in self.checked_out.values() if lease.silent_at <= now and not lease.cut]

    def leaking(self, now: float) -> list[Lease]:
        """Return leases held for too long; each is returned once."""
        late = [lease for lease in self.checked_out.values() if lease.leaks_at <= now and not lease.reported]
        for lease in late:
            lease.reported = True
        return late

    def forgotten(self, now: float) -> list[Lease]:
        """End and return leases whose connection was garbage collected."""
        gone = [lease for lease in self.checked_out.values() if lease.granted is None and lease.ref() is None]
        for lease in gone:
            self.end(lease, now)
        return gone

    def expire(self, now: float) -> tuple[list[PooledConnection], int]:
        """Remove and return idle connections that are dead, old or surplus, and the number of dead ones."""
        dead = [connection for connection in self.idle if not connection.peer.silent()]
        spare = self.size - len(dead) - self.minconn
        out = list(dead)
        for connection in self.idle:  # longest idle first
            if connection in dead:
                continue
            unused = spare > 0 and connection.idle_since + self.max_idle <= now
            if unused or connection.expires <= now:
                out.append(connection)
                spare -= 1
        self.idle = [connection for connection in self.idle if connection not in out]
        return out, len(dead)

    def next_due(self, now: float) -> float:
        """Return the time of the watchdog's next work, as things stand."""
        due = [connection.expires for connection in self.idle]
        if self.size > self.minconn:
            due += [connection.idle_since + self.max_idle for connection in self.idle]
        for lease in self.checked_out.values():
            due.append(math.inf if lease.cut else min(lease.cut_at, lease.silent_at))
            due.append(math.inf if lease.reported else lease.leaks_at)
        if self.is_short():
            due.append(self.refill_at)
        if self.has_new_read:
            # Otherwise every single read would wake the watchdog.
            self.has_new_read = False
            due.append(now + SILENCE)
        return min(due, default=math.inf)

    def close(self) -> list[PooledConnection]:
        """Refuse all waiting requests. Returns the idle connections."""
        self.closed = True
        self.dismiss()
        idle, self.idle = self.idle, []
        return idle

    def dismiss(self) -> None:
        """Refuse all waiting requests."""
        for lease in self.waiting:
            assert lease.ready is not None
            lease.ready.release()
        self.waiting.clear()

    def everything(self) -> list[PooledConnection]:
        """Return all connections, idle and checked out."""
        checked_out = (lease.granted or lease.ref() for lease in self.checked_out.values())
        return [*self.idle, *(connection for connection in checked_out if connection is not None)]

    def stats(self) -> dict[str, int]:
        """Return the statistics about slots and requests."""
        counted = ("requests_num", "requests_queued", "requests_errors", "returns_bad", "connections_lost")
        return {
            "pool_min": self.minconn,
            "pool_max": self.maxconn,
            "pool_size": self.size,
            "pool_available": len(self.idle),
            "pool_lent": len(self.checked_out),
            "requests_waiting": len(self.waiting),
            "requests_wait_ms": int(self.waited * 1000),
            "usage_ms": int(self.usage * 1000),
            **{name: self.counts[name] for name in counted},
        }

    def _next_waiting(self) -> Lease:
        """Return the first request of the business that holds the fewest connections."""
        first = self.waiting[0]
        if all(lease.owner == first.owner for lease in self.waiting):
            return first
        held = Counter(lease.owner for lease in self.checked_out.values() if lease.owner is not None)
        return min(self.waiting, key=lambda lease: 0 if lease.owner is None else held[lease.owner])

    def _grant(self, connection: PooledConnection, lease: Lease, now: float) -> None:
        lease.leaks_at = due = now + self.leak_seconds
        if lease.repeatable:
            self.has_new_read = True
            lease.silent_at = now + SILENCE
            due = min(due, lease.silent_at)
        self.checked_out[lease.name] = lease
        self.watchdog.expect(due if due < lease.cut_at else lease.cut_at)
        lease.grant(connection, now)
