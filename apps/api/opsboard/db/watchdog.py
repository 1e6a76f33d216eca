"""One thread that wakes when something falls due, and the handle it cuts a connection with."""

from __future__ import annotations

import contextlib
import math
import os
import queue
import select
import socket
import threading
import weakref
from collections.abc import Callable


class Peer:
    """The server's side of a connection, reached through a descriptor of our own.

    libpq closes its descriptor whenever it likes and the kernel gives the number to the next file, so
    shutting "descriptor 7" from another thread may hit a stranger. A duplicate is ours until we close it.
    """

    __slots__ = ("_lock", "_poll", "_socket")

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=os.dup(descriptor))
        self._lock = threading.Lock()
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def silent(self) -> bool:
        """Return True if nothing waits to be read: true of every healthy idle connection, costs one system call.

        End of file and the server's farewell both make it false. So do a notice and TLS housekeeping, which
        is why False means "ask", not "dead".
        """
        return not self._poll.poll(0)

    def shut(self) -> None:
        """Shut the socket both ways: a thread that waits in libpq is woken with an error."""
        # It fails when the server was quicker, or the duplicate is closed: then there is nothing to end.
        with self._lock, contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the duplicate; until then the server would not see libpq close its own."""
        with self._lock:
            self._socket.close()

    def abandon(self) -> None:
        """Close it in a forked child, where a thread that is not there any more may hold the lock."""
        self._socket.close()


class Watchdog:
    """Calls `tick` when the time it asked for has come, or when nudged.

    Nothing is sent to the thread while due times only move forward, as deadlines of requests do: telling it
    about one more costs a comparison.
    """

    def __init__(self, tick: Callable[[], None], clock: Callable[[], float]) -> None:
        self.due = math.inf
        self._tick = weakref.WeakMethod(tick)  # an abandoned pool must not live on in its thread
        self._clock = clock
        # Reentrant: the garbage collector may nudge in the middle of a nudge.
        self._nudges: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def expect(self, due: float) -> None:
        """Tick no later than `due`. The caller holds the lock under which ticks set `due`."""
        if due < self.due:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="pool-watchdog", daemon=True)
                self._thread.start()
            self.due = due
            self.nudge()

    def nudge(self, _: object = None) -> None:
        """Tick soon. May be called from anywhere, also as the callback of a weak reference."""
        self._nudges.put(None)

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self.nudge()

    def _run(self) -> None:
        while not self._stopped:
            tick = self._tick()
            if tick is None:
                return
            tick()
            del tick  # while asleep, the thread keeps nothing alive
            self._sleep()

    def _sleep(self) -> None:
        seconds = max(0.0, min(self.due - self._clock(), 3600.0))
        try:
            self._nudges.get(timeout=seconds)
            while True:
                self._nudges.get_nowait()
        except queue.Empty:
            return
