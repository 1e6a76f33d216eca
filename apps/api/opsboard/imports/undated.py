"""Times that every row has and that a mapping does not name: when something was entered or began.

The moment of the import would make everything "new today". So they are the earliest time of the row that has come.
Where the file tells none, rows of the first import count as of the day before: nothing tells that they are new. In a
later import, a row that was not there before is new.
"""

from __future__ import annotations

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.plan import Plan, TablePlan

IS_FILLED = sql.SQL("SELECT EXISTS (SELECT FROM {table} WHERE tenant_id = {tenant_id} AND {key} IS NOT NULL)")


def note_first_imports(cursor: Cursor, plan: Plan) -> None:
    """Note the tables that no import has filled yet; to be called before rows are stored."""
    for target in {table.target.table: table.target for table in plan}.values():
        cursor.execute(
            IS_FILLED.format(
                table=sql.Identifier(target.table),
                tenant_id=sql.Literal(plan.business.tenant_id),
                key=sql.Identifier(target.key[0]),
            )
        )
        row = cursor.fetchone()
        assert row is not None  # EXISTS always has its row
        if not row[0]:
            plan.first_filled.add(target.table)


def time_of_row(plan: Plan, table: TablePlan) -> sql.Composable:
    """The time of a row whose mapping does not tell it."""
    cut = sql.SQL("{}::timestamptz").format(sql.Literal(plan.business.cut))
    known = [
        sql.SQL("CASE WHEN {0} < {1} THEN {0} END").format(sql.Identifier("r", column.name), cut)
        for column, _ in table.columns
        if column.kind == "timestamp"
    ]
    otherwise: list[sql.Composable] = [sql.SQL("now()")]
    if table.target.table in plan.first_filled:
        otherwise.insert(0, sql.SQL("{}::timestamptz").format(sql.Literal(plan.business.day_before)))
    earliest = [sql.SQL("least({})").format(sql.SQL(", ").join(known))] if known else []
    return sql.SQL("coalesce({})").format(sql.SQL(", ").join([*earliest, *otherwise]))
