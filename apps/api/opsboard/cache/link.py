"""Connections to Redis or Valkey that never delay a request: it borrows an open one or goes on without."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

import structlog

from opsboard.cache import wire

log = structlog.get_logger(__name__)

# A command of many packets, each in time, may still be slow as a whole.
SLOW = 0.25  # seconds
FIRST_REST, LONGEST_REST = 0.2, 5.0  # seconds between two attempts to open
MOST = 16  # connections of one worker
NOT_YET = "not reached yet"


class Disconnected(Exception):
    """No connection is open, or it was lost during the command."""


class Unavailable(Disconnected):
    """Nothing was sent: no connection is open, or all are in use."""


class Link:
    """While it is up, requests use its open connections. Once one of them fails, all are dropped.

    A thread opens new ones: at once when there are too few, after a backoff with jitter when that failed. So a
    frozen server costs each open connection one `wire.PATIENCE`, and nothing while it is known to be away.
    """

    def __init__(self, url: str) -> None:
        """Opens nothing. Raises ConfigError if the address is invalid."""
        self._connector = wire.connector(url)
        self._lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None
        self._stop, self._is_needed = threading.Event(), threading.Event()
        self._free: deque[Any] = deque()
        self._opened = 0
        # Counts the times the link has failed; a connection belongs to the generation it was opened in.
        self._generation = 0
        self._up_since = 0.0
        self._rest = FIRST_REST
        self.reason: str | None = NOT_YET
        """Why it is down, without address or password; None while it is up."""

    def start(self) -> None:
        """Start the thread of this process; after the first call a cheap check."""
        if self._thread is not None and self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                # The parent's connections must be neither used nor closed here.
                self._reset()
            if self._thread is None:
                self._is_needed.set()
                self._thread = threading.Thread(target=self._run, name="opsboard-shared-cache", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread and close what is open."""
        self._stop.set()
        self._is_needed.set()
        if self._pid != os.getpid():
            return
        if self._thread is not None:
            self._thread.join(2 * wire.CONNECT_TIMEOUT)
        self._drop_free()

    def ask(self, *words: Any) -> Any:
        """Return the answer to one command. Raises only Unavailable, Disconnected or wire.Declined."""
        self.start()
        connection, generation = self._borrow()
        began, is_usable = time.monotonic(), False
        try:
            answer = wire.ask(connection, *words)
            is_usable = True
        except wire.Declined:
            is_usable = True
            raise
        except Exception as error:
            # No error of the second level may fail a request.
            self._fall(generation, wire.reason_of(error))
            raise Disconnected from error
        finally:
            if time.monotonic() - began > SLOW:
                is_usable = False
                self._fall(generation, "too slow")
            self._give_back(connection, generation, is_usable)
        return answer

    def _borrow(self) -> tuple[Any, int]:
        with self._lock:
            if self._free:
                return self._free.pop(), self._generation
            if self.reason is None and self._opened < MOST:
                self._is_needed.set()
        raise Unavailable

    def _give_back(self, connection: Any, generation: int, is_usable: bool) -> None:
        with self._lock:
            current = generation == self._generation
            if current and is_usable:
                self._free.append(connection)
                return
            self._opened -= current
        with suppress(Exception):
            connection.disconnect()

    def _fall(self, generation: int, reason: str) -> None:
        """End a generation; connections of it that are in use are closed when they are given back."""
        with self._lock:
            if generation != self._generation:
                return
            self.reason, self._generation, self._opened = reason, generation + 1, 0
            if time.monotonic() - self._up_since > LONGEST_REST:
                self._rest = FIRST_REST
        log.warning("shared cache is away; going on without it", reason=reason)
        self._drop_free()
        self._is_needed.set()

    def _drop_free(self) -> None:
        with self._lock:
            dropped, self._free = self._free, deque()
        for connection in dropped:
            with suppress(Exception):
                connection.disconnect()

    def _run(self) -> None:
        stop, is_needed, failed = self._stop, self._is_needed, False
        while is_needed.wait() and not stop.is_set():
            is_needed.clear()
            # A server that answers only while connecting must not be connected to in a loop.
            if failed or self.reason not in (None, NOT_YET):
                if stop.wait(self._rest * random.uniform(0.5, 1.5)):
                    return
                self._rest = min(2 * self._rest, LONGEST_REST)
            failed = not self._open()
            if failed and self.reason is not None:
                is_needed.set()

    def _open(self) -> bool:
        """Open one more connection and check that it answers."""
        connection = None
        try:
            connection = self._connector()
            connection.connect()
            wire.ask(connection, "PING")
        except Exception as error:
            if connection is not None:
                with suppress(Exception):
                    connection.disconnect()
            if self.reason == NOT_YET:
                log.warning("shared cache is away; going on without it", reason=wire.reason_of(error))
            if self.reason is not None:
                self.reason = wire.reason_of(error)
            return False
        with self._lock:
            was = self.reason
            if was is not None:
                self.reason, self._up_since = None, time.monotonic()
            self._opened += 1
            self._free.append(connection)
        if was not in (None, NOT_YET):
            log.info("shared cache is back")
        return True
