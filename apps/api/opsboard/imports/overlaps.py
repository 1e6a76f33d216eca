"""Faults of rows that take the same time as another one, where the table lets only one have it."""

from __future__ import annotations

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from opsboard.imports.contradictions import expression
from opsboard.imports.plan import Plan, TablePlan
from opsboard.imports.rows import parent_key
from opsboard.imports.target import Overlap

# A time overlaps an earlier one when it begins before the latest end so far: each row is compared once.
WITHIN_IMPORT = sql.SQL("""
INSERT INTO import_faults (file, line, position, column_name, value, reason)
SELECT DISTINCT
    {file}::integer,
    greatest(n.line, n.latest[2]),
    {position}::integer,
    {column},
    NULL,
    {reason} || least(n.line, n.latest[2])
FROM (
    SELECT
        r.line,
        lower(s.part) AS begins,
        max(ARRAY[upper(s.part), r.line]) OVER (
            PARTITION BY {owner} ORDER BY lower(s.part), r.line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS latest
    FROM {rows} AS r
    CROSS JOIN LATERAL unnest({span}) AS s (part)
    WHERE NOT r.damaged
) AS n
WHERE n.begins < n.latest[1]
    AND n.line <> n.latest[2]
    AND NOT EXISTS (
        SELECT FROM import_faults AS f WHERE f.file = {file} AND f.line IN (n.line, n.latest[2])
    )
""")

# A stored row that is in the import too is changed by it.
WITH_STORED = sql.SQL("""
INSERT INTO import_faults (file, line, position, column_name, value, reason)
SELECT {file}, r.line, {position}, {column}, NULL, {reason}
FROM {rows} AS r
WHERE NOT r.damaged
    AND EXISTS (
        SELECT
        FROM {table} AS t
        LEFT JOIN {owners} AS p ON p.tenant_id = {tenant_id} AND p.id = t.{owner_id}
        WHERE t.tenant_id = {tenant_id}
            AND {owner} IS NOT DISTINCT FROM p.external_id
            AND (t.{owner_id} IS NULL) = ({owner} IS NULL)
            AND {span} && {stored}
            AND NOT EXISTS (SELECT FROM {rows} AS q WHERE q.external_id = t.external_id)
    )
    AND NOT EXISTS (SELECT FROM import_faults AS f WHERE f.file = {file} AND f.line = r.line)
""")


def insert_overlapping(cursor: Cursor, plan: Plan, table: TablePlan, overlap: Overlap) -> None:
    """Rows whose time another row of the import, or one that is stored, has already."""
    parent = table.target.parent(overlap.owner)
    place = table.place(*table.mapping.columns[overlap.column].sources)
    common: dict[str, sql.Composable] = {
        "file": sql.Literal(table.source.number),
        "position": sql.Literal(place.position),
        "column": sql.Literal(place.column),
        "rows": table.rows,
        "span": expression(overlap.span, "r"),
        "owner": sql.SQL("r.{}").format(parent_key(parent.name))
        if parent.name in table.mapping.parents
        else sql.SQL("NULL::text"),
    }
    cursor.execute(
        WITHIN_IMPORT.format(reason=sql.Literal(f"overlaps the {table.target.singular} on line "), **common)
    )
    cursor.execute(
        WITH_STORED.format(
            reason=sql.Literal(f"overlaps a {table.target.singular} that is stored already"),
            table=sql.Identifier(table.target.table),
            owners=sql.Identifier(parent.table),
            owner_id=sql.Identifier(parent.column),
            tenant_id=sql.Literal(plan.business.tenant_id),
            stored=expression(overlap.span, "t"),
            **common,
        )
    )
