"""Run one named query for one identity: one connection, one round trip, errors in our own words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import psycopg2
import structlog

from opsboard.db import tenancy
from opsboard.db.conditional import Match, Once, Row, not_taken, send_conditionally
from opsboard.db.list_statement import Page, compose
from opsboard.db.plan_samples import Sample
from opsboard.db.pool import Pool, is_disconnect
from opsboard.db.prepared import PreparedStatements
from opsboard.db.queries import Query
from opsboard.db.query_watch import QueryWatch
from opsboard.db.sqlstates import error_for_sqlstate
from opsboard.errors import (
    DatabaseUnavailable,
    DeadlineExceeded,
    InvalidInput,
    NotFound,
    OpsboardError,
)
from opsboard.observability import faults, record

log = structlog.get_logger(__name__)

# A read is repeated on another connection when its own dies. The deadline is the real bound.
READ_ATTEMPTS = 5
PREPARED_STATEMENTS = 150


class Database:
    """The service's way to Postgres.

    `deadline` is how many seconds one request may spend here, over all its statements, counted from the
    start of the request (or of the statement, outside of requests). `watch` is told what each query took.
    `prepared_statements` is how many statements each connection keeps prepared.
    """

    def __init__(
        self,
        pool: Pool,
        deadline: float,
        watch: QueryWatch | None = None,
        prepared_statements: int = PREPARED_STATEMENTS,
    ) -> None:
        self.pool = pool
        self.deadline = deadline
        self._watch = watch or QueryWatch()
        self._prepared = PreparedStatements(prepared_statements)

    def fetch_json(
        self, query: Query, identity: tenancy.Identity, params: Mapping[str, Any] | None = None
    ) -> str:
        """The one JSON text a query answers with. Raises NotFound when there is no row or it is null."""
        row = self.fetch_row(query, identity, params)
        if row is None or row[0] is None:
            raise NotFound()
        return str(row[0])

    def fetch_list(
        self, query: Query, identity: tenancy.Identity, filters: Mapping[str, Any], page: Page
    ) -> Row:
        """One page of a list query; see db.list_statement.compose for the columns of the row. Raises NotFound when what
        the list belongs to is not there."""
        sql, params = compose(query, filters, page)
        row = self._run(query, sql, tenancy.BIND, tenancy.parameters(identity, params))
        if row is None:
            raise NotFound()
        return row

    def fetch_row(
        self, query: Query, identity: tenancy.Identity, params: Mapping[str, Any] | None = None
    ) -> Row | None:
        """The first row of a query that runs for an identity, or None."""
        return self._run(query, query.sql, tenancy.BIND, tenancy.parameters(identity, params or {}))

    def fetch_conditionally(
        self,
        query: Query,
        identity: tenancy.Identity,
        params: Mapping[str, Any],
        once: Once | None = None,
        match: Match | None = None,
    ) -> Row | None:
        """The first row of a write that is done in a transaction of several messages.

        With `once` it is done once for its key, and its answer is kept with it. Raises KeyTaken when it was done
        before, and KeyInUse when that takes longer than it waits. With `match` it is done if the thing, locked from
        then until the transaction ends, is as it must be; each statement has its own snapshot, later than the lock.
        """
        deadline = self._deadline()
        values = {**tenancy.parameters(identity, {**params, **(once.parameters if once else {})})}
        name, current, asked = query.name, record.current(), time.monotonic()
        with self.pool.connection(deadline=deadline, owner=identity.tenant_id) as connection:
            if current:
                current.waited((time.monotonic() - asked) * 1000)
            values["statement_timeout"] = f"{max(1, int((deadline - time.monotonic()) * 1000))}ms"
            try:
                return self._prepared.run(
                    connection,
                    name,
                    query.sql,
                    tenancy.BIND,
                    values,
                    lambda text: send_conditionally(connection, query, text, values, once, match),
                )
            except psycopg2.Error as error:
                raise not_taken(error) or translated(error, query, is_disconnect(error)) from error
            finally:
                seconds = time.monotonic() - asked
                if current:
                    current.query(name, seconds * 1000)
                self._watch.ran(name, seconds, Sample(name, query.sql, tenancy.BIND, values))

    def fetch_for_sign_in(self, query: Query, email: str, tenant_slug: str = "") -> Row | None:
        """The first row of a query that runs for nobody yet: it sees the accounts of one e-mail address."""
        params = {"login_email": email, "tenant_slug": tenant_slug}
        return self._run(query, query.sql, tenancy.BIND_SIGN_IN, params)

    def fetch_unbound(self, query: Query, params: Mapping[str, Any] | None = None) -> Row | None:
        """The first row of a query about the server itself; row security shows it no tenant's rows."""
        return self._run(query, query.sql, "", dict(params or {}))

    def explain(self, name: str, sql: str, bind: str, params: Mapping[str, Any]) -> Any:
        """The plan of a statement as JSON. It is not run, whatever it would do."""
        row = self._run(Query(name, sql, "Its plan."), f"EXPLAIN (FORMAT JSON) {sql}", bind, dict(params))
        assert row is not None  # EXPLAIN always gives a row
        return row[0]

    def _run(self, query: Query, sql: str, bind: str, params: dict[str, Any]) -> Row | None:
        """Send one message; repeat a read whose connection died, as long as the deadline lasts."""
        deadline = self._deadline()
        attempts = 1 if query.writes else READ_ATTEMPTS
        for attempt in range(1, attempts + 1):
            try:
                return self._run_once(query, sql, bind, params, deadline, attempt > 1)
            except psycopg2.Error as error:
                lost = is_disconnect(error)
                if lost and time.monotonic() >= deadline:
                    raise DeadlineExceeded() from error
                if lost and attempt < attempts:
                    continue
                raise translated(error, query, lost) from error
            except (ValueError, OverflowError) as error:
                # psycopg2 refuses NUL characters and lone surrogates when it binds them.
                raise InvalidInput("The request has characters that cannot be stored.") from error
        raise AssertionError("unreachable")

    def _run_once(
        self, query: Query, sql: str, bind: str, params: dict[str, Any], deadline: float, again: bool = False
    ) -> Row | None:
        name, current = query.name, record.current()
        asked, bind = time.monotonic(), query.before + bind
        with self.pool.connection(
            deadline=deadline, repeatable=not query.writes, owner=params.get("tenant_id")
        ) as connection:
            began = time.monotonic()
            params["statement_timeout"] = f"{max(1, int((deadline - began) * 1000))}ms"
            if current:
                current.waited((began - asked) * 1000)
            try:
                return self._prepared.run(
                    connection,
                    name,
                    sql,
                    bind,
                    params,
                    lambda text: connection.run_clean(tenancy.bound(name, text, bind), params),
                )
            finally:
                seconds = time.monotonic() - began
                if current:
                    current.query(name, seconds * 1000, again)
                self._watch.ran(name, seconds, Sample(name, sql, bind, params))

    def _deadline(self) -> float:
        current = record.current()
        started = current.started if current else time.monotonic()
        return started + self.deadline


def translated(error: psycopg2.Error, query: Query, lost: bool) -> OpsboardError:
    """Our error for the database's; its own text goes to the log, never to the client."""
    kind = DatabaseUnavailable if lost else error_for_sqlstate(error.pgcode)
    faults.note(kind.code)
    log.warning(
        "query failed", query=query.name, sqlstate=error.pgcode, error=str(error).strip(), answer=kind.code
    )
    constraint = error.diag.constraint_name if error.diag else None
    return kind(query.constraints.get(constraint or ""))
