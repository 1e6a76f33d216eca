"""Runs one migration file so that whatever a kill leaves behind is put right by running it again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

import psycopg2
from psycopg2 import sql as compose
from psycopg2.errors import DeadlockDetected, LockNotAvailable
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from opsboard.db.migration_files import Script, built_index
from opsboard.db.migration_lock import Report
from opsboard.errors import MigrationError

# Readers of a table queue behind a DDL statement that waits for its lock, so this limits their wait.
_LOCK_WAIT = 0.2
_SHORTEST_LOCK_WAIT = 0.01
_LONGEST_PAUSE = 2.0


class Statement(NamedTuple):
    """A statement of our own bookkeeping, with its parameters."""

    sql: str
    parameters: tuple[str, ...]


class ScriptRunner:
    """Runs files over one connection, patient with the readers of live tables."""

    def __init__(self, conn: Connection, report: Report, lock_tries: int) -> None:
        self._conn = conn
        self._report = report
        self._lock_tries = lock_tries

    def run(self, script: Script, *, begun: Statement, done: Statement) -> None:
        """Run the file and record it: in its transaction, or else with `begun` before and `done` after it."""
        if script.transactional:
            self._with_retries(script, partial(self._run_in_transaction, script, done))
            return
        self.execute(*begun)
        for number in range(1, len(script.statements) + 1):
            self._with_retries(script, partial(self._run_statement, script, number, _LOCK_WAIT))
        self.execute(*done)

    def cursor(self) -> Cursor:
        """A cursor of the connection, for queries of others."""
        return self._conn.cursor()

    def invalid_indexes(self) -> list[str]:
        """Names of the indexes no query can use; one that is being built just now is not a fault."""
        rows = self.execute("""
            SELECT c.relname
            FROM pg_index AS i
            JOIN pg_class AS c ON c.oid = i.indexrelid
            WHERE c.relnamespace = 'public'::regnamespace
              AND NOT (i.indisvalid AND i.indisready AND i.indislive)
              AND NOT EXISTS (
                  SELECT FROM pg_stat_progress_create_index AS building WHERE building.index_relid = c.oid
              )
            ORDER BY c.relname
        """)
        return [name for (name,) in rows]

    def execute(
        self, sql: str | compose.Composable, parameters: tuple[str, ...] | None = None
    ) -> list[tuple[Any, ...]]:
        """Run one statement; the rows it returned, if any."""
        with self._conn.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def _run_in_transaction(self, script: Script, done: Statement) -> None:
        self.execute("BEGIN")
        try:
            began = time.monotonic()
            for number in range(1, len(script.statements) + 1):
                # All waits together, for the locks already held are felt during the later ones too.
                lock_wait = max(_LOCK_WAIT - (time.monotonic() - began), _SHORTEST_LOCK_WAIT)
                self._run_statement(script, number, lock_wait)
            self.execute(*done)
            self.execute("COMMIT")
        except BaseException:
            with suppress(psycopg2.Error):
                self.execute("ROLLBACK")
            raise

    def _run_statement(self, script: Script, number: int, lock_wait: float) -> None:
        sql = script.statements[number - 1]
        index = None if script.transactional else built_index(sql)
        try:
            if index:
                self._drop_invalid(index)
            # CONCURRENTLY waits for old transactions without anyone queueing behind it: let it wait.
            concurrently = not script.transactional and "CONCURRENTLY" in sql.upper()
            self.execute(f"SET lock_timeout = {0 if concurrently else round(lock_wait * 1000)}")
            self.execute(sql)
        except (LockNotAvailable, DeadlockDetected):
            raise
        except psycopg2.Error as error:
            raise MigrationError(f"{script.path.name}, statement {number}: {_explain(error)}") from error
        if index and not self._valid(index):
            raise MigrationError(f"{script.path.name}, statement {number}: {index} is invalid; run it again.")

    def _drop_invalid(self, index: str) -> None:
        if self._valid(index) is False:
            self._report(f"dropping invalid index {index}, left by an interrupted run")
            name = compose.Identifier("public", index)
            self.execute("SET lock_timeout = 0")
            self.execute(compose.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(name))

    def _valid(self, index: str) -> bool | None:
        """Return True if queries can use the index and writes keep it up; None if there is none of that name."""
        rows = self.execute(
            """
            SELECT i.indisvalid AND i.indisready AND i.indislive
            FROM pg_index AS i
            JOIN pg_class AS c ON c.oid = i.indexrelid
            WHERE c.relnamespace = 'public'::regnamespace
              AND c.relname = %s
            """,
            (index,),
        )
        return rows[0][0] if rows else None

    def _with_retries(self, script: Script, attempt: Callable[[], None]) -> None:
        for tried in range(1, self._lock_tries + 1):
            try:
                return attempt()
            except (LockNotAvailable, DeadlockDetected) as error:
                blocker = self._oldest_transaction()
                if tried == self._lock_tries:
                    raise MigrationError(
                        f"{script.path.name}: a table it changes was in use at each of {tried} tries"
                        f" (oldest transaction: {blocker}); end that one or wait for it, and run this again."
                    ) from error
                self._report(f"{script.path.name}: a table it changes is in use ({blocker}); trying again")
                # Jitter, or a migration could keep step with a job that comes round as regularly.
                time.sleep(min(0.05 * 2**tried, _LONGEST_PAUSE) * random.uniform(0.5, 1))

    def _oldest_transaction(self) -> str:
        rows = self.execute(
            """
            SELECT format('pid %s of %s, %s s', pid, usename, extract(epoch FROM now() - xact_start)::int)
            FROM pg_stat_activity
            WHERE datname = current_database()
              AND pid <> pg_backend_pid()
              AND xact_start IS NOT NULL
            ORDER BY xact_start
            LIMIT 1
            """
        )
        return rows[0][0] if rows else "none now"


def _explain(error: psycopg2.Error) -> str:
    parts = [error.diag.message_primary or str(error), error.diag.message_detail, error.diag.message_hint]
    return " ".join(" ".join(part.split()) for part in parts if part)
