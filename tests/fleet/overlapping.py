"""Writers whose transactions overlap in every way, and a model of what must be heard of them."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Any

import psycopg2

Change = tuple[int, str]
# More subtransactions than a server keeps in a snapshot.
MANY = 70
WRITES = {
    "machines": "INSERT INTO machines (tenant_id, name) VALUES (%(tenant)s, 'of %(writer)s')",
    # Rows of its own: writers of a test run in one thread and must not wait for each other.
    "customers": "UPDATE customers SET phone = '1' WHERE tenant_id = %(tenant)s AND name = 'of %(writer)s'",
    "processes": """WITH gone AS (DELETE FROM processes WHERE tenant_id = %(tenant)s AND name = 'of %(writer)s')
                    INSERT INTO processes (tenant_id, name) VALUES (%(tenant)s, 'of %(writer)s')""",
}
TABLES = list(WRITES)


class Visible:
    """Return the changes that are visible and were not read yet."""

    def __init__(self) -> None:
        self.changes: set[Change] = set()
        self.prepared: dict[str, set[Change]] = {}


class Writer:
    """One connection, and what its transaction has changed: a list of changes for each savepoint."""

    def __init__(self, number: int, url: str, visible: Visible) -> None:
        self.number, self._url, self._visible = number, url, visible
        self._open: list[set[Change]] = []
        self._connection: Any = None
        self._connect()

    def _connect(self) -> None:
        self._connection = psycopg2.connect(self._url)
        self._connection.autocommit = True  # BEGIN is its own

    def run(self, sql: str, values: Any = None) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)

    def close(self) -> None:
        self._connection.close()

    def write(self, tenant: int, table: str) -> None:
        if not self._open:
            self.run("BEGIN")
            self._open = [set()]
        self.run(WRITES[table], {"tenant": tenant, "writer": self.number})
        self._open[-1].add((tenant, table))

    def savepoint(self, tenant: int, table: str) -> None:
        if self._open:
            self.run("SAVEPOINT s")
            self._open.append(set())

    def undo(self, tenant: int, table: str) -> None:
        if len(self._open) > 1:
            self.run("ROLLBACK TO s; RELEASE s")
            self._open.pop()

    def release(self, tenant: int, table: str) -> None:
        if len(self._open) > 1:
            self.run("RELEASE s")
            released = self._open.pop()
            self._open[-1] |= released

    def many(self, tenant: int, table: str) -> None:
        self.write(tenant, table)
        self.run("SAVEPOINT m; UPDATE machines SET location = 'x' WHERE false; RELEASE m;" * 2)
        for _ in range(MANY // 10):
            self.run(
                10 * "SAVEPOINT m; INSERT INTO machines (tenant_id, name) VALUES (%s, 'm'); RELEASE m;",
                [tenant] * 10,
            )
        self._open[-1].add((tenant, "machines"))

    def commit(self, tenant: int, table: str) -> None:
        if self._open:
            self.run("COMMIT")
            self._visible.changes |= set().union(*self._open)
            self._open = []

    def rollback(self, tenant: int, table: str) -> None:
        if self._open:
            self.run("ROLLBACK")
            self._open = []

    def killed(self, tenant: int, table: str) -> None:
        with closing(psycopg2.connect(self._url)) as killer, killer.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (self._connection.info.backend_pid,))
        with suppress(psycopg2.Error):
            self.run("SELECT 1")
        self._connection.close()
        self._open = []
        self._connect()

    def prepare(self, tenant: int, table: str) -> None:
        """A transaction that outlives its session; its rows stay locked, so only new ones are in it."""
        if self._open and not any(table == "customers" for of in self._open for _, table in of):
            name = f"{self.number}-{len(self._visible.prepared)}"
            if name not in self._visible.prepared and not self._locks():
                self.run("PREPARE TRANSACTION %s", (name,))
                self._visible.prepared[name] = set().union(*self._open)
                self._open = []

    def _locks(self) -> bool:
        return any(table != "machines" for of in self._open for _, table in of)

    def finish(self, tenant: int, table: str) -> None:
        """Commit the prepared one if the table is the first, else roll it back."""
        if not self._open and self._visible.prepared:
            name, changes = self._visible.prepared.popitem()
            self.run(f"{'COMMIT' if table == TABLES[0] else 'ROLLBACK'} PREPARED %s", (name,))
            self._visible.changes |= changes if table == TABLES[0] else set()
