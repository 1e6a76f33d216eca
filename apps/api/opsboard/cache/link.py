"""Connections to Redis or Valkey that never hold up a request: it borrows an open one, or goes on without."""

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

# Many words, each in time, may be slow all the same.
SLOW = 0.25  # seconds
FIRST_REST, LONGEST_REST = 0.2, 5.0  # seconds between two attempts to open
MOST = 16  # connections of one worker
NOT_YET = "not reached yet"


class Away(Exception):
    """There is no connection now, or it was lost on the way."""


class NotNow(Away):
    """Nothing was asked: none is open, or all are in use."""


class Link:
    """While it is up, requests use its open connections; once one of them fails, all are dropped.

    A thread opens new ones: at once when there are too few, after a rest with jitter when that failed. So a
    frozen server costs each open connection one `wire.PATIENCE`, and nothing while it is known to be away.
    """

    def __init__(self, url: str) -> None:
        """Opens nothing. Raises ConfigError when the address makes no sense."""
        self._connector = wire.connector(url)
        self._lock = threading.Lock()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None
        self._stop, self._wanted = threading.Event(), threading.Event()
        self._free: deque[Any] = deque()
        self._opened = 0
        # Of a life are the connections that were opened since it was last up.
        self._life = 0
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
                # The parent's connections are not ours to use or to close.
                self._begin_anew()
            if self._thread is None:
                self._wanted.set()
                self._thread = threading.Thread(target=self._run, name="opsboard-shared-cache", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread and close what is open."""
        self._stop.set()
        self._wanted.set()
        if self._pid != os.getpid():
            return
        if self._thread is not None:
            self._thread.join(2 * wire.CONNECT_TIMEOUT)
        self._drop_free()

    def ask(self, *words: Any) -> Any:
        """The answer to one command. Raises NotNow, Away or wire.Declined, and nothing else."""
        self.start()
        connection, life = self._borrow()
        began, in_order = time.monotonic(), False
        try:
            answer = wire.ask(connection, *words)
            in_order = True
        except wire.Declined:
            in_order = True
            raise
        except Exception as error:
            # Whatever it says, it must not fail a request.
            self._fall(life, wire.told(error))
            raise Away from error
        finally:
            if time.monotonic() - began > SLOW:
                in_order = False
                self._fall(life, "too slow")
            self._give_back(connection, life, in_order)
        return answer

    def _borrow(self) -> tuple[Any, int]:
        with self._lock:
            if self._free:
                return self._free.pop(), self._life
            if self.reason is None and self._opened < MOST:
                self._wanted.set()
        raise NotNow

    def _give_back(self, connection: Any, life: int, in_order: bool) -> None:
        with self._lock:
            current = life == self._life
            if current and in_order:
                self._free.append(connection)
                return
            self._opened -= current
        with suppress(Exception):
            connection.disconnect()

    def _fall(self, life: int, reason: str) -> None:
        """End a life; what others still hold of it is closed when they are done."""
        with self._lock:
            if life != self._life:
                return
            self.reason, self._life, self._opened = reason, life + 1, 0
            if time.monotonic() - self._up_since > LONGEST_REST:
                self._rest = FIRST_REST
        log.warning("shared cache is away; going on without it", reason=reason)
        self._drop_free()
        self._wanted.set()

    def _drop_free(self) -> None:
        with self._lock:
            dropped, self._free = self._free, deque()
        for connection in dropped:
            with suppress(Exception):
                connection.disconnect()

    def _run(self) -> None:
        stop, wanted, failed = self._stop, self._wanted, False
        while wanted.wait() and not stop.is_set():
            wanted.clear()
            # One that only answers when it is opened must not be opened at every turn.
            if failed or self.reason not in (None, NOT_YET):
                if stop.wait(self._rest * random.uniform(0.5, 1.5)):
                    return
                self._rest = min(2 * self._rest, LONGEST_REST)
            failed = not self._open()
            if failed and self.reason is not None:
                wanted.set()

    def _open(self) -> bool:
        """Open one more connection and see that it answers."""
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
                log.warning("shared cache is away; going on without it", reason=wire.told(error))
            if self.reason is not None:
                self.reason = wire.told(error)
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
