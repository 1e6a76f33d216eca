"""The thread of a process that computes password hashes, at a low priority, one after the other."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import TypeVar

from opsboard.errors import TooManySignIns

Result = TypeVar("Result")

# A hash takes a processor for tens of milliseconds. At this priority it gets what the requests leave, and a fair
# minimum when they leave nothing.
NICENESS = 10
MOST = 8  # calls that wait or run
PATIENCE = 5.0  # seconds


class PasswordThread:
    """Runs calls in one thread of its own; refuses a call when `most` are there or its turn does not come in time."""

    def __init__(self, most: int = MOST, patience: float = PATIENCE) -> None:
        self._most, self._patience = most, patience
        self.start_anew()

    def start_anew(self) -> None:
        """Begin with no thread and no calls, as a forked process must; the first call starts the thread."""
        self._places = threading.BoundedSemaphore(self._most)
        self._executor = ThreadPoolExecutor(1, "opsboard-passwords", initializer=lower_priority)

    def run(self, call: Callable[[], Result]) -> Result:
        """Return the result of a call. Raises TooManySignIns when it is refused."""
        places = self._places
        if not places.acquire(blocking=False):
            raise TooManySignIns()
        future: Future[Result] = self._executor.submit(call)
        future.add_done_callback(lambda _: places.release())
        try:
            return future.result(self._patience)
        except FutureTimeout:
            if future.cancel():
                raise TooManySignIns() from None
            return future.result()  # its turn has come


def lower_priority() -> None:
    """Lower the priority of the calling thread where the system has one for each thread."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
