"""Asks the database about itself on a thread and a connection of its own, and remembers what it said last."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cachetools import LRUCache

from opsboard.db.database import Database, Row
from opsboard.db.queries import Query
from opsboard.db.tenancy import Identity
from opsboard.errors import DatabaseUnavailable, OpsboardError
from opsboard.observability import record

# Whoever waits for a lock longer than this is told so instead.
LOCK_WAIT = "SELECT set_config('lock_timeout', '100ms', true);\n"
# The longest wait for a server that is known to be alive, when nothing is remembered.
LONGEST = 1.0  # seconds
REMEMBERED = 64  # answers


@dataclass(frozen=True)
class Seen:
    """What the database said `age` seconds ago; `problem` says why it is not of now."""

    row: Row | None
    age: float = 0.0
    problem: OpsboardError | None = None


class Lookout:
    """For answers about the state of the service, which must come when everything else waits.

    Whoever asks waits `patience` seconds at most, whatever holds up the database: all threads and connections of
    requests may be busy, a table may be locked, the server may be frozen. Then the answer is the last one that is
    remembered, or an error. `is_alive` says whether the server was heard a moment ago.
    """

    def __init__(self, database: Database, patience: float, is_alive: Callable[[], bool]) -> None:
        self.database = database
        self.patience = patience
        self._is_alive = is_alive
        self._lock = threading.Lock()
        self._known: LRUCache[Any, tuple[Row | None, float]] = LRUCache(REMEMBERED)
        self._pid = 0
        self._begin()

    def ask(
        self,
        query: Query,
        params: Mapping[str, Any] | None = None,
        identity: Identity | None = None,
        *,
        remember: bool = True,
    ) -> Seen:
        """The first row of a query. Raises what is the matter when it does not come in time and none is remembered."""
        key = (query.name, identity and (identity.tenant_id, identity.user_id), repr(params))
        asked = time.monotonic()
        future = self._start(key, query, params or {}, identity, remember)
        known = self._known.get(key) if remember else None
        try:
            row = self._wait(future, known is None)
        except OpsboardError as error:
            if known is None:
                raise
            return Seen(known[0], time.monotonic() - known[1], error)
        finally:
            if current := record.current():
                current.query(query.name, (time.monotonic() - asked) * 1000)
        return Seen(row)

    def require_answer(self, query: Query, params: Mapping[str, Any]) -> None:
        """Raise what is the matter unless the server answers in time; before what may take long."""
        key = (query.name, None, repr(params))
        self._wait(self._start(key, query, params, None, remember=False), nothing_known=True)

    def fetch_unbound(self, query: Query, params: Mapping[str, Any] | None = None) -> Row | None:
        """As `Database.fetch_unbound`, in time or not at all."""
        return self.ask(query, params, remember=False).row

    def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.database.pool.closeall()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._threads = ThreadPoolExecutor(1, "opsboard-lookout")
        self._running: dict[Any, Future[Row | None]] = {}

    def _start(
        self,
        key: Any,
        query: Query,
        params: Mapping[str, Any],
        identity: Identity | None,
        remember: bool,
    ) -> Future[Row | None]:
        """What is being asked; the same question is not asked twice at a time, unless it changes something."""
        with self._lock:
            if self._pid != os.getpid():  # threads do not survive a fork
                self._begin()
            future = self._running.get(key)
            if future is None or future.done() or query.writes:
                future = self._threads.submit(self._run, key, query, params, identity, remember)
                self._running[key] = future
                future.add_done_callback(lambda done: self._forget(key, done))
            return future

    def _forget(self, key: Any, done: Future[Row | None]) -> None:
        with self._lock:
            if self._running.get(key) is done:
                del self._running[key]

    def _run(
        self, key: Any, query: Query, params: Mapping[str, Any], identity: Identity | None, remember: bool
    ) -> Row | None:
        query = patient_only_briefly(query)
        row = (
            self.database.fetch_row(query, identity, params)
            if identity
            else self.database.fetch_unbound(query, params)
        )
        if remember:
            self._known[key] = (row, time.monotonic())
        return row

    def _wait(self, future: Future[Row | None], nothing_known: bool) -> Row | None:
        until = time.monotonic() + LONGEST
        while True:
            try:
                return future.result(self.patience)
            except NotInTime:
                if not (nothing_known and self._is_alive()) or time.monotonic() > until:
                    raise DatabaseUnavailable("The database did not answer in time.") from None


@cache
def _with_lock_wait(name: str, sql: str) -> str:
    return f"{LOCK_WAIT}/* {name} */ {sql}"


def patient_only_briefly(query: Query) -> Query:
    """The same query, which gives up when it has to wait for a lock."""
    return replace(query, sql=_with_lock_wait(query.name, query.sql))
