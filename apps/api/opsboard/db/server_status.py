"""True if the server answers, as all connections of this process know it: a circuit breaker."""

from __future__ import annotations

import math
import os
import threading
import time
import weakref
from collections.abc import Callable

# A failure this long ago says nothing about now: somebody has to try again.
LATELY = 5.0  # seconds


class ServerStatus:
    """Shared by the pools of one process that connect to the same server.

    The breaker opens when the server has refused connections for `patience` seconds, or at once when a probe of a
    server that said nothing got no answer. While it is open requests are refused without a wait, and a prober of the
    pool asks whether the server is back. One sign of life from any connection closes it.
    """

    def __init__(self, patience: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.patience = patience
        self._clock = clock
        self._pid = 0
        self.reset()

    def reset(self) -> None:
        """Know nothing in a forked child, which inherits neither connections nor threads."""
        if self._pid == os.getpid():
            return  # another pool has done so
        self._pid = os.getpid()
        self._lock = threading.Lock()
        # The last sign of life, the first failure since, and the last failure.
        self.alive = self._failing = self._failed = -math.inf
        self._is_silent = False
        self._on_open: list[weakref.WeakMethod[Callable[[], None]]] = []

    def on_open(self, callback: Callable[[], None]) -> None:
        """Call a bound method each time a failure is noted while the breaker is open; it is held weakly."""
        self._on_open.append(weakref.WeakMethod(callback))

    def heard(self, at: float) -> None:
        """The server answered something that was asked by `at`."""
        self.alive = max(self.alive, at)
        if self._is_silent:
            self._is_silent = False

    def failed(self, silent: bool = False) -> bool:
        """Note that the server could not be reached, or did not answer a probe; whether this is news."""
        now = self._clock()
        with self._lock:
            is_first = self._failing <= self.alive or now - self._failed > LATELY
            if is_first:
                self._failing = now
            self._failed = now
            self._is_silent = self._is_silent or silent
        if self.is_open(now):
            for callback in [reference() for reference in self._on_open]:
                if callback is not None:
                    callback()
        return is_first

    def is_away(self, since: float) -> bool:
        """Return True if the last thing known, after `since`, is that the server cannot be reached."""
        return self._failed > max(self.alive, since)

    def is_open(self, now: float) -> bool:
        """Return True if waiting is no use. Ends when nobody has tried lately."""
        if self._failed <= self.alive or now - self._failed > LATELY:
            return False
        return self._is_silent or now - self._failing > self.patience

    def is_silent(self, now: float) -> bool:
        """Return True if the breaker is open because nothing at all comes back, on open connections either."""
        return self._is_silent and self.is_open(now)
