"""Expressions for each column: the validated value, the parent's id, or null where a status requires it."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg2 import sql

from opsboard.imports.mapping import Stage, Value
from opsboard.imports.plan import Plan, TablePlan
from opsboard.imports.rows import parent_key
from opsboard.imports.target import Column, Ending, Parent
from opsboard.imports.undated import time_of_row

STAGED = sql.SQL("""
    FROM (
        SELECT
            *,
            {stage} AS stage
        FROM {rows}
    ) AS r
""")


def staged_rows(plan: Plan, table: TablePlan) -> sql.Composed:
    """The rows of a table, as `r`, with their status."""
    return STAGED.format(stage=_stage(plan, table), rows=table.rows)


def from_rows(plan: Plan, table: TablePlan) -> sql.Composed:
    """The checked rows of a table, as `r`, with their parents."""
    parents = sql.SQL("\n    ").join(_parent_join(plan, parent) for parent, _ in table.parents)
    return sql.Composed([staged_rows(plan, table), parents])


def can_be_open(table: TablePlan) -> bool:
    """Return True if the file says when a row ended."""
    return table.target.ends is not None and table.target.ends.column in table.mapping.columns


def is_open(plan: Plan, table: TablePlan) -> sql.Composable:
    """The SQL condition that a row `r` has not ended, now or on the day that is looked at."""
    if not can_be_open(table):
        return sql.SQL("true")
    assert table.target.ends is not None
    ended = sql.Identifier("r", table.target.ends.column)
    if plan.business.as_of is None:
        return sql.SQL("{} IS NULL").format(ended)
    return sql.SQL("({0} < {1}) IS NOT TRUE").format(ended, _cut(plan))


def values(plan: Plan, table: TablePlan) -> Iterator[tuple[str, sql.Composable]]:
    """Every column that is written and what is written there."""
    times = {stage.since for stage in table.mapping.stages}
    for column, value in table.columns:
        if not (table.mapping.stages and column.name == "status"):
            read = _value(plan, column, value, column.name in times)
            yield column.name, _until_its_end(plan, table, column, read)
    for column in table.undated:
        yield column.name, time_of_row(plan, table)
    for parent, _ in table.parents:
        yield parent.column, sql.Identifier(f"p_{parent.name}", "id")
    if table.mapping.stages:
        yield "status", sql.SQL("r.stage")


def _value(plan: Plan, column: Column, value: Value, is_stage: bool) -> sql.Composable:
    read = sql.Identifier("r", column.name)
    if is_stage:
        # Events that have not happened yet are unknown.
        return sql.SQL("CASE WHEN {0} < {1} THEN {0} END").format(read, _cut(plan))
    if value.when_status:
        until_then: sql.Composable = sql.Literal(value.until_then)
        if column.kind in ("integer", "seconds"):
            until_then = sql.SQL("{}::integer").format(until_then)
        return sql.SQL("CASE WHEN r.stage = ANY ({}) THEN {} ELSE {} END").format(
            sql.Literal(value.when_status), read, until_then
        )
    return read


def _until_its_end(plan: Plan, table: TablePlan, column: Column, read: sql.Composable) -> sql.Composable:
    """Nothing is known of the end of a row that ends after the day that is looked at."""
    ends = table.target.ends or Ending("")
    if plan.business.as_of is None or not can_be_open(table):
        return read
    if column.name in ends.numbers:
        return sql.SQL("CASE WHEN {} THEN 0 ELSE {} END").format(is_open(plan, table), read)
    if column.name in (ends.column, *ends.texts):
        return sql.SQL("CASE WHEN NOT {} THEN {} END").format(is_open(plan, table), read)
    return read


def _stage(plan: Plan, table: TablePlan) -> sql.Composable:
    """The status of a row: by its times, by the word of the file, or by both."""
    stages, has_word = table.mapping.stages, "status" in table.mapping.columns
    if not stages:
        return sql.SQL("status") if has_word else sql.SQL("NULL::text")
    by_times = _by_times(plan, stages)
    if not has_word:
        return by_times
    # Each rank is a place in the order of the stages, from 1.
    statuses = sql.SQL("{}::text[]").format(sql.Literal([stage.status for stage in stages]))
    rank = sql.SQL("array_position({}, {})")
    ranks = sql.SQL("greatest({}, {})").format(
        rank.format(statuses, sql.SQL("status")), rank.format(statuses, by_times)
    )
    not_yet = sql.SQL(" ").join(
        sql.SQL("WHEN {} >= {} THEN {}").format(sql.Identifier(stage.since), _cut(plan), sql.Literal(place))
        for place, stage in enumerate(stages)
        if stage.since
    )
    return sql.SQL(
        "CASE WHEN status IS NULL THEN {by_times} "
        # Later events have not happened yet, whatever their status is.
        "WHEN (CASE {not_yet} END) IS NOT NULL THEN ({statuses})[least({ranks}, CASE {not_yet} END)] "
        # Cancelled, on hold: no time tells them.
        "WHEN array_position({statuses}, status) IS NULL THEN status "
        "ELSE ({statuses})[{ranks}] END"
    ).format(by_times=by_times, not_yet=not_yet, statuses=statuses, ranks=ranks)


def _by_times(plan: Plan, stages: list[Stage]) -> sql.Composable:
    """The last status whose time has come."""
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
