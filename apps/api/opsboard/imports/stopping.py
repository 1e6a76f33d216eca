"""Ctrl-C during an import: it ends whatever the database is doing, and says whether rows were stored."""

from __future__ import annotations

import signal
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Generic, TypeVar

import psycopg2
from psycopg2.extensions import connection as Connection

from opsboard.imports.progress import Progress

Result = TypeVar("Result")
LOOK_EVERY = 0.1  # seconds


class Stopped(Exception):
    """The import was stopped; nothing was stored."""


class Stoppable(Progress):
    """Progress that ends the import at its next step once a stop is asked for."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._stop = Event()
        self._connection: Connection | None = None

    def expect(self, total: int) -> None:
        self._progress.expect(total)

    def advance(self, read: int) -> None:
        self.check()
        self._progress.advance(read)

    def say(self, words: str) -> None:
        self.check()
        self._progress.say(words)

    def connected(self, connection: Connection) -> None:
        self._connection = connection
        self.check()

    def check(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def stop(self) -> None:
        """End the statement that is running, and let none follow."""
        self._stop.set()
        if self._connection is not None and not self._connection.closed:
            with suppress(psycopg2.Error):
                self._connection.cancel()


class _Work(Thread, Generic[Result]):
    """Work in a thread of its own: while psycopg2 waits for the server, Python handles no signal in its thread."""

    def __init__(self, work: Callable[[], Result]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.result: Result | None = None
        self.error: BaseException | None = None
        # Not is_alive(): a Ctrl-C during join() makes some Pythons take a thread for one that has ended.
        self.done = Event()

    def run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error
        finally:
            self.done.set()


def run_stoppable(progress: Stoppable, work: Callable[[], Result]) -> tuple[Result, bool]:
    """The result of the work, and whether a Ctrl-C came too late to stop it. Raises Stopped when it did not."""
    thread = _Work(work)
    interrupted = Event()
    # A handler, not KeyboardInterrupt: that could be raised between any two lines of this function.
    previous = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        thread.start()
        while not thread.done.wait(LOOK_EVERY):
            # Again and again: a statement may have begun just after the last one was ended.
            if interrupted.is_set():
                progress.stop()
    finally:
        signal.signal(signal.SIGINT, previous)
    is_interrupted = interrupted.is_set()
    if thread.error is not None:
        if is_interrupted:
            raise Stopped from thread.error
        raise thread.error
    assert thread.result is not None  # it ended without an error
    return thread.result, is_interrupted
