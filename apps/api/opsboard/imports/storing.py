"""Writes checked rows into their table: new ones in, changed ones over, equal ones left alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.mapping import Stage, Value
from opsboard.imports.plan import Plan, TablePlan
from opsboard.imports.rows import parent_key
from opsboard.imports.targets import Column, Parent

STORE = sql.SQL("""
WITH stored AS (
    INSERT INTO {table} AS t (tenant_id, external_id, {columns})
    SELECT
        {tenant_id},
        r.external_id,
        {values}
    FROM (
        SELECT
            *,
            {stage} AS stage
        FROM {rows}
    ) AS r
    {parents}
    ORDER BY r.line
    ON CONFLICT (tenant_id, external_id) DO UPDATE
    SET {changes}
    WHERE ({old}) IS DISTINCT FROM ({new})
    -- A row version made by an update has the number of its locker in xmax, one just inserted has none.
    RETURNING t.xmax = 0 AS is_new
)
SELECT
    (SELECT count(*) FROM {rows}) AS lines,
    count(*) FILTER (WHERE is_new) AS inserted,
    count(*) FILTER (WHERE NOT is_new) AS updated
FROM stored
""")

COMMA = sql.SQL(",\n        ")


@dataclass(frozen=True)
class Stored:
    """What became of the rows of one table."""

    table: str
    inserted: int
    updated: int
    unchanged: int


def store(cursor: Cursor, plan: Plan, table: TablePlan) -> Stored:
    """Write the rows of one table; its parents are stored already."""
    filled = dict(_values(plan, table))
    names = [sql.Identifier(name) for name in filled]
    cursor.execute(
        STORE.format(
            table=sql.Identifier(table.target.table),
            columns=sql.SQL(", ").join(names),
            tenant_id=sql.Literal(plan.business.tenant_id),
            values=COMMA.join(filled.values()),
            stage=_stage(plan, table.mapping.stages),
            rows=table.rows,
            parents=sql.SQL("\n    ").join(_parent_join(plan, parent) for parent, _ in table.parents),
            changes=sql.SQL(",\n        ").join(sql.SQL("{0} = EXCLUDED.{0}").format(name) for name in names),
            old=sql.SQL(", ").join(sql.SQL("t.{}").format(name) for name in names),
            new=sql.SQL(", ").join(sql.SQL("EXCLUDED.{}").format(name) for name in names),
        )
    )
    row = cursor.fetchone()
    assert row is not None  # an aggregate always has its row
    lines, inserted, updated = row
    return Stored(table.target.table, inserted, updated, lines - inserted - updated)


def _values(plan: Plan, table: TablePlan) -> Iterator[tuple[str, sql.Composable]]:
    """Every column that is written and what is written there."""
    times = {stage.since for stage in table.mapping.stages}
    for column, value in table.columns:
        yield column.name, _value(plan, column, value, column.name in times)
    for parent, _ in table.parents:
        yield parent.column, sql.Identifier(f"p_{parent.name}", "id")
    if table.mapping.stages:
        yield "status", sql.SQL("r.stage")


def _value(plan: Plan, column: Column, value: Value, is_stage: bool) -> sql.Composable:
    read = sql.Identifier("r", column.name)
    if is_stage:
        # What has not happened yet is not known yet.
        return sql.SQL("CASE WHEN {0} < {1} THEN {0} END").format(read, _cut(plan))
    if value.when_status:
        until_then: sql.Composable = sql.Literal(value.until_then)
        if column.kind in ("integer", "seconds"):
            until_then = sql.SQL("{}::integer").format(until_then)
        return sql.SQL("CASE WHEN r.stage = ANY ({}) THEN {} ELSE {} END").format(
            sql.Literal(value.when_status), read, until_then
        )
    return read


def _stage(plan: Plan, stages: list[Stage]) -> sql.Composable:
    """The last status whose time has come."""
    if not stages:
        return sql.SQL("NULL::text")
    whens = [
        sql.SQL("WHEN {} < {} THEN {}").format(
            sql.Identifier(stage.since), _cut(plan), sql.Literal(stage.status)
        )
        for stage in reversed(stages)
        if stage.since
    ]
    return sql.SQL("CASE {} ELSE {} END").format(sql.SQL(" ").join(whens), sql.Literal(stages[0].status))


def _cut(plan: Plan) -> sql.Composable:
    return sql.SQL("{}::timestamptz").format(sql.Literal(plan.business.cut))


def _parent_join(plan: Plan, parent: Parent) -> sql.Composable:
    return sql.SQL(
        "LEFT JOIN {table} AS {alias} ON {alias}.tenant_id = {tenant_id} AND {alias}.external_id = r.{key}"
    ).format(
        table=sql.Identifier(parent.table),
        alias=sql.Identifier(f"p_{parent.name}"),
        tenant_id=sql.Literal(plan.business.tenant_id),
        key=parent_key(parent.name),
    )
