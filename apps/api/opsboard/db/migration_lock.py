"""The connection a migrator works on, which also holds the lock that keeps other migrators out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import psycopg2
from psycopg2.extensions import connection as Connection

from opsboard.db.server_watch import SILENT, connect, watched
from opsboard.errors import MigrationError

Report = Callable[[str], object]

# Two arbitrary numbers that are ours ("opsb", then the use); advisory locks belong to one database.
_LOCK = (0x6F707362, 1)
_POLL_SECONDS = 0.1
_REPORT_SECONDS = 30.0


@contextmanager
def migration_session(dsn: str, report: Report) -> Iterator[Connection]:
    """A connection of the owner role, prepared for DDL, once no other migrator is at work.

    The lock is held by the session that does the work, not by one beside it: so it cannot be lost while the
    work goes on, and a backend that outlives its killed client still keeps others out until it is done.
    """
    with _session(dsn) as conn:
        _acquire(conn, report)
        yield conn


@contextmanager
def reading_session(dsn: str) -> Iterator[Connection]:
    """A connection to look at the state of the schema, also while a migrator is at work."""
    with _session(dsn) as conn:
        yield conn


@contextmanager
def _session(dsn: str) -> Iterator[Connection]:
    """A connection straight to the server, ended when the server stops answering."""
    with closing(_connect(dsn)) as conn, watched(conn, dsn) as watch:
        try:
            # A pooler would hand our settings on to others, too.
            refuse_pooler(conn, dsn)
            _prepare(conn)
            yield conn
        except (psycopg2.Error, MigrationError) as error:
            if watch.silent:
                raise MigrationError(SILENT) from error
            raise


def refuse_pooler(conn: Connection, dsn: str) -> None:
    """Refuse a pooler that shares server connections: it would give one lock to many, or lose it.

    While a second client is inside a transaction, such a pooler has either given it the server connection we
    just used, or must give us another one. After that transaction it has one more to choose from: one that
    prefers the last given back gives us that, one that takes turns gives us two in a row.
    """
    first = _backend_pid(conn)
    with closing(_connect(dsn)) as other, watched(other, dsn), other.cursor() as cursor:
        # One message, so that no timeout of the role's can end the transaction before it is told not to.
        cursor.execute("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_backend_pid()")
        shared = cursor.fetchone() == (first,) or _backend_pid(conn) != first
        cursor.execute("ROLLBACK")
        if shared or _backend_pid(conn) != first or _backend_pid(conn) != first:
            raise MigrationError(_POOLER)


def require_lock(conn: Connection) -> None:
    """Make sure that the session still holds the lock it took."""
    if _holder(conn) != _backend_pid(conn):
        raise MigrationError(_POOLER)


def _connect(dsn: str) -> Connection:
    try:
        conn = connect(dsn, "migrate")
    except psycopg2.OperationalError as error:
        reason = " ".join(str(error).split())
        raise MigrationError(f"Cannot connect with DATABASE_OWNER_URL: {reason}") from error
    conn.autocommit = True
    return conn


def _prepare(conn: Connection) -> None:
    with conn.cursor() as cursor:
        cursor.execute("SET search_path = public, pg_temp; SET client_min_messages = warning")
        cursor.execute(
            # Not every version has every one of them.
            "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('statement_timeout', "
            "'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')"
        )
        # A backend whose client was killed stops within this time, instead of building an index to its end.
        # Where the server's platform cannot do it, the next migrator only waits longer.
        with suppress(psycopg2.DatabaseError):
            cursor.execute("SET client_connection_check_interval = '2s'")


def _acquire(conn: Connection, report: Report) -> None:
    """Poll for the lock: a session that blocks on it holds a snapshot, and the holder's CREATE INDEX
    CONCURRENTLY would wait for that snapshot for ever."""
    reported: tuple[int | None, float] = (None, 0.0)
    while not _fetch(conn, "SELECT pg_try_advisory_lock(%s, %s)", _LOCK):
        holder, now = _holder(conn), time.monotonic()
        if holder and (holder != reported[0] or now - reported[1] > _REPORT_SECONDS):
            report(f"waiting for another migrator (pid {holder})")
            reported = (holder, now)
        time.sleep(_POLL_SECONDS)


def _holder(conn: Connection) -> int | None:
    sql = """
        SELECT pid
        FROM pg_locks
        WHERE locktype = 'advisory'
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
          AND classid = %s
          AND objid = %s
          AND objsubid = 2
          AND granted
    """
    return _fetch(conn, sql, _LOCK)


def _backend_pid(conn: Connection) -> int | None:
    return _fetch(conn, "SELECT pg_backend_pid()")


def _fetch(conn: Connection, sql: str, parameters: tuple[int, ...] = ()) -> int | None:
    with conn.cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    return row[0] if row else None


_POOLER = (
    "The connection goes through a pooler that shares server connections, where the migration lock does not "
    "hold; set DATABASE_OWNER_URL to an address that reaches the server directly."
)
