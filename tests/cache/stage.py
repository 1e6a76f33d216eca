"""Callers of the store as real threads that move only when the test says so.

A caller runs until it stands in its load, waits for another caller's load, or is done; only then does
the test go on. So every interleaving a test names is the one that happens, with no sleep and no luck.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any
from unittest import mock

from opsboard.cache import Body, Found, Key, Store

PATIENCE = 10.0
"""Seconds until a caller that should have moved is taken for stuck."""


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Caller(threading.Thread):
    """One call of `get_or_load`; `state` is loading, waiting or done."""

    def __init__(self, stage: Stage, store: Store, make: Callable[[], Body], **arguments: Any) -> None:
        super().__init__(daemon=True)
        self.state = "new"
        self.found: Found | None = None
        self.error: BaseException | None = None
        self._stage = stage
        self._store = store
        self._make = make
        self._arguments = arguments
        self._gate = threading.Event()
        self._fate: BaseException | None = None

    def run(self) -> None:
        try:
            self.found = self._store.get_or_load(load=self._load, **self._arguments)
        except BaseException as error:
            self.error = error
        self._stage.tell(self, "done")

    def _load(self) -> Body:
        # The data is read when the load begins; the pause is the way of the answer back.
        body = self._make()
        self._stage.tell(self, "loading")
        assert self._gate.wait(PATIENCE)
        if self._fate is not None:
            raise self._fate
        return body

    def open_gate(self, fate: BaseException | None) -> None:
        self._fate = fate
        self._gate.set()


class Stage:
    """Starts callers, lets their loads land, and knows where each of them stands."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.callers: list[Caller] = []
        self._news: SimpleQueue[tuple[Caller | None, str]] = SimpleQueue()
        self._expected = 0

    def call(
        self,
        key: Key,
        make: Callable[[], Body] = lambda: Body(b"{}"),
        ttl: float = 60.0,
        tables: frozenset[str] = frozenset({"jobs"}),
        deadline: float | None = None,
    ) -> Caller:
        """Start a caller and return when it stands still."""
        caller = Caller(self, self.store, make, key=key, ttl=ttl, tables=tables, deadline=deadline)
        self.callers.append(caller)
        caller.start()
        self._await(1)
        return caller

    def land(self, caller: Caller, fate: BaseException | None = None) -> None:
        """Let the caller's load end, with the fate as its error; return when all it concerns stand still."""
        assert caller.state == "loading"
        caller.open_gate(fate)
        self._await(1)

    def give_up(self, caller: Caller) -> None:
        """Return when the waiting caller's deadline has passed."""
        assert caller.state == "waiting"
        self._await(1)

    def finish(self) -> None:
        """Let every load land until no caller is left."""
        while loading := [caller for caller in self.callers if caller.state == "loading"]:
            self.land(loading[0])
        for caller in self.callers:
            caller.join(PATIENCE)
            assert not caller.is_alive(), f"a caller is stuck, {caller.state}"

    def tell(self, caller: Caller, state: str) -> None:
        self._news.put((caller, state))

    def landing(self, waiters: int) -> None:
        """A flight lands, and so many callers will move because of it."""
        for _ in range(waiters):
            self._news.put((None, "one more to move"))

    def _await(self, moves: int) -> None:
        while moves:
            caller, state = self._news.get(timeout=PATIENCE)
            if caller is None:
                moves += 1
            else:
                caller.state = state
                moves -= 1


def _event_that_tells(stage: Stage) -> type[threading.Event]:
    class TellingEvent(threading.Event):
        """The event that a flight's waiters wait on; reports each waiter and the number it wakes."""

        def __init__(self) -> None:
            super().__init__()
            self._waiting = 0
            self._guard = threading.Lock()

        def wait(self, timeout: float | None = None) -> bool:
            caller = threading.current_thread()
            if not isinstance(caller, Caller):
                return super().wait(timeout)
            with self._guard:
                if self.is_set():
                    return True
                self._waiting += 1
            stage.tell(caller, "waiting")
            landed = super().wait(timeout)
            with self._guard:
                self._waiting -= 1
            return landed

        def set(self) -> None:
            with self._guard:
                stage.landing(self._waiting)
                super().set()

    return TellingEvent


@contextmanager
def staged(store: Store) -> Iterator[Stage]:
    """A stage for the store; at the end nobody may be left on it."""
    stage = Stage(store)
    with mock.patch("opsboard.cache.flight.Event", _event_that_tells(stage)):
        try:
            yield stage
        finally:
            stage.finish()
