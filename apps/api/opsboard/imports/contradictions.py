"""Faults of values that the table refuses together, as an end before the begin; told of the line they come from."""

from __future__ import annotations

import re

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.plan import Plan, TablePlan
from opsboard.imports.rows import SHOWN_AS_GIVEN, given
from opsboard.imports.target import Contradiction, Target
from opsboard.imports.values import staged_rows, values

NAMES = re.compile(r"\{(\w+)\}")

# As they will be stored: the status by times, and nothing that comes after the day that is looked at.
CONTRADICTED = sql.SQL("""
INSERT INTO import_faults (file, line, position, column_name, value, reason, target)
SELECT {file}, v.line, {position}, {column}, v.shown, {reason}, {target}
FROM (
    SELECT
        r.line,
        r.damaged,
        {shown} AS shown,
        {values}
    {rows}
) AS v
WHERE NOT v.damaged
    AND ({broken})
    AND NOT EXISTS (SELECT FROM import_faults AS f WHERE f.file = {file} AND f.line = v.line)
""")


def insert_contradicted(cursor: Cursor, plan: Plan, table: TablePlan, contradiction: Contradiction) -> None:
    """Rows with values that contradict each other; a line with another fault is not told again."""
    filled = dict(values(plan, table))
    names = list(dict.fromkeys(NAMES.findall(contradiction.broken)))
    lacking = [name for name in names if name not in filled]
    # A row of a table cut by month that is stored already keeps what the mapping does not give.
    if len(lacking) == len(names) or (lacking and table.target.cut_by):
        return
    given_value = table.mapping.columns.get(contradiction.column)
    place = table.place(*(given_value.sources if given_value else [table.mapping.external_id]))
    cursor.execute(
        CONTRADICTED.format(
            file=sql.Literal(table.source.number),
            position=sql.Literal(place.position),
            column=sql.Literal(place.column),
            shown=_shown(table.target, contradiction.column) if given_value else sql.SQL("NULL::text"),
            values=sql.SQL(",\n        ").join(
                sql.SQL("{} AS {}").format(
                    _default(table.target, name) if name in lacking else filled[name], sql.Identifier(name)
                )
                for name in names
            ),
            rows=staged_rows(plan, table),
            broken=expression(contradiction.broken, "v"),
            reason=sql.Literal(contradiction.reason),
            target=sql.Literal(f"{table.target.table}.{contradiction.column}"),
        )
    )


def _shown(target: Target, name: str) -> sql.Composable:
    column = target.column(name)
    value = given(name) if column.kind in SHOWN_AS_GIVEN else sql.Identifier(name)
    return sql.SQL("r.{}").format(value)


def expression(text: str, alias: str) -> sql.Composable:
    """SQL in which columns stand in braces, with the columns of a row of that alias."""
    parts = [
        sql.Identifier(alias, part) if number % 2 else sql.SQL(part)
        for number, part in enumerate(NAMES.split(text))
    ]
    return sql.Composed(parts)


def _default(target: Target, name: str) -> sql.Composable:
    """The value of a new row. ON CONFLICT checks it also where the row is stored already."""
    column = target.column(name)
    if column.one_of:
        return sql.Literal(column.one_of[0])
    return sql.SQL({"integer": "0", "date": "NULL::date"}.get(column.kind, "NULL::timestamptz"))
