"""Keeps the joins of an import with stored rows from depending on what the planner believes of those rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.plan import TablePlan

# Fewer rows may look up each of theirs in an index.
MANY = 1_000

COUNT = sql.SQL("SELECT count(*) >= {many} FROM (SELECT FROM {rows} LIMIT {many}) AS r")
SET = "SELECT set_config('enable_nestloop', %s, true)"


@contextmanager
def hash_joins(cursor: Cursor, table: TablePlan) -> Iterator[None]:
    """Join many rows of this table by hash or merge only.

    Statistics are of the time before an import, when a new business had no rows: a nested loop planned by them reads
    all stored rows once for each imported one.
    """
    cursor.execute(COUNT.format(rows=table.rows, many=sql.Literal(MANY)))
    row = cursor.fetchone()
    assert row is not None  # an aggregate always has its row
    cursor.execute(SET, ("off" if row[0] else "on",))
    yield
    # Not after an error: the transaction is over then, and the setting with it.
    cursor.execute(SET, ("on",))
