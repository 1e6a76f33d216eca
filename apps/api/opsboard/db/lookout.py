"""Asks the database about itself on a thread and a connection of its own, and remembers what it said last."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from cachetools import LRUCache
from psycopg2.errors import InternalError_

from opsboard.db.database import Database, Row
from opsboard.db.queries import Query
from opsboard.db.tenancy import Identity
from opsboard.errors import DatabaseUnavailable, OpsboardError
from opsboard.observability import record

# A statement that waits for a lock longer than this ends with an error, so that the request has time for another one.
LOCK_WAIT = "SELECT set_config('lock_timeout', '50ms', true);\n"
# The longest wait for a server that is known to be alive, when nothing is remembered, and between two looks at that.
LONGEST = 1.0  # seconds
LOOK_EVERY = 0.01  # seconds
REMEMBERED = 64  # answers


@dataclass(frozen=True)
class Seen:
    """An answer of the database from `age` seconds ago; `problem` explains why there is no newer one."""

    row: Row | None
    age: float = 0.0
    problem: OpsboardError | None = None


class Lookout:
    """For answers about the state of the service, which must come when everything else waits.

    A request waits here for `patience` seconds, all its statements together, whatever holds up the database: all
    threads and connections of requests may be busy, a table may be locked, the server may be frozen. A statement
    without an answer by then has the last one that is remembered, or an error. Only the first answer of a server that
    was heard a moment ago (`is_alive`) may take longer.
    """

    def __init__(
        self,
        database: Database,
        patience: float,
        is_alive: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self.patience = patience
        self._is_alive = is_alive
        self._clock = clock
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
        asked = self._clock()
        future = self._start(key, query, params or {}, identity, remember)
        known = self._known.get(key) if remember else None
        try:
            row = self._wait(future, known is None)
        except OpsboardError as error:
            if known is None:
                raise
            return Seen(known[0], self._clock() - known[1], error)
        finally:
            if current := record.current():
                current.query(query.name, (self._clock() - asked) * 1000)
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
        """The questions in progress; equal questions run once at a time, unless they change something."""
        with self._lock:
            if self._pid != os.getpid():  # threads do not survive a fork
                self._begin()
            running = self._running.get(key)
            if running is not None and not running.done() and not query.writes:
                return running
            future = self._threads.submit(self._run, key, query, params, identity, remember)
            self._running[key] = future
        # Without the lock: of a question that has its answer already, the callback runs here and takes the lock.
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

        def fetch() -> Row | None:
            if identity:
                return self.database.fetch_row(query, identity, params)
            return self.database.fetch_unbound(query, params)

        try:
            row = fetch()
        except InternalError_:
            # An index or table was dropped between the scan of the catalogue and the look at its definition.
            row = fetch()
        if remember:
            self._known[key] = (row, self._clock())
        return row

    def _wait(self, future: Future[Row | None], nothing_known: bool) -> Row | None:
        """The row, if it comes while there is time. Raises DatabaseUnavailable otherwise."""
        asked, current = self._clock(), record.current()
        # Counted from the start of the request, so that a second statement does not wait as long again.
        until = (current.started if current else asked) + self.patience
        while True:
            now = self._clock()
            if now < until:
                seconds = until - now
            elif nothing_known and now < asked + LONGEST and self._is_alive():
                seconds = LOOK_EVERY
            else:
                raise DatabaseUnavailable("The database did not answer in time.")
            with suppress(NotInTime):
                return future.result(seconds)


def patient_only_briefly(query: Query) -> Query:
    """The same query, which gives up when it has to wait for a lock."""
    return replace(query, before=LOCK_WAIT)
