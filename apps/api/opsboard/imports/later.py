"""Rows that are not there yet on the day an import looks at: they were created after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.plan import Plan, TablePlan
from opsboard.imports.rows import parent_key

# A row that an earlier import stored stays: nobody's record is deleted.
LEAVE_OUT = sql.SQL("""
DELETE FROM {rows} AS r
WHERE ({later} AND NOT EXISTS (
        SELECT FROM {table} AS t WHERE t.tenant_id = {tenant_id} AND {stored}
    ))
    {orphaned}
""")

ORPHANED = sql.SQL("""
    OR NOT EXISTS (SELECT FROM {parent} AS p WHERE p.tenant_id = {tenant_id} AND p.external_id = r.{key})
""")

COUNT = sql.SQL("SELECT count(*) FROM {rows} AS r WHERE {later}")


@dataclass(frozen=True)
class Later:
    """The number of rows after the day, and their handling."""

    table: str
    rows: int
    day: date
    is_left_out: bool

    def __str__(self) -> str:
        if self.is_left_out:
            return f"{self.table}: {self.rows:,} rows came after {self.day} and were left out"
        return f"{self.table}: {self.rows:,} rows came after {self.day}, are stored already and stay"


def leave_out_later(cursor: Cursor, plan: Plan, table: TablePlan) -> Iterator[Later]:
    """Take the rows out that were created after the day, and those that belong to such rows."""
    day = plan.business.as_of
    if day is None:
        return
    later = is_later(plan, table)
    parts = {"rows": table.rows, "tenant_id": sql.Literal(plan.business.tenant_id), "later": later}
    orphaned = [
        ORPHANED.format(
            parent=sql.Identifier(parent.table), tenant_id=parts["tenant_id"], key=parent_key(parent.name)
        )
        for parent, _ in table.parents
        if parent.required
    ]
    cursor.execute(
        LEAVE_OUT.format(
            **parts,
            table=sql.Identifier(table.target.table),
            orphaned=sql.SQL("").join(orphaned),
            stored=sql.SQL("t.external_id = r.external_id" if table.target.has_own_key else "true"),
        )
    )
    if cursor.rowcount:
        yield Later(table.target.table, cursor.rowcount, day, True)
    cursor.execute(COUNT.format(**parts))
    row = cursor.fetchone()
    if row and row[0]:
        yield Later(table.target.table, row[0], day, False)


def is_later(plan: Plan, table: TablePlan) -> sql.Composable:
    """The SQL condition that a row `r` came after the day that is looked at."""
    # History is stored as far as it goes, and a row without a key of its own goes with its parent.
    times = [name for name in ("created_at", table.target.begins) if name in table.mapping.columns]
    is_known = times and table.target.has_own_key
    if not is_known or table.target.cut_by or table.mapping.later == "keep":
        return sql.SQL("false")
    # Work that is entered on the day before it begins, in a plan, has not begun.
    return sql.SQL("greatest({}) >= {}::timestamptz").format(
        sql.SQL(", ").join(sql.Identifier("r", name) for name in times), sql.Literal(plan.business.cut)
    )
