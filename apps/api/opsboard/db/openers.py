"""Threads that make connections, so that a connect that hangs holds up no request."""

from __future__ import annotations

import random
import threading
import time
import weakref
from collections.abc import Callable

import psycopg2

from opsboard.db.connection import PooledConnection
from opsboard.db.connector import Connector
from opsboard.db.slots import Slots
from opsboard.db.watchdog import Watchdog

# Between attempts to reach a server that is away.
RETRY_SECONDS = (0.05, 0.1)


class Openers:
    """Fills slots that were claimed for a connect, each in a thread of its own."""

    def __init__(
        self,
        connector: Connector,
        slots: Slots,
        lock: threading.Lock,
        watchdog: Watchdog,
        clock: Callable[[], float],
    ) -> None:
        self._connector = connector
        self._slots = slots
        self._lock = lock
        self._watchdog = watchdog
        self._clock = clock

    def start(self, connects: int) -> None:
        """Make that many connections, whose slots are claimed."""
        for started in range(connects):
            try:
                threading.Thread(target=self._run, name="pool-connect", daemon=True).start()
            except RuntimeError:  # the process has no threads left
                with self._lock:
                    self._slots.connecting -= connects - started
                raise

    def _run(self) -> None:
        """Make one connection, trying for as long as somebody waits for it."""
        done = False
        try:
            while not done:
                done = self._deliver(self._open())
                if not done:
                    time.sleep(random.uniform(*RETRY_SECONDS))
        finally:
            if not done:
                with self._lock:
                    self._slots.connecting -= 1

    def _open(self) -> PooledConnection | None:
        try:
            connection = self._connector.open()
        except psycopg2.Error:
            return None  # the connector has taken note
        connection.ref = weakref.ref(connection, self._watchdog.nudge)
        return connection

    def _deliver(self, connection: PooledConnection | None) -> bool:
        """Return True if this slot's connect is over: it succeeded, or nobody waits for it any more."""
        with self._lock:
            slots = self._slots
            if connection is None and not slots.closed and slots.connecting <= len(slots.waiting):
                return False
            slots.connecting -= 1
            if connection is None:
                if slots.is_short():
                    self._watchdog.expect(slots.refill_at)
                return True
            if not slots.closed:
                slots.offer(connection, self._clock())
                return True
        connection.close()
        return True
