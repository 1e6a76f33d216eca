"""All rows of a list, read through a server-side cursor a batch at a time, however many there are."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import psycopg2

from opsboard.db import tenancy
from opsboard.db.businesses import Businesses, Share
from opsboard.db.database import translated
from opsboard.db.list_statement import Page, compose_export, compose_parent_check
from opsboard.db.pool import ConnectionContext, Pool, is_disconnect
from opsboard.db.queries import Query
from opsboard.errors import DeadlineExceeded, NotFound, OpsboardError, TooManyExports
from opsboard.observability import record

BATCH = 1000  # rows
# The request is recorded first, even if the export fails later; then one snapshot serves all of it.
BEGIN = "BEGIN;\n{bind}{note};\nCOMMIT;\nBEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n{bind}"
OPEN = "DECLARE exported NO SCROLL CURSOR FOR {ids};\n"
FETCH = f"FETCH {BATCH} FROM exported"


class Asked(NamedTuple):
    """An export: its list, and the statement that records it."""

    query: Query
    filters: Mapping[str, Any]
    page: Page
    note: Query
    noted: Mapping[str, Any]


class Exports:
    """Gives the pool's connections to exports: `most` at a time, each for `deadline` seconds.

    An export holds its connection for as long as its reader takes; so that requests always find one, exports never
    have more than half of the pool. While others ask as well, one business has no more than half of them.
    """

    def __init__(self, pool: Pool, most: int, deadline: float, businesses: Businesses | None = None) -> None:
        self._pool = pool
        total = min(most, max(1, pool.maxconn // 2))
        self._share = Share(total, (total + 1) // 2, businesses or Businesses())
        self.deadline = deadline

    def begin(self, asked: Asked, identity: tenancy.Identity) -> Export:
        """The export with its first rows read, so that what is wrong is told before anything is sent."""
        tenant_id = identity.tenant_id
        if not self._share.take(tenant_id):
            raise TooManyExports()
        ended = partial(self._share.give_back, tenant_id)
        export = Export(self._pool.connection, ended, asked, identity, self.deadline)
        try:
            export.open()
        except BaseException:
            export.close()
            raise
        return export


class Export:
    """Iterates over batches of items, each item a JSON text. The caller closes it; closing twice is harmless."""

    def __init__(
        self, connect: Any, ended: Any, asked: Asked, identity: tenancy.Identity, deadline: float
    ) -> None:
        self._connect, self._ended = connect, ended
        self._asked = asked
        self._identity = identity
        self._deadline = time.monotonic() + deadline
        self._lock = threading.Lock()
        self._context: ConnectionContext | None = None
        self._ids, self._rows, params = compose_export(asked.query, asked.filters, asked.page)
        self._params = tenancy.parameters(identity, params)
        self.rows = 0

    def open(self) -> None:
        """Note the export, open its cursor and read the first batch."""
        current, began = record.current(), time.monotonic()
        context = self._connect(deadline=self._deadline)
        connection = context.__enter__()
        self._context = context
        # It outlives the request's hold on its thread, and may be held for as long as it may take.
        connection.lease.thread, connection.lease.leaks_at = 0, math.inf
        self._cursor = connection.cursor()
        asked, name = self._asked, self._asked.query.name
        if current:
            current.waited((time.monotonic() - began) * 1000)
        message = BEGIN.format(bind=tenancy.BIND, note=asked.note.sql) + OPEN.format(ids=self._ids) + FETCH
        noted = tenancy.parameters(self._identity, asked.noted)
        self._first = self._fetch(message, {**self._params, **noted, "statement_timeout": self._left()})
        owner = compose_parent_check(asked.query)
        if not self._first and owner and not self._send(owner, self._params):
            raise NotFound()
        if current:
            current.query(name, (time.monotonic() - began) * 1000)

    def __iter__(self) -> Iterator[list[str]]:
        batch = self._first
        while batch:
            self.rows += len(batch)
            yield batch
            batch = self._fetch(FETCH, {}) if len(batch) == BATCH else []
        self._send("COMMIT", {})

    def close(self) -> None:
        """Give the connection back at once, wherever the export is."""
        with self._lock:
            context, self._context = self._context, None
            ended, self._ended = self._ended, None
        try:
            if context is not None:
                context.__exit__(None, None, None)
        finally:
            if ended is not None:
                ended()

    def _fetch(self, fetch: str, params: Mapping[str, Any]) -> list[str]:
        """The next items: their ids and sort keys in order from the cursor, then what they show."""
        found = self._send(fetch, params)
        if not found:
            return []
        ids, sort_keys = map(list, zip(*found, strict=True))
        rows = self._send(self._rows, {**self._params, "ids": ids, "sort_keys": sort_keys})
        return [text for (text,) in rows]

    def _send(self, sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        try:
            # pg_stat_activity shows the list that each statement is for.
            self._cursor.execute(f"/* {self._asked.query.name} */ {sql}", params)
            # An answer without columns, which only says that there is a row, has the empty description `()`.
            return list(self._cursor.fetchall()) if self._cursor.description is not None else []
        except psycopg2.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: psycopg2.Error) -> OpsboardError:
        lost = is_disconnect(error)
        if lost and time.monotonic() >= self._deadline:
            return DeadlineExceeded("The export took longer than it may; narrow it down.")
        return translated(error, self._asked.query, lost)

    def _left(self) -> str:
        return f"{max(1, int((self._deadline - time.monotonic()) * 1000))}ms"
