"""psycopg2's ThreadedConnectionPool made to wait, keep, check, restore and count."""

from __future__ import annotations

import logging
import math
import os
import random
import sys
import threading
import time
import weakref
from collections.abc import Callable, Hashable
from functools import partial
from types import TracebackType

import psycopg2
from psycopg2 import pool as psycopg2_pool

from opsboard.db.connection import BROKEN, PooledConnection, is_disconnect
from opsboard.db.connector import Connector
from opsboard.db.lease import Lease
from opsboard.db.slots import Slots
from opsboard.db.watchdog import Watchdog
from opsboard.errors import DatabaseUnavailable, DeadlineExceeded, OpsboardError, PoolTimeout

__all__ = ["Loan", "Pool", "PoolClosed", "PooledConnection", "is_disconnect"]

log = logging.getLogger(__name__)

# statement_timeout gets its chance first: it ends the statement and keeps the connection.
GRACE = 0.25
# How long the server may take to answer a question of the pool's own.
PING_SECONDS = 1.0
RESTORE_SECONDS = 5.0
# Between attempts to reach a server that is away.
RETRY_SECONDS = (0.05, 0.1)
# What a request waits when the server has been away for longer than the pool's timeout already.
GIVEN_UP_SECONDS = 0.08


class PoolClosed(DatabaseUnavailable, psycopg2_pool.PoolError):
    """The pool was closed; the process is about to end."""


class Pool(psycopg2_pool.ThreadedConnectionPool):
    """At most `maxconn` connections, handed out in order of arrival.

    A connection is in exactly one place: idle, lent out, or being connected; a slot is free when it is in
    none. All moves between them happen under one lock, all waiting for the server outside of it.
    """

    minconn: int
    maxconn: int

    def __init__(
        self,
        minconn: int,
        maxconn: int,
        dsn: str,
        *,
        timeout: float = 5.0,
        max_waiting: int = 200,
        max_idle: float = 600.0,
        max_lifetime: float = 3600.0,
        leak_seconds: float = 60.0,
        connect_timeout: int = 3,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= minconn <= maxconn or maxconn < 1:
            raise ValueError("a pool needs 0 <= minconn <= maxconn and 1 <= maxconn")
        super().__init__(0, maxconn, dsn)  # with 0 it opens nothing
        self.minconn = minconn
        self.timeout = timeout
        self._clock = clock
        self._make_connector = partial(
            Connector,
            dsn,
            connect_timeout=connect_timeout,
            max_lifetime=max_lifetime,
            patience=timeout,
            clock=clock,
        )
        self._make_slots = partial(
            Slots, minconn, maxconn, max_waiting=max_waiting, max_idle=max_idle, leak_seconds=leak_seconds
        )
        self._inherited: list[PooledConnection] = []
        self._begin()
        _pools.add(self)

    def getconn(self, key: Hashable | None = None, timeout: float | None = None) -> PooledConnection:
        """A live connection in autocommit, as good as fresh. Waits its turn for `timeout` seconds.

        A key that is lent already gets the same connection again, as in the base class.
        """
        if key is not None and (lease := self._slots.lent.get(key)) and (known := lease.ref()):
            return known
        now = self._clock()
        until = now + (self.timeout if timeout is None else timeout)
        return self._check_out(Lease(key, math.inf, sys._getframe(1)), now, until, PoolTimeout)

    def putconn(
        self,
        conn: psycopg2.extensions.connection | None = None,
        key: Hashable | None = None,
        close: bool = False,
    ) -> None:
        """Give a connection back. An open transaction is rolled back, changed session state undone."""
        if conn is None and key is not None and (known := self._slots.lent.get(key)):
            conn = known.ref()
        if not isinstance(conn, PooledConnection) or (lease := conn.lease) is None:
            raise psycopg2_pool.PoolError("trying to put a connection that is not lent")
        if conn.process != os.getpid():
            return  # the parent lent it, and the parent will get it back
        reusable = False
        try:
            reusable = not close and self._restored(conn, lease)
        finally:
            self._end_loan(conn, lease, reusable, bad=not close)

    def connection(self, deadline: float | None = None, timeout: float | None = None) -> Loan:
        """A connection for the length of a `with` block.

        `deadline` is a value of the pool's clock; it bounds the wait as well as the use. A little after it
        the socket is shut, so that not even a frozen server or a dead network holds the thread; the block
        then ends with DeadlineExceeded. The block's end does not commit: an open transaction is rolled back.
        """
        return Loan(self, deadline, timeout)

    def closeall(self) -> None:
        """Close idle connections, refuse those who wait, and close lent ones as they come back."""
        with self._lock:
            self.closed = True
            idle, self._slots.idle = self._slots.idle, []
            waiting = list(self._slots.waiting)
            self._slots.waiting.clear()
        for lease in waiting:
            assert lease.ready is not None
            lease.ready.release()
        for connection in idle:
            connection.close()
        self._watchdog.nudge()

    def reclaim(self, thread: int | None = None) -> int:
        """Take back what a thread (by default the calling one) still has lent; how many there were.

        For the end of a request: they are closed, not reused, for somebody may still hold them.
        """
        thread = threading.get_ident() if thread is None else thread
        with self._lock:
            leases = [lease for lease in self._slots.lent.values() if lease.thread == thread]
        for lease in leases:
            connection = lease.ref()
            if connection is not None:
                log.warning("connection was not given back, asked for by:\n%s", lease.caller())
                self._end_loan(connection, lease, reusable=False, bad=True)
        return len(leases)

    def get_stats(self) -> dict[str, int]:
        """The statistics of psycopg_pool, by its names."""
        with self._lock:
            slots, connector = self._slots, self._connector
            return {
                "pool_min": self.minconn,
                "pool_max": self.maxconn,
                "pool_size": slots.size,
                "pool_available": len(slots.idle),
                "requests_waiting": len(slots.waiting),
                "requests_num": slots.counts["requests_num"],
                "requests_queued": slots.counts["requests_queued"],
                "requests_wait_ms": int(slots.waited * 1000),
                "requests_errors": slots.counts["requests_errors"],
                "usage_ms": int(slots.usage * 1000),
                "returns_bad": slots.counts["returns_bad"],
                "connections_num": connector.attempts,
                "connections_ms": int(connector.seconds * 1000),
                "connections_errors": connector.failures,
                "connections_lost": slots.counts["connections_lost"],
            }

    def reference_stats(self) -> dict[str, int]:
        """The five numbers of the health page."""
        with self._lock:
            available, in_use = len(self._slots.idle), len(self._slots.lent)
        return {
            "min_connections": self.minconn,
            "max_connections": self.maxconn,
            "available": available,
            "in_use": in_use,
            "total": available + in_use,
        }

    def maintain(self) -> None:
        """Do what is due: cut overdue loans, tell of leaks, drop dead, old and surplus connections."""
        now = self._clock()
        with self._lock:
            slots = self._slots
            for lease in slots.overdue(now):
                lease.shut()
            forgotten, leaking = slots.forgotten(now), slots.leaking(now)
            weeds, dead = slots.weed(now)
            if dead:
                self._note_losses(dead, now)
            self._watchdog.due = slots.next_due()
            connects = slots.claim_connects()
        for connection in weeds:
            connection.close()
        for lease in forgotten:
            lease.peer.close()
            log.warning("connection was dropped without being given back, asked for by:\n%s", lease.caller())
        for lease in leaking:
            seconds = now - lease.since
            log.warning("connection is held for %.0f s, asked for by:\n%s", seconds, lease.caller())
        self._connect_in_background(connects)
        if self.closed and not self._slots.lent:
            self._watchdog.stop()

    def _begin(self) -> None:
        """Start with nothing: in the constructor, and again in a forked child."""
        self._lock = threading.Lock()
        self._watchdog = Watchdog(self.maintain, self._clock)
        self._slots = self._make_slots(watchdog=self._watchdog)
        self._connector = self._make_connector()
        # Connections last known to be good before this are asked before they are lent.
        self._doubtful_before = -math.inf

    def _check_out(
        self, lease: Lease, began: float, until: float, late: type[OpsboardError]
    ) -> PooledConnection:
        """Obtain connections until one is alive."""
        again = False
        while True:
            connection = self._obtain(lease, began, until, late, again)
            usable = False
            try:
                usable = self._usable(connection, lease, until)
            finally:
                if not usable:
                    self._end_loan(connection, lease, reusable=False, bad=False)
            if usable:
                return connection
            again = True

    def _obtain(
        self, lease: Lease, began: float, until: float, late: type[OpsboardError], again: bool
    ) -> PooledConnection:
        """The next connection whose turn is ours, alive or not."""
        with self._lock:
            self._slots.counts["requests_num"] += not again
            try:
                if self.closed:
                    raise PoolClosed()
                self._slots.ask(lease, began, again)
            except OpsboardError:
                self._slots.counts["requests_errors"] += 1
                raise
            connects = self._slots.claim_connects() if lease.ready else 0
        if lease.ready:
            self._wait(lease, lease.ready, until, connects)
        if lease.granted is None:
            raise self._refusal(began, late)
        return lease.take()

    def _wait(self, lease: Lease, ready: threading.Lock, until: float, connects: int) -> None:
        """Wait until granted or `until`; whatever interrupts it, nothing stays granted to nobody."""
        interrupted = True
        began = self._clock()
        try:
            self._connect_in_background(connects)
            if self._connector.given_up(began):
                until = min(until, began + GIVEN_UP_SECONDS)
            ready.acquire(timeout=max(0.0, until - began))
            interrupted = False
        finally:
            with self._lock:
                self._slots.withdraw(lease)
                self._slots.waited += self._clock() - began
            if interrupted and lease.granted is not None:
                self._end_loan(lease.take(), lease, reusable=True, bad=False)

    def _refusal(self, began: float, late: type[OpsboardError]) -> OpsboardError:
        """Why nothing was granted."""
        now = self._clock()
        with self._lock:
            self._slots.counts["requests_errors"] += 1
            nothing_open = not self._slots.lent and not self._slots.idle
        if self.closed:
            return PoolClosed()
        if nothing_open or self._connector.away(began) or self._connector.given_up(now):
            return DatabaseUnavailable()
        return late()

    def _usable(self, connection: PooledConnection, lease: Lease, until: float) -> bool:
        """Whether it is alive: a look at the socket, and a question only if there is reason to doubt."""
        if connection.peer.silent() and connection.proven >= self._doubtful_before:
            return True
        cut_at, now = lease.cut_at, self._clock()
        self._bound(lease, min(until, now + PING_SECONDS))
        try:
            connection.ping()
        except psycopg2.Error:
            return False
        connection.proven = now
        with self._lock:
            lease.cut_at = cut_at
            return not lease.cut

    def _restored(self, connection: PooledConnection, lease: Lease) -> bool:
        """Whether it is, or was made, as good as fresh."""
        if connection.closed or lease.cut:
            return False
        if connection.pristine():
            return True
        self._bound(lease, self._clock() + RESTORE_SECONDS)
        try:
            connection.restore()
        except psycopg2.Error as error:
            log.info("connection cannot be restored: %s", str(error).strip())
            return False
        return True

    def _bound(self, lease: Lease, cut_at: float) -> None:
        with self._lock:
            lease.cut_at = min(lease.cut_at, cut_at)
            self._watchdog.expect(lease.cut_at)

    def _end_loan(self, connection: PooledConnection, lease: Lease, reusable: bool, bad: bool) -> None:
        """Free the slot; keep the connection or hang up."""
        now = self._clock()
        connects = 0
        keep = False
        with self._lock:
            if self._slots.end(lease, now):
                connection.lease = None
                keep = reusable and not lease.cut and not self.closed and now < connection.expires
                self._slots.counts["returns_bad"] += bad and not reusable
                if keep:
                    connection.proven = now
                    self._connector.seen_alive(now)
                    self._slots.offer(connection, now)
                elif lease.cut or connection.closed == BROKEN:
                    self._note_losses(1, now)
                if not keep:
                    connects = self._slots.claim_connects()
        if not keep:
            self._hang_up(connection)
            self._connect_in_background(connects)

    def _hang_up(self, connection: PooledConnection) -> None:
        if connection.in_a_statement():
            connection.peer.shut()  # close() would wait for the other thread's statement to end
        connection.close()

    def _note_losses(self, lost: int, now: float) -> None:
        """The server ended connections; the others may have gone the same way. Wants the lock."""
        self._slots.counts["connections_lost"] += lost
        self._doubtful_before = now
        self._watchdog.nudge()

    def _connect_in_background(self, connects: int) -> None:
        """Make connections whose slots are claimed. In threads: a connect may hang, a request may not."""
        for started in range(connects):
            try:
                threading.Thread(target=self._connect, name="pool-connect", daemon=True).start()
            except RuntimeError:  # the process has no threads left
                with self._lock:
                    self._slots.connecting -= connects - started
                raise

    def _connect(self) -> None:
        """Make one connection, trying for as long as somebody waits for it."""
        claimed = True
        try:
            while claimed:
                connection = self._try_to_open()
                with self._lock:
                    welcome = connection is not None and not self.closed
                    waited_for = not self.closed and self._slots.connecting <= len(self._slots.waiting)
                    if connection is not None or not waited_for:
                        self._slots.connecting -= 1
                        claimed = False
                    if connection is not None and welcome:
                        self._slots.offer(connection, self._clock())
                if connection is not None and not welcome:
                    connection.close()
                if claimed:
                    time.sleep(random.uniform(*RETRY_SECONDS))
        finally:
            if claimed:
                with self._lock:
                    self._slots.connecting -= 1

    def _try_to_open(self) -> PooledConnection | None:
        try:
            connection = self._connector.open()
        except psycopg2.Error:
            return None  # the connector has taken note
        connection.ref = weakref.ref(connection, self._watchdog.nudge)
        return connection

    def _forget_parent(self) -> None:
        """In a forked child: leave the parent's connections to the parent, and start afresh."""
        slots = self._slots
        lent = [connection for lease in slots.lent.values() if (connection := lease.granted or lease.ref())]
        for connection in [*slots.idle, *lent]:
            connection.abandon()
            self._inherited.append(connection)  # or its finalizer might say goodbye in the parent's name
        self._begin()


class Loan:
    """A connection for the length of a `with` block; see Pool.connection."""

    __slots__ = ("_connection", "_deadline", "_lease", "_pool", "_timeout")

    def __init__(self, pool: Pool, deadline: float | None, timeout: float | None) -> None:
        self._pool = pool
        self._deadline = math.inf if deadline is None else deadline
        self._timeout = pool.timeout if timeout is None else timeout

    def __enter__(self) -> PooledConnection:
        now = self._pool._clock()
        if self._deadline <= now:
            raise DeadlineExceeded()
        until = now + self._timeout
        late: type[OpsboardError] = PoolTimeout
        if self._deadline < until:
            until, late = self._deadline, DeadlineExceeded
        self._lease = Lease(None, self._deadline + GRACE, sys._getframe(1))
        self._connection = self._pool._check_out(self._lease, now, until, late)
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection = self._connection
        del self._connection
        cut = self._lease.cut
        if connection.lease is self._lease:  # else it was given back or reclaimed inside the block
            self._pool.putconn(connection)
        if cut and isinstance(error, psycopg2.Error):
            raise DeadlineExceeded() from error


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in list(_pools):
        pool._forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)
