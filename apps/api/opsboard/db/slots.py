"""Who has which connection: the pool's books, kept under the pool's lock."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from collections.abc import Hashable, Iterator

from opsboard.db.connection import PooledConnection
from opsboard.db.lease import Lease
from opsboard.db.watchdog import Watchdog
from opsboard.errors import PoolFull

# Between attempts to open the minimum at a server that is away.
REFILL_SECONDS = 1.0
# A read that has waited this long, while nothing was heard on any connection, is reason to ask for the server.
SILENCE = 0.5


class Slots:
    """Every connection is idle, lent, or being connected; the sum never exceeds `maxconn`.

    Nothing in here waits or talks to the server, and every method wants the pool's lock held. There are
    idle connections only while nobody waits, so nobody can overtake the queue.
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
        self.idle: list[PooledConnection] = []  # the last one returned is the next one lent
        self.lent: dict[Hashable, Lease] = {}
        self.waiting: deque[Lease] = deque()
        self.connecting = 0
        self.closed = False
        # The minimum is kept open, not only not closed.
        self.filled = False
        self.refill_at = -math.inf
        # A read was lent since the watchdog last looked; it looks again in time to notice a silence.
        self.has_lent_read = False
        self.counts: Counter[str] = Counter()
        self.usage = self.waited = 0.0

    @property
    def size(self) -> int:
        """How many connections there are, counting those being made."""
        return len(self.idle) + len(self.lent) + self.connecting

    def ask(self, lease: Lease, now: float, again: bool) -> None:
        """Grant at once or queue: at the end, or in front for one who was given a dead connection."""
        lease.ready = None
        if self.idle:
            self._lend(self.idle.pop(), lease, now)
            return
        # Those for whom there is a free slot wait for a connect, not for somebody else.
        if not again and len(self.waiting) - (self.maxconn - len(self.lent)) >= self.max_waiting:
            raise PoolFull()
        lease.ready = threading.Lock()
        lease.ready.acquire()
        if again:
            self.waiting.appendleft(lease)
        else:
            self.waiting.append(lease)
            self.counts["requests_queued"] += 1

    def withdraw(self, lease: Lease, waited: float) -> None:
        """Stop waiting, whether or not it was still waiting."""
        self.waited += waited
        if lease.granted is None and lease in self.waiting:
            self.waiting.remove(lease)

    def offer(self, connection: PooledConnection, now: float) -> None:
        """Give a connection to the first in the queue, or keep it."""
        if self.waiting:
            lease = self._next_waiting()
            self.waiting.remove(lease)
            self._lend(connection, lease, now)
            return
        connection.idle_since = now
        self.idle.append(connection)
        too_long = now + self.max_idle
        self.watchdog.expect(too_long if too_long < connection.expires else connection.expires)

    def end(self, lease: Lease, now: float) -> bool:
        """Strike a loan off the books; False when it was not on them (any more)."""
        name = lease.name
        if self.lent.get(name) is not lease:
            return False
        del self.lent[name]
        self.usage += now - lease.since
        return True

    def claim_connects(self) -> int:
        """How many connections should be made now for those who wait; their slots are taken."""
        room = 0 if self.closed else self.maxconn - self.size
        wanted = min(room, len(self.waiting) - self.connecting)
        if wanted <= 0:
            return 0
        self.connecting += wanted
        return wanted

    def claim_minimum(self, now: float) -> int:
        """How many connections should be made now so that there are `minconn`; their slots are taken."""
        if not self.is_short() or now < self.refill_at:
            return 0
        missing = self.minconn - self.size
        self.refill_at = now + REFILL_SECONDS
        self.connecting += missing
        return missing

    def is_short(self) -> bool:
        """Whether there are fewer connections than are kept open."""
        return self.filled and not self.closed and self.size < self.minconn

    def overdue(self, now: float) -> Iterator[Lease]:
        """Loans past their deadline that are not cut yet."""
        return (lease for lease in self.lent.values() if lease.cut_at <= now and not lease.cut)

    def silent(self, now: float) -> list[Lease]:
        """Reads that have waited for so long that the server may be silent."""
        return [lease for lease in self.lent.values() if lease.silent_at <= now and not lease.cut]

    def leaking(self, now: float) -> list[Lease]:
        """Loans held for too long; each is told once."""
        late = [lease for lease in self.lent.values() if lease.leaks_at <= now and not lease.reported]
        for lease in late:
            lease.reported = True
        return late

    def forgotten(self, now: float) -> list[Lease]:
        """Loans whose connection is garbage, struck off."""
        gone = [lease for lease in self.lent.values() if lease.granted is None and lease.ref() is None]
        for lease in gone:
            self.end(lease, now)
        return gone

    def weed(self, now: float) -> tuple[list[PooledConnection], int]:
        """Take out idle connections that are dead, old or too many; and how many of them were dead."""
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
        """When there will be something to do for the watchdog, as things stand."""
        due = [connection.expires for connection in self.idle]
        if self.size > self.minconn:
            due += [connection.idle_since + self.max_idle for connection in self.idle]
        for lease in self.lent.values():
            due.append(math.inf if lease.cut else min(lease.cut_at, lease.silent_at))
            due.append(math.inf if lease.reported else lease.leaks_at)
        if self.is_short():
            due.append(self.refill_at)
        if self.has_lent_read:
            # Or each read that is lent while nobody else has one would wake the watchdog.
            self.has_lent_read = False
            due.append(now + SILENCE)
        return min(due, default=math.inf)

    def close(self) -> list[PooledConnection]:
        """Send everybody away who waits; the connections that are idle."""
        self.closed = True
        self.dismiss()
        idle, self.idle = self.idle, []
        return idle

    def dismiss(self) -> None:
        """Send everybody away who waits."""
        for lease in self.waiting:
            assert lease.ready is not None
            lease.ready.release()
        self.waiting.clear()

    def everything(self) -> list[PooledConnection]:
        """All connections there are, idle and lent."""
        lent = (lease.granted or lease.ref() for lease in self.lent.values())
        return [*self.idle, *(connection for connection in lent if connection is not None)]

    def stats(self) -> dict[str, int]:
        """The statistics about slots and requests."""
        counted = ("requests_num", "requests_queued", "requests_errors", "returns_bad", "connections_lost")
        return {
            "pool_min": self.minconn,
            "pool_max": self.maxconn,
            "pool_size": self.size,
            "pool_available": len(self.idle),
            "pool_lent": len(self.lent),
            "requests_waiting": len(self.waiting),
            "requests_wait_ms": int(self.waited * 1000),
            "usage_ms": int(self.usage * 1000),
            **{name: self.counts[name] for name in counted},
        }

    def _next_waiting(self) -> Lease:
        """The first in the queue of those businesses that have the fewest connections."""
        first = self.waiting[0]
        if all(lease.owner == first.owner for lease in self.waiting):
            return first
        held = Counter(lease.owner for lease in self.lent.values() if lease.owner is not None)
        return min(self.waiting, key=lambda lease: 0 if lease.owner is None else held[lease.owner])

    def _lend(self, connection: PooledConnection, lease: Lease, now: float) -> None:
        lease.leaks_at = due = now + self.leak_seconds
        if lease.repeatable:
            self.has_lent_read = True
            lease.silent_at = now + SILENCE
            due = min(due, lease.silent_at)
        self.lent[lease.name] = lease
        self.watchdog.expect(due if due < lease.cut_at else lease.cut_at)
        lease.grant(connection, now)
