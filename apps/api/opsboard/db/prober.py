"""Asks a server that does not answer whether it is there, so that no request has to."""

from __future__ import annotations

import random
import select
import threading
from collections.abc import Callable
from typing import Any

import psycopg2
from psycopg2 import extensions

from opsboard.db.server_status import ServerStatus

# A server that takes longer than this to accept a connection counts as silent.
PROBE_SECONDS = 0.4
# Between two probes of a server that is away.
RETRY_SECONDS = (0.05, 0.1)
# Probing goes on for this long after the last request that was refused.
ASKED_LATELY = 5.0


class Prober:
    """Probes in one thread: once on suspicion, and then, while the server is away, until it is back."""

    def __init__(self, dsn: Callable[[], str], status: ServerStatus, clock: Callable[[], float]) -> None:
        self._dsn = dsn
        self._status = status
        self._clock = clock
        self._lock = threading.Lock()
        self._is_running = False
        self._asked_at = 0.0

    def ask(self) -> None:
        """Probe soon, unless that is under way."""
        with self._lock:
            self._asked_at = self._clock()
            if self._is_running:
                return
            self._is_running = True
        try:
            threading.Thread(target=self._run, name="pool-prober", daemon=True).start()
        except RuntimeError:  # the process has no threads left
            self._is_running = False

    def _run(self) -> None:
        while not self._probe() and self._clock() - self._asked_at < ASKED_LATELY:
            threading.Event().wait(random.uniform(*RETRY_SECONDS))
        self._is_running = False

    def _probe(self) -> bool:
        """Return True if the server is there: it accepted a connection, or something else was heard meanwhile."""
        began = self._clock()
        answered, spoke = connects(self._dsn(), PROBE_SECONDS)
        if answered:
            self._status.heard(self._clock())
        elif self._status.alive < began:
            self._status.failed(silent=not spoke)
        return answered or self._status.alive >= began


def connects(dsn: str, seconds: float) -> tuple[bool, bool]:
    """Return True if the server accepts a connection in time, and whether it said anything at all."""
    spoke = False
    connection: Any = None
    try:
        connection = psycopg2.connect(dsn, async_=True)
        while (state := connection.poll()) != extensions.POLL_OK:
            reads = state == extensions.POLL_READ
            ready = select.select([connection] if reads else [], [] if reads else [connection], [], seconds)
            if not any(ready):
                return False, spoke
            spoke = spoke or reads
        return True, True
    except psycopg2.Error:
        return False, spoke
    finally:
        if connection is not None:
            connection.close()
