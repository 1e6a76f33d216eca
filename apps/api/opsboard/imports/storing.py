"""Writes checked rows into their table: new ones in, changed ones over, equal ones left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.plan import Plan, TablePlan
from opsboard.imports.values import can_be_open, from_rows, is_open, values

STORE = sql.SQL("""
WITH stored AS (
    INSERT INTO {table} AS t (tenant_id, {columns})
    SELECT
        {tenant_id},
        {values}
    {from_rows}
    ORDER BY {order}
    ON CONFLICT (tenant_id, {key}) DO UPDATE
    SET {changes}
    WHERE ({old}) IS DISTINCT FROM ({new})
    -- A row version made by an update has the number of its locker in xmax, one just inserted has none.
    RETURNING
        t.xmax = 0 AS is_new,
        {returned}
)
{audited}
SELECT
    (SELECT count(*) FROM {rows}) AS lines,
    count(*) FILTER (WHERE is_new) AS inserted,
    count(*) FILTER (WHERE NOT is_new) AS updated
FROM stored
""")

RETURNED = sql.SQL("t.id, CASE WHEN t.xmax <> 0 THEN to_jsonb(t) END AS is_now")

AUDITED = sql.SQL("""
,
-- Of records that have an audit of their own, because people changed them. This statement still sees them as they were.
audited AS (
    INSERT INTO audit_logs (tenant_id, action, entity, entity_id, changes)
    SELECT
        {tenant_id},
        'update',
        {entity},
        s.id,
        changed_columns(to_jsonb(b), s.is_now)
    FROM stored AS s
    JOIN {table} AS b ON b.tenant_id = {tenant_id} AND b.id = s.id
    WHERE NOT s.is_new
        AND EXISTS (
            SELECT FROM audit_logs AS a WHERE a.tenant_id = {tenant_id} AND a.entity = {entity} AND a.entity_id = s.id
        )
)
""")

# A table cut by month has no unique key without its time, so that ON CONFLICT would miss a row whose time is another
# one now. One import of a business runs at a time, and nobody else gives these keys: who looks them up knows.
GIVEN = sql.SQL("""
CREATE TEMP TABLE {given} ON COMMIT DROP AS
SELECT
    t.id AS stored_id,
    t.{cut_by} AS stored_at,
    t.id IS NOT NULL AND ({stored}) IS DISTINCT FROM ({values}) AS differs,
    r.line,
    {named}
{from_rows}
LEFT JOIN {table} AS t ON t.tenant_id = {tenant_id} AND t.external_id = r.external_id
""")

UPDATE = sql.SQL("""
UPDATE {table} AS t
SET {changes}
FROM {given} AS g
WHERE t.tenant_id = {tenant_id}
    AND t.id = g.stored_id
    AND t.{cut_by} = g.stored_at
    AND g.differs
""")

INSERT = sql.SQL("""
INSERT INTO {table} (tenant_id, {columns})
SELECT
    {tenant_id},
    {columns}
FROM {given}
WHERE stored_id IS NULL
ORDER BY line
""")

# History is not rewritten.
WRITTEN_ALREADY = sql.SQL("""
INSERT INTO import_faults (file, line, position, column_name, value, reason)
SELECT {file}, line, {position}, {column}, external_id, {reason}
FROM {given}
WHERE differs
""")


@dataclass(frozen=True)
class Stored:
    """The results of one table's rows."""

    table: str
    inserted: int
    updated: int
    unchanged: int


def store(cursor: Cursor, plan: Plan, table: TablePlan) -> Stored:
    """Write the rows of one table; its parents are stored already."""
    if table.target.cut_by:
        return _store_by_looking(cursor, plan, table)
    filled = dict(values(plan, table))
    if table.target.has_own_key:
        filled = {"external_id": sql.SQL("r.external_id"), **filled}
    key = table.target.key
    # Of a row that is nothing but its key, the key is set to what it is.
    names = [name for name in filled if name not in key and not table.is_once(name)] or key
    changed = [sql.Identifier(name) for name in names]
    cursor.execute(
        STORE.format(
            table=sql.Identifier(table.target.table),
            key=sql.SQL(", ").join(map(sql.Identifier, key)),
            columns=sql.SQL(", ").join(map(sql.Identifier, filled)),
            tenant_id=sql.Literal(plan.business.tenant_id),
            values=sql.SQL(",\n        ").join(filled.values()),
            from_rows=from_rows(plan, table),
            order=_order(plan, table),
            rows=table.rows,
            # A row that has no id of its own is told of with the one it belongs to.
            returned=RETURNED if table.target.has_own_key else sql.SQL("true"),
            audited=_audited(plan, table) if table.target.has_own_key else sql.SQL(""),
            changes=sql.SQL(",\n        ").join(
                sql.SQL("{0} = EXCLUDED.{0}").format(name) for name in changed
            ),
            old=sql.SQL(", ").join(sql.SQL("t.{}").format(name) for name in changed),
            new=sql.SQL(", ").join(sql.SQL("EXCLUDED.{}").format(name) for name in changed),
        )
    )
    row = cursor.fetchone()
    assert row is not None  # an aggregate always has its row
    lines, inserted, updated = row
    return Stored(table.target.table, inserted, updated, lines - inserted - updated)


def _order(plan: Plan, table: TablePlan) -> sql.Composable:
    """The order of the lines, but a row that ends makes room for one that begins."""
    line = sql.SQL("r.line")
    return sql.SQL("{}, {}").format(is_open(plan, table), line) if can_be_open(table) else line


def _audited(plan: Plan, table: TablePlan) -> sql.Composable:
    return AUDITED.format(
        tenant_id=sql.Literal(plan.business.tenant_id),
        entity=sql.Literal(table.target.singular.replace(" ", "_")),
        table=sql.Identifier(table.target.table),
    )


def _store_by_looking(cursor: Cursor, plan: Plan, table: TablePlan) -> Stored:
    """Write the rows of a table that has no unique outside key: those that are stored are looked up first."""
    target, filled = table.target, dict(values(plan, table))
    parts = {
        "table": sql.Identifier(target.table),
        "given": sql.Identifier(f"import_given_{table.name}"),
        "tenant_id": sql.Literal(plan.business.tenant_id),
        "cut_by": sql.Identifier(target.cut_by),
        "columns": sql.SQL(", ").join(map(sql.Identifier, ("external_id", *filled))),
    }
    compared = {name: value for name, value in filled.items() if not table.is_once(name)}
    named = {"external_id": sql.SQL("r.external_id"), **filled}
    cursor.execute(
        GIVEN.format(
            **parts,
            stored=sql.SQL(", ").join(sql.SQL("t.{}").format(sql.Identifier(name)) for name in compared),
            values=sql.SQL(", ").join(compared.values()),
            named=_named(list(named.items())),
            from_rows=from_rows(plan, table),
        )
    )
    lines, updated = cursor.rowcount, 0
    if target.is_history:
        _refuse_changes(cursor, table, parts["given"])
    else:
        changes = [sql.SQL("{0} = g.{0}").format(sql.Identifier(name)) for name in compared]
        cursor.execute(UPDATE.format(**parts, changes=sql.SQL(", ").join(changes)))
        updated = cursor.rowcount
    cursor.execute(INSERT.format(**parts))
    return Stored(target.table, cursor.rowcount, updated, lines - cursor.rowcount - updated)


def _refuse_changes(cursor: Cursor, table: TablePlan, given: sql.Composable) -> None:
    place = table.place(table.mapping.external_id)
    cursor.execute(
        WRITTEN_ALREADY.format(
            given=given,
            file=sql.Literal(table.source.number),
            position=sql.Literal(place.position),
            column=sql.Literal(place.column),
            reason=sql.Literal(f"is stored with other values; {table.target.table} only grows"),
        )
    )


def _named(expressions: Sequence[tuple[str, sql.Composable]]) -> sql.Composable:
    return sql.SQL(",\n    ").join(
        sql.SQL("{} AS {}").format(expression, sql.Identifier(name)) for name, expression in expressions
    )
