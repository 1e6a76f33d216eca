"""A ThreadedConnectionPool that queues requests, keeps a minimum open, and checks, restores and counts."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Hashable
from functools import partial
from types import TracebackType

import psycopg2
from psycopg2 import pool as psycopg2_pool

from opsboard.db.checkout import Checkout
from opsboard.db.connection import PooledConnection
from opsboard.db.connector import Connector
from opsboard.db.disconnects import is_disconnect
from opsboard.db.lease import Lease
from opsboard.db.server_status import ServerStatus
from opsboard.db.slots import Slots
from opsboard.errors import DatabaseUnavailable, DeadlineExceeded, OpsboardError, PoolTimeout

__all__ = ["ConnectionContext", "Pool", "PoolClosed", "PooledConnection", "is_disconnect"]

# statement_timeout comes first: it ends the statement and keeps the connection.
GRACE = 0.25


class PoolClosed(DatabaseUnavailable, psycopg2_pool.PoolError):
    """The pool was closed; the process is about to end."""

    default_detail = "The service is stopping; try again in a moment."


class Pool(psycopg2_pool.ThreadedConnectionPool):
    """At most `maxconn` connections, handed out in order of arrival.

    A connection is in exactly one place: idle, checked out, or being connected; a slot is free when it is in
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
        status: ServerStatus | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`status` is shared by all pools of the process for the same server, so one pool's failure protects all."""
        if not 0 <= minconn <= maxconn or maxconn < 1:
            raise ValueError("a pool needs 0 <= minconn <= maxconn and 1 <= maxconn")
        self.dsn = dsn
        super().__init__(0, maxconn, dsn)  # with 0 it opens nothing
        self.minconn = minconn
        self.timeout = timeout
        self._clock = clock
        self._status = status = status or ServerStatus(timeout, clock)

        def new_checkout() -> Checkout:
            connector = Connector(
                dsn, connect_timeout=connect_timeout, max_lifetime=max_lifetime, status=status, clock=clock
            )
            slots = partial(
                Slots, minconn, maxconn, max_waiting, max_idle=max_idle, leak_seconds=leak_seconds
            )
            return Checkout(slots, connector, PoolClosed, clock)

        self._new_checkout = new_checkout
        self._checkout = new_checkout()
        self._inherited: list[PooledConnection] = []
        _pools.add(self)

    def getconn(self, key: Hashable | None = None, timeout: float | None = None) -> PooledConnection:
        """Return a live connection in autocommit with clean session state. Waits in the queue for `timeout` seconds.

        A key that is in use gets the same connection again, as in the base class.
        """
        if key is not None and (held := self._held_under(key)):
            return held
        until = self._clock() + (self.timeout if timeout is None else timeout)
        return self._checkout.check_out(Lease(key, math.inf, sys._getframe(1)), until, PoolTimeout)

    def putconn(
        self,
        conn: psycopg2.extensions.connection | None = None,
        key: Hashable | None = None,
        close: bool = False,
    ) -> None:
        """Give a connection back. An open transaction is rolled back, changed session state undone."""
        if conn is None and key is not None:
            conn = self._held_under(key)
        if not isinstance(conn, PooledConnection) or (lease := conn.lease) is None:
            raise psycopg2_pool.PoolError("trying to put a connection that is not checked out")
        if conn.process == os.getpid():  # else the parent process owns it
            self._checkout.check_in(conn, lease, close)

    def fill(self) -> None:
        """Open `minconn` connections in the background, and keep them open from now on.

        Call it in the process that uses the pool: after a fork the child calls it again.
        """
        self._checkout.fill()

    def connection(
        self,
        deadline: float | None = None,
        timeout: float | None = None,
        repeatable: bool = False,
        owner: int | None = None,
    ) -> ConnectionContext:
        """Return a context manager that holds a connection for a `with` block.

        `deadline` is a value of the pool's clock and limits both the wait and the use. Slightly later the socket is
        shut, so that no frozen server or dead network holds the thread; the block then ends with DeadlineExceeded.
        The end of the block does not commit: an open transaction is rolled back.
        A `repeatable` block, a read, does not wait for its deadline if the server is silent on all connections and
        accepts none: it ends with DatabaseUnavailable. `owner` is the business it is for: the waiting business with
        the fewest connections is next.
        """
        return ConnectionContext(self, deadline, timeout, repeatable, owner)

    def closeall(self) -> None:
        """Close idle connections, refuse those who wait, and close checked-out ones as they come back."""
        self.closed = True
        self._checkout.close()

    def reclaim(self, thread: int | None = None) -> int:
        """Take back the connections that a thread (default: the calling one) still holds. Returns their number.

        Called at the end of a request. They are closed, not reused, because something may still hold them.
        """
        return self._checkout.reclaim(threading.get_ident() if thread is None else thread)

    def maintain(self) -> None:
        """Do at once the watchdog's work: cut overdue leases, log leaks, drop dead connections, shrink."""
        self._checkout.maintain()

    @property
    def is_away(self) -> bool:
        """True if the server is known to be away, so that a checkout is refused at once."""
        return self._status.is_open(self._clock())

    def get_stats(self) -> dict[str, int]:
        """The statistics of psycopg_pool, by its names."""
        return self._checkout.stats()

    def reference_stats(self) -> dict[str, int]:
        """The five numbers of the health page."""
        stats = self._checkout.stats()
        return {
            "min_connections": self.minconn,
            "max_connections": self.maxconn,
            "available": stats["pool_available"],
            "in_use": stats["pool_lent"],
            "total": stats["pool_available"] + stats["pool_lent"],
        }

    def _held_under(self, key: Hashable) -> PooledConnection | None:
        lease = self._checkout.slots.checked_out.get(key)
        return lease.ref() if lease else None

    def _forget_parent(self) -> None:
        """In a forked child: leave the parent's connections alone and start with none."""
        for connection in self._checkout.slots.everything():
            connection.abandon()
            self._inherited.append(connection)  # its finalizer would close the parent's session
        self._status.reset()
        self._checkout = self._new_checkout()


class ConnectionContext:
    """A connection for the length of a `with` block; see Pool.connection."""

    __slots__ = ("_connection", "_deadline", "_lease", "_owner", "_pool", "_repeatable", "_timeout")

    def __init__(
        self,
        pool: Pool,
        deadline: float | None,
        timeout: float | None,
        repeatable: bool = False,
        owner: int | None = None,
    ) -> None:
        self._pool = pool
        self._repeatable = repeatable
        self._owner = owner
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
        self._lease = Lease(None, self._deadline + GRACE, sys._getframe(1), self._repeatable, self._owner)
        self._connection = self._pool._checkout.check_out(self._lease, until, late)
        return self._connection

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection = self._connection
        del self._connection
        cut = self._lease.cut
        if connection.lease is self._lease:  # else the block gave it back, or it was reclaimed
            self._pool.putconn(connection)
        if cut and isinstance(error, psycopg2.Error):
            raise (DatabaseUnavailable() if self._lease.abandoned else DeadlineExceeded()) from error


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in list(_pools):
        pool._forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)
