"""psycopg2's ThreadedConnectionPool made to wait, keep, check, restore and count."""

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

from opsboard.db.connection import PooledConnection
from opsboard.db.connector import Connector
from opsboard.db.disconnects import is_disconnect
from opsboard.db.lease import Lease
from opsboard.db.lending import Lending
from opsboard.db.server_status import ServerStatus
from opsboard.db.slots import Slots
from opsboard.errors import DatabaseUnavailable, DeadlineExceeded, OpsboardError, PoolTimeout

__all__ = ["Loan", "Pool", "PoolClosed", "PooledConnection", "is_disconnect"]

# statement_timeout gets its chance first: it ends the statement and keeps the connection.
GRACE = 0.25


class PoolClosed(DatabaseUnavailable, psycopg2_pool.PoolError):
    """The pool was closed; the process is about to end."""

    default_detail = "The service is stopping; try again in a moment."


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
        status: ServerStatus | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`status` is shared with other pools of the process to the same server: what one hears, all know."""
        if not 0 <= minconn <= maxconn or maxconn < 1:
            raise ValueError("a pool needs 0 <= minconn <= maxconn and 1 <= maxconn")
        super().__init__(0, maxconn, dsn)  # with 0 it opens nothing
        self.minconn = minconn
        self.timeout = timeout
        self._clock = clock
        self._status = status = status or ServerStatus(timeout, clock)

        def lending() -> Lending:
            connector = Connector(
                dsn, connect_timeout=connect_timeout, max_lifetime=max_lifetime, status=status, clock=clock
            )
            slots = partial(
                Slots, minconn, maxconn, max_waiting, max_idle=max_idle, leak_seconds=leak_seconds
            )
            return Lending(slots, connector, PoolClosed, clock)

        self._new_lending = lending
        self._lending = lending()
        self._inherited: list[PooledConnection] = []
        _pools.add(self)

    def getconn(self, key: Hashable | None = None, timeout: float | None = None) -> PooledConnection:
        """A live connection in autocommit, as good as fresh. Waits its turn for `timeout` seconds.

        A key that is lent already gets the same connection again, as in the base class.
        """
        if key is not None and (held := self._held_under(key)):
            return held
        until = self._clock() + (self.timeout if timeout is None else timeout)
        return self._lending.check_out(Lease(key, math.inf, sys._getframe(1)), until, PoolTimeout)

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
            raise psycopg2_pool.PoolError("trying to put a connection that is not lent")
        if conn.process == os.getpid():  # else the parent lent it, and will get it back
            self._lending.check_in(conn, lease, close)

    def fill(self) -> None:
        """Open `minconn` connections in the background, and keep them open from now on.

        For the process that uses the pool: after a fork the child calls it anew.
        """
        self._lending.fill()

    def connection(
        self,
        deadline: float | None = None,
        timeout: float | None = None,
        repeatable: bool = False,
        owner: int | None = None,
    ) -> Loan:
        """A connection for the length of a `with` block.

        `deadline` is a value of the pool's clock; it bounds the wait as well as the use. A little after it
        the socket is shut, so that not even a frozen server or a dead network holds the thread; the block
        then ends with DeadlineExceeded. The block's end does not commit: an open transaction is rolled back.
        A `repeatable` block, a read, does not wait for its deadline when the server says nothing on any connection
        and accepts none: it ends with DatabaseUnavailable. `owner` is the business it is for: of those that wait, the
        one with the fewest connections is next.
        """
        return Loan(self, deadline, timeout, repeatable, owner)

    def closeall(self) -> None:
        """Close idle connections, refuse those who wait, and close lent ones as they come back."""
        self.closed = True
        self._lending.close()

    def reclaim(self, thread: int | None = None) -> int:
        """Take back what a thread (by default the calling one) still has lent; how many there were.

        For the end of a request: they are closed, not reused, for somebody may still hold them.
        """
        return self._lending.reclaim(threading.get_ident() if thread is None else thread)

    def maintain(self) -> None:
        """Do at once what the watchdog does when it falls due: cut, tell of leaks, drop, shrink."""
        self._lending.maintain()

    @property
    def is_away(self) -> bool:
        """Whether the server is known to be away, so that a checkout would be refused without a wait."""
        return self._status.is_open(self._clock())

    def get_stats(self) -> dict[str, int]:
        """The statistics of psycopg_pool, by its names."""
        return self._lending.stats()

    def reference_stats(self) -> dict[str, int]:
        """The five numbers of the health page."""
        stats = self._lending.stats()
        return {
            "min_connections": self.minconn,
            "max_connections": self.maxconn,
            "available": stats["pool_available"],
            "in_use": stats["pool_lent"],
            "total": stats["pool_available"] + stats["pool_lent"],
        }

    def _held_under(self, key: Hashable) -> PooledConnection | None:
        lease = self._lending.slots.lent.get(key)
        return lease.ref() if lease else None

    def _forget_parent(self) -> None:
        """In a forked child: leave the parent's connections to the parent, and start afresh."""
        for connection in self._lending.slots.everything():
            connection.abandon()
            self._inherited.append(connection)  # or its finalizer might say goodbye in the parent's name
        self._status.reset()
        self._lending = self._new_lending()


class Loan:
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
        self._connection = self._pool._lending.check_out(self._lease, until, late)
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
            raise (DatabaseUnavailable() if self._lease.abandoned else DeadlineExceeded()) from error


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for pool in list(_pools):
        pool._forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)
