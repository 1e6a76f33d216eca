"""Checks connections out and in: the pool's work within one process."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable

import psycopg2

from opsboard.db.breaker import Breaker
from opsboard.db.connection import PooledConnection
from opsboard.db.connector import Connector
from opsboard.db.disconnects import BROKEN
from opsboard.db.lease import Lease
from opsboard.db.openers import Openers
from opsboard.db.slots import Slots
from opsboard.db.watchdog import Watchdog
from opsboard.errors import DatabaseUnavailable, OpsboardError, PoolTimeout

log = logging.getLogger("opsboard.db.pool")

# Time limits for the pool's own statements.
PING_SECONDS = 1.0
RESTORE_SECONDS = 5.0


class Checkout:
    """The slots, the lock that guards them, and the threads that connect and watch.

    The lock is held only while slots change; every wait for the server happens outside it.
    """

    def __init__(
        self,
        make_slots: Callable[[Watchdog], Slots],
        connector: Connector,
        closed_error: type[OpsboardError],
        clock: Callable[[], float],
    ) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._closed_error = closed_error
        self._watchdog = Watchdog(self.maintain, clock)
        self.connector = connector
        self.slots = make_slots(self._watchdog)
        self._openers = Openers(connector, self.slots, self._lock, self._watchdog, clock)
        self._status = connector.status
        self._breaker = Breaker(connector, self.slots, self._lock, clock)
        # Connections not proven alive since this time are pinged before they are checked out.
        self._doubtful_before = -math.inf

    def fill(self) -> None:
        """Open the minimum of connections in the background, and keep it open from now on."""
        with self._lock:
            self.slots.filled = True
        self.maintain()

    def check_out(self, lease: Lease, until: float, late: type[OpsboardError]) -> PooledConnection:
        """Return a live connection. Waits until `until`, then raises `late` or the reason."""
        connection = self._obtain(lease, until, late)
        while not self._is_usable(connection, lease, until):
            self.end_lease(connection, lease, reusable=False, asks_again=True)
            connection = self._obtain(lease, until, late, again=True)
        return connection

    def check_in(self, connection: PooledConnection, lease: Lease, close: bool) -> None:
        """Take a connection back if its session can be restored, else close it. Its slot is free in any case."""
        reusable = False
        try:
            reusable = not close and self._restored(connection, lease)
        finally:
            self.end_lease(connection, lease, reusable, bad=not close)

    def end_lease(
        self,
        connection: PooledConnection,
        lease: Lease,
        reusable: bool,
        bad: bool = False,
        asks_again: bool = False,
    ) -> None:
        """Free the slot; keep or close the connection. Who asks again waits in front of the queue from then on."""
        with self._lock:
            now = self._clock()
            if not self.slots.end(lease, now):
                return  # another thread ended it first
            connection.lease = None
            if reusable and not lease.cut and not self.slots.closed and now < connection.expires:
                connection.proven = now
                self._status.heard(now)
                self.slots.offer(connection, now)
                return
            self.slots.counts["returns_bad"] += bad and not reusable
            if lease.cut or connection.closed == BROKEN:
                self._note_losses(1, now)
            # Not later: another request would be granted the connection that is made in its place.
            if asks_again and not self.slots.closed and not self._breaker.refuses(now):
                self.slots.ask(lease, now, again=True)
            connects = self.slots.claim_connects()
            if self.slots.is_short():
                self._watchdog.expect(self.slots.refill_at)
        connection.hang_up()
        self._openers.start(connects)

    def reclaim(self, thread: int) -> int:
        """Close the connections that a thread still holds. Returns their number."""
        with self._lock:
            leases = [lease for lease in self.slots.checked_out.values() if lease.thread == thread]
        for lease in leases:
            connection = lease.ref()
            if connection is not None:
                log.warning("connection was not given back, asked for by:\n%s", lease.caller())
                self.end_lease(connection, lease, reusable=False, bad=True)
        return len(leases)

    def maintain(self) -> None:
        """Do all due work: cut overdue leases, log leaks, drop dead, old and surplus connections."""
        with self._lock:
            now = self._clock()
            for lease in self.slots.overdue(now):
                lease.shut()
            self._breaker.look_for_silence(now)
            forgotten, leaking = self.slots.forgotten(now), self.slots.leaking(now)
            expired, dead = self.slots.expire(now)
            if dead:
                self._note_losses(dead, now)
            connects = self.slots.claim_connects() + self.slots.claim_minimum(now)
            self._watchdog.due = self.slots.next_due(now)
            if self.slots.closed and not self.slots.checked_out:
                self._watchdog.stop()
        for connection in expired:
            connection.close()
        for lease in forgotten:
            lease.peer.close()
            log.warning("connection was dropped without being given back, asked for by:\n%s", lease.caller())
        for lease in leaking:
            log.warning("connection is held for %.0f s, asked for by:\n%s", now - lease.since, lease.caller())
        self._openers.start(connects)

    def close(self) -> None:
        """Refuse all requests from now on, and close idle connections."""
        with self._lock:
            idle = self.slots.close()
        for connection in idle:
            connection.close()
        self._watchdog.nudge()

    def stats(self) -> dict[str, int]:
        """The statistics of psycopg_pool, by its names."""
        with self._lock:
            return {**self.slots.stats(), **self.connector.stats()}

    def _obtain(
        self, lease: Lease, until: float, late: type[OpsboardError], again: bool = False
    ) -> PooledConnection:
        """Wait in the queue for a connection, alive or not."""
        connects = 0
        with self._lock:
            began = self._clock()
            self.slots.counts["requests_num"] += not again
            if not lease.asked:
                self._ask(lease, began, again)
                connects = self.slots.claim_connects() if lease.ready else 0
        if lease.ready:
            self._wait(lease, lease.ready, began, until, connects)
        if lease.granted is None:
            raise self._refusal(began, late)
        return lease.take()

    def _ask(self, lease: Lease, now: float, again: bool) -> None:
        """Grant or queue, or raise why not. The caller holds the lock."""
        try:
            if self.slots.closed:
                raise self._closed_error()
            self._breaker.refuse(now)
            self.slots.ask(lease, now, again)
        except OpsboardError:
            self.slots.counts["requests_errors"] += 1
            raise

    def _wait(self, lease: Lease, ready: threading.Lock, began: float, until: float, connects: int) -> None:
        """Wait until granted or `until`. An interrupted wait gives a granted connection back."""
        interrupted = True
        try:
            self._openers.start(connects)
            ready.acquire(timeout=max(0.0, until - self._clock()))
            interrupted = False
        finally:
            with self._lock:
                self.slots.withdraw(lease, self._clock() - began)
            if interrupted and lease.granted is not None:
                self.end_lease(lease.take(), lease, reusable=True)

    def _refusal(self, began: float, late: type[OpsboardError]) -> OpsboardError:
        """Return the error that explains why no connection was granted."""
        with self._lock:
            self.slots.counts["requests_errors"] += 1
            nothing_open = not self.slots.checked_out and not self.slots.idle
            closed = self.slots.closed
        if closed:
            return self._closed_error()
        if self._status.is_away(began) or self._status.is_open(self._clock()):
            return DatabaseUnavailable()
        if nothing_open and late is PoolTimeout:
            return DatabaseUnavailable()  # no connection is in use: the connects hang
        return late()

    def _is_usable(self, connection: PooledConnection, lease: Lease, until: float) -> bool:
        """Return True if it is alive. An interrupted check gives the connection back."""
        try:
            return self._answers(connection, lease, until)
        except BaseException:
            self.end_lease(connection, lease, reusable=False)
            raise

    def _answers(self, connection: PooledConnection, lease: Lease, until: float) -> bool:
        """Check the socket, and ping only if there is reason to doubt."""
        if connection.peer.silent() and connection.proven >= self._doubtful_before:
            return True
        cut_at, now = lease.cut_at, self._clock()
        self._bound(lease, min(until, now + PING_SECONDS))
        try:
            connection.ping()
            connection.proven = now
        except psycopg2.Error:
            return False
        finally:
            with self._lock:
                lease.cut_at = cut_at
        return not lease.cut

    def _restored(self, connection: PooledConnection, lease: Lease) -> bool:
        """Return True if its session state is clean or was restored."""
        if connection.closed or lease.cut:
            return False
        if connection.pristine():
            connection.forget_messages()
            return True
        self._bound(lease, self._clock() + RESTORE_SECONDS)
        try:
            connection.restore()
        except psycopg2.Error as error:
            log.info("connection cannot be restored and is closed: %s", str(error).strip())
            return False
        return True

    def _bound(self, lease: Lease, cut_at: float) -> None:
        with self._lock:
            lease.cut_at = min(lease.cut_at, cut_at)
            self._watchdog.expect(lease.cut_at)

    def _note_losses(self, lost: int, now: float) -> None:
        """Note connections ended by the server: the others may be dead too. The caller holds the lock."""
        self.slots.counts["connections_lost"] += lost
        self._doubtful_before = now
        self._watchdog.nudge()
